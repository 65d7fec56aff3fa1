//! Which of a network's outputs stand for which class of a project.
//!
//! A network speaks of its own labels: ImageNet's thousand, CIFAR-10's ten, or a list of somebody's own. Here they are
//! matched with a project's classes, by synset or by name, and what does not match is refused: a class without an output,
//! an output in two classes, an output that the network does not have. A wrong match would look like a bad network.

mod file;

use std::{
    convert::Infallible,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use rival10_sdk::{ClassGroups, Taxonomy};

/// The labels that a network was trained with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Labels {
    /// ImageNet-1k in index order; classes are found by their synsets.
    Imagenet,
    /// CIFAR-10 in index order; classes are found by name.
    Cifar10,
    /// The project's own classes in their order, for networks trained on such a project.
    Project,
    /// The label of every output, in index order: as the lines of a label file.
    Listed(Vec<String>),
    /// A file that says it: see [`Labels::groups`].
    File(PathBuf),
}

/// Why labels and classes do not fit together.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// The label file can't be read.
    #[error("label file {}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The label file is none, or contradicts itself.
    #[error("label file {}: {reason}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong, where, and what would do.
        reason: String,
    },
    /// A class has no output, or the network does not fit its labels.
    #[error("labels {labels}: {reason}")]
    Unfit {
        /// The labels, as `--labels` takes them.
        labels: String,
        /// What does not fit, and what would do.
        reason: String,
    },
}

/// The WordNet ids of ImageNet-1k, after one line of comment.
const IMAGENET: &str = include_str!("../../../schema/labels/imagenet-1k.txt");

/// CIFAR-10's labels in index order, each with other names that the same class goes by.
const CIFAR10: &[&[&str]] = &[
    &["airplane", "plane", "aeroplane", "aircraft"],
    &["automobile", "car"],
    &["bird"],
    &["cat"],
    &["deer"],
    &["dog"],
    &["frog"],
    &["horse", "equine"],
    &["ship", "boat"],
    &["truck", "lorry"],
];

/// The WordNet id of every ImageNet-1k output, in index order.
pub(crate) fn imagenet_synsets() -> impl Iterator<Item = &'static str> {
    IMAGENET.lines().filter(|line| !line.starts_with('#'))
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Imagenet => f.write_str("imagenet"),
            Self::Cifar10 => f.write_str("cifar10"),
            Self::Project => f.write_str("project"),
            Self::Listed(names) => write!(f, "{}", names.join(", ")),
            Self::File(file) => file.display().fmt(f),
        }
    }
}

/// Reads what `--labels` takes: `imagenet`, `cifar10`, `project` (also called `rival10`), or the path of a file.
impl FromStr for Labels {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "imagenet" => Self::Imagenet,
            "cifar10" => Self::Cifar10,
            "project" | "rival10" => Self::Project,
            path => Self::File(PathBuf::from(path)),
        })
    }
}

impl Labels {
    /// One group of outputs for each class of `taxonomy`, for a network with that many `outputs`.
    ///
    /// A file is one of:
    /// - JSON `{"class": [675, 867], ...}`, or that under a key `groups`; an entry is an output's index or an object with
    ///   an `index`, whose other fields are for people to read;
    /// - text with one label a line, in index order: a class's name, one of its synsets, or anything else for outputs that
    ///   stand for no class. A line may hold several names, parted by commas or tabs, of which one must fit.
    ///
    /// # Errors
    /// [`LabelError`] names the class, the label or the line, and what would do.
    pub fn groups(&self, taxonomy: &Taxonomy, outputs: usize) -> Result<ClassGroups, LabelError> {
        let groups = match self {
            Self::Project => {
                self.expect_outputs(taxonomy.classes.len(), outputs)?;
                ClassGroups::identity(taxonomy.classes.len())
            }
            Self::Imagenet => {
                self.expect_outputs(imagenet_synsets().count(), outputs)?;
                self.imagenet(taxonomy)?
            }
            Self::Cifar10 => {
                self.expect_outputs(CIFAR10.len(), outputs)?;
                self.cifar10(taxonomy)?
            }
            Self::Listed(names) => file::from_lines(names, taxonomy, outputs).map_err(|reason| self.unfit(reason))?,
            Self::File(file) => file::groups(file, taxonomy, outputs)?,
        };
        groups.check(taxonomy, outputs).map_err(|reason| self.unfit(reason))?;
        Ok(groups)
    }

    fn unfit(&self, reason: String) -> LabelError {
        LabelError::Unfit { labels: self.to_string(), reason }
    }

    fn expect_outputs(&self, labels: usize, outputs: usize) -> Result<(), LabelError> {
        if labels == outputs {
            return Ok(());
        }
        Err(self.unfit(format!(
            "{labels} labels for a network with {outputs} outputs; write the labels of its outputs to a file, one a line, \
             and name that"
        )))
    }

    fn imagenet(&self, taxonomy: &Taxonomy) -> Result<ClassGroups, LabelError> {
        let mut groups = Vec::with_capacity(taxonomy.classes.len());
        for class in &taxonomy.classes {
            let group: Vec<usize> = imagenet_synsets()
                .enumerate()
                .filter(|(_, synset)| class.synsets.iter().any(|of_class| of_class == synset))
                .map(|(index, _)| index)
                .collect();
            if group.is_empty() {
                let reason = if class.synsets.is_empty() {
                    "has no synsets in the taxonomy".to_owned()
                } else {
                    format!("has synsets that ImageNet-1k does not have ({})", class.synsets.join(", "))
                };
                return Err(self.unfit(format!(
                    "class {:?} {reason}; give it some, or name the outputs of each class in a label file",
                    class.name
                )));
            }
            groups.push(group);
        }
        Ok(ClassGroups(groups))
    }

    fn cifar10(&self, taxonomy: &Taxonomy) -> Result<ClassGroups, LabelError> {
        let group = |class: &str| {
            CIFAR10.iter().position(|names| names.contains(&class.to_lowercase().as_str())).map(|index| vec![index])
        };
        let groups = taxonomy.classes.iter().map(|class| {
            group(&class.name).ok_or_else(|| {
                let known: Vec<&str> = CIFAR10.iter().map(|names| names[0]).collect();
                self.unfit(format!(
                    "class {:?} is none of {}; name the outputs of each class in a label file",
                    class.name,
                    known.join(", ")
                ))
            })
        });
        Ok(ClassGroups(groups.collect::<Result<_, _>>()?))
    }

    /// The file, where the labels are one: what a project copies or refers to.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(file) => Some(file),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use rival10_sdk::taxonomy::Class;

    use super::*;

    fn taxonomy(classes: &[(&str, &[&str])]) -> Taxonomy {
        let class = |(name, synsets): &(&str, &[&str])| Class {
            name: (*name).to_owned(),
            synsets: synsets.iter().map(|synset| (*synset).to_owned()).collect(),
            usual: Vec::new(),
        };
        Taxonomy { name: "toy".to_owned(), classes: classes.iter().map(class).collect(), attributes: Vec::new() }
    }

    fn rival10() -> Taxonomy {
        Taxonomy::from_toml(include_str!("../../../schema/taxonomy/rival10.toml")).unwrap()
    }

    #[test]
    fn imagenets_synsets_are_a_thousand_in_sorted_order() {
        let synsets: Vec<&str> = imagenet_synsets().collect();
        assert_eq!(synsets.len(), 1000);
        assert!(synsets.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(synsets.iter().all(|synset| synset.len() == 9 && synset.starts_with('n')));
    }

    #[test]
    fn the_ten_classes_are_found_among_imagenets_outputs() {
        let groups = Labels::Imagenet.groups(&rival10(), 1000).unwrap();
        let expected: [[usize; 2]; 10] = [
            [675, 867],
            [436, 511],
            [404, 895],
            [510, 628],
            [283, 285],
            [207, 208],
            [339, 340],
            [352, 353],
            [31, 32],
            [11, 12],
        ];
        let found: Vec<Vec<usize>> = groups.0.clone();
        for (group, expected) in found.iter().zip(expected) {
            let mut expected = expected.to_vec();
            expected.sort_unstable();
            assert_eq!(*group, expected);
        }
    }

    #[test]
    fn cifar10s_order_is_not_rival10s() {
        let groups = Labels::Cifar10.groups(&rival10(), 10).unwrap();
        let flat: Vec<usize> = groups.0.concat();
        // truck, car, plane, ship, cat, dog, equine, deer, frog, bird
        assert_eq!(flat, [9, 1, 0, 8, 3, 5, 7, 4, 6, 2]);
    }

    #[test]
    fn a_class_without_an_output_is_refused_by_name() {
        for (labels, classes, outputs, expected) in [
            (Labels::Imagenet, taxonomy(&[("cup", &[])]), 1000, "class \"cup\" has no synsets in the taxonomy"),
            (Labels::Imagenet, taxonomy(&[("cup", &["n00000001"])]), 1000, "does not have (n00000001)"),
            (Labels::Imagenet, rival10(), 1001, "1000 labels for a network with 1001 outputs"),
            (Labels::Cifar10, taxonomy(&[("cup", &[])]), 10, "class \"cup\" is none of airplane"),
            (Labels::Project, rival10(), 1000, "10 labels for a network with 1000 outputs"),
        ] {
            let error = labels.groups(&classes, outputs).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(error.starts_with(&format!("labels {labels}: ")), "{error}");
        }
    }

    #[test]
    fn names_of_labels_are_read_back_as_they_are_shown() {
        for labels in [Labels::Imagenet, Labels::Cifar10, Labels::Project, Labels::File(PathBuf::from("own.txt"))] {
            assert_eq!(labels.to_string().parse::<Labels>().unwrap(), labels);
        }
        assert_eq!("rival10".parse::<Labels>().unwrap(), Labels::Project);
    }
}
