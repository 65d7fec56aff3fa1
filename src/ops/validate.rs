//! The project held to the rules.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::{OpsError, Project};
use crate::{
    domain::Progress,
    quality::{self, FileState, RULES, View},
    store::{AnnotationFilter, ImageFilter},
};

/// A rule, as it is listed.
#[derive(Debug, Serialize)]
pub struct Rule {
    /// Its name.
    pub code: &'static str,
    /// error or warning.
    pub severity: String,
    /// What it finds.
    pub says: &'static str,
    /// What to do about it.
    pub fix: &'static str,
}

/// One breach of a rule.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// The rule.
    pub rule: &'static str,
    /// error or warning.
    pub severity: String,
    /// The image, and whose annotation of it.
    pub subject: String,
    /// What is wrong.
    pub text: String,
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Validation {
    /// Images looked at.
    pub images: u64,
    /// Rules applied.
    pub rules: u64,
    /// Every breach, by rule.
    pub findings: Vec<Finding>,
    /// For each rule that was broken, what to do.
    pub fixes: BTreeMap<&'static str, &'static str>,
}

/// Every rule.
#[must_use]
pub fn rules() -> Vec<Rule> {
    let rule = |rule: &quality::Rule| Rule {
        code: rule.code,
        severity: rule.severity.to_string(),
        says: rule.says,
        fix: rule.fix,
    };
    RULES.iter().map(rule).collect()
}

/// Holds the project to the rules called `only`, or to all.
///
/// # Errors
/// [`OpsError`] if a rule is unknown or the project can't be read.
pub fn validate(project: &Project, only: &[String], progress: &dyn Progress) -> Result<Validation, OpsError> {
    if let Some(unknown) = only.iter().find(|code| !RULES.iter().any(|rule| rule.code == **code)) {
        let known: Vec<_> = RULES.iter().map(|rule| rule.code).collect();
        return Err(OpsError::Usage(format!("no rule is called {unknown:?}; there are {}", known.join(", "))));
    }
    let images = project.store.images(&ImageFilter::default())?;
    let annotations = project.store.annotations(&AnnotationFilter::default())?;
    progress.begin("files", images.len() as u64);
    let files: Option<Vec<FileState>> = images
        .par_iter()
        .map(|image| {
            let state = (!progress.stopped()).then(|| quality::files::state(image));
            progress.advance(1);
            state
        })
        .collect();
    progress.end();
    let files = files.ok_or(OpsError::Stopped)?;
    let view = View { taxonomy: project.store.taxonomy(), images: &images, files: &files, annotations: &annotations };
    let applied: Vec<_> = RULES.iter().filter(|rule| only.is_empty() || only.iter().any(|o| o == rule.code)).collect();
    let mut findings = Vec::new();
    for rule in &applied {
        (rule.check)(&view, &mut |subject, text| {
            findings.push(Finding { rule: rule.code, severity: rule.severity.to_string(), subject, text });
        });
    }
    let broken = |rule: &&&quality::Rule| findings.iter().any(|finding| finding.rule == rule.code);
    let fixes = applied.iter().filter(broken).map(|rule| (rule.code, rule.fix)).collect();
    Ok(Validation { images: images.len() as u64, rules: applied.len() as u64, findings, fixes })
}
