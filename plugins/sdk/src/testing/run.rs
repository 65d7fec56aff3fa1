//! A whole run on toys.

use crate::{AnalysisError, Context, Model, Plugin, Provenance, Report, Rows, SampleSource, Settings, Study, Taxonomy};

/// Runs `plugin` on every sample of `source`, from the first phase to the report: rows are sorted by their keys and reduced,
/// and each phase is handed the states of those before it, as in a run that is recorded. Out come the rows of every phase.
///
/// # Errors
/// Whatever the analysis refuses.
pub fn run(
    plugin: &Plugin,
    settings: &Settings,
    taxonomy: &Taxonomy,
    source: &dyn SampleSource,
    models: &[Model],
) -> Result<(Vec<Rows>, Report), AnalysisError> {
    let analysis = (plugin.configure)(settings)?;
    let provenance = Provenance {
        plugin: plugin.name.to_owned(),
        plugin_version: plugin.version,
        rival10_version: env!("CARGO_PKG_VERSION").to_owned(),
        profile: settings.profile.name().to_owned(),
        seed: settings.seed,
        // An analysis that draws nothing has no such parameter.
        trials: settings.get("trials").unwrap_or(0),
        n: source.samples().len() as u64,
        models: models.iter().map(|m| (m.classifier.name().to_owned(), m.classifier.digest().to_owned())).collect(),
        data: "toys".to_owned(),
        parameters: settings.values().iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
    };
    let whole = Study { taxonomy, models, samples: source.samples(), states: &[], provenance: &provenance };
    let (mut states, mut tables) = (Vec::new(), Vec::new());
    for phase in 0..analysis.phases().len() {
        let study = Study { states: &states, ..whole };
        let mut rows = analysis.map(phase, &Context { study, source }, source.samples())?;
        rows.sort();
        let state = analysis.reduce(phase, &study, &rows)?;
        tables.push(rows);
        states.push(state);
    }
    let report = analysis.report(&Study { states: &states, ..whole }, &tables)?;
    Ok((tables, report))
}
