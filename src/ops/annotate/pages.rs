//! What the screen's pages list: findings of the rules and of the audit, and runs with what they concluded. Each opens the
//! project anew, so that it can be read while the session goes on.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::super::{
    AuditRequest, ListedRun, OpsError, Project, Report,
    audit::{audit, layer_named},
    list_runs,
    runs::rows_of_phase,
    show_run,
    validate::{self, Severity, ValidateRequest},
};
use crate::{
    domain::{ImageId, Layer, Silent, Size},
    store::ImageFilter,
};

/// How many of the masks on which annotators differ most are listed.
const WORST: usize = 100;

/// The phase whose rows hold maps over images.
const EXTREMES: &str = "extremes";

/// Something that somebody should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingLine {
    /// The image, where it is about one.
    pub image: Option<ImageId>,
    /// The layer, where it is about one.
    pub layer: Option<Layer>,
    /// error, warning, note, or differ for the audit's.
    pub severity: String,
    /// The rule, or the layer on which people differ.
    pub rule: String,
    /// The image's path and whose annotation, or a person.
    pub subject: String,
    /// What is wrong.
    pub text: String,
}

/// What the rules find in the project in `dir`, mistakes first, then the masks on which annotators differ most.
///
/// # Errors
/// [`OpsError`] if the project can't be read.
pub fn findings(dir: &Path) -> Result<Vec<FindingLine>, OpsError> {
    let project = Project::open(dir)?;
    let note = Severity::Note.to_string();
    let (mut lines, notes): (Vec<_>, Vec<_>) = validate::validate(&project, &ValidateRequest::default(), &Silent)?
        .findings
        .into_iter()
        .map(|finding| FindingLine {
            image: finding.image.map(ImageId),
            layer: finding.layer.and_then(|layer| layer_named(project.store.taxonomy(), &layer).ok()),
            severity: finding.severity,
            rule: finding.rule.to_owned(),
            subject: finding.subject,
            text: finding.text,
        })
        .partition(|line| line.severity != note);
    match audit(&project, &AuditRequest { worst: WORST, resamples: 1, ..AuditRequest::default() }, &Silent) {
        Ok(audit) => {
            let images = project.store.images(&ImageFilter::default())?;
            lines.extend(audit.worst.into_iter().map(|mask| FindingLine {
                image: images.iter().find(|image| image.path == mask.image).map(|image| image.id),
                layer: layer_named(project.store.taxonomy(), &mask.layer).ok(),
                severity: "differ".to_owned(),
                rule: mask.layer,
                subject: mask.image,
                text: format!("{} and {}: IoU {:.3}", mask.annotators[0], mask.annotators[1], mask.iou),
            }));
        }
        // Nobody annotated what somebody else did.
        Err(OpsError::Refused(_)) => {}
        Err(error) => return Err(error),
    }
    lines.extend(notes);
    Ok(lines)
}

/// Every run of the project in `dir`, the latest first.
///
/// # Errors
/// [`OpsError`] if the project can't be read.
pub fn runs(dir: &Path) -> Result<Vec<ListedRun>, OpsError> {
    list_runs(&Project::open(dir)?)
}

/// What a run concluded, and its maps over images.
#[derive(Clone, Debug, PartialEq)]
pub struct RunView {
    /// The report.
    pub report: Report,
    /// The maps, in the order of its rows.
    pub maps: Vec<RunMap>,
}

/// A map over an image.
#[derive(Clone, Debug, PartialEq)]
pub struct RunMap {
    /// The image.
    pub image: ImageId,
    /// What it is of: model, method, rank and score, as far as the rows say.
    pub title: String,
    /// Its size.
    pub size: Size,
    /// A value a pixel, row by row.
    pub values: Vec<u8>,
}

/// What the run whose id begins with `id` concluded.
///
/// # Errors
/// [`OpsError`] if there is no such run, or it is not over.
pub fn run(dir: &Path, id: &str) -> Result<RunView, OpsError> {
    let project = Project::open(dir)?;
    let report = show_run(&project, id)?;
    let mut maps = Vec::new();
    if let Some(rows) = rows_of_phase(&project, id, EXTREMES)? {
        let column = |name: &str| rows.column(name);
        let (Some(image), Some(map)) = (column("image"), column("map")) else { return Ok(RunView { report, maps }) };
        let told = ["model", "method", "class", "side", "rank", "score"];
        let told: Vec<usize> = told.iter().filter_map(|name| column(name)).collect();
        for row in rows.iter() {
            let (Some(image), Some(text)) = (row[image].as_i64(), row[map].as_str()) else { continue };
            let Some((size, values)) = map_of(text) else { continue };
            let words = told.iter().filter_map(|&at| word(&row[at]));
            let title = words.collect::<Vec<_>>().join(" ");
            maps.push(RunMap { image: ImageId(image), title, size, values });
        }
    }
    Ok(RunView { report, maps })
}

fn word(value: &rival10_sdk::Value) -> Option<String> {
    value
        .as_str()
        .map(str::to_owned)
        .or_else(|| value.as_i64().map(|number| number.to_string()))
        .or_else(|| value.as_f64().map(|number| format!("{number:.3}")))
}

/// `WxH:` and the values in base64; None for a text that is no map.
fn map_of(text: &str) -> Option<(Size, Vec<u8>)> {
    let (size, data) = text.split_once(':')?;
    let (width, height) = size.split_once('x')?;
    let size = Size::new(width.parse().ok()?, height.parse().ok()?);
    let values = STANDARD.decode(data).ok()?;
    (size.width.checked_mul(size.height)? as usize == values.len() && !values.is_empty()).then_some((size, values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_its_size_and_as_many_values() {
        assert_eq!(map_of("2x1:AP8="), Some((Size::new(2, 1), vec![0, 255])));
        for text in ["", "2x1", "2x2:AP8=", "0x0:", "ax1:AP8=", "2x1:??", "70000x70000:AP8="] {
            assert_eq!(map_of(text), None, "{text:?}");
        }
    }
}
