//! Which classes and attributes a project speaks of.
//!
//! A taxonomy is data: its order is the order of every label vector, and nothing in the code assumes how many classes or
//! attributes there are. RIVAL10's own stands in `schema/taxonomy/rival10.toml`.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

/// The classes and attributes of a project, in label order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taxonomy {
    /// What the taxonomy is called.
    pub name: String,
    /// The classes, in label order; at least one.
    pub classes: Vec<Class>,
    /// The attributes, in the order of the attribute vector; may be empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
}

/// One class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// The class's name, unique in its taxonomy.
    pub name: String,
    /// The WordNet ids (such as `n02391049`) whose images belong to the class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub synsets: Vec<String>,
    /// Names of the attributes that most instances of the class have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usual: Vec<String>,
}

/// One attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// The attribute's name, unique in its taxonomy.
    pub name: String,
    /// What kind of thing it is.
    #[serde(default)]
    pub kind: AttributeKind,
    /// Whether a yes must come with a mask. Any attribute may have one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub localised: bool,
    /// The single key that answers it in the annotation screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<char>,
}

/// What kind of thing an attribute is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttributeKind {
    /// A part of the object.
    Part,
    /// Its shape.
    Shape,
    /// Its surface.
    Texture,
    /// Anything else.
    #[default]
    Other,
}

/// Why a taxonomy was refused.
#[derive(Debug, thiserror::Error)]
pub enum TaxonomyError {
    /// The text is no TOML, or has fields that a taxonomy does not know.
    #[error("not a taxonomy file: {0}")]
    Syntax(String),
    /// The taxonomy contradicts itself.
    #[error("{0}")]
    Invalid(String),
}

impl Taxonomy {
    /// Reads a taxonomy from TOML and checks it: at least one class; names non-empty, without `/` or control characters
    /// and unique; keys unique; every usual attribute declared.
    ///
    /// # Errors
    /// [`TaxonomyError`] names what is wrong and where.
    pub fn from_toml(text: &str) -> Result<Self, TaxonomyError> {
        let taxonomy: Self = toml::from_str(text).map_err(|e| TaxonomyError::Syntax(e.to_string()))?;
        taxonomy.check()?;
        Ok(taxonomy)
    }

    /// The taxonomy as TOML; [`Taxonomy::from_toml`] gives the same taxonomy back.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("a taxonomy holds only strings, booleans and lists")
    }

    /// Checks what [`Taxonomy::from_toml`] promises.
    ///
    /// # Errors
    /// [`TaxonomyError::Invalid`] names the first contradiction.
    pub fn check(&self) -> Result<(), TaxonomyError> {
        let invalid = |text: String| Err(TaxonomyError::Invalid(text));
        if self.classes.is_empty() {
            return invalid(format!("taxonomy {:?} has no classes: add at least one [[classes]]", self.name));
        }
        for (what, names) in [
            ("class", self.classes.iter().map(|c| &c.name).collect::<Vec<_>>()),
            ("attribute", self.attributes.iter().map(|a| &a.name).collect()),
        ] {
            let mut seen = HashSet::new();
            for name in names {
                if name.is_empty() || name.contains(['/', '\\']) || name.chars().any(char::is_control) {
                    return invalid(format!("{what} name {name:?} is empty or has a slash or control character in it"));
                }
                if !seen.insert(name) {
                    return invalid(format!("two {what} entries are called {name:?}"));
                }
            }
        }
        let mut keys = HashSet::new();
        for attribute in &self.attributes {
            if let Some(key) = attribute.key
                && !keys.insert(key)
            {
                return invalid(format!("attribute {:?}: key {key:?} is taken by another attribute", attribute.name));
            }
        }
        let mut synsets = HashSet::new();
        for class in &self.classes {
            if let Some(unknown) = class.usual.iter().find(|name| self.attribute(name).is_none()) {
                return invalid(format!("class {:?}: usual attribute {unknown:?} is not declared", class.name));
            }
            if let Some(twice) = class.synsets.iter().find(|synset| !synsets.insert(synset.as_str())) {
                return invalid(format!("class {:?}: synset {twice} belongs to two classes", class.name));
            }
        }
        Ok(())
    }

    /// The index of the class called `name`.
    #[must_use]
    pub fn class(&self, name: &str) -> Option<usize> {
        self.classes.iter().position(|class| class.name == name)
    }

    /// The index of the attribute called `name`.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<usize> {
        self.attributes.iter().position(|attribute| attribute.name == name)
    }

    /// The index of the class that `synset` belongs to.
    #[must_use]
    pub fn class_of_synset(&self, synset: &str) -> Option<usize> {
        self.classes.iter().position(|class| class.synsets.iter().any(|s| s == synset))
    }
}

/// Which of a network's outputs stand for which class: entry `c` lists the logit indices of class `c`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassGroups(pub Vec<Vec<usize>>);

impl ClassGroups {
    /// Output `c` is class `c`, for networks trained on the taxonomy itself.
    #[must_use]
    pub fn identity(classes: usize) -> Self {
        Self((0..classes).map(|c| vec![c]).collect())
    }

    /// y_c = logsumexp of `logits` over group c, computed in double precision; negative infinity for an empty group.
    ///
    /// # Panics
    /// If a group names an output that `logits` does not have; [`ClassGroups::check`] rules that out beforehand.
    #[must_use]
    pub fn scores(&self, logits: &[f32]) -> Vec<f64> {
        let score = |group: &Vec<usize>| {
            let top = group.iter().map(|&i| f64::from(logits[i])).fold(f64::NEG_INFINITY, f64::max);
            if top.is_infinite() {
                return top;
            }
            top + group.iter().map(|&i| (f64::from(logits[i]) - top).exp()).sum::<f64>().ln()
        };
        self.0.iter().map(score).collect()
    }

    /// Checks that there is one group a class and that every index is below `outputs`.
    ///
    /// # Errors
    /// A sentence that names the class and the index.
    pub fn check(&self, taxonomy: &Taxonomy, outputs: usize) -> Result<(), String> {
        if self.0.len() != taxonomy.classes.len() {
            return Err(format!("{} groups for {} classes", self.0.len(), taxonomy.classes.len()));
        }
        for (group, class) in self.0.iter().zip(&taxonomy.classes) {
            if group.is_empty() {
                return Err(format!("class {:?} has no output of the network", class.name));
            }
            if let Some(index) = group.iter().find(|&&i| i >= outputs) {
                return Err(format!("class {:?} names output {index} of a network with {outputs}", class.name));
            }
        }
        Ok(())
    }
}

/// The softmax of class scores, in double precision: shape `[classes]`, entries in [0, 1] that sum to 1.
#[must_use]
pub fn softmax(scores: &[f64]) -> Vec<f64> {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exps: Vec<f64> = scores.iter().map(|s| (s - top).exp()).collect();
    let total: f64 = exps.iter().sum();
    exps.into_iter().map(|e| e / total).collect()
}

/// The index of the largest score; the first of equals, as NumPy's argmax has it.
#[must_use]
pub fn argmax(scores: &[f64]) -> usize {
    let mut best = 0;
    for (i, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = i;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOY: &str = r#"
        name = "toy"
        [[classes]]
        name = "ball"
        synsets = ["n1"]
        usual = ["round"]
        [[classes]]
        name = "box"
        [[attributes]]
        name = "round"
        kind = "shape"
        key = "r"
    "#;

    #[test]
    fn a_taxonomy_survives_toml_both_ways() {
        let taxonomy = Taxonomy::from_toml(TOY).unwrap();
        assert_eq!(taxonomy.class("box"), Some(1));
        assert_eq!(taxonomy.class_of_synset("n1"), Some(0));
        assert_eq!(Taxonomy::from_toml(&taxonomy.to_toml()).unwrap(), taxonomy);
    }

    #[test]
    fn contradictions_are_refused_by_name() {
        for (change, expected) in [
            (("\"box\"", "\"ball\""), "two class entries are called \"ball\""),
            (("[\"round\"]", "[\"flat\"]"), "usual attribute \"flat\" is not declared"),
            (("\"box\"", "\"a/b\""), "slash"),
            (("kind = \"shape\"", "colour = 1"), "unknown field"),
        ] {
            let error = Taxonomy::from_toml(&TOY.replace(change.0, change.1)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn group_scores_are_log_sums_of_exponentials() {
        let groups = ClassGroups(vec![vec![0, 2], vec![1]]);
        let scores = groups.scores(&[1.0, 2.0, 3.0]);
        assert!((scores[0] - (1f64.exp() + 3f64.exp()).ln()).abs() < 1e-12);
        assert_eq!(scores[1], 2.0);
        let p = softmax(&scores);
        assert!((p[1] - 2f64.exp() / (1f64.exp() + 2f64.exp() + 3f64.exp())).abs() < 1e-12);
        assert_eq!(argmax(&[1.0, 3.0, 3.0]), 1);
    }
}
