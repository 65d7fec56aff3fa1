//! The published RIVAL10 layout, both ways.
//!
//! ```text
//! RIVAL10/{train,test}/{ordinary,superimposed,removed}/<stem>.JPEG               the image
//!                                                      <stem>_attr_labels.npy    2 x attributes: presence, altered
//!                                                      <stem>_attr_dict.pkl      attribute or entire-object -> PNG
//!                                                      <stem>_merged_mask.JPEG   union of the attributes' masks
//! RIVAL10/{train,test}/entire_object_masks/<wnid>_<stem>.JPEG                    the object mask
//! ```
//!
//! # Import
//! The path is the folder RIVAL10, its parent, or the folder of a split. A class is told by the stem's leading wnid. The
//! object mask is the dict's, else the JPEG's levels of 128 and above; where both are there and differ, the item says so,
//! as it does where labels and masks contradict each other. Pickles are read as data only (`pickle`). Masks are of the
//! image as shown, or as stored where their size or [`super::MaskFrame`] says so.
//!
//! # Export
//! Images are copied byte for byte, whatever kind of file they are. Masks are of the image as shown: a reader that ignores
//! EXIF orientation must turn either. Two things go beyond what was published, and no published reader looks there:
//! `RIVAL10/taxonomy.toml` names what the label rows stand for, and is compared when the folder is imported again; a
//! class without synsets stands in file names by its own name where others have a wnid. Splits of other names get folders
//! of their own.
//!
//! [`Writer`] writes images that are in no project and on no disk, such as rendered scenes.

mod export;
mod import;
mod layout;
mod listing;
mod npy;
mod pickle;
#[cfg(test)]
mod tests;
mod write;

use std::path::Path;

pub use write::{Entry, Writer};

use super::{Ability, Format, FormatError};
use crate::domain::Taxonomy;

/// The published layout's row in [`super::FORMATS`].
pub(super) const FORMAT: Format = Format {
    name: "rival10",
    summary: "the published RIVAL10 layout: images, label arrays and pickled mask dicts",
    holds: &[
        Ability::TrainTest,
        Ability::Undrawn,
        Ability::Attributes,
        Ability::Altered,
        Ability::AttributeMasks,
        Ability::EmptyMasks,
        Ability::Variants,
    ],
    detect: listing::detect,
    open: import::open,
    export: Some(export::export),
};

/// The dict has one entry that is no attribute, so no attribute may be called like it.
fn check_taxonomy(path: &Path, taxonomy: &Taxonomy) -> Result<(), FormatError> {
    if taxonomy.attribute(layout::OBJECT_ENTRY).is_none() {
        return Ok(());
    }
    Err(FormatError::Invalid {
        path: path.to_owned(),
        reason: format!("an attribute called {:?} can't be told from the object in this layout", layout::OBJECT_ENTRY),
    })
}
