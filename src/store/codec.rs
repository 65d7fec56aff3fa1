//! How values stand in the database: text that a person can read at an SQLite prompt, save for masks and digests.

use std::str::FromStr;

use rusqlite::{Row, ToSql, params_from_iter};

use super::error::Fault;
use crate::domain::{ContentHash, Layer, Mask, Presence, Size, Taxonomy};

/// A letter an attribute: y(es), n(o) or - (not judged).
pub(super) fn presences(presences: &[Presence]) -> String {
    presences
        .iter()
        .map(|presence| match presence {
            Presence::Yes => 'y',
            Presence::No => 'n',
            Presence::NotJudged => '-',
        })
        .collect()
}

pub(super) fn presences_from(text: &str) -> Result<Vec<Presence>, Fault> {
    text.chars()
        .map(|letter| match letter {
            'y' => Ok(Presence::Yes),
            'n' => Ok(Presence::No),
            '-' => Ok(Presence::NotJudged),
            _ => Err(Fault::Stored(format!("{letter:?} says nothing of an attribute"))),
        })
        .collect()
}

/// A digit an attribute: 1 or 0.
pub(super) fn flags(flags: &[bool]) -> String {
    flags.iter().map(|&flag| if flag { '1' } else { '0' }).collect()
}

pub(super) fn flags_from(text: &str) -> Result<Vec<bool>, Fault> {
    text.chars()
        .map(|digit| match digit {
            '1' => Ok(true),
            '0' => Ok(false),
            _ => Err(Fault::Stored(format!("{digit:?} is no flag"))),
        })
        .collect()
}

pub(super) fn layer_from(text: &str) -> Result<Layer, Fault> {
    Layer::from_str(text).map_err(|error| Fault::Stored(error.to_string()))
}

/// A layer of a project that speaks of `taxonomy`.
pub(super) fn layer_in(text: &str, taxonomy: &Taxonomy) -> Result<Layer, Fault> {
    match layer_from(text)? {
        Layer::Attribute(index) if index >= taxonomy.attributes.len() => {
            Err(Fault::Stored(format!("attribute {index} is not in its taxonomy")))
        }
        layer => Ok(layer),
    }
}

/// A class of a project that speaks of `taxonomy`.
pub(super) fn class_in(class: usize, taxonomy: &Taxonomy) -> Result<usize, Fault> {
    if class < taxonomy.classes.len() {
        return Ok(class);
    }
    Err(Fault::Stored(format!("class {class} is not in its taxonomy")))
}

/// A list with an entry an attribute of `taxonomy`.
pub(super) fn an_attribute_each<T>(list: Vec<T>, taxonomy: &Taxonomy) -> Result<Vec<T>, Fault> {
    if list.len() == taxonomy.attributes.len() {
        return Ok(list);
    }
    Err(Fault::Stored(format!("{} attributes where its taxonomy has {}", list.len(), taxonomy.attributes.len())))
}

pub(super) fn content_from(row: &Row<'_>, column: &str) -> Result<ContentHash, Fault> {
    Ok(ContentHash(row.get(column)?))
}

/// A value that the database names, by the function that finds it.
pub(super) fn named<T>(name: &str, find: fn(&str) -> Option<T>) -> Result<T, Fault> {
    find(name).ok_or_else(|| Fault::Stored(format!("{name:?} means nothing to this rival10")))
}

pub(super) fn mask_from(bytes: &[u8], size: Size) -> Result<Mask, Fault> {
    let mask = Mask::from_bytes(bytes).map_err(|error| Fault::Stored(error.to_string()))?;
    if mask.size() != size {
        return Err(Fault::Stored(format!("a mask of {} lies on an image of {size}", mask.size())));
    }
    Ok(mask)
}

/// `AND`ed conditions with their values, numbered ?1, ?2, … as they come: SQLite numbers `$n` by first appearance,
/// whatever n is.
#[derive(Default)]
pub(super) struct Conditions {
    sql: String,
    values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    /// Adds `condition`, in which `?` stands for `value`, where there is a value.
    pub(super) fn and<T: ToSql + 'static>(&mut self, condition: &str, value: Option<T>) {
        if let Some(value) = value {
            self.values.push(Box::new(value));
            self.sql.push_str(" AND ");
            self.sql.push_str(&condition.replacen('?', &format!("?{}", self.values.len()), 1));
        }
    }

    /// The conditions, each after an ` AND `: they follow a `WHERE` that has one already.
    pub(super) fn sql(&self) -> &str {
        &self.sql
    }

    pub(super) fn values(&self) -> impl rusqlite::Params + '_ {
        params_from_iter(self.values.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presences_and_flags_take_one_letter_an_attribute_and_come_back() {
        let words = [Presence::Yes, Presence::No, Presence::NotJudged];
        assert_eq!(presences(&words), "yn-");
        assert_eq!(presences_from("yn-").unwrap(), words);
        assert_eq!(flags(&[true, false]), "10");
        assert_eq!(flags_from("10").unwrap(), [true, false]);
        assert!(presences_from("yx").is_err() && flags_from("2").is_err());
    }

    #[test]
    fn conditions_number_their_values_in_the_order_that_they_come() {
        let mut conditions = Conditions::default();
        conditions.and("a = ?", Some(1_i64));
        conditions.and("b = ?", None::<i64>);
        conditions.and("c = ?", Some("x".to_owned()));
        assert_eq!(conditions.sql(), " AND a = ?1 AND c = ?2");
    }

    #[test]
    fn a_mask_of_another_size_than_its_image_is_refused() {
        let bytes = Mask::full(Size::new(3, 2)).to_bytes();
        assert!(mask_from(&bytes, Size::new(3, 2)).is_ok());
        assert!(mask_from(&bytes, Size::new(2, 3)).is_err());
    }
}
