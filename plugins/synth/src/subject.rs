//! The classes and attributes that scenes are made of, in the order of `schema/taxonomy/rival10.toml`.

/// The ten classes' names, in label order.
pub const CLASSES: [&str; 10] = ["truck", "car", "plane", "ship", "cat", "dog", "equine", "deer", "frog", "bird"];

/// The eighteen attributes' names, in the order of the attribute vector. All are decided in every scene:
///
/// | attribute | yes if |
/// | --- | --- |
/// | the first eleven | at least a pixel of the part is visible; its mask is those pixels |
/// | `long-snout` | that part is a muzzle; a dog's must reach out by more than three quarters of its skull's depth |
/// | `text` | that part is an inscription on the object: the rectangle that its letters stand in |
/// | `ears`, `floppy-ears` | an ear that stands up is the one, an ear that hangs down the other, none is both |
/// | `colored-eyes` | that part is a coloured iris with its pupil; dark brown and black eyes have none |
/// | `tail` | that part is an animal's tail, or a plane's fin and tailplane |
/// | `hairy` | strokes of fur stand out of the coat |
/// | `metallic` | the paint has the highlights and reflections of metal |
/// | `wet` | the object is drawn with a wet sheen: by its nature, or because it is in, on or over water |
/// | `long` | the box around the outline is at least 1.8 times as wide as high |
/// | `tall` | it is at least 1.1 times as high as wide |
/// | `rectangular` | the outline covers at least 70% of that box |
/// | `patterned` | marks (stripes, spots, patches, bars, bands of livery) cover at least 2% of what is visible |
///
/// The outline is the object's own, before anything stands in front of it.
pub const ATTRIBUTES: [&str; 18] = [
    "long-snout",
    "wings",
    "wheels",
    "text",
    "horns",
    "floppy-ears",
    "ears",
    "colored-eyes",
    "tail",
    "mane",
    "beak",
    "hairy",
    "metallic",
    "rectangular",
    "wet",
    "long",
    "tall",
    "patterned",
];

/// The first so many attributes are localised: a yes comes with a mask.
pub const LOCALISED: usize = 11;

/// What a scene shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Truck,
    Car,
    Plane,
    Ship,
    Cat,
    Dog,
    Equine,
    Deer,
    Frog,
    Bird,
}

impl Subject {
    /// Every subject, in label order.
    pub(crate) const ALL: [Self; CLASSES.len()] = [
        Self::Truck,
        Self::Car,
        Self::Plane,
        Self::Ship,
        Self::Cat,
        Self::Dog,
        Self::Equine,
        Self::Deer,
        Self::Frog,
        Self::Bird,
    ];

    /// Its class, an index into [`CLASSES`].
    pub(crate) fn class(self) -> usize {
        self as usize
    }
}

/// A localised attribute: its number is its index into [`ATTRIBUTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    LongSnout,
    Wings,
    Wheels,
    Text,
    Horns,
    FloppyEars,
    Ears,
    ColoredEyes,
    Tail,
    Mane,
    Beak,
}

impl Part {
    /// Every part, in the order of [`ATTRIBUTES`].
    pub(crate) const ALL: [Self; LOCALISED] = [
        Self::LongSnout,
        Self::Wings,
        Self::Wheels,
        Self::Text,
        Self::Horns,
        Self::FloppyEars,
        Self::Ears,
        Self::ColoredEyes,
        Self::Tail,
        Self::Mane,
        Self::Beak,
    ];
}

/// An attribute of the whole object: its number is its index into [`ATTRIBUTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quality {
    Hairy = LOCALISED as isize,
    Metallic,
    Rectangular,
    Wet,
    Long,
    Tall,
    Patterned,
}

#[cfg(test)]
mod tests {
    use rival10_sdk::Taxonomy;

    use super::*;

    #[test]
    fn names_and_order_are_those_of_the_taxonomy_file() {
        let taxonomy = Taxonomy::from_toml(include_str!("../../../schema/taxonomy/rival10.toml")).unwrap();
        assert_eq!(taxonomy.classes.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), CLASSES);
        assert_eq!(taxonomy.attributes.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ATTRIBUTES);
        for (index, attribute) in taxonomy.attributes.iter().enumerate() {
            assert_eq!(attribute.localised, index < LOCALISED, "{}", attribute.name);
        }
        for (index, subject) in Subject::ALL.into_iter().enumerate() {
            assert_eq!(subject.class(), index);
        }
    }
}
