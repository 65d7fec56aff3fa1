//! Two maps of the same images: every method beside a Gaussian in the middle, and every two models by each method.

use rival10_sdk::{Table, report::with_bounds};
use rival10_stats::{Estimates, Measurements, holm, interval_method, sign_flip};
use serde_json::Value as Json;

use super::{Group, STUDY};
use crate::SaliencyAlignment;

/// The baseline that methods are compared with.
const CENTRE: &str = "centre-gaussian";

/// The table of differences. Images are grouped by their true class here, because two networks may explain different ones.
pub(super) fn table(analysis: &SaliencyAlignment, groups: &[Group<'_>]) -> Option<Table> {
    let methods: Vec<&Group<'_>> = groups.iter().filter(|group| analysis.is_method(group.method)).collect();
    let mut pairs: Vec<[&Group<'_>; 2]> = Vec::new();
    for group in &methods {
        pairs.extend(groups.iter().filter(|o| o.model == group.model && o.method == CENTRE).map(|o| [*group, o]));
    }
    for (i, a) in methods.iter().enumerate() {
        pairs.extend(methods[i + 1..].iter().filter(|b| b.method == a.method).map(|b| [*a, *b]));
    }
    if pairs.is_empty() {
        return None;
    }
    let (mut rows, mut p) = (Vec::new(), Vec::new());
    for [a, b] in pairs {
        for (metric, name) in STUDY {
            let mut differences = Measurements::new(1);
            for entry in &a.entries {
                let Ok(at) = b.entries.binary_search_by_key(&entry.image, |other| other.image) else { continue };
                if let (Some(x), Some(y)) = (entry.metrics[metric], b.entries[at].metrics[metric]) {
                    differences.push(entry.class, &[x - y]);
                }
            }
            p.push(sign_flip(&differences, analysis.seed));
            let estimates = Estimates::of(differences, analysis.seed);
            let mut row: Vec<Json> =
                vec![a.model.into(), a.method.into(), b.model.into(), b.method.into(), name.into()];
            row.push(estimates.table().images().into());
            row.extend(estimates.bounded(|means| Some(means[0])).map(Json::from));
            rows.push(row);
        }
    }
    let defined: Vec<f64> = p.iter().flatten().copied().collect();
    let mut adjusted = holm(&defined).into_iter();
    for (row, p) in rows.iter_mut().zip(&p) {
        row.extend([Json::from(*p), p.and_then(|_| adjusted.next()).into()]);
    }
    let head = ["model A", "method A", "model B", "method B", "metric", "images"];
    Some(Table {
        name: "comparisons".to_owned(),
        caption: format!(
            "A less B, image by image, averaged over images within true classes and then over classes: each method beside a \
             Gaussian in the middle, and every two models by each method. Bounds: {}; p by the sign-flip permutation test, \
             Holm's adjustment over the table.",
            interval_method()
        ),
        columns: with_bounds(&head, &["difference"], &["p", "p (Holm)"]),
        rows,
    })
}
