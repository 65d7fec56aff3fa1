//! An item as a format sees it that knows one class and one object an image.

use std::borrow::Cow;

use super::losses::Losses;
use crate::domain::{Item, ItemInstance, Mask, Presence};

/// The one object that stands for `item`: the union of the instances of its class, as analyses take the foreground.
///
/// An attribute is there if any of them has it and absent if all of them lack it. None if the item has no class: neither
/// said nor agreed on by its instances. What goes is counted in `losses` under `name`.
pub(super) fn of<'a>(
    item: &'a Item,
    name: &str,
    attributes: usize,
    losses: &mut Losses,
) -> Option<Cow<'a, ItemInstance>> {
    let agreed = || {
        let class = item.instances.first()?.class;
        item.instances.iter().all(|instance| instance.class == class).then_some(class)
    };
    let Some(class) = item.class.or_else(agreed) else {
        losses.note("images of no class or of several, left out", name);
        return None;
    };
    if item.source_id.is_some() || item.instances.iter().any(|instance| instance.source_id.is_some()) {
        losses.note("numbers of images and instances in the data set that they came from", name);
    }
    if item.instances.iter().any(|instance| instance.crowd) {
        losses.note("that an instance stands for a crowd", name);
    }
    let mut own = item.instances.iter().filter(|instance| instance.class == class);
    let (first, rest) = (own.next(), own);
    if item.instances.iter().any(|instance| instance.class != class) {
        losses.note("instances of another class than the image's, left out", name);
    }
    let Some(first) = first else {
        losses.note("that an image has no instance: it gets one that nobody has judged", name);
        return Some(Cow::Owned(ItemInstance {
            class,
            source_id: None,
            crowd: false,
            attributes: vec![Presence::NotJudged; attributes],
            altered: vec![false; attributes],
            masks: Default::default(),
        }));
    };
    let rest: Vec<&ItemInstance> = rest.collect();
    if rest.is_empty() {
        return Some(Cow::Borrowed(first));
    }
    losses.note("several instances of a class, written as one: the union of their masks and attributes", name);
    Some(Cow::Owned(rest.into_iter().fold(first.clone(), joined)))
}

fn joined(mut all: ItemInstance, one: &ItemInstance) -> ItemInstance {
    for (a, &b) in all.attributes.iter_mut().zip(&one.attributes) {
        *a = match (*a, b) {
            (Presence::Yes, _) | (_, Presence::Yes) => Presence::Yes,
            (Presence::No, Presence::No) => Presence::No,
            _ => Presence::NotJudged,
        };
    }
    for (a, b) in all.altered.iter_mut().zip(&one.altered) {
        *a |= b;
    }
    for (&layer, mask) in &one.masks {
        let union = |own: &Mask| own.union(mask).expect("all masks of an item are of its size");
        let joined = all.masks.get(&layer).map_or_else(|| mask.clone(), union);
        all.masks.insert(layer, joined);
    }
    all
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::PathBuf};

    use super::*;
    use crate::domain::{ContentHash, Layer, Size, Variant};

    const SIZE: Size = Size::new(3, 1);

    fn instance(class: usize, attributes: &[Presence], object: &[u8]) -> ItemInstance {
        ItemInstance {
            class,
            source_id: None,
            crowd: false,
            attributes: attributes.to_vec(),
            altered: vec![false; attributes.len()],
            masks: BTreeMap::from([(Layer::Object, Mask::from_bitmap(SIZE, object))]),
        }
    }

    fn item(class: Option<usize>, instances: Vec<ItemInstance>) -> Item {
        Item {
            file: PathBuf::new(),
            name: "a".to_owned(),
            content: ContentHash::of(&[]),
            size: SIZE,
            orientation: 1,
            class,
            split: String::new(),
            variant: Variant::Ordinary,
            source_id: None,
            instances,
            source_masks: Vec::new(),
            remarks: Vec::new(),
        }
    }

    #[test]
    fn a_sole_instance_is_taken_as_it_is_and_loses_nothing() {
        let mut losses = Losses::default();
        let item = item(None, vec![instance(2, &[Presence::Yes], &[1, 0, 0])]);
        assert_eq!(of(&item, "a", 1, &mut losses).as_deref(), Some(&item.instances[0]));
        assert_eq!(losses.sentences(), [""; 0]);
    }

    #[test]
    fn instances_of_the_images_class_are_joined_and_others_left_out() {
        use Presence::{No, NotJudged, Yes};
        let mut losses = Losses::default();
        let instances = vec![
            instance(1, &[Yes, No, No], &[1, 0, 0]),
            instance(2, &[Yes, Yes, Yes], &[1, 1, 1]),
            instance(1, &[No, No, NotJudged], &[0, 1, 0]),
        ];
        let item = item(Some(1), instances);
        let one = of(&item, "a", 3, &mut losses).unwrap();
        assert_eq!(one.attributes, [Yes, No, NotJudged]);
        assert_eq!(one.masks[&Layer::Object], Mask::from_bitmap(SIZE, &[1, 1, 0]));
        assert_eq!(losses.sentences().len(), 2);
    }

    #[test]
    fn an_image_whose_instances_disagree_has_no_class() {
        let mut losses = Losses::default();
        let two = item(None, vec![instance(1, &[], &[1, 0, 0]), instance(2, &[], &[1, 0, 0])]);
        assert_eq!(of(&two, "a", 0, &mut losses), None);
        assert_eq!(losses.sentences(), ["images of no class or of several, left out: 1 image, a"]);
    }
}
