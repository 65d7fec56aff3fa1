//! Folders of pictures: one folder a class, and a mask beside each picture.
//!
//! ```text
//! [<split>/]<class>/NAME.jpg         the image: any kind of picture, its ending in any case
//! [<split>/]<class>/NAME_mask.png    its object mask
//! attributes.csv                     optional: `file` and one column an attribute
//! ```
//!
//! # Import
//! Images and masks may stand in separate trees of one shape ([`super::ImportOptions::images`] and `masks`); there a mask
//! may be called like its image, with or without `_mask`. A class is the folder's name (or a wnid of the class), the first
//! group of a regular expression matched against the path, or a row of a CSV file. The split is the folder above the
//! classes, or the one given. An image without a mask is an image whose object nobody has drawn.
//!
//! A mask has two values, of which the larger is the object, or it is refused until its values are mapped; this reader
//! never guesses a threshold.
//!
//! # Export
//! Images are copied byte for byte under their own names. Masks are greyscale PNGs of 0 and 255, of the image as shown.
//! Where an image has ignored pixels, they are 128, and reading the folder again needs
//! `--mask-values bg=0,ignore=128,fg=255`. Attributes go to attributes.csv (`yes`, `no`, empty where nobody has judged) and
//! come back from it.

mod attributes;
mod export;
mod import;
mod listing;
mod mask_values;
#[cfg(test)]
mod tests;

use super::{Ability, Format};

/// The picture folders' row in [`super::FORMATS`].
pub(super) const FORMAT: Format = Format {
    name: "images",
    summary: "a folder per class with NAME.jpg and NAME_mask.png, or other trees of pictures and masks",
    holds: &[
        Ability::TrainTest,
        Ability::AnySplit,
        Ability::Attributes,
        Ability::NotJudged,
        Ability::EmptyMasks,
        Ability::AnyName,
    ],
    detect: listing::detect,
    open: import::open,
    export: Some(export::export),
};
