//! What stands where in the published layout, and how an image's name tells its class.

use std::path::{Path, PathBuf};

use super::super::file_name;
use crate::domain::{Taxonomy, Variant};

/// The folder that holds the splits.
pub(super) const ROOT: &str = "RIVAL10";
/// The file that says with which taxonomy an export of ours was written; the published data set has none.
pub(super) const TAXONOMY: &str = "taxonomy.toml";
/// The folder of a split that holds the object masks of all its variants.
pub(super) const OBJECT_MASKS: &str = "entire_object_masks";
/// The dict entry that is no attribute: the object.
pub(super) const OBJECT_ENTRY: &str = "entire-object";

/// Ending of images and of mask pictures.
pub(super) const IMAGE: &str = ".JPEG";
/// What follows the stem in the other files of an image.
pub(super) const LABELS: &str = "_attr_labels.npy";
pub(super) const DICT: &str = "_attr_dict.pkl";
pub(super) const MERGED: &str = "_merged_mask.JPEG";
/// The part of [`MERGED`] that belongs to its stem; no image can be called so.
pub(super) const MERGED_STEM: &str = "_merged_mask";

/// Where the files of one image stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The folder of its split.
    pub(super) split_folder: PathBuf,
    /// The split's name.
    pub(super) split: String,
    /// Which of the split's folders.
    pub(super) variant: Variant,
    /// What its file names begin with.
    pub(super) stem: String,
}

impl Place {
    pub(super) fn image(&self) -> PathBuf {
        self.file(IMAGE)
    }

    pub(super) fn labels(&self) -> PathBuf {
        self.file(LABELS)
    }

    pub(super) fn dict(&self) -> PathBuf {
        self.file(DICT)
    }

    pub(super) fn merged_mask(&self) -> PathBuf {
        self.file(MERGED)
    }

    /// The object mask, in whose name the leading wnid stands twice.
    pub(super) fn object_mask(&self) -> PathBuf {
        let file = format!("{}_{}{IMAGE}", leading(&self.stem), self.stem);
        self.split_folder.join(OBJECT_MASKS).join(file)
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.split_folder.join(self.variant.name()).join(format!("{}{ending}", self.stem))
    }
}

/// The folder of a split below `root`. The split without a name has its folders in the root itself.
pub(super) fn split_folder(root: &Path, split: &str) -> PathBuf {
    if split.is_empty() {
        return root.to_owned();
    }
    let taken = split == OBJECT_MASKS || Variant::from_name(split).is_some() || split == TAXONOMY;
    let first = split.chars().next().filter(|_| taken);
    root.join(file_name::encode(split, &first.into_iter().collect::<Vec<_>>()))
}

/// What stands before the first underscore of a stem: the wnid.
fn leading(stem: &str) -> &str {
    stem.split('_').next().unwrap_or(stem)
}

/// The class that a stem tells: that of its leading wnid, or of the class name which [`stem`] puts there for a class
/// without synsets.
pub(super) fn class(stem: &str, taxonomy: &Taxonomy) -> Option<usize> {
    let leading = leading(stem);
    taxonomy.class_of_synset(leading).or_else(|| taxonomy.class(&file_name::decode(leading)))
}

/// A stem for the image `name` of a class: the name itself where it already tells the class, else with the class's first
/// wnid before it. A class without synsets stands there by its name, percent-encoded, underscores too.
pub(super) fn stem(name: &str, class_index: usize, taxonomy: &Taxonomy) -> String {
    let name = file_name::harmless(if name.is_empty() { "image" } else { name });
    let stem = if name.contains('_') && class(&name, taxonomy) == Some(class_index) {
        name
    } else {
        let class = &taxonomy.classes[class_index];
        let leading = class.synsets.first().map_or_else(|| file_name::encode(&class.name, &['_']), Clone::clone);
        format!("{leading}_{name}")
    };
    // X_merged_mask.JPEG is the merged mask of X, never an image.
    if stem.ends_with(MERGED_STEM) { format!("{stem}-1") } else { stem }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Class;

    fn taxonomy(classes: &[(&str, &[&str])]) -> Taxonomy {
        let class = |&(name, synsets): &(&str, &[&str])| Class {
            name: name.to_owned(),
            synsets: synsets.iter().map(|&s| s.to_owned()).collect(),
            ..Class::default()
        };
        Taxonomy { name: "t".to_owned(), classes: classes.iter().map(class).collect(), attributes: Vec::new() }
    }

    #[test]
    fn the_wnid_stands_twice_in_the_object_masks_name() {
        let place = Place {
            split_folder: PathBuf::from("RIVAL10/test"),
            split: "test".to_owned(),
            variant: Variant::Ordinary,
            stem: "n02391049_ILSVRC2012_val_00001234".to_owned(),
        };
        let object = "RIVAL10/test/entire_object_masks/n02391049_n02391049_ILSVRC2012_val_00001234.JPEG";
        assert_eq!(place.object_mask(), Path::new(object));
        assert_eq!(place.image(), Path::new("RIVAL10/test/ordinary/n02391049_ILSVRC2012_val_00001234.JPEG"));
    }

    #[test]
    fn a_name_that_tells_its_class_is_kept_and_others_get_a_wnid() {
        let taxonomy = taxonomy(&[("horse", &["n1", "n2"]), ("toy_car %", &[])]);
        for (name, class_index, expected) in [
            ("n2_photo", 0, "n2_photo"),
            ("photo_1", 0, "n1_photo_1"),
            ("n1", 0, "n1_n1"),
            ("n2_photo", 1, "toy%5Fcar %25_n2_photo"),
            ("toy%5Fcar %25_a", 1, "toy%5Fcar %25_a"),
            ("n2_merged_mask", 0, "n2_merged_mask-1"),
            ("../a", 0, "n1_%2E.%2Fa"),
            ("", 0, "n1_image"),
        ] {
            let stem = stem(name, class_index, &taxonomy);
            assert_eq!(stem, expected);
            assert_eq!(class(&stem, &taxonomy), Some(class_index), "{name}");
        }
        assert_eq!(class("n3_photo", &taxonomy), None);
    }

    #[test]
    fn a_split_called_like_a_folder_of_the_layout_is_told_from_it() {
        let root = Path::new("RIVAL10");
        assert_eq!(split_folder(root, ""), root);
        assert_eq!(split_folder(root, "train"), root.join("train"));
        assert_eq!(split_folder(root, "ordinary"), root.join("%6Frdinary"));
        assert_eq!(file_name::decode("%6Frdinary"), "ordinary");
    }

    proptest! {
        #[test]
        fn every_name_of_every_class_tells_its_class(name in "\\PC{0,20}", classes in proptest::collection::btree_set("[^/\\\\\\pC]{1,8}", 1..4)) {
            let names: Vec<&str> = classes.iter().map(String::as_str).collect();
            let taxonomy = taxonomy(&names.iter().map(|&name| (name, &[][..])).collect::<Vec<_>>());
            for index in 0..names.len() {
                let stem = stem(&name, index, &taxonomy);
                prop_assert_eq!(class(&stem, &taxonomy), Some(index));
                prop_assert!(!stem.ends_with(MERGED_STEM));
            }
        }
    }
}
