//! Two recorded runs side by side: how they were made, what they say, and whether their rows are the same.

use std::{cmp::Ordering, collections::BTreeMap};

use rival10_sdk::{Column, Kind, Report, Rows};
use serde::Serialize;

use super::{
    OpsError, Project,
    runs::{configured_as_then, find_run, show_run},
};
use crate::{
    analysis::{
        parquet,
        run::{Difference, Manifest, RunError, rows_file},
    },
    domain::RunRecord,
};

/// Two runs of one analysis, side by side.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// The first run's id.
    pub a: String,
    /// The second run's.
    pub b: String,
    /// In what they were made differently.
    pub differences: Vec<Difference>,
    /// What both say in their headline, and what one of them does.
    pub headline: Vec<ComparedEstimate>,
    /// Their rows, phase by phase; empty where the versions of the analysis differ.
    pub rows: Vec<ComparedRows>,
}

/// One number of both headlines.
#[derive(Debug, Serialize)]
pub struct ComparedEstimate {
    /// What is estimated.
    pub name: String,
    /// For which model.
    pub model: Option<String>,
    /// The first run's value; null if undefined or not there.
    pub a: Option<f64>,
    /// The second run's.
    pub b: Option<f64>,
    /// The second less the first.
    pub difference: Option<f64>,
}

/// The rows of one phase.
#[derive(Debug, Serialize)]
pub struct ComparedRows {
    /// The phase.
    pub phase: String,
    /// Rows of the first run alone.
    pub only_a: u64,
    /// Rows of the second run alone.
    pub only_b: u64,
    /// Rows of one key in both.
    pub common: u64,
    /// Those of them that are the same to the bit.
    pub identical: u64,
    /// By how much numbers differ at most, by column; columns that never differ are left out.
    pub largest: BTreeMap<String, f64>,
}

/// Compares the runs whose ids begin with `a` and `b`. Runs of two versions of an analysis are compared only if
/// `across_versions`, and then without their rows.
///
/// # Errors
/// [`OpsError`] if there are no such runs, they are of two analyses, or of two versions.
pub fn compare_runs(project: &Project, a: &str, b: &str, across_versions: bool) -> Result<Comparison, OpsError> {
    let runs = [find_run(project, a)?, find_run(project, b)?];
    let [a, b] = [manifest(&runs[0])?, manifest(&runs[1])?];
    if a.plugin != b.plugin {
        return Err(OpsError::Usage(format!(
            "run {} is of {} and run {} of {}: they have nothing in common",
            runs[0].id, a.plugin, runs[1].id, b.plugin
        )));
    }
    if a.plugin_version != b.plugin_version && !across_versions {
        return Err(OpsError::Refused(format!(
            "the rows of {} changed between versions {} and {}: run one of them again, or say --across-versions",
            a.plugin, a.plugin_version, b.plugin_version
        )));
    }
    let reports = [show_run(project, &runs[0].id)?, show_run(project, &runs[1].id)?];
    let same = a.plugin_version == b.plugin_version && a.program == b.program;
    let rows = if same { compare_all(project, &runs, [&a, &b])? } else { Vec::new() };
    let [first, second] = runs.map(|run| run.id);
    Ok(Comparison { a: first, b: second, differences: a.differences(&b), headline: headline(&reports), rows })
}

/// The manifest that a run was recorded with.
fn manifest(run: &RunRecord) -> Result<Manifest, OpsError> {
    serde_json::from_str(&run.manifest)
        .map_err(|e| OpsError::Refused(format!("run {}: its manifest is not one of this version: {e}", run.id)))
}

fn headline(reports: &[Report; 2]) -> Vec<ComparedEstimate> {
    let key = |e: &rival10_sdk::Estimate| (e.name.clone(), e.model.clone());
    let mut keys: Vec<(String, Option<String>)> = Vec::new();
    for estimate in reports.iter().flat_map(|report| &report.headline) {
        if !keys.contains(&key(estimate)) {
            keys.push(key(estimate));
        }
    }
    let compared = |(name, model): (String, Option<String>)| {
        let value = |report: &Report| {
            let found = report.headline.iter().find(|e| e.name == name && e.model == model);
            found.and_then(|e| e.value)
        };
        let (a, b) = (value(&reports[0]), value(&reports[1]));
        ComparedEstimate { a, b, difference: a.zip(b).map(|(a, b)| b - a), name, model }
    };
    keys.into_iter().map(compared).collect()
}

/// The rows of every phase that both have.
fn compare_all(
    project: &Project,
    runs: &[RunRecord; 2],
    manifests: [&Manifest; 2],
) -> Result<Vec<ComparedRows>, OpsError> {
    let manifest = manifests[0];
    let Some(analysis) = configured_as_then(manifest)? else { return Ok(Vec::new()) };
    let mut compared = Vec::new();
    for (number, phase) in analysis.phases().iter().enumerate() {
        let read = |run: &RunRecord| {
            let file = rows_file(&project.runs_dir().join(&run.id), number, phase.name);
            Ok::<_, OpsError>(parquet::read(&file, phase.columns).map_err(RunError::from)?.0)
        };
        let [a, b] = [read(&runs[0])?, read(&runs[1])?];
        compared.push(compare(phase.name, phase.columns, &a, &b));
    }
    Ok(compared)
}

/// Two tables of the same columns, both in key order.
fn compare(phase: &str, columns: &[Column], a: &Rows, b: &Rows) -> ComparedRows {
    let keys = columns.iter().filter(|column| column.key).count();
    let mut found = ComparedRows {
        phase: phase.to_owned(),
        only_a: 0,
        only_b: 0,
        common: 0,
        identical: 0,
        largest: BTreeMap::new(),
    };
    let (mut left, mut right) = (a.iter().peekable(), b.iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return found,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => {
                let orders = a[..keys].iter().zip(&b[..keys]).map(|(a, b)| a.compare(b));
                orders.fold(Ordering::Equal, Ordering::then)
            }
        };
        match order {
            Ordering::Less => {
                left.next();
                found.only_a += 1;
            }
            Ordering::Greater => {
                right.next();
                found.only_b += 1;
            }
            Ordering::Equal => {
                let (Some(a), Some(b)) = (left.next(), right.next()) else { return found };
                found.common += 1;
                found.identical += u64::from(a.iter().zip(b).all(|(a, b)| a.compare(b) == Ordering::Equal));
                for (column, (a, b)) in columns.iter().zip(a.iter().zip(b)).skip(keys) {
                    let apart = (a.as_f64().unwrap_or(f64::NAN) - b.as_f64().unwrap_or(f64::NAN)).abs();
                    if column.kind != Kind::Text && apart > 0.0 {
                        let most = found.largest.entry(column.name.to_owned()).or_insert(0.0);
                        *most = most.max(apart);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rival10_sdk::Value;

    use super::*;

    const COLUMNS: &[Column] = &[
        Column::key("image", Kind::Int, ""),
        Column::key("model", Kind::Text, ""),
        Column::value("p", Kind::Float, ""),
    ];

    fn rows(cells: &[(i64, &str, Option<f64>)]) -> Rows {
        let mut rows = Rows::new(COLUMNS);
        for (image, model, p) in cells {
            rows.push(vec![(*image).into(), (*model).into(), Value::from(*p)]).unwrap();
        }
        rows
    }

    #[test]
    fn rows_are_matched_by_key_and_compared_to_the_bit() {
        let a = rows(&[(1, "m", Some(0.5)), (2, "m", Some(0.0)), (3, "m", None), (5, "m", Some(0.25))]);
        let b =
            rows(&[(1, "m", Some(0.5)), (2, "m", Some(-0.0)), (3, "m", None), (4, "m", None), (5, "m", Some(0.75))]);
        let found = compare("noise", COLUMNS, &a, &b);
        assert_eq!((found.only_a, found.only_b, found.common, found.identical), (0, 1, 4, 2));
        assert_eq!(found.largest, BTreeMap::from([("p".to_owned(), 0.5)]));
    }
}
