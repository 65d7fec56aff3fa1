//! Small projects for the store's own tests.

use std::{collections::BTreeMap, path::Path};

use tempfile::TempDir;

use crate::{
    domain::{
        Annotation, AnnotatorKind, ContentHash, Item, ItemInstance, Layer, Mask, Presence, Size, SourceMask, Status,
        Taxonomy, Variant,
    },
    store::{Actor, ImportOutcome, ImportPlan, Store},
};

pub(in crate::store) const TAXONOMY: &str = r#"
    name = "toys"
    [[classes]]
    name = "ball"
    [[classes]]
    name = "box"
    [[classes]]
    name = "kite"
    [[attributes]]
    name = "round"
    [[attributes]]
    name = "string"
    localised = true
"#;

pub(in crate::store) const SIZE: Size = Size::new(12, 9);

pub(in crate::store) fn taxonomy() -> Taxonomy {
    Taxonomy::from_toml(TAXONOMY).unwrap()
}

/// An empty project that does not wait for the disk, with Ada and Bob registered.
pub(in crate::store) fn project() -> (TempDir, Store) {
    let folder = TempDir::new().unwrap();
    let store = project_in(folder.path());
    (folder, store)
}

pub(in crate::store) fn project_in(folder: &Path) -> Store {
    let mut store = Store::create(folder, &taxonomy(), "toys").unwrap();
    store.connection.pragma_update(None, "synchronous", "off").unwrap();
    for name in ["ada", "bob"] {
        store.add_annotator(Actor::Operator, name, AnnotatorKind::Person).unwrap();
    }
    store
}

/// Item `n` of a data set in `folder`: one to three instances, masks and attributes that follow from `n`.
pub(in crate::store) fn item(folder: &Path, n: usize) -> Item {
    let file = folder.join("pictures").join(format!("{n:03}.jpg"));
    let instances = (0..=n % 3).map(|i| instance(n + i)).collect();
    let mask = |layer, name: &str| {
        let content = ContentHash::of(format!("{name} {n}").as_bytes());
        SourceMask { layer, file: folder.join("masks").join(format!("{n:03}-{name}.png")), content }
    };
    Item {
        name: format!("{n:03}"),
        content: ContentHash::of(format!("picture {n}").as_bytes()),
        file,
        size: SIZE,
        orientation: 1 + u8::try_from(n % 8).unwrap(),
        class: n.is_multiple_of(3).then_some(n % 3),
        split: ["train", "test"][n % 2].to_owned(),
        variant: Variant::ALL[n % 3],
        source_id: n.is_multiple_of(2).then_some(1000 + i64::try_from(n).unwrap()),
        instances,
        source_masks: vec![mask(None, "all"), mask(Some(Layer::Object), "object")],
        remarks: Vec::new(),
    }
}

fn instance(n: usize) -> ItemInstance {
    let k = u32::try_from(n).unwrap();
    let object = Mask::from_fn(SIZE, |x, y| (x + k) % 5 < 3 && y < 6);
    let string = Mask::from_fn(SIZE, |x, y| x == k % 12 && y % 2 == 0);
    let mut masks = BTreeMap::from([(Layer::Object, object), (Layer::Attribute(1), string)]);
    if n.is_multiple_of(4) {
        masks.insert(Layer::Ignore, Mask::empty(SIZE));
    }
    ItemInstance {
        class: n % 3,
        source_id: Some(i64::try_from(n).unwrap()),
        crowd: n % 5 == 4,
        attributes: vec![[Presence::Yes, Presence::No, Presence::NotJudged][n % 3], Presence::Yes],
        altered: vec![n % 2 == 1, false],
        masks,
    }
}

pub(in crate::store) fn items(folder: &Path, n: usize) -> Vec<Item> {
    (0..n).map(|n| item(folder, n)).collect()
}

pub(in crate::store) fn plan(folder: &Path) -> ImportPlan {
    ImportPlan {
        annotator: "toy set".to_owned(),
        kind: AnnotatorKind::Import,
        status: Status::Submitted,
        format: "toys".to_owned(),
        provenance: None,
        folders: vec![folder.to_owned()],
        dry_run: false,
    }
}

/// Imports `n` items that lie in the project's own folder.
pub(in crate::store) fn fill(store: &mut Store, n: usize) -> ImportOutcome {
    let folder = store.dir().to_owned();
    store.import(&plan(&folder), &items(&folder, n)).unwrap()
}

pub(in crate::store) fn all(store: &Store) -> Vec<Annotation> {
    store.annotations(&Default::default()).unwrap()
}

pub(in crate::store) fn dump(store: &Store) -> String {
    let mut text = Vec::new();
    store.dump(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}
