//! Every two models of a run, on the images that both have in their estimates.

use rival10_sdk::Table;
use rival10_stats::{Estimates, Measurements, interval_method};
use serde_json::Value as Json;

use super::{ModelResult, attributes::adjusted, cells};
use crate::{
    Ablation,
    rows::{Image, Kind},
};

/// What is compared: an image's part of it.
type Part = fn(&Image, &str) -> Option<f64>;

const COMPARED: &[(&str, Part)] = &[
    ("accuracy drop without background", |image, fill| {
        Some(image.clean.correct - image.after(Kind::Background, "", fill)?.correct)
    }),
    ("accuracy drop without object", |image, fill| {
        Some(image.clean.correct - image.after(Kind::Object, "", fill)?.correct)
    }),
    ("background gap", |image, _| {
        let swapped = |region: &str| image.after(Kind::Swap, region, "").map(|outcome| outcome.correct);
        Some(swapped("mixed-same")? - swapped("mixed-rand")?)
    }),
];

/// The table of differences; none if there is but one model.
pub(super) fn table(analysis: &Ablation, results: &[ModelResult]) -> Option<Table> {
    if results.len() < 2 {
        return None;
    }
    let mut rows: Vec<Vec<Json>> = Vec::new();
    for (name, part) in COMPARED.iter().filter(|(name, _)| analysis.swap || *name != "background gap") {
        let (mut of_this, mut p) = (Vec::new(), Vec::new());
        for (i, a) in results.iter().enumerate() {
            for b in &results[i + 1..] {
                let mut differences = Measurements::new(1);
                for image in a.marked() {
                    let partner = b.images.binary_search_by_key(&image.id, |other| other.id).ok();
                    let values = partner.map(|at| &b.images[at]).and_then(|other| {
                        let fill = analysis.main_fill();
                        Some((part(image, fill)?, part(other, fill)?))
                    });
                    if let Some((of_a, of_b)) = values {
                        differences.push(image.class, &[of_a - of_b]);
                    }
                }
                let estimates = Estimates::of(differences, analysis.seed);
                let difference = |means: &[f64]| Some(means[0]);
                let head: Vec<Json> = vec![
                    (*name).into(),
                    a.name.as_str().into(),
                    b.name.as_str().into(),
                    estimates.table().images().into(),
                ];
                of_this.push([head, cells(&estimates, difference).to_vec()].concat());
                p.push(estimates.p_value(difference));
            }
        }
        for ((mut row, p), holm) in of_this.into_iter().zip(&p).zip(adjusted(&p)) {
            row.extend([Json::from(*p), holm.into()]);
            rows.push(row);
        }
    }
    Some(Table {
        name: "comparisons".to_owned(),
        caption: format!(
            "The first model less the second, on the images of both ({}). Bounds by {}, p by where 0 lies among the resampled \
             differences, Holm's adjustment over the pairs.",
            analysis.main_fill(),
            interval_method()
        ),
        columns: ["of", "model A", "model B", "n", "difference", "low", "high", "p", "p (Holm)"]
            .map(str::to_owned)
            .to_vec(),
        rows,
    })
}
