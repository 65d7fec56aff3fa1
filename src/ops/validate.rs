//! The project held to the rules, and mended where that takes no judgement.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::{OpsError, Project, audit::layer_name, opinion::opinion};
use crate::{
    domain::Progress,
    quality::{self, FileFacts, Needs, RULES, Repair, View},
    store::{Actor, AnnotationFilter, Edit, ImageFilter, StoreError},
};

pub use crate::quality::Severity;

/// What to hold the project to.
#[derive(Clone, Debug, Default)]
pub struct ValidateRequest {
    /// These rules alone; none: all.
    pub rules: Vec<String>,
    /// The model that labels are held against; none: they are not.
    pub model: Option<String>,
    /// The seed of the folds, where the model's head must be trained anew.
    pub seed: u64,
}

/// A rule, as it is listed.
#[derive(Debug, Serialize)]
pub struct Rule {
    /// Its name.
    pub code: &'static str,
    /// error, warning or note.
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
    /// error, warning or note.
    pub severity: String,
    /// The image's number, where it is about one.
    pub image: Option<i64>,
    /// The layer, where it is about one: `object` or an attribute.
    pub layer: Option<String>,
    /// The image, and whose annotation of it; or a person.
    pub subject: String,
    /// What is wrong.
    pub text: String,
    /// Whether `--fix` mends it.
    pub fixable: bool,
    #[serde(skip)]
    repair: Option<Repair>,
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
    /// How many findings there are of each severity.
    pub counts: BTreeMap<String, u64>,
    /// For each rule that was broken, what to do.
    pub fixes: BTreeMap<&'static str, &'static str>,
}

impl Validation {
    /// Whether nothing was found that is probably wrong: notes alone.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.mistakes() == 0
    }

    /// How many findings are probably mistakes: errors and warnings.
    #[must_use]
    pub fn mistakes(&self) -> u64 {
        let note = Severity::Note.to_string();
        self.counts.iter().filter(|(severity, _)| **severity != note).map(|(_, count)| count).sum()
    }
}

/// A breach that was mended.
#[derive(Debug, Serialize)]
pub struct Mended {
    /// The rule.
    pub rule: &'static str,
    /// The image, and whose annotation of it.
    pub subject: String,
    /// What was wrong.
    pub text: String,
    /// The journal's entry, for `undo`.
    pub entry: i64,
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

/// Holds the project to the rules.
///
/// # Errors
/// [`OpsError`] if a rule or the model is unknown, a rule asks for a model and none is named, or the project can't be read.
pub fn validate(project: &Project, request: &ValidateRequest, progress: &dyn Progress) -> Result<Validation, OpsError> {
    let only = &request.rules;
    if let Some(unknown) = only.iter().find(|code| !RULES.iter().any(|rule| rule.code == **code)) {
        let known: Vec<_> = RULES.iter().map(|rule| rule.code).collect();
        return Err(OpsError::Usage(format!("no rule is called {unknown:?}; there are {}", known.join(", "))));
    }
    let asked = |rule: &&quality::Rule| only.iter().any(|code| code == rule.code);
    let applies = |rule: &&quality::Rule| match rule.needs {
        Needs::Opinion if request.model.is_none() => asked(rule),
        _ => only.is_empty() || asked(rule),
    };
    let applied: Vec<_> = RULES.iter().filter(applies).collect();
    let asks = applied.iter().find(|rule| rule.needs == Needs::Opinion);
    let opinion = match (asks, &request.model) {
        (Some(_), Some(model)) => Some(opinion(project, model, request.seed, progress)?),
        (Some(rule), None) => {
            return Err(OpsError::Usage(format!(
                "rule {} holds labels against a model: name one with --model (`rival10 models list`)",
                rule.code
            )));
        }
        (None, _) => None,
    };
    let needs = applied.iter().map(|rule| rule.needs).max().unwrap_or(Needs::Nothing);
    let images = project.store.images(&ImageFilter::default())?;
    progress.begin("files", images.len() as u64);
    let files: Option<Vec<FileFacts>> = images
        .par_iter()
        .map(|image| {
            let facts = (!progress.stopped()).then(|| quality::files::facts(image, needs));
            progress.advance(1);
            facts
        })
        .collect();
    progress.end();
    let files = files.ok_or(OpsError::Stopped)?;
    let annotations = project.store.annotations(&AnnotationFilter::default())?;
    let spent = project.store.annotation_work()?;
    let view = View {
        taxonomy: project.store.taxonomy(),
        images: &images,
        files: &files,
        annotations: &annotations,
        spent: &spent,
        opinion: opinion.as_ref(),
    };
    let mut findings = Vec::new();
    progress.begin("rules", applied.len() as u64);
    for rule in &applied {
        if progress.stopped() {
            progress.end();
            return Err(OpsError::Stopped);
        }
        (rule.check)(&view, &mut |breach| {
            findings.push(Finding {
                rule: rule.code,
                severity: rule.severity.to_string(),
                image: breach.image.map(|id| id.0),
                layer: breach.layer.map(|layer| layer_name(view.taxonomy, layer)),
                subject: breach.subject,
                text: breach.text,
                fixable: breach.repair.is_some(),
                repair: breach.repair,
            });
        });
        progress.advance(1);
    }
    progress.end();
    let broken = |rule: &&&quality::Rule| findings.iter().any(|finding| finding.rule == rule.code);
    let fixes = applied.iter().filter(broken).map(|rule| (rule.code, rule.fix)).collect();
    let mut counts = BTreeMap::new();
    for finding in &findings {
        *counts.entry(finding.severity.clone()).or_insert(0) += 1;
    }
    Ok(Validation { images: images.len() as u64, rules: applied.len() as u64, findings, counts, fixes })
}

/// Mends what `found` says can be mended without a doubt, in the name of `annotator`. Each is an entry of the journal, and can
/// be undone. What a reviewer has accepted is left alone, and found again next time.
///
/// # Errors
/// [`OpsError::Store`]; what was mended before stays so.
pub fn mend(project: &mut Project, found: &Validation, annotator: Option<&str>) -> Result<Vec<Mended>, OpsError> {
    let actor = annotator.map_or(Actor::Operator, Actor::Annotator);
    let mut mended = Vec::new();
    for finding in &found.findings {
        let Some(repair) = &finding.repair else { continue };
        // Made from what is there now: an earlier repair may have changed the same mask.
        let edit = edit(project, repair)?;
        let entry = match project.store.edit(actor, &edit) {
            Err(StoreError::Accepted { .. }) => None,
            entry => entry?,
        };
        if let Some(entry) = entry {
            let (subject, text) = (finding.subject.clone(), finding.text.clone());
            mended.push(Mended { rule: finding.rule, subject, text, entry: entry.0 });
        }
    }
    Ok(mended)
}

fn edit(project: &Project, repair: &Repair) -> Result<Edit, StoreError> {
    let drawn = |annotation, layer| Ok::<_, StoreError>(project.store.annotation(annotation)?.masks.remove(&layer));
    Ok(match *repair {
        Repair::DropSpecks(annotation, layer, largest) => {
            let mask = drawn(annotation, layer)?.map(|mask| mask.without_specks(largest));
            Edit::Mask { annotation, layer, mask }
        }
        Repair::FillPinholes(annotation, layer, largest) => {
            let mask = drawn(annotation, layer)?.map(|mask| mask.without_pinholes(largest));
            Edit::Mask { annotation, layer, mask }
        }
        Repair::RemoveLayer(annotation, layer) => Edit::Mask { annotation, layer, mask: None },
        Repair::Answer(annotation, attribute, presence) => Edit::Attribute { annotation, attribute, presence },
    })
}

/// The findings as SARIF 2.1.0, which code review tools and editors read.
#[must_use]
pub fn sarif(found: &Validation) -> serde_json::Value {
    use serde_json::json;
    let rule = |rule: &quality::Rule| {
        json!({
            "id": rule.code,
            "shortDescription": { "text": rule.says },
            "help": { "text": rule.fix },
            "defaultConfiguration": { "level": rule.severity.to_string() },
        })
    };
    let result = |finding: &Finding| {
        // A subject is a path, then in brackets whose annotation of it is meant.
        let path = finding.subject.split(" (").next().unwrap_or_default();
        let path = path.split(" instance ").next().unwrap_or_default();
        let mut result = json!({
            "ruleId": finding.rule,
            "ruleIndex": RULES.iter().position(|rule| rule.code == finding.rule),
            "level": finding.severity,
            "message": { "text": format!("{}: {}", finding.subject, finding.text) },
        });
        if finding.image.is_some() {
            result["locations"] = json!([{ "physicalLocation": { "artifactLocation": { "uri": encoded(path) } } }]);
        }
        result
    };
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "rival10 validate",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": RULES.iter().map(rule).collect::<Vec<_>>(),
            } },
            "results": found.findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

/// A path as a relative reference of RFC 3986.
fn encoded(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri += &format!("%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_reference_that_any_reader_takes() {
        assert_eq!(encoded("test/ordinary/a b(1)é.JPEG"), "test/ordinary/a%20b%281%29%C3%A9.JPEG");
    }
}
