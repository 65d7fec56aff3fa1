//! Every two models of a run, on the images that both have in their estimates.

use rival10_sdk::Table;
use rival10_stats::{Estimates, Measurements, holm, interval_method, mcnemar, sign_flip};
use serde_json::Value as Json;

use super::{ModelResult, cells, columns, estimates::Summary};
use crate::{
    NoiseSensitivity,
    rows::{Image, Outcome},
};

/// Two models and their common images.
struct Pair<'a> {
    names: [&'a str; 2],
    images: Vec<[&'a Image; 2]>,
}

fn pairs(results: &[ModelResult]) -> Vec<Pair<'_>> {
    let mut pairs = Vec::new();
    for (i, a) in results.iter().enumerate() {
        for b in &results[i + 1..] {
            let partner = |image: &Image| {
                let at = b.images.binary_search_by_key(&image.id, |other| other.id).ok()?;
                b.images[at].is_marked().then_some(&b.images[at])
            };
            let marked = a.images.iter().filter(|image| image.is_marked());
            let images = marked.filter_map(|image| Some([image, partner(image)?])).collect();
            pairs.push(Pair { names: [&a.name, &b.name], images });
        }
    }
    pairs
}

/// The table of differences, and that of McNemar's tests; none if there is but one model.
pub(super) fn tables(analysis: &NoiseSensitivity, results: &[ModelResult]) -> Vec<Table> {
    let pairs = pairs(results);
    if pairs.is_empty() {
        return Vec::new();
    }
    vec![differences(analysis, &pairs), discordances(analysis, &pairs)]
}

fn differences(analysis: &NoiseSensitivity, pairs: &[Pair<'_>]) -> Table {
    let (mut rows, rfs) = (Vec::new(), analysis.rfs());
    let (mut boots, mut flips) = (Vec::new(), Vec::new());
    for Pair { names, images } in pairs {
        let (mut accuracies, mut irfs) = (Measurements::new(4), Measurements::new(1));
        for [a, b] in images {
            let (of_a, of_b) = (Summary::row(a, analysis.floor), Summary::row(b, analysis.floor));
            let accuracy = |row: &[f64; 6]| [row[Summary::FOREGROUND], row[Summary::BACKGROUND]];
            accuracies.push(a.class, &[accuracy(&of_a), accuracy(&of_b)].concat());
            irfs.push(a.class, &[of_a[Summary::FLOORED] - of_b[Summary::FLOORED]]);
        }
        let estimates = Estimates::of(accuracies, analysis.seed);
        let difference = |means: &[f64]| Some(rfs.of(means[0], means[1])? - rfs.of(means[2], means[3])?);
        let mut row: Vec<Json> = names.iter().map(|&name| name.into()).collect();
        row.push(images.len().into());
        row.extend(cells(&estimates, difference));
        boots.push(estimates.p_value(difference));
        row.push(irfs.means().map(|means| means[0]).into());
        flips.push(sign_flip(&irfs, analysis.seed));
        rows.push(row);
    }
    let (boots_holm, flips_holm) = (adjusted(&boots), adjusted(&flips));
    for (i, row) in rows.iter_mut().enumerate() {
        row.splice(6..6, [boots[i].into(), boots_holm[i].into()]);
        row.extend([flips[i].into(), flips_holm[i].into()]);
    }
    Table {
        name: "comparisons".to_owned(),
        caption: format!(
            "The first model less the second, on the images of both. RFS: bounds by {}, p by where 0 lies among the \
             resampled differences. Floored iRFS: p by the sign-flip permutation test. Holm's adjustment is over the pairs.",
            interval_method()
        ),
        columns: columns(
            &["model A", "model B", "n"],
            &[
                "RFS difference",
                "low",
                "high",
                "p",
                "p (Holm)",
                "floored iRFS difference",
                "sign-flip p",
                "sign-flip p (Holm)",
            ],
        ),
        rows,
    }
}

fn discordances(analysis: &NoiseSensitivity, pairs: &[Pair<'_>]) -> Table {
    let mut rows = Vec::new();
    let mut p = Vec::new();
    for Pair { names, images } in pairs {
        let mut compare = |level: f64, region: &str, of: &dyn Fn(&Image) -> Outcome| {
            let right = |image: &Image| of(image).correct > 0.5;
            let only = |i: usize| images.iter().filter(|pair| right(pair[i]) && !right(pair[1 - i])).count() as u64;
            p.push(Some(mcnemar(only(0), only(1))));
            rows.push(vec![
                names[0].into(),
                names[1].into(),
                level.into(),
                region.into(),
                only(0).into(),
                only(1).into(),
            ]);
        };
        compare(0.0, "clean", &|image| image.clean);
        for (l, &level) in analysis.levels.iter().enumerate() {
            compare(level, "foreground", &|image| image.noised[l].0);
            compare(level, "background", &|image| image.noised[l].1);
        }
    }
    for ((row, p), holm) in rows.iter_mut().zip(&p).zip(adjusted(&p)) {
        row.extend([Json::from(*p), holm.into()]);
    }
    Table {
        name: "mcnemar".to_owned(),
        caption:
            "Images that one model alone gets right (in more than half of the trials), by level and noised region, \
                  with McNemar's exact test. Holm's adjustment is over the whole table."
                .to_owned(),
        columns: columns(
            &["model A", "model B"],
            &["level", "region", "only A right", "only B right", "p", "p (Holm)"],
        ),
        rows,
    }
}

/// Holm's adjustment over those that are defined.
fn adjusted(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let defined: Vec<f64> = p.iter().flatten().copied().collect();
    let mut adjusted = holm(&defined).into_iter();
    p.iter().map(|p| p.and_then(|_| adjusted.next())).collect()
}
