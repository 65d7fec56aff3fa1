//! What a study claims, as tests of the difference of group means.
//!
//! A group's RFS is the mean over its models of each model's RFS. All models of a run saw the same images, so images are
//! resampled once for all, within their classes, and every difference moves with them. A claim may have several parts, such
//! as one a family: it holds if each part points as claimed and the largest of their p-values, adjusted by Holm over the
//! claims, is below 0.05. It does not hold if a part points the other way and the smallest p-value of such parts, times the
//! number of parts, is below 0.05 after the same adjustment. Else it is not decided.

use std::collections::BTreeMap;

use rival10_sdk::{Rows, Table, Value};
use rival10_stats::{Estimates, Measurements, holm, interval_method};
use serde::Serialize;
use serde_json::Value as Json;

use super::file::Claim;
use crate::report::Group;

/// The analysis whose rows decide claims.
pub(super) const ANALYSIS: &str = "noise-sensitivity";
/// The phase that has them.
pub(super) const PHASE: &str = "noise";
/// What a p-value must be below.
const LEVEL: f64 = 0.05;
/// Slopes are told for this much of a level.
const STEP: f64 = 100.0;

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It holds.
    Holds,
    /// The contrary does.
    DoesNotHold,
    /// Neither is shown.
    NotDecided,
}

impl Verdict {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::DoesNotHold => "does not hold",
            Self::NotDecided => "not decided",
        }
    }
}

/// A claim that was put to the test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TestedClaim {
    /// In words.
    pub text: String,
    /// How its numbers were computed.
    pub profile: String,
    /// What became of it.
    pub verdict: Verdict,
    /// The p-value, adjusted over the claims; null if undefined.
    pub p: Option<f64>,
    /// What it rests on.
    pub parts: Vec<TestedPart>,
}

/// One difference or slope.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TestedPart {
    /// What is estimated.
    pub name: String,
    /// Its estimate; null if undefined.
    pub value: Option<f64>,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
    /// The two-sided p-value of its being 0.
    pub p: Option<f64>,
    /// Whether it points as claimed.
    pub as_claimed: bool,
}

/// Every model's accuracies on the images that all of them could be shown noised.
pub(super) struct Joint {
    estimates: Estimates,
    models: Vec<String>,
    levels: Vec<f64>,
}

/// RFS of two accuracies; none where it is undefined.
fn rfs(foreground: f64, background: f64) -> Option<f64> {
    let mean = f64::midpoint(foreground, background);
    let room = 2.0 * mean.min(1.0 - mean);
    (room > 0.0).then(|| (background - foreground) / room)
}

impl Joint {
    /// Reads the rows of one run; none if they are not those of [`ANALYSIS`], or no image is marked for all `models`.
    pub(super) fn read(rows: &Rows, models: &[String], seed: u64) -> Option<Self> {
        let columns = ["image", "model", "mask", "level", "class", "fg_prediction", "bg_prediction", "marking"];
        let places: Vec<usize> = columns.iter().map(|name| rows.column(name)).collect::<Option<_>>()?;
        let integer = |row: &[Value], at: usize| row[places[at]].as_i64();
        // By image: its class, and by model and level the right answers of all trials and how many trials there were.
        type Sums = BTreeMap<(usize, u64), [f64; 3]>;
        let mut images: BTreeMap<i64, (usize, Sums)> = BTreeMap::new();
        let mut levels: Vec<f64> = Vec::new();
        for row in rows.iter().filter(|row| integer(row, 2) == Some(0) && row[places[7]].as_str() == Some("marked")) {
            let level = row[places[3]].as_f64()?;
            if level == 0.0 {
                continue;
            }
            let model = models.iter().position(|name| row[places[1]].as_str() == Some(name))?;
            let class = integer(row, 4)?;
            let (_, sums) =
                images.entry(integer(row, 0)?).or_insert_with(|| (usize::try_from(class).unwrap_or(0), Sums::new()));
            let right = |at: usize| if integer(row, at) == Some(class) { 1.0 } else { 0.0 };
            let sum = sums.entry((model, level.to_bits())).or_insert([0.0; 3]);
            for (sum, add) in sum.iter_mut().zip([right(5), right(6), 1.0]) {
                *sum += add;
            }
            if !levels.contains(&level) {
                levels.push(level);
            }
        }
        levels.sort_by(f64::total_cmp);
        let width = models.len() * levels.len();
        if width == 0 {
            return None;
        }
        let mut table = Measurements::new(2 * width);
        // An image that some model could not be shown is left out for all: differences are of the same images.
        for (class, sums) in images.into_values().filter(|(_, sums)| sums.len() == width) {
            let row: Vec<f64> = (0..models.len())
                .flat_map(|model| levels.iter().map(move |level| (model, level.to_bits())))
                .flat_map(|key| {
                    let [foreground, background, trials] = sums[&key];
                    [foreground / trials, background / trials]
                })
                .collect();
            table.push(class, &row);
        }
        (table.images() > 0).then(|| Self { estimates: Estimates::of(table, seed), models: models.to_vec(), levels })
    }

    /// How many images there are.
    pub(super) fn images(&self) -> usize {
        self.estimates.table().images()
    }

    /// The places of a group's models.
    fn places(&self, group: &Group) -> Vec<usize> {
        group.models.iter().filter_map(|model| self.models.iter().position(|known| known == model)).collect()
    }

    /// Foreground and background accuracy of `model` at level number `level`, or over all levels.
    fn accuracies(&self, means: &[f64], model: usize, level: Option<usize>) -> (f64, f64) {
        let (width, from) = (self.levels.len(), 2 * model * self.levels.len());
        let of = |level: usize| (means[from + 2 * level], means[from + 2 * level + 1]);
        match level {
            Some(level) => of(level),
            None => {
                let (fg, bg) = (0..width).map(of).fold((0.0, 0.0), |(f, b), (fg, bg)| (f + fg, b + bg));
                (fg / count(width), bg / count(width))
            }
        }
    }

    /// The mean RFS of the models at `places`, at one level or over all.
    fn group_rfs(&self, means: &[f64], places: &[usize], level: Option<usize>) -> Option<f64> {
        let mut sum = 0.0;
        for &model in places {
            let (foreground, background) = self.accuracies(means, model, level);
            sum += rfs(foreground, background)?;
        }
        (!places.is_empty()).then(|| sum / count(places.len()))
    }

    /// The slope of the least-squares line of the group's RFS over the levels, for [`STEP`] of level.
    fn slope(&self, means: &[f64], places: &[usize]) -> Option<f64> {
        let middle = self.levels.iter().sum::<f64>() / count(self.levels.len());
        let (mut up, mut across) = (0.0, 0.0);
        for (at, level) in self.levels.iter().enumerate() {
            up += (level - middle) * self.group_rfs(means, places, Some(at))?;
            across += (level - middle).powi(2);
        }
        (across > 0.0).then(|| STEP * up / across)
    }

    fn part(&self, name: String, sign: f64, estimate: impl Fn(&[f64]) -> Option<f64> + Sync) -> TestedPart {
        let value = self.estimates.value(&estimate);
        let interval = self.estimates.interval(&estimate).map(|interval| (interval.low, interval.high));
        let p = self.estimates.p_value(&estimate);
        TestedPart { name, value, interval, p, as_claimed: value.is_some_and(|value| value * sign > 0.0) }
    }

    /// The tests of `claims`, Holm's adjustment over them.
    pub(super) fn test(&self, claims: &[&Claim], groups: &[Group], profile: &str) -> Vec<TestedClaim> {
        let places = |name: &String| {
            groups.iter().find(|group| group.name == *name).map_or_else(Vec::new, |group| self.places(group))
        };
        let mut tested: Vec<(TestedClaim, Option<f64>)> = Vec::new();
        for claim in claims {
            let mut parts = Vec::new();
            for [a, b] in &claim.lower {
                let (of_a, of_b) = (places(a), places(b));
                let difference =
                    |means: &[f64]| Some(self.group_rfs(means, &of_a, None)? - self.group_rfs(means, &of_b, None)?);
                parts.push(self.part(format!("RFS of {a} less that of {b}"), -1.0, difference));
            }
            for group in &claim.rises {
                let of = places(group);
                let name = format!("rise of RFS of {group} by {STEP} of level");
                parts.push(self.part(name, 1.0, |means| self.slope(means, &of)));
            }
            let p = overall(&parts);
            let claim = TestedClaim {
                text: claim.text.clone(),
                profile: profile.to_owned(),
                verdict: Verdict::NotDecided,
                p: None,
                parts,
            };
            tested.push((claim, p));
        }
        let defined: Vec<f64> = tested.iter().filter_map(|(_, p)| *p).collect();
        let mut adjusted = holm(&defined).into_iter();
        let decided = |(mut claim, p): (TestedClaim, Option<f64>)| {
            claim.p = p.and_then(|_| adjusted.next());
            claim.verdict = match claim.p {
                Some(p) if p < LEVEL && claim.parts.iter().all(|part| part.as_claimed) => Verdict::Holds,
                Some(p) if p < LEVEL => Verdict::DoesNotHold,
                _ => Verdict::NotDecided,
            };
            claim
        };
        tested.into_iter().map(decided).collect()
    }

    /// Every group's accuracies and RFS over all levels, and its RFS at each.
    pub(super) fn tables(&self, groups: &[Group]) -> [Table; 2] {
        let (mut all, mut by_level) = (Vec::new(), Vec::new());
        for group in groups {
            let places = self.places(group);
            if places.is_empty() {
                continue;
            }
            let accuracy = |means: &[f64], foreground: bool| {
                let of = |&model: &usize| {
                    let (fg, bg) = self.accuracies(means, model, None);
                    if foreground { fg } else { bg }
                };
                Some(places.iter().map(of).sum::<f64>() / count(places.len()))
            };
            let cells =
                |estimate: &(dyn Fn(&[f64]) -> Option<f64> + Sync)| self.estimates.bounded(estimate).map(Json::from);
            let mut row: Vec<Json> = vec![group.name.as_str().into(), places.len().into(), self.images().into()];
            row.extend(cells(&|means| accuracy(means, true)));
            row.extend(cells(&|means| accuracy(means, false)));
            row.extend(cells(&|means| self.group_rfs(means, &places, None)));
            all.push(row);
            for (at, level) in self.levels.iter().enumerate() {
                let mut row: Vec<Json> = vec![group.name.as_str().into(), (*level).into()];
                row.extend(cells(&|means| self.group_rfs(means, &places, Some(at))));
                by_level.push(row);
            }
        }
        let bounded = |head: &[&str], names: &[&str]| -> Vec<String> {
            let bounds = names.iter().flat_map(|n| [(*n).to_owned(), format!("{n} low"), format!("{n} high")]);
            head.iter().map(|name| (*name).to_owned()).chain(bounds).collect()
        };
        [
            Table {
                name: "groups".to_owned(),
                caption: format!(
                    "Accuracy under noise and RFS, means over the models of each group and over all levels, on the images that every model could be shown. \
                     Bounds: {}.",
                    interval_method()
                ),
                columns: bounded(&["group", "models", "n"], &["foreground noise", "background noise", "RFS"]),
                rows: all,
            },
            Table {
                name: "groups-by-level".to_owned(),
                caption: format!("Mean RFS of each group's models at each level. Bounds: {}.", interval_method()),
                columns: bounded(&["group", "level"], &["RFS"]),
                rows: by_level,
            },
        ]
    }
}

/// The one p-value that a claim brings to Holm's adjustment.
fn overall(parts: &[TestedPart]) -> Option<f64> {
    let p: Vec<f64> = parts.iter().map(|part| part.p).collect::<Option<_>>()?;
    if parts.iter().all(|part| part.as_claimed) {
        return p.into_iter().reduce(f64::max);
    }
    let against = parts.iter().zip(&p).filter(|(part, _)| !part.as_claimed).map(|(_, p)| *p);
    against.reduce(f64::min).map(|p| (p * count(parts.len())).min(1.0))
}

/// The claims and what became of them, a row a part.
pub(super) fn table(claims: &[TestedClaim]) -> Table {
    let rows = claims.iter().flat_map(|claim| {
        claim.parts.iter().map(move |part| -> Vec<Json> {
            vec![
                claim.text.as_str().into(),
                claim.verdict.words().into(),
                part.name.as_str().into(),
                part.value.into(),
                part.interval.map(|i| i.0).into(),
                part.interval.map(|i| i.1).into(),
                part.p.into(),
                claim.p.into(),
                claim.profile.as_str().into(),
            ]
        })
    });
    Table {
        name: "claims".to_owned(),
        caption: format!(
            "Each claim with what it rests on. Bounds: {}. p: where 0 lies among the resampled differences; of a claim, \
             adjusted by Holm over the claims; decided below {LEVEL}.",
            interval_method()
        ),
        columns: ["claim", "verdict", "of", "estimate", "low", "high", "p", "p of the claim (Holm)", "profile"]
            .map(str::to_owned)
            .to_vec(),
        rows: rows.collect(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of models, levels and parts are far below 2^53")]
fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use rival10_sdk::{Column, Kind};

    use super::*;

    const COLUMNS: &[Column] = &[
        Column::key("image", Kind::Int, ""),
        Column::key("model", Kind::Text, ""),
        Column::key("mask", Kind::Int, ""),
        Column::key("level", Kind::Float, ""),
        Column::value("class", Kind::Int, ""),
        Column::value("marking", Kind::Text, ""),
        Column::value("fg_prediction", Kind::Int, ""),
        Column::value("bg_prediction", Kind::Int, ""),
    ];

    /// Of 200 images every network is right under foreground noise on as many of 10 as `rights` says first, under
    /// background noise as it says second; by model, then level.
    fn joint(models: &[&str], rights: &[&[(i64, i64)]]) -> Joint {
        let mut rows = Rows::new(COLUMNS);
        for image in 0..200 {
            for (model, levels) in models.iter().zip(rights) {
                for (level, (fg, bg)) in (1..).zip(*levels) {
                    let said = |right: i64| i64::from(image % 10 >= right);
                    rows.push(vec![
                        image.into(),
                        (*model).into(),
                        0.into(),
                        (30.0 * f64::from(level)).into(),
                        0.into(),
                        "marked".into(),
                        said(*fg).into(),
                        said(*bg).into(),
                    ])
                    .unwrap();
                }
            }
        }
        let models: Vec<String> = models.iter().map(|&name| name.to_owned()).collect();
        Joint::read(&rows, &models, 1).unwrap()
    }

    fn group(name: &str, models: &[&str]) -> Group {
        Group { name: name.to_owned(), models: models.iter().map(|&name| name.to_owned()).collect() }
    }

    fn lower(text: &str, a: &str, b: &str) -> Claim {
        Claim { text: text.to_owned(), lower: vec![[a.to_owned(), b.to_owned()]], rises: Vec::new() }
    }

    #[test]
    fn a_groups_rfs_is_the_mean_of_its_models() {
        let joint = joint(&["a", "b"], &[&[(4, 8)], &[(6, 6)]]);
        let [all, by_level] = joint.tables(&[group("both", &["a", "b"]), group("none", &["c"])]);
        assert_eq!(all.rows.len(), 1);
        // a: (0.8 - 0.4) / (2 * 0.4) = 0.5; b: 0.
        assert!((all.rows[0][9].as_f64().unwrap() - 0.25).abs() < 1e-12, "{:?}", all.rows[0]);
        assert!((by_level.rows[0][2].as_f64().unwrap() - 0.25).abs() < 1e-12);
        assert_eq!((rfs(0.0, 0.0), rfs(1.0, 1.0), rfs(0.5, 0.5)), (None, None, Some(0.0)));
    }

    #[test]
    fn a_large_difference_holds_its_contrary_does_not_and_none_is_not_decided() {
        let joint = joint(&["a", "b", "c"], &[&[(8, 4)], &[(4, 8)], &[(4, 8)]]);
        let groups = [group("A", &["a"]), group("B", &["b"]), group("C", &["c"])];
        let claims = [lower("A below B", "A", "B"), lower("B below A", "B", "A"), lower("B below C", "B", "C")];
        let tested = joint.test(&claims.iter().collect::<Vec<_>>(), &groups, "strict");
        let verdicts: Vec<Verdict> = tested.iter().map(|claim| claim.verdict).collect();
        assert_eq!(verdicts, [Verdict::Holds, Verdict::DoesNotHold, Verdict::NotDecided]);
        assert!((tested[0].parts[0].value.unwrap() + 1.0).abs() < 1e-12, "-0.5 less 0.5");
    }

    #[test]
    fn a_claim_of_two_families_needs_both() {
        let joint = joint(&["a", "b", "c"], &[&[(8, 4)], &[(4, 8)], &[(8, 4)]]);
        let groups = [group("A", &["a"]), group("B", &["b"]), group("C", &["c"])];
        let pair = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        let claim = Claim { text: "both".to_owned(), lower: vec![pair("A", "B"), pair("A", "C")], rises: Vec::new() };
        assert_eq!(joint.test(&[&claim], &groups, "strict")[0].verdict, Verdict::NotDecided, "A and C are alike");
    }

    #[test]
    fn a_rise_is_the_slope_over_the_levels() {
        let joint = joint(&["a"], &[&[(5, 5), (4, 6), (3, 7)]]);
        let claim = Claim { text: "rises".to_owned(), lower: Vec::new(), rises: vec!["A".to_owned()] };
        let tested = joint.test(&[&claim], &[group("A", &["a"])], "strict");
        // RFS 0, 0.2, 0.4 at 30, 60, 90: 0.2 / 30 a unit.
        assert!((tested[0].parts[0].value.unwrap() - 100.0 * 0.2 / 30.0).abs() < 1e-9);
        assert_eq!(tested[0].verdict, Verdict::Holds);
    }
}
