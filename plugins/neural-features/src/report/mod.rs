//! Rows to the report.
//!
//! - `classes`: what classes rest on. This module says what units and directions stand for.

mod classes;

use rival10_attribution::alignment::auroc;
use rival10_sdk::{AnalysisError, Estimate, Report, Rows, Study, Table, report::with_bounds};
use rival10_stats::{Estimates, Measurements, interval_method};
use serde_json::Value as Json;

use crate::{
    NeuralFeatures,
    choose::{aurocs, average_precisions, best, ious},
    concept::concept,
    rows::{Featured, Matched, read_features, read_matches},
};

/// What rests on fewer images than that is said to.
const FEW: usize = 10;

/// Nothing in the rows depends on a seed; resampling does.
fn seed(study: &Study<'_>) -> u64 {
    study.provenance.seed
}

/// What is known of one model.
struct OfModel<'a> {
    name: &'a str,
    featured: Vec<&'a Featured>,
    matched: Vec<&'a Matched>,
}

impl<'a> OfModel<'a> {
    fn featured(&self, chooses: bool) -> Vec<&'a Featured> {
        self.featured.iter().copied().filter(|f| f.chooses == chooses).collect()
    }

    fn matched(&self, attribute: &str, chooses: bool) -> Vec<&'a Matched> {
        self.matched.iter().copied().filter(|m| m.attribute == attribute && m.chooses == chooses).collect()
    }
}

impl NeuralFeatures {
    /// The report, from the rows alone.
    pub(crate) fn conclude(&self, study: &Study<'_>, rows: &[Rows]) -> Result<Report, AnalysisError> {
        let [features, matches, ..] = rows else {
            return Err(AnalysisError::Unfit(format!("rows of {} phases instead of two or three", rows.len())));
        };
        let (featured, matched) = (read_features(features)?, read_matches(matches)?);
        let models: Vec<OfModel<'_>> = study
            .provenance
            .models
            .iter()
            .map(|(name, _)| OfModel {
                name,
                featured: featured.iter().filter(|f| f.model == *name).collect(),
                matched: matched.iter().filter(|m| m.model == *name).collect(),
            })
            .collect();
        let units = units_table(study, &models);
        let presence = presence_table(study, &models);
        let concepts = concepts_table(study, &models);
        let headline = models.iter().flat_map(|model| headline(study, model, &units, &concepts)).collect();
        let tables = vec![units, presence, concepts, self.importance_table(study, &models)];
        Ok(Report { provenance: study.provenance.clone(), headline, tables, notes: self.notes(study, &models) })
    }

    fn notes(&self, study: &Study<'_>, models: &[OfModel<'_>]) -> Vec<String> {
        let mut notes = Vec::new();
        for model in models {
            let (choosing, scoring) = (model.featured(true).len(), model.featured(false).len());
            notes.push(format!("{}: {choosing} images chose, {scoring} scored.", model.name));
            let without: Vec<&str> = study
                .taxonomy
                .attributes
                .iter()
                .filter(|a| a.localised && model.matched(&a.name, false).is_empty())
                .map(|a| a.name.as_str())
                .collect();
            if !without.is_empty() {
                notes.push(format!("{}: no scoring image has a mask of {}.", model.name, without.join(", ")));
            }
            notes.extend(few_images(study, model));
        }
        notes.push(format!(
            "Maps and masks are compared at {} pixels on the longer side at most, and thresholds are the {} quantile of at most \
             {} choosing images.",
            self.side, self.quantile, self.threshold_images
        ));
        notes
    }
}

/// What must be known where there are few images.
fn few_images(study: &Study<'_>, model: &OfModel<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let scored: Vec<usize> = study.taxonomy.attributes.iter().map(|a| model.matched(&a.name, false).len()).collect();
    let (few, all) = counts(&scored, FEW);
    if few > 0 {
        let units = model.featured.first().map_or(0, |featured| featured.pooled.len());
        notes.push(format!(
            "{}: {few} of {all} attributes are scored on fewer than {FEW} images. The best of {units} units is then chosen by \
             chance as much as by the attribute, and an interval from so few images is no measure of doubt: 0 to 0 says only \
             that the unit overlaps none of them.",
            model.name
        ));
    }
    let classes: Vec<usize> =
        (0..study.taxonomy.classes.len()).map(|c| model.featured.iter().filter(|f| f.class == c).count()).collect();
    // Half of a class is compared with its other half.
    let (few, all) = counts(&classes, 2 * FEW);
    if few > 0 {
        notes.push(format!(
            "{}: {few} of {all} classes have fewer than {} images, so that a gap compares accuracies of fewer than {FEW} with each \
             other, and one image moves it far: no gap of these is a finding.",
            model.name,
            2 * FEW
        ));
    }
    notes
}

/// How many of `counts` are below `least`, and how many there are; nothing counts that has no image.
fn counts(counts: &[usize], least: usize) -> (usize, usize) {
    let present = counts.iter().filter(|n| **n > 0);
    (present.clone().filter(|n| **n < least).count(), present.count())
}

/// The best unit of each attribute by IoU, chosen and scored on different images.
fn units_table(study: &Study<'_>, models: &[OfModel<'_>]) -> Table {
    let mut rows = Vec::new();
    for model in models {
        for attribute in &study.taxonomy.attributes {
            let (choosing, scoring) = (model.matched(&attribute.name, true), model.matched(&attribute.name, false));
            let chosen = ious(&choosing);
            let Some(unit) = best(&chosen) else { continue };
            let mut table = Measurements::new(3);
            for m in &scoring {
                let at = |values: &[f32]| values.get(unit).copied().map_or(0.0, f64::from);
                table.push(0, &[at(&m.intersection), at(&m.union), at(&m.average_precision)]);
            }
            let estimates = Estimates::of(table, seed(study));
            let iou = estimates.bounded(|means| (means[1] > 0.0).then(|| means[0] / means[1]));
            let precision = estimates.bounded(|means| Some(means[2]));
            let by_precision = average_precisions(&choosing);
            let mut row: Vec<Json> =
                vec![model.name.into(), attribute.name.as_str().into(), unit.into(), choosing.len().into()];
            row.extend([scoring.len().into(), chosen[unit].into()]);
            row.extend(iou.into_iter().chain(precision).map(Json::from));
            row.push(best(&by_precision).into());
            rows.push(row);
        }
    }
    Table {
        name: "units".to_owned(),
        caption: format!(
            "The unit that overlaps each attribute's masks best, chosen by IoU on one part of the images and scored on the \
             other; chosen IoU is what the choice saw. Bounds: {}.",
            interval_method()
        ),
        columns: with_bounds(
            &["model", "attribute", "unit", "chosen on", "scored on", "chosen IoU"],
            &["IoU", "average precision"],
            &["best unit by average precision"],
        ),
        rows,
    }
}

/// The unit whose mean tells best whether an image has an attribute.
fn presence_table(study: &Study<'_>, models: &[OfModel<'_>]) -> Table {
    let mut rows = Vec::new();
    for model in models {
        for (at, attribute) in study.taxonomy.attributes.iter().enumerate() {
            let chosen = aurocs(&model.featured(true), at);
            let Some(unit) = best(&chosen) else { continue };
            let scoring: Vec<(f32, bool)> = model
                .featured(false)
                .iter()
                .filter_map(|f| Some((*f.pooled.get(unit)?, (*f.attributes.get(at)?)?)))
                .collect();
            let (values, has): (Vec<f32>, Vec<bool>) = scoring.into_iter().unzip();
            rows.push(vec![
                model.name.into(),
                attribute.name.as_str().into(),
                unit.into(),
                has.len().into(),
                has.iter().filter(|has| **has).count().into(),
                chosen[unit].into(),
                auroc(&values, &has).into(),
            ]);
        }
    }
    let columns = ["model", "attribute", "unit", "scored on", "with it", "chosen AUROC", "AUROC"];
    Table {
        name: "presence".to_owned(),
        caption: "The unit whose mean over the image tells best whether the image has the attribute, chosen on one part of the \
                  images and scored on the other: 0.5 is chance."
            .to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        rows,
    }
}

fn concepts_table(study: &Study<'_>, models: &[OfModel<'_>]) -> Table {
    let mut rows = Vec::new();
    for model in models {
        for attribute in &study.taxonomy.attributes {
            let (choosing, scoring) = (model.matched(&attribute.name, true), model.matched(&attribute.name, false));
            let Some(concept) = concept(&choosing, &scoring) else { continue };
            let mut table = Measurements::new(1);
            concept.scored.iter().for_each(|(_, right)| table.push(0, &[*right]));
            let estimates = Estimates::of(table, seed(study));
            let mut row: Vec<Json> = vec![model.name.into(), attribute.name.as_str().into(), concept.learned.into()];
            row.push(concept.scored.len().into());
            row.extend(estimates.bounded(|means| Some(means[0])).map(Json::from));
            rows.push(row);
        }
    }
    Table {
        name: "concepts".to_owned(),
        caption: format!(
            "Directions that tell features inside an attribute's mask from those outside, learned on one part of the images: \
             how often they are right on the other, where 0.5 is chance. Bounds: {}.",
            interval_method()
        ),
        columns: with_bounds(&["model", "attribute", "learned from", "scored on"], &["accuracy"], &[]),
        rows,
    }
}

/// Means over the attributes.
fn headline(study: &Study<'_>, model: &OfModel<'_>, units: &Table, concepts: &Table) -> Vec<Estimate> {
    let estimate = |name: &str, table: &Table, column: &str| {
        let at = table.columns.iter().position(|heading| heading == column);
        let own = table.rows.iter().filter(|row| row[0] == model.name);
        let values: Vec<f64> = at.map(|at| own.filter_map(|row| row[at].as_f64()).collect()).unwrap_or_default();
        let value = (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        Estimate {
            name: name.to_owned(),
            model: Some(model.name.to_owned()),
            value,
            interval: None,
            interval_method: String::new(),
            n: study.samples.len() as u64,
        }
    };
    vec![
        estimate("IoU of the best units, mean over attributes", units, "IoU"),
        estimate("accuracy of concept directions, mean over attributes", concepts, "accuracy"),
    ]
}
