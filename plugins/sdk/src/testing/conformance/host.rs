//! What a host does with an analysis, in every way that it may.

use rayon::prelude::*;

use crate::{
    Analysis, AnalysisError, Context, Model, Provenance, Report, Rows, Sample, SampleSource, State, Study, Taxonomy,
    Value, testing::Scenes,
};

/// One toy run's surroundings.
pub(super) struct Setup {
    pub(super) taxonomy: Taxonomy,
    pub(super) scenes: Scenes,
    pub(super) models: Vec<Model>,
    pub(super) provenance: Provenance,
}

/// How a host goes about it.
#[derive(Clone, Copy)]
pub(super) struct Host {
    pub(super) batch: usize,
    pub(super) reversed: bool,
    pub(super) threads: usize,
}

pub(super) const PLAIN: Host = Host { batch: usize::MAX, reversed: false, threads: 1 };

impl Setup {
    pub(super) fn study<'a>(&'a self, states: &'a [State]) -> Study<'a> {
        Study {
            taxonomy: &self.taxonomy,
            models: &self.models,
            samples: self.scenes.samples(),
            states,
            provenance: &self.provenance,
        }
    }

    pub(super) fn context<'a>(&'a self, states: &'a [State]) -> Context<'a> {
        Context { study: self.study(states), source: &self.scenes }
    }
}

/// Every phase's rows in key order.
pub(super) fn host(analysis: &dyn Analysis, setup: &Setup, way: Host) -> Result<Vec<Rows>, AnalysisError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(way.threads)
        .build()
        .map_err(|error| AnalysisError::Unfit(error.to_string()))?;
    let mut samples: Vec<Sample> = setup.scenes.samples().to_vec();
    if way.reversed {
        samples.reverse();
    }
    let (mut phases, mut states) = (Vec::new(), Vec::new());
    for (number, phase) in analysis.phases().iter().enumerate() {
        let context = setup.context(&states);
        let map = |batch: &[Sample]| analysis.map(number, &context, batch);
        let size = way.batch.min(samples.len().max(1));
        let batches: Vec<Rows> = pool.install(|| samples.par_chunks(size).map(map).collect::<Result<_, _>>())?;
        let mut rows = Rows::new(phase.columns);
        for batch in batches {
            if batch.columns() != phase.columns {
                return Ok(vec![batch]);
            }
            rows.append(batch);
        }
        rows.sort();
        let state = pass_on(&analysis.reduce(number, &setup.study(&states), &rows)?)?;
        states.push(state);
        phases.push(rows);
    }
    Ok(phases)
}

/// The state of every phase, from rows that are there.
pub(super) fn states(analysis: &dyn Analysis, setup: &Setup, rows: &[Rows]) -> Result<Vec<State>, AnalysisError> {
    let mut states = Vec::new();
    for (phase, rows) in rows.iter().enumerate() {
        let state = pass_on(&analysis.reduce(phase, &setup.study(&states), rows)?)?;
        states.push(state);
    }
    Ok(states)
}

/// Rows and report.
pub(super) fn whole(analysis: &dyn Analysis, setup: &Setup) -> Result<(Vec<Rows>, Report), AnalysisError> {
    let rows = host(analysis, setup, PLAIN)?;
    let states = states(analysis, setup, &rows)?;
    let report = analysis.report(&setup.study(&states), &rows)?;
    Ok((rows, report))
}

/// A state as the next phase gets it: written and read again.
fn pass_on(state: &State) -> Result<State, AnalysisError> {
    serde_json::from_str(&state.to_string()).map_err(|error| AnalysisError::Unfit(error.to_string()))
}

pub(super) fn only(rows: &Rows, keep: impl Fn(&[Value]) -> bool) -> Rows {
    let mut kept = Rows::new(rows.columns());
    for row in rows.iter().filter(|row| keep(row)) {
        kept.push(row.to_vec()).expect("the row comes from a table of the same columns");
    }
    kept
}

/// Equal to the bit, unlike `==`, for which 0.0 and -0.0 are the same.
pub(super) fn same(a: &[Value], b: &[Value]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|pair| match pair {
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (a, b) => a == b,
        })
}
