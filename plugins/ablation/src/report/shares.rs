//! Shapley values by region, and by region and class.

use std::collections::BTreeSet;

use rival10_sdk::{AnalysisError, Rows, Study, Table, report::with_bounds};
use rival10_stats::{Estimates, Measurements, interval_method};
use serde_json::Value as Json;

use super::{cells, row};
use crate::{
    Ablation,
    coalitions::{BACKGROUND, REST},
    rows::{RegionShare, read_shares},
};

/// The two tables, and what a reader must know of them.
pub(super) fn tables(
    analysis: &Ablation,
    study: &Study<'_>,
    rows: &Rows,
) -> Result<(Table, Table, Vec<String>), AnalysisError> {
    let models = read_shares(rows)?;
    let attributes = study.taxonomy.attributes.iter().map(|attribute| attribute.name.as_str());
    let regions: Vec<&str> = [BACKGROUND, REST].into_iter().chain(attributes).collect();
    let (mut by_region, mut by_class, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for (name, _) in &study.provenance.models {
        let shares = models.get(name).map_or(&[][..], Vec::as_slice);
        let too_many: BTreeSet<i64> =
            shares.iter().filter(|share| share.phi.is_none()).map(|share| share.image).collect();
        if !too_many.is_empty() {
            notes.push(format!(
                "{name}: {} images of more than {} regions have no Shapley values.",
                too_many.len(),
                analysis.shapley
            ));
        }
        for region in &regions {
            let of_region = |class: Option<usize>| {
                let mut table = Measurements::new(1);
                for RegionShare { class: own, region: found, phi, .. } in shares {
                    if let Some(phi) = phi.filter(|_| found == region && class.is_none_or(|class| class == *own)) {
                        table.push(*own, &[phi]);
                    }
                }
                Estimates::of(table, analysis.seed)
            };
            let all = of_region(None);
            if all.table().images() == 0 {
                continue;
            }
            let mean = |means: &[f64]| Some(means[0]);
            let n = Json::from(all.table().images());
            by_region.push(row([name.as_str().into(), (*region).into(), n], cells(&all, mean).to_vec()));
            for class in all.table().classes().map(|(class, _)| class).collect::<Vec<_>>() {
                let of_class = of_region(Some(class));
                let head: [Json; 4] = [
                    name.as_str().into(),
                    (*region).into(),
                    study.class_name(class).into(),
                    of_class.table().images().into(),
                ];
                by_class.push(row(head, cells(&of_class, mean).to_vec()));
            }
        }
    }
    let caption = format!(
        "Shapley values: how much of the true class's probability each region brings, over all orders in which regions may be \
         shown ({} where they are not), on images that have the region. Bounds: {}.",
        analysis.main_fill(),
        interval_method()
    );
    let shapley = |name: &str, caption: String, head: &[&str], rows: Vec<Vec<Json>>| Table {
        name: name.to_owned(),
        caption,
        columns: with_bounds(head, &["Shapley value"], &[]),
        rows,
    };
    Ok((
        shapley("shapley", caption.clone(), &["model", "region", "n"], by_region),
        shapley(
            "shapley-by-class",
            format!("The same by true class. {caption}"),
            &["model", "region", "class", "n"],
            by_class,
        ),
        notes,
    ))
}
