//! A new project.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rival10_sdk::Taxonomy;
use serde::Serialize;

use super::OpsError;
use crate::store::Store;

/// RIVAL10's own classes and attributes.
const RIVAL10: &str = include_str!("../../schema/taxonomy/rival10.toml");

/// What was made.
#[derive(Debug, Serialize)]
pub struct Made {
    /// The project's folder.
    pub dir: PathBuf,
    /// The project's name: its folder's.
    pub name: String,
    /// The taxonomy's name.
    pub taxonomy: String,
    /// How many classes it has.
    pub classes: usize,
    /// How many attributes it has.
    pub attributes: usize,
}

/// Makes a project in `dir`, with the taxonomy of a TOML file or RIVAL10's.
///
/// # Errors
/// [`OpsError`] if a project is there already, or the taxonomy file is not one.
pub fn init(dir: &Path, taxonomy: Option<&Path>) -> Result<Made, OpsError> {
    let taxonomy = match taxonomy {
        None => rival10_taxonomy(),
        Some(file) => {
            let text = fs::read_to_string(file).map_err(OpsError::io(file))?;
            Taxonomy::from_toml(&text).map_err(|e| OpsError::Refused(format!("{}: {e}", file.display())))?
        }
    };
    fs::create_dir_all(dir).map_err(OpsError::io(dir))?;
    let dir = dir.canonicalize().map_err(OpsError::io(dir))?;
    let name = dir.file_name().map_or_else(|| "project".to_owned(), |name| name.to_string_lossy().into_owned());
    Store::create(&dir, &taxonomy, &name)?;
    Ok(Made {
        dir,
        name,
        taxonomy: taxonomy.name,
        classes: taxonomy.classes.len(),
        attributes: taxonomy.attributes.len(),
    })
}

/// RIVAL10's own taxonomy.
pub(super) fn rival10_taxonomy() -> Taxonomy {
    Taxonomy::from_toml(RIVAL10).expect("the built-in taxonomy is checked by a test")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_taxonomy_is_rival10s() {
        let taxonomy = rival10_taxonomy();
        assert_eq!((taxonomy.classes.len(), taxonomy.attributes.len()), (10, 18));
        assert_eq!(taxonomy.attributes.iter().filter(|a| a.localised).count(), 11);
        assert!(taxonomy.attributes[..11].iter().all(|a| a.localised), "the first eleven are the localised ones");
        assert!(taxonomy.attributes.iter().all(|a| a.key.is_some()));
        assert_eq!(taxonomy.class_of_synset("n02391049"), taxonomy.class("equine"));
    }
}
