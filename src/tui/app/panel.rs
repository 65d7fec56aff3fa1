//! The list of layers and attributes beside the image: its rows, and the keys that answer them.

use super::App;
use crate::domain::{AttributeKind, Layer, Taxonomy};

/// A row of the panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// The object's layer.
    Object,
    /// The layer of ignored pixels.
    Ignore,
    /// A heading.
    Heading(&'static str),
    /// An attribute, an index into the taxonomy.
    Attribute(usize),
}

impl Row {
    /// The layer that the row stands for; none for a heading.
    #[must_use]
    pub fn layer(self) -> Option<Layer> {
        match self {
            Self::Object => Some(Layer::Object),
            Self::Ignore => Some(Layer::Ignore),
            Self::Attribute(index) => Some(Layer::Attribute(index)),
            Self::Heading(_) => None,
        }
    }
}

/// The key that answers each attribute: the taxonomy's, and for attributes without one the first letter that is free.
#[must_use]
pub fn keys(taxonomy: &Taxonomy) -> Vec<Option<char>> {
    let mut taken: Vec<char> = taxonomy.attributes.iter().filter_map(|attribute| attribute.key).collect();
    let mut keys = Vec::with_capacity(taxonomy.attributes.len());
    for attribute in &taxonomy.attributes {
        let key = attribute.key.or_else(|| {
            let own = attribute.name.chars().filter(char::is_ascii_lowercase);
            let free = own.chain('a'..='z').find(|c| !taken.contains(c))?;
            taken.push(free);
            Some(free)
        });
        keys.push(key);
    }
    keys
}

impl App {
    /// The rows of the panel: layers first, then what is usual for the class, then the rest by kind.
    #[must_use]
    pub fn panel_rows(&self) -> Vec<Row> {
        let class = self.open.as_ref().and_then(|open| open.instance().class);
        let usual: Vec<usize> = class
            .and_then(|class| self.taxonomy.classes.get(class))
            .map(|class| class.usual.iter().filter_map(|name| self.taxonomy.attribute(name)).collect())
            .unwrap_or_default();
        let mut rows = vec![Row::Object];
        let mut group = |heading: &'static str, members: Vec<usize>| {
            if !members.is_empty() {
                rows.push(Row::Heading(heading));
                rows.extend(members.into_iter().map(Row::Attribute));
            }
        };
        for (kind, heading) in [
            (AttributeKind::Part, "parts"),
            (AttributeKind::Shape, "shape"),
            (AttributeKind::Texture, "texture"),
            (AttributeKind::Other, "other"),
        ] {
            let members = self.taxonomy.attributes.iter().enumerate();
            let members = members.filter(|(i, attribute)| attribute.kind == kind && !usual.contains(i)).map(|(i, _)| i);
            if kind == AttributeKind::Part {
                group("usual", usual.clone());
            }
            group(heading, members.collect());
        }
        rows.push(Row::Ignore);
        rows
    }

    /// The rows that a panel of `height` lines shows, from the top: places in [`App::panel_rows`]. Where not all fit the
    /// headings go first, and then those at the ends that are far from the chosen row.
    #[must_use]
    pub fn panel_lines(&self, height: u16) -> Vec<usize> {
        let rows = self.panel_rows();
        let height = usize::from(height);
        let mut lines: Vec<usize> = (0..rows.len()).collect();
        if lines.len() > height {
            lines.retain(|&row| rows[row].layer().is_some());
        }
        let at = lines.iter().position(|&row| row >= self.row).unwrap_or(0);
        let first = at.saturating_sub(height / 2).min(lines.len().saturating_sub(height));
        lines.into_iter().skip(first).take(height).collect()
    }

    /// The attribute that `key` answers.
    #[must_use]
    pub fn attribute_of_key(&self, key: char) -> Option<usize> {
        self.attribute_keys.iter().position(|k| *k == Some(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_without_a_key_get_one_of_their_letters_that_is_free() {
        let text = "name = \"t\"\n[[classes]]\nname = \"c\"\n".to_owned()
            + &["tail", "talon", "tooth"].map(|n| format!("[[attributes]]\nname = \"{n}\"\n")).concat()
            + "[[attributes]]\nname = \"wing\"\nkey = \"t\"\n";
        let taxonomy = Taxonomy::from_toml(&text).unwrap();
        assert_eq!(keys(&taxonomy), [Some('a'), Some('l'), Some('o'), Some('t')]);
    }

    #[test]
    fn forty_attributes_use_up_the_alphabet_and_do_without() {
        let attributes: String = (0..40).map(|n| format!("[[attributes]]\nname = \"{n}\"\n")).collect();
        let text = format!("name = \"t\"\n[[classes]]\nname = \"c\"\n{attributes}");
        let keys = keys(&Taxonomy::from_toml(&text).unwrap());
        assert_eq!((keys[25], keys[26]), (Some('z'), None));
    }
}
