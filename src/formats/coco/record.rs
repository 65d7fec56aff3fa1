//! The records of an instances file as they are read: strict in what they mean, lenient in how numbers and flags are
//! spelled.
//!
//! A record is kept as text until it is wanted: one that is damaged is then one error, not the end of the file.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    extension::{ImageExtension, InstanceExtension},
    fault::{AnnotationFault, Fault, one_line, without_place},
};
use crate::domain::Presence;

/// The file, cut into records.
#[derive(Deserialize)]
pub(super) struct File<'a> {
    #[serde(borrow, default)]
    pub(super) info: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) images: Vec<&'a RawValue>,
    #[serde(borrow)]
    pub(super) annotations: Vec<&'a RawValue>,
    #[serde(borrow)]
    pub(super) categories: Vec<&'a RawValue>,
}

/// `info`, of which only the extension matters.
#[derive(Default, Deserialize)]
pub(super) struct Info<'a> {
    #[serde(borrow, default)]
    pub(super) rival10: Option<&'a RawValue>,
}

/// One of `categories`.
#[derive(Deserialize)]
pub(super) struct Category<'a> {
    pub(super) id: Whole,
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) supercategory: Option<Cow<'a, str>>,
}

/// One of `images`.
#[derive(Deserialize)]
pub(super) struct Image<'a> {
    pub(super) id: Whole,
    #[serde(borrow)]
    pub(super) file_name: Cow<'a, str>,
    #[serde(default)]
    pub(super) width: Option<Whole>,
    #[serde(default)]
    pub(super) height: Option<Whole>,
    #[serde(borrow, default)]
    pub(super) split: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) rival10: Option<ImageExtension<'a, Annotation<'a>>>,
}

/// One of `annotations`, or an instance that is not drawn.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Annotation<'a> {
    pub(super) id: Whole,
    #[serde(default)]
    pub(super) image_id: Option<Whole>,
    pub(super) category_id: Whole,
    #[serde(borrow, default)]
    pub(super) segmentation: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) area: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) iscrowd: Option<Flag>,
    #[serde(borrow, default)]
    pub(super) attributes: Option<Values<'a>>,
    #[serde(borrow, default)]
    pub(super) rival10: Option<InstanceExtension<'a>>,
}

/// What can still be said of an annotation that is damaged.
#[derive(Deserialize)]
pub(super) struct Remains {
    pub(super) image_id: Whole,
}

/// Reads one record; `name` is what the error calls it.
pub(super) fn read<'a, T: Deserialize<'a>>(text: &'a str, name: impl FnOnce() -> String) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::Record { record: name(), reason: without_place(&error) })
}

/// A whole number, `7` or `7.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whole(pub(super) i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WholeVisitor;
        impl Visitor<'_> for WholeVisitor {
            type Value = Whole;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Whole, E> {
                Ok(Whole(value))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Whole, E> {
                i64::try_from(value).map(Whole).map_err(|_| E::custom(format!("the number {value} is too large")))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Whole, E> {
                /// Above it, doubles skip whole numbers.
                const EXACT: f64 = 9_007_199_254_740_992.0;
                if value.fract() == 0.0 && value.abs() <= EXACT {
                    Ok(Whole(value as i64))
                } else {
                    Err(E::custom(format!("{value:?} is no whole number")))
                }
            }
        }
        deserializer.deserialize_any(WholeVisitor)
    }
}

/// `0`, `1`, `false` or `true`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flag(pub(super) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlagVisitor;
        impl Visitor<'_> for FlagVisitor {
            type Value = Flag;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("0, 1, false or true")
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Flag, E> {
                Ok(Flag(value))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Flag, E> {
                match value {
                    0 | 1 => Ok(Flag(value == 1)),
                    _ => Err(E::invalid_value(de::Unexpected::Unsigned(value), &self)),
                }
            }
        }
        deserializer.deserialize_any(FlagVisitor)
    }
}

/// The `attributes` of an annotation: names and values as they stand there.
#[derive(Clone, Debug)]
pub(super) struct Values<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Values<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(transparent)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

        struct ValuesVisitor;
        impl<'de> Visitor<'de> for ValuesVisitor {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("attributes as a map from names to values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::with_capacity(map.size_hint().unwrap_or(0));
                while let Some((Name(name), value)) = map.next_entry()? {
                    values.push((name, value));
                }
                Ok(values)
            }
        }
        deserializer.deserialize_map(ValuesVisitor).map(Values)
    }
}

impl Values<'_> {
    /// The value called `name`; the last, if there are several.
    pub(super) fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().rev().find(|(found, _)| found == name).map(|&(_, value)| value)
    }
}

/// What an attribute's value says.
pub(super) fn presence(name: &str, value: &RawValue) -> Result<Presence, AnnotationFault> {
    let text = value.get();
    match text.trim_matches('"').to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(Presence::Yes),
        "false" | "0" => Ok(Presence::No),
        "null" | "" => Ok(Presence::NotJudged),
        _ => Err(AnnotationFault::AttributeValue { name: name.to_owned(), value: one_line(text) }),
    }
}
