//! Rows to the report.
//!
//! Everything is a class-balanced mean (the unweighted mean over the true classes that have images of the mean over each
//! class's images), or a function of such means: accuracies are averaged over trials, images, classes and levels first,
//! then RFS is taken. An image's iRFS takes its probabilities averaged over trials and levels. Intervals are bootstrap
//! percentiles over images; levels and trials stay with their image.

use rival10_sdk::{AnalysisError, Estimate, Report, Rows, Study, Table};
use rival10_stats::{Interval, Measurements, Resamples, bootstrap::RESAMPLES};
use serde_json::Value as Json;

use crate::{
    NoiseSensitivity,
    rows::{Image, read},
    sensitivity::{relative, relative_floored, relative_of_image},
};

const CONFIDENCE: f64 = 0.95;

/// Where an image's numbers stand in its row of [`Measurements`].
#[derive(Clone, Copy)]
struct Layout {
    levels: usize,
}

impl Layout {
    const CLEAN: usize = 0;
    const IRFS: usize = 1;
    const FLOORED: usize = 2;
    const IS_FLOORED: usize = 3;
    const LEVELS: usize = 4;
    /// Numbers a level: whether it is right, and how far its margin moved, each under foreground and background noise.
    const STRIDE: usize = 4;

    fn width(self) -> usize {
        Self::LEVELS + Self::STRIDE * self.levels
    }

    fn row(self, image: &Image, floor: f64) -> Vec<f64> {
        let mean = |p: &dyn Fn(usize) -> f64| (0..self.levels).map(p).sum::<f64>() / count(self.levels);
        let (p_fg, p_bg) = (mean(&|l| image.noised[l].0.p), mean(&|l| image.noised[l].1.p));
        let (floored, is_floored) = relative_floored(p_fg, p_bg, floor);
        let mut row =
            vec![image.clean.correct, relative_of_image(p_fg, p_bg), floored, f64::from(u8::from(is_floored))];
        for (fg, bg) in &image.noised {
            row.extend([fg.correct, bg.correct, fg.margin - image.clean.margin, bg.margin - image.clean.margin]);
        }
        row
    }

    /// Accuracy under foreground (`which` 0) or background noise (1), or the change of the margin (2, 3), at `level`.
    fn at(self, means: &[f64], level: usize, which: usize) -> f64 {
        means[Self::LEVELS + Self::STRIDE * level + which]
    }

    /// The same over all levels.
    fn over_levels(self, means: &[f64], which: usize) -> f64 {
        (0..self.levels).map(|level| self.at(means, level, which)).sum::<f64>() / count(self.levels)
    }

    fn rfs(self, means: &[f64]) -> Option<f64> {
        relative(self.over_levels(means, 0), self.over_levels(means, 1))
    }
}

/// The estimates that are given for a model, a class and a stratum alike.
struct Summary {
    table: Measurements,
    means: Option<Vec<f64>>,
    resamples: Option<Resamples>,
}

impl Summary {
    fn of(table: Measurements, seed: u64) -> Self {
        Self { means: table.means(), resamples: Resamples::draw(&table, seed, RESAMPLES), table }
    }

    fn value(&self, estimate: impl Fn(&[f64]) -> Option<f64>) -> Option<f64> {
        self.means.as_deref().and_then(estimate)
    }

    /// None where the estimate itself is undefined.
    fn interval(&self, estimate: impl Fn(&[f64]) -> Option<f64> + Sync) -> Option<Interval> {
        self.value(&estimate)?;
        self.resamples.as_ref()?.percentile(CONFIDENCE, estimate)
    }

    /// The estimate and the bounds of its interval, as three cells.
    fn cells(&self, estimate: impl Fn(&[f64]) -> Option<f64> + Sync) -> [Json; 3] {
        let interval = self.interval(&estimate);
        [self.value(estimate).into(), interval.map(|i| i.low).into(), interval.map(|i| i.high).into()]
    }
}

/// One model's images and estimates.
struct ModelResult {
    name: String,
    images: Vec<Image>,
    summary: Summary,
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
        let headline = results.iter().flat_map(|result| self.headline(result)).collect();
        let tables = vec![
            self.by_model(&results),
            self.by_level(&results),
            self.by_class(study, &results),
            self.by_stratum(&results),
        ];
        Ok(Report { provenance: study.provenance.clone(), headline, tables, notes: self.notes(study, &results) })
    }

    /// Models in the order in which the run names them.
    fn results(&self, study: &Study<'_>, rows: &[Rows]) -> Result<Vec<ModelResult>, AnalysisError> {
        let mut models = match rows {
            [rows] => read(rows, &self.levels, self.trials)?,
            _ => return Err(AnalysisError::Unfit(format!("rows of {} phases instead of one", rows.len()))),
        };
        let mut results = Vec::new();
        for (name, _) in &study.provenance.models {
            let images = models.remove(name).unwrap_or_default();
            let summary = Summary::of(self.table(images.iter()), self.seed);
            results.push(ModelResult { name: name.clone(), images, summary });
        }
        match models.keys().next() {
            None => Ok(results),
            Some(name) => {
                Err(AnalysisError::Unfit(format!("there are rows of model {name:?}, which the run does not name")))
            }
        }
    }

    fn layout(&self) -> Layout {
        Layout { levels: self.levels.len() }
    }

    fn table<'a>(&self, images: impl Iterator<Item = &'a Image>) -> Measurements {
        let mut table = Measurements::new(self.layout().width());
        for image in images.filter(|image| image.marking == "marked") {
            table.push(image.class, &self.layout().row(image, self.floor));
        }
        table
    }

    fn headline(&self, ModelResult { name, summary, .. }: &ModelResult) -> Vec<Estimate> {
        let layout = self.layout();
        let estimate = |what: &str, estimate: &(dyn Fn(&[f64]) -> Option<f64> + Sync)| {
            let interval = summary.interval(estimate).map(|interval| (interval.low, interval.high));
            Estimate {
                name: what.to_owned(),
                model: Some(name.clone()),
                value: summary.value(estimate),
                interval_method: if interval.is_some() { interval_method() } else { String::new() },
                interval,
                n: summary.table.images() as u64,
            }
        };
        vec![
            estimate("RFS", &|means| layout.rfs(means)),
            estimate("clean accuracy", &|means| Some(means[Layout::CLEAN])),
            estimate("iRFS", &|means| Some(means[Layout::IRFS])),
            estimate("floored iRFS", &|means| Some(means[Layout::FLOORED])),
        ]
    }

    fn summary_cells(&self, summary: &Summary) -> Vec<Json> {
        let layout = self.layout();
        let value = |at: usize| Json::from(summary.value(|means| Some(means[at])));
        let over_levels = |which: usize| Json::from(summary.value(|means| Some(layout.over_levels(means, which))));
        let [rfs, low, high] = summary.cells(|means| layout.rfs(means));
        vec![
            summary.table.images().into(),
            value(Layout::CLEAN),
            over_levels(0),
            over_levels(1),
            rfs,
            low,
            high,
            value(Layout::IRFS),
            value(Layout::FLOORED),
            value(Layout::IS_FLOORED),
        ]
    }

    fn by_model(&self, results: &[ModelResult]) -> Table {
        let mut sorted: Vec<_> = results.iter().collect();
        let rfs = |result: &ModelResult| result.summary.value(|means| self.layout().rfs(means));
        // Undefined ones last; models of one RFS stay in the order in which they were named.
        sorted.sort_by(|a, b| rfs(b).unwrap_or(-2.0).total_cmp(&rfs(a).unwrap_or(-2.0)));
        Table {
            name: "by-model".to_owned(),
            caption: format!(
                "Accuracies and sensitivities over all levels and classes, the most foreground-sensitive model first. \
                 RFS bounds: {}; null where more than 1 resample in 100 leaves RFS undefined.",
                interval_method()
            ),
            columns: columns(&["model"], SUMMARY_COLUMNS),
            rows: sorted
                .into_iter()
                .map(|result| row(vec![result.name.as_str().into()], self.summary_cells(&result.summary)))
                .collect(),
        }
    }

    fn by_level(&self, results: &[ModelResult]) -> Table {
        let layout = self.layout();
        let mut rows = Vec::new();
        for ModelResult { name, summary, .. } in results {
            let clean = summary.cells(|means| Some(means[Layout::CLEAN]));
            let start = [Json::Null, Json::Null, Json::Null, 0.0.into(), 0.0.into()];
            rows.push(row(vec![name.as_str().into(), 0.0.into()], [clean.as_slice(), &clean, &start].concat()));
            for (l, &level) in self.levels.iter().enumerate() {
                let at = |which: usize| summary.cells(move |means| Some(layout.at(means, l, which)));
                let rfs = summary.cells(|means| relative(layout.at(means, l, 0), layout.at(means, l, 1)));
                let margins = [2, 3].map(|which| self.margin(summary, |means| layout.at(means, l, which)));
                rows.push(row(
                    vec![name.as_str().into(), level.into()],
                    [at(0).as_slice(), &at(1), &rfs, &margins].concat(),
                ));
            }
        }
        Table {
            name: "by-level".to_owned(),
            caption: format!(
                "Class-balanced accuracy under noise of each level (standard deviation in units of 1/255; 0 is clean), and \
                 by how much the true class's margin over the best other class moved. Bounds: {}.",
                interval_method()
            ),
            columns: columns(
                &["model", "level"],
                &[
                    "foreground noise",
                    "foreground low",
                    "foreground high",
                    "background noise",
                    "background low",
                    "background high",
                    "RFS",
                    "RFS low",
                    "RFS high",
                    "foreground margin change",
                    "background margin change",
                ],
            ),
            rows,
        }
    }

    fn margin(&self, summary: &Summary, change: impl Fn(&[f64]) -> f64) -> Json {
        summary.value(|means| Some(change(means))).into()
    }

    fn by_class(&self, study: &Study<'_>, results: &[ModelResult]) -> Table {
        let mut rows = Vec::new();
        for ModelResult { name, summary, .. } in results {
            for (class, _) in summary.table.classes() {
                let of_class = Summary::of(summary.table.of_class(class), self.seed);
                let head = vec![name.as_str().into(), class_name(study, class).into()];
                rows.push(row(head, self.summary_cells(&of_class)));
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
                let table = self.table(result.images.iter().filter(|image| image.stratum == stratum));
                if table.images() > 0 {
                    let head = vec![result.name.as_str().into(), stratum.into()];
                    rows.push(row(head, self.summary_cells(&Summary::of(table, self.seed))));
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
        let mut notes = Vec::new();
        for ModelResult { name, images, summary } in results {
            let left_out = |marking: &str| images.iter().filter(|image| image.marking == marking).count();
            let reasons: Vec<_> = [
                ("missing", "without an object mask"),
                ("empty", "without a foreground pixel"),
                ("full", "without a background pixel"),
            ]
            .into_iter()
            .filter(|(marking, _)| left_out(marking) > 0)
            .map(|(marking, reason)| format!("{} {reason}", left_out(marking)))
            .collect();
            if !reasons.is_empty() {
                notes.push(format!(
                    "{name}: {} of {} images are left out, at the network's input size: {}.",
                    images.len() - summary.table.images(),
                    images.len(),
                    reasons.join(", ")
                ));
            }
            if summary.means.is_none() {
                notes.push(format!("{name}: no image has both regions, so that nothing is estimated."));
            } else if summary.value(|means| self.layout().rfs(means)).is_none() {
                notes.push(format!("{name}: RFS is undefined, because both accuracies are 0 or both are 1."));
            }
            let missing: Vec<_> = (0..study.taxonomy.classes.len())
                .filter(|&class| summary.table.of_class(class).images() == 0)
                .map(|class| class_name(study, class))
                .collect();
            if !missing.is_empty() && summary.means.is_some() {
                notes.push(format!("{name}: no image of {}; means are over the other classes.", missing.join(", ")));
            }
        }
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

fn interval_method() -> String {
    format!("95% percentile bootstrap over images within classes, {RESAMPLES} resamples")
}

fn class_name(study: &Study<'_>, class: usize) -> String {
    study.taxonomy.classes.get(class).map_or_else(|| format!("class {class}"), |class| class.name.clone())
}

fn columns(head: &[&str], rest: &[&str]) -> Vec<String> {
    head.iter().chain(rest).map(|&name| name.to_owned()).collect()
}

fn row(mut head: Vec<Json>, rest: Vec<Json>) -> Vec<Json> {
    head.extend(rest);
    head
}

#[expect(clippy::cast_precision_loss, reason = "a handful of levels")]
fn count(n: usize) -> f64 {
    n as f64
}
