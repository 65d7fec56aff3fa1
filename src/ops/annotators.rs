//! Who annotates.

use serde::Serialize;

use super::{OpsError, Project};
use crate::{domain::AnnotatorKind, store::Actor};

/// An author of annotations.
#[derive(Debug, Serialize)]
pub struct ListedAnnotator {
    /// The name.
    pub name: String,
    /// person, import, consensus or model.
    pub kind: &'static str,
}

/// Registers a person.
///
/// # Errors
/// [`OpsError::Store`] if the name is taken or none.
pub fn add_annotator(project: &mut Project, name: &str) -> Result<(), OpsError> {
    project.store.add_annotator(Actor::Operator, name, AnnotatorKind::Person)?;
    Ok(())
}

/// Everybody, by name.
///
/// # Errors
/// [`OpsError::Store`] if the project can't be read.
pub fn list_annotators(project: &Project) -> Result<Vec<ListedAnnotator>, OpsError> {
    let annotators = project.store.annotators()?;
    Ok(annotators.into_iter().map(|a| ListedAnnotator { name: a.name, kind: a.kind.name() }).collect())
}
