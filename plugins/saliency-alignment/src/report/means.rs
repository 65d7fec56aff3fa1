//! Class-balanced means of metrics with their intervals, nulls left out metric by metric.

use rival10_stats::{Estimates, Measurements};
use serde_json::Value as Json;

use crate::rows::Entry;

/// A mean with its interval.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Mean {
    pub(crate) value: Option<f64>,
    pub(crate) interval: Option<(f64, f64)>,
    /// How many images it rests on.
    pub(crate) n: usize,
}

impl Mean {
    /// The mean and its bounds, as three cells.
    pub(crate) fn cells(&self) -> [Json; 3] {
        [self.value.into(), self.interval.map(|i| i.0).into(), self.interval.map(|i| i.1).into()]
    }
}

/// The means of `metrics` over `entries`, grouped by `class`. Metrics that are null for the same images are resampled
/// together, once.
pub(crate) fn means(entries: &[&Entry], class: &dyn Fn(&Entry) -> usize, metrics: &[usize], seed: u64) -> Vec<Mean> {
    let defined = |metric: usize| -> Vec<bool> { entries.iter().map(|e| e.metrics[metric].is_some()).collect() };
    let mut sets: Vec<(Vec<bool>, Vec<usize>)> = Vec::new();
    for (place, &metric) in metrics.iter().enumerate() {
        let pattern = defined(metric);
        match sets.iter_mut().find(|(known, _)| *known == pattern) {
            Some((_, places)) => places.push(place),
            None => sets.push((pattern, vec![place])),
        }
    }
    let mut found = vec![Mean::default(); metrics.len()];
    for (pattern, places) in sets {
        let mut table = Measurements::new(places.len());
        for (entry, _) in entries.iter().zip(&pattern).filter(|(_, defined)| **defined) {
            let row: Vec<f64> = places.iter().filter_map(|&place| entry.metrics[metrics[place]]).collect();
            table.push(class(entry), &row);
        }
        let estimates = Estimates::of(table, seed);
        for (column, &place) in places.iter().enumerate() {
            let of_column = |means: &[f64]| Some(means[column]);
            found[place] = Mean {
                value: estimates.value(of_column),
                interval: estimates.interval(of_column).map(|interval| (interval.low, interval.high)),
                n: estimates.table().images(),
            };
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::METRICS;

    #[test]
    fn a_null_is_left_out_of_its_own_metric_alone() {
        let entry = |explained: usize, first: Option<f64>, second: f64| {
            let mut metrics = [None; METRICS];
            (metrics[0], metrics[1]) = (first, Some(second));
            let text = String::new;
            let (model, method, stratum, marking) = (text(), text(), text(), text());
            Entry { image: 1, model, method, class: 0, explained, stratum, marking, constant: false, metrics }
        };
        let entries = [entry(0, Some(1.0), 2.0), entry(0, None, 4.0), entry(1, Some(5.0), 7.0)];
        let entries: Vec<&Entry> = entries.iter().collect();
        let found = means(&entries, &|entry| entry.explained, &[0, 1, 2], 1);
        assert_eq!((found[0].value, found[0].n), (Some(3.0), 2));
        assert_eq!((found[1].value, found[1].n), (Some(5.0), 3));
        assert_eq!(found[2], Mean::default());
        assert!(found[1].interval.is_some());
    }
}
