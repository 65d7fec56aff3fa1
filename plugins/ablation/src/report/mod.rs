//! Rows to the report.
//!
//! Everything is a class-balanced mean (the unweighted mean over the true classes that have images of the mean over each
//! class's images) of what is averaged over an image's trials first. A drop is the clean value less that of the ablated
//! picture, image by image. Intervals are bootstrap percentiles over images.
//!
//! - [`effect`]: what one ablation did, as a table. [`attributes`]: by attribute and class, beside the control.
//! - [`shares`]: Shapley values. [`compare`]: every two models.

mod attributes;
mod compare;
mod effect;
mod shares;

use rival10_sdk::{AnalysisError, Estimate, Report, Rows, Study, Table, report::with_bounds};
use rival10_stats::{Estimates, interval_method};
use serde_json::Value as Json;

use self::effect::{Effect, Gap};
use crate::{
    Ablation,
    rows::{Expected, Image, Kind, read},
};

/// One model's images.
struct ModelResult {
    name: String,
    images: Vec<Image>,
}

impl ModelResult {
    fn marked(&self) -> impl Iterator<Item = &Image> {
        self.images.iter().filter(|image| image.is_marked())
    }
}

impl Ablation {
    /// The report, from the rows alone.
    pub(crate) fn conclude(&self, study: &Study<'_>, rows: &[Rows]) -> Result<Report, AnalysisError> {
        let (first, shares) = match rows {
            [first] if self.shapley == 0 => (first, None),
            [first, shares] if self.shapley > 0 => (first, Some(shares)),
            _ => return Err(AnalysisError::Unfit(format!("rows of {} phases", rows.len()))),
        };
        let results = self.results(study, first)?;
        let mut tables = vec![self.by_model(&results), self.by_fill(&results)];
        tables.extend(self.by_attribute(study, &results));
        tables.push(self.by_class(study, &results));
        tables.push(self.by_stratum(&results));
        tables.extend(compare::table(self, &results));
        let mut notes = self.notes(study, &results);
        if let Some(rows) = shares {
            let (table, by_class, more) = shares::tables(self, study, rows)?;
            tables.extend([table, by_class]);
            notes.extend(more);
        }
        let headline = results.iter().flat_map(|result| self.headline(result)).collect();
        Ok(Report { provenance: study.provenance.clone(), headline, tables, notes })
    }

    /// Models in the order in which the run names them.
    fn results(&self, study: &Study<'_>, rows: &Rows) -> Result<Vec<ModelResult>, AnalysisError> {
        let mut models = read(rows, &Expected { fills: &self.fills, trials: self.trials })?;
        let result = |(name, _): &(String, String)| {
            let images = models.remove(name).unwrap_or_default();
            ModelResult { name: name.clone(), images }
        };
        let results = study.provenance.models.iter().map(result).collect();
        match models.keys().next() {
            None => Ok(results),
            Some(name) => {
                Err(AnalysisError::Unfit(format!("there are rows of model {name:?}, which the run does not name")))
            }
        }
    }

    /// The fill that models are compared by.
    fn main_fill(&self) -> &'static str {
        self.fills[0].name()
    }

    fn headline(&self, result: &ModelResult) -> Vec<Estimate> {
        let fill = self.main_fill();
        let of = |kind| Estimates::of(Effect::table(result.marked(), kind, "", fill), self.seed);
        let background = of(Kind::Background);
        let mut estimates = Vec::new();
        for (what, effect) in [("background", &background), ("object", &of(Kind::Object))] {
            estimates.push(headline(
                result,
                format!("accuracy drop without the {what} ({fill})"),
                effect,
                &Effect::drop,
            ));
        }
        if self.swap {
            let gap = Estimates::of(Gap::table(result.marked()), self.seed);
            estimates.push(headline(result, "background gap".to_owned(), &gap, &Gap::gap));
        }
        estimates.push(headline(result, "clean accuracy".to_owned(), &background, &|m| Some(m[Effect::CLEAN])));
        estimates
    }

    fn by_model(&self, results: &[ModelResult]) -> Table {
        let fill = self.main_fill();
        let mut rows: Vec<(f64, Vec<Json>)> = Vec::new();
        for result in results {
            let [background, object] = [Kind::Background, Kind::Object]
                .map(|kind| Estimates::of(Effect::table(result.marked(), kind, "", fill), self.seed));
            let gap = Estimates::of(Gap::table(result.marked()), self.seed);
            let cells = [
                vec![
                    result.name.as_str().into(),
                    background.table().images().into(),
                    background.value(|m| Some(m[Effect::CLEAN])).into(),
                ],
                cells(&background, Effect::drop).to_vec(),
                cells(&object, Effect::drop).to_vec(),
                vec![gap.value(|m| Some(m[Gap::SAME])).into(), gap.value(|m| Some(m[Gap::ANY])).into()],
                cells(&gap, Gap::gap).to_vec(),
            ];
            rows.push((background.value(Effect::drop).unwrap_or(-2.0), cells.concat()));
        }
        // Undefined ones last; models of one drop stay in the order in which they were named.
        rows.sort_by(|a, b| b.0.total_cmp(&a.0));
        Table {
            name: "by-model".to_owned(),
            caption: format!(
                "What is lost without the background and without the object ({fill}), the model that needs the background \
                 most first; and accuracy before the background of another image of the class (mixed-same) and of any image \
                 (mixed-rand), and their gap. Bounds: {}.",
                interval_method()
            ),
            columns: with_bounds(
                &["model", "n", "clean accuracy"],
                &["accuracy drop without background", "accuracy drop without object"],
                &["mixed-same", "mixed-rand", "background gap", "background gap low", "background gap high"],
            ),
            rows: rows.into_iter().map(|(_, row)| row).collect(),
        }
    }

    fn by_fill(&self, results: &[ModelResult]) -> Table {
        let mut rows = Vec::new();
        for result in results {
            for kind in [Kind::Background, Kind::Object] {
                for fill in &self.fills {
                    let effect = Estimates::of(Effect::table(result.marked(), kind, "", fill.name()), self.seed);
                    let head: [Json; 3] = [result.name.as_str().into(), kind.name().into(), fill.name().into()];
                    rows.push(row(head, effect_cells(&effect)));
                }
            }
        }
        Table {
            name: "by-fill".to_owned(),
            caption: format!(
                "What is lost without the background and without the object, by what stands in its place. Bounds: {}.",
                interval_method()
            ),
            columns: effect_columns(&["model", "without", "fill"]),
            rows,
        }
    }

    fn by_class(&self, study: &Study<'_>, results: &[ModelResult]) -> Table {
        let mut rows = Vec::new();
        for result in results {
            for class in 0..study.taxonomy.classes.len() {
                let of_class = || result.marked().filter(|image| image.class == class);
                if of_class().next().is_none() {
                    continue;
                }
                for kind in [Kind::Background, Kind::Object] {
                    let effect = Estimates::of(Effect::table(of_class(), kind, "", self.main_fill()), self.seed);
                    let head: [Json; 3] =
                        [result.name.as_str().into(), study.class_name(class).into(), kind.name().into()];
                    rows.push(row(head, effect_cells(&effect)));
                }
            }
        }
        Table {
            name: "by-class".to_owned(),
            caption: format!(
                "The same ({}) for the images of each true class. Bounds: {}.",
                self.main_fill(),
                interval_method()
            ),
            columns: effect_columns(&["model", "class", "without"]),
            rows,
        }
    }

    fn by_stratum(&self, results: &[ModelResult]) -> Table {
        let mut rows = Vec::new();
        for result in results {
            for stratum in ["imagenet-train", "imagenet-validation", "unknown"] {
                let of_stratum = || result.marked().filter(|image| image.stratum == stratum);
                if of_stratum().next().is_none() {
                    continue;
                }
                for kind in [Kind::Background, Kind::Object] {
                    let effect = Estimates::of(Effect::table(of_stratum(), kind, "", self.main_fill()), self.seed);
                    rows.push(row(
                        [result.name.as_str().into(), stratum.into(), kind.name().into()],
                        effect_cells(&effect),
                    ));
                }
            }
        }
        Table {
            name: "by-stratum".to_owned(),
            caption: format!(
                "The same ({}) by whether a network trained on ImageNet has seen the images. Bounds: {}.",
                self.main_fill(),
                interval_method()
            ),
            columns: effect_columns(&["model", "stratum", "without"]),
            rows,
        }
    }

    fn notes(&self, study: &Study<'_>, results: &[ModelResult]) -> Vec<String> {
        let mut notes = Vec::new();
        for result in results {
            notes.extend(left_out(result));
        }
        let mut images = results.iter().flat_map(|result| &result.images).peekable();
        if images.peek().is_some() && images.all(|image| image.stratum == "unknown") {
            notes.push("Whether networks trained on ImageNet have seen these images is unknown.".to_owned());
        }
        if study.taxonomy.attributes.is_empty() {
            notes.push("The taxonomy has no attributes: their ablation does not apply.".to_owned());
        } else if !results
            .iter()
            .flat_map(|r| &r.images)
            .any(|i| i.done.keys().any(|(kind, ..)| *kind == Kind::Attribute))
        {
            notes.push("No image has a mask of an attribute that was to be ablated.".to_owned());
        }
        if self.swap {
            notes.push(
                "The background gap is accuracy before a tiled background of the same class less that before one of any class."
                    .to_owned(),
            );
        }
        notes
    }
}

/// A number of the headline.
fn headline(
    result: &ModelResult,
    name: String,
    estimates: &Estimates,
    estimate: &(dyn Fn(&[f64]) -> Option<f64> + Sync),
) -> Estimate {
    let interval = estimates.interval(estimate).map(|interval| (interval.low, interval.high));
    Estimate {
        name,
        model: Some(result.name.clone()),
        value: estimates.value(estimate),
        interval_method: if interval.is_some() { interval_method() } else { String::new() },
        interval,
        n: estimates.table().images() as u64,
    }
}

/// How many images, and how many of what was to be done to them, are left out.
fn left_out(result: &ModelResult) -> Vec<String> {
    let name = &result.name;
    let mut notes = Vec::new();
    let count = |marking: &str| result.images.iter().filter(|image| image.marking == marking).count();
    let reasons: Vec<_> = [
        ("missing", "without an object mask"),
        ("empty", "without a foreground pixel"),
        ("full", "without a background pixel"),
    ]
    .into_iter()
    .filter(|(marking, _)| count(marking) > 0)
    .map(|(marking, reason)| format!("{} {reason}", count(marking)))
    .collect();
    if !reasons.is_empty() {
        notes.push(format!(
            "{name}: {} of {} images are left out, at the network's input size: {}.",
            result.images.len() - result.marked().count(),
            result.images.len(),
            reasons.join(", ")
        ));
    }
    if result.marked().next().is_none() {
        notes.push(format!("{name}: no image has both regions, so that nothing is estimated."));
    }
    let left = |wanted: Kind, why: &str| {
        let lefts = result.images.iter().flat_map(|image| &image.left);
        lefts.filter(|((kind, ..), marking)| *kind == wanted && *marking == why).count()
    };
    for (kind, marking, what) in [
        (Kind::Attribute, "empty", "masks of attributes have no pixel at the network's input size"),
        (Kind::Control, "no-room", "masks of attributes leave no room in the object for a control of their area"),
        (Kind::Swap, "no-partner", "backgrounds had no other image to come from"),
    ] {
        let n = left(kind, marking);
        if n > 0 {
            notes.push(format!("{name}: {n} {what}."));
        }
    }
    notes
}

const EFFECT_COLUMNS: &[&str] = &["accuracy drop", "probability drop"];

fn effect_columns(head: &[&str]) -> Vec<String> {
    let head = [head, &["n", "clean accuracy", "accuracy"]].concat();
    with_bounds(&head, EFFECT_COLUMNS, &["margin drop"])
}

fn effect_cells(effect: &Estimates) -> Vec<Json> {
    let value = |at: usize| Json::from(effect.value(|means| Some(means[at])));
    let head = vec![effect.table().images().into(), value(Effect::CLEAN), value(Effect::AFTER)];
    let margin = effect.value(|means| (means[Effect::HAS_MARGIN] == 1.0).then_some(means[Effect::MARGIN_DROP]));
    let p_drop = cells(effect, |means| Some(means[Effect::P_DROP]));
    [head, cells(effect, Effect::drop).to_vec(), p_drop.to_vec(), vec![margin.into()]].concat()
}

/// The estimate and the bounds of its interval, as three cells.
fn cells(estimates: &Estimates, estimate: impl Fn(&[f64]) -> Option<f64> + Sync) -> [Json; 3] {
    estimates.bounded(estimate).map(Json::from)
}

fn row<const N: usize>(head: [Json; N], rest: Vec<Json>) -> Vec<Json> {
    head.into_iter().chain(rest).collect()
}
