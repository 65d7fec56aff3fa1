//! Rows to the report.
//!
//! Everything is a class-balanced mean (the unweighted mean over the true classes that have images of the mean over each
//! class's images), or a function of such means: accuracies are averaged over trials, images, classes and levels first,
//! then RFS is taken. An image's iRFS takes its probabilities averaged over trials and levels. Intervals are bootstrap
//! percentiles over images; levels and trials stay with their image.
//!
//! - [`estimates`]: means with their bootstrap; summaries over all levels, and curves over levels.
//! - [`distribution`]: images by iRFS. [`compare`]: every two models. [`chance`]: RFS beside that of null masks.

mod chance;
mod compare;
mod distribution;
mod estimates;

use rival10_sdk::{AnalysisError, Estimate, Report, Rows, Study, Table, report::with_bounds};
use rival10_stats::{Estimates, Measurements, interval_method};
use serde_json::Value as Json;

use self::estimates::{Curve, Summary};
use crate::{
    NoiseSensitivity,
    rows::{Image, read},
    sensitivity::Rfs,
};

/// One model's images and estimates over all levels.
struct ModelResult {
    name: String,
    images: Vec<Image>,
    /// The images under each null mask.
    nulls: Vec<Vec<Image>>,
    summary: Estimates,
}

const SUMMARY_COLUMNS: &[&str] = &[
    "n",
    "clean accuracy",
    "foreground noise",
    "background noise",
    "RFS",
    "RFS low",
    "RFS high",
    "iRFS",
    "floored iRFS",
    "share floored",
];

impl NoiseSensitivity {
    /// The report, from the rows alone.
    pub(crate) fn conclude(&self, study: &Study<'_>, rows: &[Rows]) -> Result<Report, AnalysisError> {
        let results = self.results(study, rows)?;
        let headline = results.iter().flat_map(|result| headline(result, self.rfs())).collect();
        let (levels, curves) = self.curves(&results);
        let mut tables = vec![
            by_model(&results, self.rfs()),
            levels,
            curves,
            self.by_class(study, &results),
            self.by_stratum(&results),
            distribution::table(&results),
        ];
        tables.extend(chance::table(self, &results));
        tables.extend(compare::tables(self, &results));
        Ok(Report { provenance: study.provenance.clone(), headline, tables, notes: self.notes(study, &results) })
    }

    /// Models in the order in which the run names them.
    fn results(&self, study: &Study<'_>, rows: &[Rows]) -> Result<Vec<ModelResult>, AnalysisError> {
        let mut models = match rows {
            [rows] => read(rows, &self.levels, self.trials, self.nulls)?,
            _ => return Err(AnalysisError::Unfit(format!("rows of {} phases instead of one", rows.len()))),
        };
        let mut results = Vec::new();
        for (name, _) in &study.provenance.models {
            let mut masks = models.remove(name).unwrap_or_default().into_iter();
            let (images, nulls) = (masks.next().unwrap_or_default(), masks.collect());
            let summary = Estimates::of(Summary::table(images.iter(), self.floor), self.seed);
            results.push(ModelResult { name: name.clone(), images, nulls, summary });
        }
        match models.keys().next() {
            None => Ok(results),
            Some(name) => {
                Err(AnalysisError::Unfit(format!("there are rows of model {name:?}, which the run does not name")))
            }
        }
    }

    /// The table by level, and that of what is read off the curves.
    fn curves(&self, results: &[ModelResult]) -> (Table, Table) {
        let curve = Curve { levels: &self.levels };
        let (mut levels, mut curves) = (Vec::new(), Vec::new());
        for ModelResult { name, images, .. } in results {
            let estimates = Estimates::of(curve.table(images.iter()), self.seed);
            let clean = cells(&estimates, |means| Some(means[0]));
            let start = vec![Json::Null; 5];
            levels.push(row([name.as_str().into(), 0.0.into()], [clean.as_slice(), &clean, &start].concat()));
            for (l, &level) in self.levels.iter().enumerate() {
                let [fg, bg] = [0, 1].map(|region| cells(&estimates, move |means| Some(Curve::at(means, l, region))));
                let rfs = cells(&estimates, |means| Curve::rfs(means, l, self.rfs()));
                let margins = margin_changes(images, l).map(Json::from);
                levels.push(row([name.as_str().into(), level.into()], [fg.as_slice(), &bg, &rfs, &margins].concat()));
            }
            let [area_fg, area_bg] = [0, 1].map(|region| cells(&estimates, |means| curve.area(means, region)));
            let [half_fg, half_bg] = [0, 1].map(|region| cells(&estimates, |means| curve.half(means, region)));
            let ratio = cells(&estimates, |means| curve.half_ratio(means));
            let cells = [area_fg.as_slice(), &area_bg, &half_fg, &half_bg, &ratio].concat();
            curves.push(row([name.as_str().into()], cells));
        }
        let levels = Table {
            name: "by-level".to_owned(),
            caption: format!(
                "Class-balanced accuracy under noise of each level (0 is clean; a level is the {}), and by how much the true \
                 class's margin over the best other class moved. Bounds: {}.",
                self.mode.unit(),
                interval_method()
            ),
            columns: with_bounds(
                &["model", "level"],
                &["foreground noise", "background noise", "RFS"],
                &["foreground margin change", "background margin change"],
            ),
            rows: levels,
        };
        let curves = Table {
            name: "curves".to_owned(),
            caption: format!(
                "Of accuracy over level: the area under it as a share of 1, the level s50 at which it is half of the clean \
                 accuracy (null if it stays above), and the foreground's s50 over the background's. Bounds: {}.",
                interval_method()
            ),
            columns: with_bounds(
                &["model"],
                &["foreground area", "background area", "foreground s50", "background s50", "s50 ratio"],
                &[],
            ),
            rows: curves,
        };
        (levels, curves)
    }

    fn by_class(&self, study: &Study<'_>, results: &[ModelResult]) -> Table {
        let mut rows = Vec::new();
        for ModelResult { name, summary, .. } in results {
            for (class, _) in summary.table().classes() {
                let of_class = Estimates::of(summary.table().of_class(class), self.seed);
                rows.push(row(
                    [name.as_str().into(), study.class_name(class).into()],
                    summary_cells(&of_class, self.rfs()),
                ));
            }
        }
        Table {
            name: "by-class".to_owned(),
            caption: format!("The same for the images of each true class. RFS bounds: {}.", interval_method()),
            columns: columns(&["model", "class"], SUMMARY_COLUMNS),
            rows,
        }
    }

    fn by_stratum(&self, results: &[ModelResult]) -> Table {
        let mut rows = Vec::new();
        for result in results {
            for stratum in ["imagenet-train", "imagenet-validation", "unknown"] {
                let images = result.images.iter().filter(|image| image.stratum == stratum);
                let table = Summary::table(images, self.floor);
                if table.images() > 0 {
                    let cells = summary_cells(&Estimates::of(table, self.seed), self.rfs());
                    rows.push(row([result.name.as_str().into(), stratum.into()], cells));
                }
            }
        }
        Table {
            name: "by-stratum".to_owned(),
            caption: format!(
                "The same by whether a network trained on ImageNet has seen the images. RFS bounds: {}.",
                interval_method()
            ),
            columns: columns(&["model", "stratum"], SUMMARY_COLUMNS),
            rows,
        }
    }

    fn notes(&self, study: &Study<'_>, results: &[ModelResult]) -> Vec<String> {
        let mut notes: Vec<_> = results.iter().flat_map(|result| notes_of_model(study, result, self.rfs())).collect();
        let mut images = results.iter().flat_map(|result| &result.images).peekable();
        if images.peek().is_some() && images.all(|image| image.stratum == "unknown") {
            notes.push("Whether networks trained on ImageNet have seen these images is unknown.".to_owned());
        }
        notes.push(format!(
            "iRFS divides by min(p, 1 - p), which is next to nothing for an image whose class is all but certain; the \
             floored iRFS takes it as at least {}.",
            self.floor
        ));
        notes
    }
}

fn headline(ModelResult { name, summary, .. }: &ModelResult, rfs: Rfs) -> Vec<Estimate> {
    let estimate = |what: &str, estimate: &(dyn Fn(&[f64]) -> Option<f64> + Sync)| {
        let interval = summary.interval(estimate).map(|interval| (interval.low, interval.high));
        Estimate {
            name: what.to_owned(),
            model: Some(name.clone()),
            value: summary.value(estimate),
            interval_method: if interval.is_some() { interval_method() } else { String::new() },
            interval,
            n: summary.table().images() as u64,
        }
    };
    vec![
        estimate("RFS", &Summary::rfs(rfs)),
        estimate("clean accuracy", &|means| Some(means[Summary::CLEAN])),
        estimate("iRFS", &|means| Some(means[Summary::IRFS])),
        estimate("floored iRFS", &|means| Some(means[Summary::FLOORED])),
    ]
}

fn summary_cells(summary: &Estimates, rfs: Rfs) -> Vec<Json> {
    let value = |at: usize| Json::from(summary.value(|means| Some(means[at])));
    let [rfs, low, high] = cells(summary, Summary::rfs(rfs));
    vec![
        summary.table().images().into(),
        value(Summary::CLEAN),
        value(Summary::FOREGROUND),
        value(Summary::BACKGROUND),
        rfs,
        low,
        high,
        value(Summary::IRFS),
        value(Summary::FLOORED),
        value(Summary::IS_FLOORED),
    ]
}

fn by_model(results: &[ModelResult], rfs: Rfs) -> Table {
    let mut sorted: Vec<_> = results.iter().collect();
    let effect = |result: &ModelResult| result.summary.value(Summary::rfs(rfs)).unwrap_or(-2.0);
    // Undefined ones last; models of one RFS stay in the order in which they were named.
    sorted.sort_by(|a, b| effect(b).total_cmp(&effect(a)));
    let row_of = |result: &ModelResult| {
        let bca = result.summary.bca(Summary::rfs(rfs));
        let mut cells = summary_cells(&result.summary, rfs);
        cells.extend([Json::from(bca.map(|i| i.low)), bca.map(|i| i.high).into()]);
        row([result.name.as_str().into()], cells)
    };
    Table {
        name: "by-model".to_owned(),
        caption: format!(
            "Accuracies and sensitivities over all levels and classes, the most foreground-sensitive model first. RFS \
             bounds: {}, and the BCa interval of the same resamples; null where more than 1 resample in 100 leaves RFS \
             undefined.",
            interval_method()
        ),
        columns: columns(&["model"], &[SUMMARY_COLUMNS, &["RFS BCa low", "RFS BCa high"]].concat()),
        rows: sorted.into_iter().map(row_of).collect(),
    }
}

/// By how much the margin moved at level number `level`, foreground and background; none without images, and where there is
/// but one class.
fn margin_changes(images: &[Image], level: usize) -> [Option<f64>; 2] {
    let mut changes = Measurements::new(2);
    for image in images.iter().filter(|image| image.is_marked()) {
        let (fg, bg) = &image.noised[level];
        if let (Some(clean), Some(fg), Some(bg)) = (image.clean.margin, fg.margin, bg.margin) {
            changes.push(image.class, &[fg - clean, bg - clean]);
        }
    }
    let means = changes.means();
    [0, 1].map(|region| means.as_ref().map(|means| means[region]))
}

fn notes_of_model(study: &Study<'_>, ModelResult { name, images, summary, .. }: &ModelResult, rfs: Rfs) -> Vec<String> {
    let mut notes = Vec::new();
    let left_out = |marking: &str| images.iter().filter(|image| image.marking == marking).count();
    let reasons: Vec<_> = [
        ("missing", "without an object mask"),
        ("empty", "without a foreground pixel"),
        ("full", "without a background pixel"),
        ("unmatched", "without a place of the object's shape in the background"),
    ]
    .into_iter()
    .filter(|(marking, _)| left_out(marking) > 0)
    .map(|(marking, reason)| format!("{} {reason}", left_out(marking)))
    .collect();
    if !reasons.is_empty() {
        notes.push(format!(
            "{name}: {} of {} images are left out, at the network's input size: {}.",
            images.len() - summary.table().images(),
            images.len(),
            reasons.join(", ")
        ));
    }
    if summary.table().images() == 0 {
        notes.push(format!("{name}: no image has both regions, so that nothing is estimated."));
        return notes;
    }
    if summary.value(Summary::rfs(Rfs { undefined: None })).is_none() {
        let said = rfs.undefined.map_or_else(String::new, |value| format!(" (the profile says {value})"));
        notes.push(format!("{name}: RFS is undefined{said}, because both accuracies are 0 or both are 1."));
    }
    let missing: Vec<_> = (0..study.taxonomy.classes.len())
        .filter(|&class| summary.table().of_class(class).images() == 0)
        .map(|class| study.class_name(class))
        .collect();
    if !missing.is_empty() {
        notes.push(format!("{name}: no image of {}; means are over the other classes.", missing.join(", ")));
    }
    notes
}

/// The estimate and the bounds of its interval, as three cells.
fn cells(estimates: &Estimates, estimate: impl Fn(&[f64]) -> Option<f64> + Sync) -> [Json; 3] {
    estimates.bounded(estimate).map(Json::from)
}

fn columns(head: &[&str], rest: &[&str]) -> Vec<String> {
    head.iter().chain(rest).map(|&name| name.to_owned()).collect()
}

fn row<const N: usize>(head: [Json; N], rest: Vec<Json>) -> Vec<Json> {
    head.into_iter().chain(rest).collect()
}
