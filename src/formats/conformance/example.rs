//! The data sets that the suite runs on: random ones, and small fixed ones, with real image files.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use proptest::{collection::vec, prelude::*, sample::select};
use rival10_sdk::Rgb;

use crate::{
    domain::{Attribute, Class, ContentHash, Item, ItemInstance, Layer, Mask, Presence, Size, Taxonomy, Variant},
    formats::{Ability, Dataset},
};

/// A taxonomy and items of it whose images exist.
#[derive(Clone, Debug)]
pub(crate) struct Example {
    /// Its classes each have a synset, so that a layout that names classes by synset can be written.
    pub(crate) taxonomy: Taxonomy,
    /// The items.
    pub(crate) items: Vec<Item>,
}

/// The one synset of class `i`.
fn synset(i: usize) -> String {
    format!("n{:08}", 10_000_000 + i)
}

/// A taxonomy of that many classes and attributes, with awkward names.
pub(crate) fn taxonomy(classes: usize, attributes: usize) -> Taxonomy {
    let class =
        |i: usize| Class { name: format!("Klasse \"{i}\" \u{e9}"), synsets: vec![synset(i)], ..Class::default() };
    let attribute = |i: usize| Attribute {
        name: if i == 0 { "object_id".to_owned() } else { format!("merkmal {i} \u{4e00}") },
        localised: i.is_multiple_of(2),
        ..Attribute::default()
    };
    let taxonomy = Taxonomy {
        name: "made up".to_owned(),
        classes: (0..classes).map(class).collect(),
        attributes: (0..attributes).map(attribute).collect(),
    };
    taxonomy.check().expect("the names are lawful");
    taxonomy
}

fn any_mask(size: Size) -> impl Strategy<Value = Mask> {
    prop_oneof![
        1 => Just(Mask::empty(size)),
        4 => vec(0..2_u8, size.pixels()).prop_map(move |bits| Mask::from_bitmap(size, &bits)),
    ]
}

fn any_masks(size: Size, attributes: usize) -> impl Strategy<Value = BTreeMap<Layer, Mask>> {
    let attribute_masks = match attributes {
        0 => Just(BTreeMap::new()).boxed(),
        n => prop::collection::btree_map((0..n).prop_map(Layer::Attribute), any_mask(size), 0..4).boxed(),
    };
    let object = prop::option::weighted(0.8, any_mask(size));
    let ignore = prop::option::weighted(0.3, any_mask(size));
    (object, attribute_masks, ignore).prop_map(|(object, mut masks, ignore)| {
        masks.extend(object.map(|mask| (Layer::Object, mask)));
        masks.extend(ignore.map(|mask| (Layer::Ignore, mask)));
        masks
    })
}

fn any_instance(size: Size, classes: usize, attributes: usize) -> impl Strategy<Value = ItemInstance> {
    let presence = select(&[Presence::Yes, Presence::No, Presence::NotJudged][..]);
    (0..classes, any::<bool>(), vec(presence, attributes), vec(any::<bool>(), attributes), any_masks(size, attributes))
        .prop_map(|(class, crowd, attributes, altered, masks)| ItemInstance {
            class,
            source_id: None,
            crowd,
            attributes,
            altered,
            masks,
        })
}

fn any_item(classes: usize, attributes: usize) -> impl Strategy<Value = Item> {
    let size = (1..9_u32, 1..9_u32).prop_map(|(width, height)| Size::new(width, height));
    let split = select(&["train", "test", "", "d\u{e9}fi 2", "default", "../up", "a/b"][..]);
    size.prop_flat_map(move |size| {
        (
            (1..=8_u8, prop::option::of(0..classes), split.clone(), select(&Variant::ALL[..])),
            vec(any_instance(size, classes, attributes), 0..4),
        )
            .prop_map(move |((orientation, class, split, variant), instances)| Item {
                file: PathBuf::new(),
                name: String::new(),
                content: ContentHash::of(&[]),
                size,
                orientation,
                class,
                split: split.to_owned(),
                variant,
                source_id: None,
                instances,
                source_masks: Vec::new(),
                remarks: Vec::new(),
            })
    })
}

/// Any data set of a few tiny images; [`Example::materialise`] gives it files.
pub(crate) fn any_example() -> impl Strategy<Value = Example> {
    (select(&[1_usize, 2, 3, 10][..]), select(&[0_usize, 1, 5, 18][..])).prop_flat_map(|(classes, attributes)| {
        (vec(any_item(classes, attributes), 1..5), any::<bool>()).prop_map(move |(mut items, numbered)| {
            if numbered {
                number(&mut items);
            }
            Example { taxonomy: taxonomy(classes, attributes), items }
        })
    })
}

/// Gives images and instances numbers as a foreign data set would: unique, not in order, with gaps.
fn number(items: &mut [Item]) {
    let mut next = 1000;
    for (i, item) in items.iter_mut().enumerate() {
        item.source_id = Some(500 - 7 * i as i64);
        for instance in &mut item.instances {
            instance.source_id = Some(next);
            next -= 3;
        }
    }
}

/// `jpeg` with an EXIF block that holds nothing but the orientation.
pub(crate) fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut block = vec![0xff, 0xe1, 0, 34];
    block.extend(b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0");
    block.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    [&jpeg[..2], &block, &jpeg[2..]].concat()
}

impl Example {
    /// Three classes with five attributes and one image of everything that an item may have.
    pub(crate) fn rich() -> Self {
        let mut example = Self::plain(3, 5, 3);
        let size = example.items[0].size;
        let corner = |n: u32| Mask::from_fn(size, |x, y| x + y < n);
        let item = &mut example.items[0];
        item.orientation = 6;
        item.class = None;
        let mut second = item.instances[0].clone();
        second.class = 1;
        second.masks = BTreeMap::from([(Layer::Attribute(0), corner(2)), (Layer::Attribute(2), Mask::empty(size))]);
        item.instances[0].attributes[1] = Presence::NotJudged;
        item.instances[0].altered[3] = true;
        item.instances[0].masks.insert(Layer::Ignore, corner(1));
        item.instances.push(second);
        item.instances.push(ItemInstance { crowd: true, ..item.instances[0].clone() });
        example.items[1].split = "a/b".to_owned();
        example.items[1].variant = Variant::Removed;
        example.items[2].instances.clear();
        number(&mut example.items);
        example
    }

    /// What every format holds, and attributes: `items` images of `classes` classes, each with one instance.
    pub(crate) fn plain(classes: usize, attributes: usize, items: usize) -> Self {
        let item = |i: usize| {
            let size = Size::new(6 + i as u32 % 3, 5);
            let mut masks = BTreeMap::from([(Layer::Object, Mask::from_fn(size, |x, y| x > 0 && (x + y) % 3 != 0))]);
            if attributes > 0 {
                masks.insert(Layer::Attribute(i % attributes), Mask::from_fn(size, |x, y| x == 2 && y > 1));
            }
            let presence = |a: usize| if (a + i).is_multiple_of(2) { Presence::Yes } else { Presence::No };
            Item {
                file: PathBuf::new(),
                name: String::new(),
                content: ContentHash::of(&[]),
                size,
                orientation: 1,
                class: Some(i % classes),
                split: if i.is_multiple_of(2) { "train" } else { "test" }.to_owned(),
                variant: Variant::Ordinary,
                source_id: None,
                instances: vec![ItemInstance {
                    class: i % classes,
                    source_id: None,
                    crowd: false,
                    attributes: (0..attributes).map(presence).collect(),
                    altered: vec![false; attributes],
                    masks,
                }],
                source_masks: Vec::new(),
                remarks: Vec::new(),
            }
        };
        Self { taxonomy: taxonomy(classes, attributes), items: (0..items).map(item).collect() }
    }

    /// Takes away what a format that holds `holds` can't write down.
    pub(crate) fn reduced_to(mut self, holds: &[Ability]) -> Self {
        for ability in Ability::ALL {
            if !holds.contains(&ability) {
                for (i, item) in self.items.iter_mut().enumerate() {
                    take_away(ability, i, item, holds, self.taxonomy.attributes.len());
                }
            }
        }
        self
    }

    /// Writes the images as JPEG files into `folder` and tells the items of them.
    pub(crate) fn materialise(&mut self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        for (i, item) in self.items.iter_mut().enumerate() {
            let size = item.size;
            let stored = if item.orientation >= 5 { Size::new(size.height, size.width) } else { size };
            let level = |channel: usize| (i * 53 + channel * 31) as u8;
            let pixels = (0..stored.pixels() * 3).map(|at| level(at % 3).wrapping_add((at * 5) as u8)).collect();
            let jpeg = rival10_imaging::encode_jpeg(&Rgb { size: stored, pixels }, 95).unwrap();
            let bytes = with_orientation(&jpeg, item.orientation);
            if item.name.is_empty() {
                item.name = match i % 3 {
                    0 => format!("n10000000_{i}"),
                    1 => format!("\u{e9}t\u{e9} & co {i}"),
                    _ => format!("photo.{i}"),
                };
            }
            item.file = folder.join(format!("{}.jpg", item.name));
            item.content = ContentHash::of(&bytes);
            fs::write(&item.file, bytes).unwrap();
        }
        let contents: BTreeSet<_> = self.items.iter().map(|item| item.content).collect();
        assert_eq!(contents.len(), self.items.len(), "the suite tells items apart by their pixels");
    }

    pub(crate) fn dataset(&self) -> Dataset<'_> {
        Dataset { taxonomy: &self.taxonomy, items: &self.items }
    }
}

/// Reduces `item`, the `i`th of its data set, to what can be said without `ability`.
fn take_away(ability: Ability, i: usize, item: &mut Item, holds: &[Ability], attributes: usize) {
    let size = item.size;
    match ability {
        Ability::TrainTest if !holds.contains(&Ability::AnySplit) => item.split.clear(),
        Ability::AnySplit if holds.contains(&Ability::TrainTest) => {
            item.split = ["train", "test"][i % 2].to_owned();
        }
        Ability::TrainTest | Ability::AnySplit => {}
        Ability::Unclassed => {
            let first = item.instances.first();
            item.class = Some(item.class.or(first.map(|instance| instance.class)).unwrap_or(0));
            if item.instances.is_empty() {
                item.instances = Example::plain(1, 0, 1).items[0].instances.clone();
                item.instances[0].masks = BTreeMap::from([(Layer::Object, Mask::full(size))]);
                item.instances[0].attributes = vec![Presence::NotJudged; attributes];
                item.instances[0].altered = vec![false; attributes];
            }
        }
        Ability::SeveralInstances => {
            item.instances.truncate(1);
            item.instances.iter_mut().for_each(|instance| instance.class = item.class.unwrap_or(instance.class));
        }
        Ability::SourceIds => item.source_id = None,
        Ability::Variants => item.variant = Variant::Ordinary,
        // As the published stems do it: the wnid that `taxonomy` gave the class, and a number.
        Ability::AnyName => item.name = format!("{}_{i}", synset(item.class.unwrap_or(0))),
        _ => {}
    }
    for instance in &mut item.instances {
        match ability {
            Ability::Undrawn => {
                instance.masks.entry(Layer::Object).or_insert_with(|| Mask::full(size));
            }
            Ability::Crowd => instance.crowd = false,
            Ability::SourceIds => instance.source_id = None,
            Ability::Attributes => instance.attributes.fill(Presence::NotJudged),
            Ability::NotJudged if holds.contains(&Ability::Attributes) => {
                let judged = |presence: &mut Presence| {
                    if *presence == Presence::NotJudged {
                        *presence = Presence::No;
                    }
                };
                instance.attributes.iter_mut().for_each(judged);
            }
            Ability::Altered => instance.altered.fill(false),
            Ability::AttributeMasks => instance.masks.retain(|layer, _| !matches!(layer, Layer::Attribute(_))),
            Ability::EmptyMasks => {
                instance.masks.retain(|layer, mask| *layer == Layer::Object || !mask.is_empty());
                if let Some(object) = instance.masks.get_mut(&Layer::Object).filter(|mask| mask.is_empty()) {
                    *object = Mask::full(size);
                }
            }
            Ability::IgnoreLayer => {
                instance.masks.remove(&Layer::Ignore);
            }
            _ => {}
        }
    }
}
