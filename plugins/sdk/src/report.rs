//! What an analysis concludes: estimates with their uncertainty, tables, and where they come from.
//!
//! A report serialises to the JSON that `schema/report.schema.json` describes. A number that is undefined is null, never 0.

use serde::{Deserialize, Serialize};

/// What one analysis says of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Where the numbers come from.
    pub provenance: Provenance,
    /// The few numbers that matter most.
    pub headline: Vec<Estimate>,
    /// Everything else.
    pub tables: Vec<Table>,
    /// What a reader must know to read the numbers rightly: exclusions, undefined values, profiles that reproduce faults.
    pub notes: Vec<String>,
}

impl Report {
    /// Whether the headline holds counts alone, such as how many were found: whole numbers without intervals.
    #[must_use]
    pub fn counts_alone(&self) -> bool {
        self.headline
            .iter()
            .all(|estimate| estimate.interval.is_none() && estimate.value.is_none_or(|value| value.fract() == 0.0))
    }
}

/// One number and how sure it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// What is estimated, such as `RFS`.
    pub name: String,
    /// The model that it is an estimate for; none where no model takes part.
    pub model: Option<String>,
    /// The number; null if undefined.
    pub value: Option<f64>,
    /// Lower and upper bound of the confidence interval; null where there is none.
    pub interval: Option<(f64, f64)>,
    /// The interval's level and method, such as `95% percentile bootstrap, 10000 resamples`; empty without one.
    pub interval_method: String,
    /// How many images it rests on.
    pub n: u64,
}

/// A table of numbers and words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// A short name, such as `accuracy-by-level`.
    pub name: String,
    /// One sentence that says what it shows.
    pub caption: String,
    /// The columns' headings.
    pub columns: Vec<String>,
    /// Cells: numbers, strings or null.
    pub rows: Vec<Vec<serde_json::Value>>,
}

/// Headings with those of their bounds behind each of `estimates`: `head`, then `RFS`, `RFS low`, `RFS high` for each, then
/// `tail`. Whoever prints a table reads bounds off these names.
#[must_use]
pub fn with_bounds(head: &[&str], estimates: &[&str], tail: &[&str]) -> Vec<String> {
    let bounded = estimates.iter().flat_map(|name| [(*name).to_owned(), format!("{name} low"), format!("{name} high")]);
    head.iter().map(|&name| name.to_owned()).chain(bounded).chain(tail.iter().map(|&name| name.to_owned())).collect()
}

/// What it takes to get the same numbers again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The analysis's name.
    pub plugin: String,
    /// The analysis's version.
    pub plugin_version: u32,
    /// The version of rival10.
    pub rival10_version: String,
    /// The profile that says how metrics are computed.
    pub profile: String,
    /// The seed of everything random.
    pub seed: u64,
    /// Noise draws an image; 0 where nothing is drawn.
    pub trials: u32,
    /// How many images took part.
    pub n: u64,
    /// Name and digest of every model.
    pub models: Vec<(String, String)>,
    /// The digest of the images, masks and labels that took part.
    pub data: String,
    /// The parameters, as given or by default.
    pub parameters: std::collections::BTreeMap<String, String>,
}

impl Table {
    /// The columns that people are shown, and whether the two behind each are its bounds, which then belong to its cells:
    /// `RFS`, `RFS low`, `RFS high` or, behind any column, `low`, `high`.
    #[must_use]
    pub fn shown_columns(&self) -> Vec<(usize, bool)> {
        let bounds = |at: usize| {
            let is = |place: usize, end: &str| {
                let heading = self.columns.get(place).map(String::as_str);
                heading == Some(end) || heading == self.columns.get(at).map(|name| format!("{name} {end}")).as_deref()
            };
            is(at + 1, "low") && is(at + 2, "high")
        };
        let mut shown = Vec::new();
        let mut at = 0;
        while at < self.columns.len() {
            let bounded = bounds(at);
            shown.push((at, bounded));
            at += if bounded { 3 } else { 1 };
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_stand_in_the_cells_of_what_they_bound() {
        let shown = |columns: &[&str]| {
            let columns = columns.iter().map(|&name| name.to_owned()).collect();
            Table { name: String::new(), caption: String::new(), columns, rows: Vec::new() }.shown_columns()
        };
        let columns = ["model", "RFS", "RFS low", "RFS high", "n", "difference", "low", "high", "p"];
        assert_eq!(shown(&columns), [(0, false), (1, true), (4, false), (5, true), (8, false)]);
        assert_eq!(shown(&["low", "high"]), [(0, false), (1, false)]);
        assert_eq!(shown(&["RFS", "RFS BCa low", "RFS BCa high"]), [(0, false), (1, false), (2, false)]);
    }
}
