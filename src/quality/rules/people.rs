//! Rules about annotators as a whole.

use std::collections::BTreeMap;

use rival10_stats::quantile;

use super::super::{Breach, Report, View};
use crate::domain::{Annotation, Layer};

/// Of fewer annotations than this nobody is judged.
const WORK: usize = 20;

/// Who draws so many times larger or smaller than is usual stands out.
const AREA: f64 = 1.5;

/// Who takes so many times less or more time than the others stands out.
const TIME: f64 = 4.0;

fn person(name: &str, text: String) -> Breach {
    Breach { image: None, layer: None, subject: name.to_owned(), text, repair: None }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    quantile(&values, 0.5)
}

/// The share of its image that an object covers; none without one.
#[expect(clippy::cast_precision_loss, reason = "areas are far below 2^53")]
fn share(annotation: &Annotation) -> Option<f64> {
    let object = annotation.masks.get(&Layer::Object).filter(|mask| !mask.is_empty())?;
    Some(object.area() as f64 / object.size().pixels() as f64)
}

pub(super) fn area(view: &View<'_>, report: &mut Report<'_>) {
    let by = view.by_annotator();
    if by.len() < 2 {
        return;
    }
    let mut of_class: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for annotation in view.annotations {
        of_class.entry(annotation.class).or_default().extend(share(annotation));
    }
    let usual: BTreeMap<usize, f64> =
        of_class.into_iter().filter_map(|(class, shares)| Some((class, median(shares)?))).collect();
    for (name, work) in by {
        let ratios: Vec<f64> = work.iter().filter_map(|one| Some(share(one)? / usual.get(&one.class)?)).collect();
        let objects = ratios.len();
        if let Some(ratio) = median(ratios).filter(|ratio| objects >= WORK && (*ratio > AREA || ratio * AREA < 1.0)) {
            report(person(
                name,
                format!("the median of {objects} objects is {ratio:.2} times what is usual for their classes"),
            ));
        }
    }
}

pub(super) fn time(view: &View<'_>, report: &mut Report<'_>) {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds are far below 2^53")]
    let seconds = |one: &&Annotation| view.spent.get(&one.id).map(|spent| *spent as f64 / 1000.0);
    let medians: Vec<(&str, f64)> = view
        .by_annotator()
        .into_iter()
        .filter_map(|(name, work)| {
            let spent: Vec<f64> = work.iter().filter_map(seconds).collect();
            (spent.len() >= WORK).then(|| Some((name, median(spent)?)))?
        })
        .collect();
    for (name, own) in &medians {
        let others = median(medians.iter().filter(|(other, _)| other != name).map(|(_, median)| *median).collect());
        if let Some(others) = others.filter(|others| own * TIME < *others || *own > TIME * others) {
            report(person(
                name,
                format!("an annotation takes {own:.0} s, and those of others {others:.0} s (medians)"),
            ));
        }
    }
}
