//! Rows to the report.
//!
//! Every number is the unweighted mean over the explained classes that have images of the mean over each class's images, as
//! the study takes it; an image for which a metric has no meaning is left out of that metric, and counted. Intervals are
//! bootstrap percentiles over images within classes.
//!
//! - `means`: class-balanced means with their intervals. `compare`: every two models, and methods beside the middle.

mod compare;
mod means;

use std::collections::{BTreeMap, BTreeSet};

use rival10_attribution::Baseline;
use rival10_sdk::{AnalysisError, Estimate, Report, Rows, Stratum, Study, Table, report::with_bounds};
use rival10_stats::{Estimates, Measurements, interval_method};
use serde_json::Value as Json;

use self::means::{Mean, means};
use crate::{
    SaliencyAlignment, Target,
    metrics::{CHANCE_IOU, DELETION, INSERTION, IOU, corrected_iou},
    rows::{Entry, read, read_sanity},
};

/// The study's five metrics, recall by its first share, as the headline names them.
pub(super) const STUDY: [(usize, &str); 5] = [
    (0, "IoU"),
    (1, "delta density"),
    (2, "average precision"),
    (3, "saliency precision"),
    (4, "saliency recall at 25%"),
];

/// The others, without what is derived and what has to be asked for.
const FURTHER: [(usize, &str); 7] = [
    (5, "recall at 50%"),
    (6, "recall at 75%"),
    (7, "pointing game"),
    (8, "AUROC"),
    (9, "top 5%"),
    (10, "rank accuracy"),
    (12, "Gini"),
];

/// The entries of one model and method or baseline, in the order of the images.
pub(super) struct Group<'a> {
    pub(super) model: &'a str,
    pub(super) method: &'a str,
    pub(super) entries: Vec<&'a Entry>,
}

impl Group<'_> {
    fn head(&self) -> Vec<Json> {
        vec![self.model.into(), self.method.into()]
    }

    /// The means of `metrics`, by explained class.
    fn means(&self, metrics: &[usize], seed: u64) -> Vec<Mean> {
        means(&self.entries, &|entry| entry.explained, metrics, seed)
    }
}

impl SaliencyAlignment {
    /// The report, from the rows alone.
    pub(crate) fn conclude(&self, study: &Study<'_>, rows: &[Rows]) -> Result<Report, AnalysisError> {
        let (aligned, sanity) = match rows {
            [aligned] if self.phases.len() == 1 => (aligned, None),
            [aligned, rest @ ..] if rows.len() == self.phases.len() => {
                (aligned, rest.last().filter(|_| self.stages > 0))
            }
            _ => {
                let (found, expected) = (rows.len(), self.phases.len());
                return Err(AnalysisError::Unfit(format!("rows of {found} phases instead of {expected}")));
            }
        };
        let entries = read(aligned)?;
        if let Some(entry) = entries.iter().find(|e| study.provenance.models.iter().all(|(name, _)| *name != e.model)) {
            let reason = format!("there are rows of model {:?}, which the run does not name", entry.model);
            return Err(AnalysisError::Unfit(reason));
        }
        let groups = self.groups(study, &entries);
        let of_methods: Vec<&Group<'_>> = groups.iter().filter(|group| self.is_method(group.method)).collect();
        let first = of_methods.iter().filter(|group| group.method == self.methods[0].name);
        let headline = first.flat_map(|group| self.headline(group)).collect();
        let mut tables = vec![self.alignment(&groups), self.further(&groups)];
        tables.extend((self.faithfulness > 0).then(|| self.faithfulness_table(&of_methods)));
        tables.push(self.by_class(study, &of_methods));
        tables.push(self.by_stratum(&of_methods));
        tables.extend(compare::table(self, &groups));
        tables.extend((self.extremes > 0).then(|| self.best_and_worst(study, &entries)));
        if let Some(rows) = sanity {
            tables.push(self.sanity_table(study, rows)?);
        }
        Ok(Report { provenance: study.provenance.clone(), headline, tables, notes: self.notes(study, &groups) })
    }

    pub(super) fn is_method(&self, name: &str) -> bool {
        self.methods.iter().any(|method| method.name == name)
    }

    /// Models in the order in which the run names them, maps in that of the methods and then the baselines.
    fn groups<'a>(&self, study: &'a Study<'_>, entries: &'a [Entry]) -> Vec<Group<'a>> {
        let mut names: Vec<&'a str> = self.methods.iter().map(|method| method.name).collect();
        names.extend(Baseline::ALL.iter().map(|baseline| baseline.name()));
        let mut own: BTreeMap<(&str, &str), Vec<&Entry>> = BTreeMap::new();
        for entry in entries {
            own.entry((&entry.model, &entry.method)).or_default().push(entry);
        }
        let mut groups = Vec::new();
        for (model, _) in &study.provenance.models {
            for &method in &names {
                let entries = own.remove(&(model.as_str(), method)).unwrap_or_default();
                groups.push(Group { model, method, entries });
            }
        }
        groups
    }

    fn headline(&self, group: &Group<'_>) -> Vec<Estimate> {
        let means = group.means(&STUDY.map(|(metric, _)| metric), self.seed);
        let estimate = |((_, name), mean): (&(usize, &str), &Mean)| Estimate {
            name: (*name).to_owned(),
            model: Some(group.model.to_owned()),
            value: mean.value,
            interval_method: if mean.interval.is_some() { interval_method() } else { String::new() },
            interval: mean.interval,
            n: mean.n as u64,
        };
        STUDY.iter().zip(&means).map(estimate).collect()
    }

    fn alignment(&self, groups: &[Group<'_>]) -> Table {
        let row = |group: &Group<'_>| {
            let means = group.means(&STUDY.map(|(metric, _)| metric), self.seed);
            let constant = group.entries.iter().filter(|entry| entry.constant).count();
            let nulls = group.entries.len() - means.first().map_or(0, |iou| iou.n);
            let mut row = group.head();
            row.extend([group.entries.len().into(), nulls.into(), constant.into()]);
            row.extend(means.iter().flat_map(Mean::cells));
            row
        };
        Table {
            name: "alignment".to_owned(),
            caption: format!(
                "How well each map falls on the object; below the methods the three maps that need no model, which say how \
                 much of it is the object's being in the middle. Nulls: images without an alignment. Bounds: {}.",
                interval_method()
            ),
            columns: with_bounds(
                &["model", "method", "images", "nulls", "constant maps"],
                &STUDY.map(|(_, name)| name),
                &[],
            ),
            rows: groups.iter().map(row).collect(),
        }
    }

    fn further(&self, groups: &[Group<'_>]) -> Table {
        let row = |group: &Group<'_>| {
            let mut row = group.head();
            let mut corrected = Measurements::new(1);
            for entry in &group.entries {
                if let Some(iou) = corrected_iou(entry.metrics[IOU], entry.metrics[CHANCE_IOU]) {
                    corrected.push(entry.explained, &[iou]);
                }
            }
            row.extend(Estimates::of(corrected, self.seed).bounded(|means| Some(means[0])).map(Json::from));
            let metrics: Vec<usize> = [CHANCE_IOU].into_iter().chain(FURTHER.map(|(metric, _)| metric)).collect();
            row.extend(group.means(&metrics, self.seed).iter().map(|mean| Json::from(mean.value)));
            row
        };
        let names: Vec<&str> = ["IoU on other masks"].into_iter().chain(FURTHER.map(|(_, name)| name)).collect();
        Table {
            name: "further".to_owned(),
            caption: format!(
                "Further metrics. The corrected IoU is 0 where a map falls on its own object no better than on the objects of \
                 other images, and 1 at best; its bounds: {}. Gini says how sparse a map is, whatever the object.",
                interval_method()
            ),
            columns: with_bounds(&["model", "method"], &["corrected IoU"], &names),
            rows: groups.iter().map(row).collect(),
        }
    }

    fn faithfulness_table(&self, groups: &[&Group<'_>]) -> Table {
        let row = |group: &&Group<'_>| {
            let mut row = group.head();
            row.extend(group.means(&[DELETION, INSERTION], self.seed).iter().flat_map(Mean::cells));
            row
        };
        Table {
            name: "faithfulness".to_owned(),
            caption: format!(
                "Area under the explained class's probability as pixels are taken away (deletion: lower is more faithful) and \
                 shown (insertion: higher is), the most salient first, in {} steps; what is not shown is {}. Bounds: {}.",
                self.faithfulness,
                self.substitute,
                interval_method()
            ),
            columns: with_bounds(&["model", "method"], &["deletion", "insertion"], &[]),
            rows: groups.iter().map(row).collect(),
        }
    }

    fn by_class(&self, study: &Study<'_>, groups: &[&Group<'_>]) -> Table {
        let mut rows = Vec::new();
        for group in groups {
            let classes: BTreeSet<usize> = group.entries.iter().map(|entry| entry.explained).collect();
            for class in classes {
                let of_class = group.entries.iter().copied().filter(|entry| entry.explained == class).collect();
                let of_class = Group { entries: of_class, ..**group };
                let means = of_class.means(&STUDY.map(|(metric, _)| metric), self.seed);
                let mut row = group.head();
                row.extend([study.class_name(class).into(), of_class.entries.len().into()]);
                row.extend(means.iter().flat_map(Mean::cells));
                rows.push(row);
            }
        }
        Table {
            name: "by-class".to_owned(),
            caption: format!("The same by the {} class. Bounds: {}.", self.explained(), interval_method()),
            columns: with_bounds(&["model", "method", "class", "images"], &STUDY.map(|(_, name)| name), &[]),
            rows,
        }
    }

    fn by_stratum(&self, groups: &[&Group<'_>]) -> Table {
        let mut rows = Vec::new();
        for group in groups {
            for stratum in Stratum::ALL {
                let own = group.entries.iter().copied().filter(|entry| entry.stratum == stratum.name()).collect();
                let own = Group { entries: own, ..**group };
                if own.entries.is_empty() {
                    continue;
                }
                let mut row = group.head();
                row.extend([stratum.name().into(), own.entries.len().into()]);
                row.extend(own.means(&STUDY.map(|(metric, _)| metric), self.seed).iter().flat_map(Mean::cells));
                rows.push(row);
            }
        }
        Table {
            name: "by-stratum".to_owned(),
            caption: format!(
                "The same by whether a network trained on ImageNet has seen the images. Bounds: {}.",
                interval_method()
            ),
            columns: with_bounds(&["model", "method", "stratum", "images"], &STUDY.map(|(_, name)| name), &[]),
            rows,
        }
    }

    fn best_and_worst(&self, study: &Study<'_>, entries: &[Entry]) -> Table {
        let names: BTreeMap<i64, &str> = study.samples.iter().map(|s| (s.id.0, s.name.as_str())).collect();
        let truth: BTreeMap<i64, usize> = entries.iter().map(|entry| (entry.image, entry.class)).collect();
        let row = |extreme: crate::extremes::Extreme| {
            let true_class = truth.get(&extreme.image).map(|&class| study.class_name(class));
            vec![
                extreme.model.into(),
                extreme.method.into(),
                study.class_name(extreme.class).into(),
                extreme.side.into(),
                extreme.rank.into(),
                extreme.image.into(),
                names.get(&extreme.image).copied().into(),
                true_class.into(),
                extreme.score.into(),
            ]
        };
        let columns = ["model", "method", "class", "side", "rank", "image", "name", "true class", "delta density"];
        Table {
            name: "best-and-worst".to_owned(),
            caption: format!(
                "The images of each {} class on which the map falls best and worst on the object, by delta density; their maps \
                 are in the rows of the phase extremes.",
                self.explained()
            ),
            columns: columns.map(str::to_owned).to_vec(),
            rows: self.extremes_of(study, entries).into_iter().map(row).collect(),
        }
    }

    fn sanity_table(&self, study: &Study<'_>, rows: &Rows) -> Result<Table, AnalysisError> {
        let shifts = read_sanity(rows)?;
        let mut table = Vec::new();
        for (model, _) in &study.provenance.models {
            for method in &self.methods {
                let own = |stage| {
                    let of_method = shifts.iter().filter(|s| s.model == *model && s.method == method.name);
                    of_method.filter(move |s| s.stage == stage)
                };
                for stage in (1..).take(self.stages) {
                    let mut correlations = Measurements::new(1);
                    own(stage).filter_map(|s| s.correlation).for_each(|value| correlations.push(0, &[value]));
                    let Some(layers) = own(stage).map(|s| s.layers).next() else { continue };
                    let n = correlations.images();
                    let mut row: Vec<Json> =
                        vec![model.as_str().into(), method.name.into(), stage.into(), layers.into(), n.into()];
                    row.extend(Estimates::of(correlations, self.seed).bounded(|m| Some(m[0])).map(Json::from));
                    table.push(row);
                }
            }
        }
        Ok(Table {
            name: "sanity".to_owned(),
            caption: format!(
                "Rank correlation of the maps with those of the same network whose last layers' weights are shuffled, stage by \
                 stage; a method whose maps stay alike explains the picture and not the network. Bounds: {}.",
                interval_method()
            ),
            columns: with_bounds(&["model", "method", "stage", "random layers", "images"], &["rank correlation"], &[]),
            rows: table,
        })
    }

    fn notes(&self, study: &Study<'_>, groups: &[Group<'_>]) -> Vec<String> {
        let mut notes = Vec::new();
        for group in groups {
            let (model, total) = (group.model, group.entries.len());
            let count = |test: &dyn Fn(&Entry) -> bool| group.entries.iter().filter(|entry| test(entry)).count();
            if group.method == self.methods[0].name {
                for (marking, reason) in [
                    ("missing", "no object mask"),
                    ("empty", "no pixel of the object at the network's input size"),
                    ("full", "no pixel off the object at the network's input size"),
                ] {
                    let n = count(&|entry| entry.marking == marking);
                    if n > 0 {
                        notes.push(format!("{model}: {n} of {total} images have {reason}."));
                    }
                }
            }
            let constant = if self.is_method(group.method) { count(&|entry| entry.constant) } else { 0 };
            if constant > 0 {
                notes.push(format!(
                    "{model}: {constant} of {total} maps of {} are the same everywhere and say nothing; another layer \
                     (`rival10 models inspect {model}`) or method may.",
                    group.method
                ));
            }
        }
        if self.target == Target::True {
            notes.push("The true class is explained, whatever the network predicts.".to_owned());
        }
        let undrawn = study.samples.len() < 2 && self.trials > 0;
        if undrawn {
            notes.push("A single image has no others whose masks its map could be tried on.".to_owned());
        }
        notes.push(
            "An object in the middle is hit by any map that looks at the middle: read every number beside that of \
             centre-gaussian, and the IoU beside its value on other images' masks."
                .to_owned(),
        );
        notes
    }

    fn explained(&self) -> &'static str {
        match self.target {
            Target::Predicted => "predicted",
            Target::True => "true",
        }
    }
}
