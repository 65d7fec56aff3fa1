//! The laws of the [`Analysis`] contract, tried one by one on toys.
//!
//! The suite does what a host does (phases in order, rows sorted by key, states passed on as JSON) in every way that a
//! host may: other batches, orders, threads, parts. It proves that an analysis is well behaved, not that its numbers are
//! right: known answers are each analysis's own tests.

mod host;

use std::{
    collections::BTreeSet,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use self::host::{Host, PLAIN, Setup, host, only, same, states, whole};
use super::{
    classifiers::{CellMeans, Limited},
    scenes::{Scenes, taxonomy},
};
use crate::{
    Analysis, AnalysisError, ClassGroups, Classifier, Column, Kind, Model, Plugin, Profile, Provenance, Report, Rows,
    SampleSource, Settings, Size, Taxonomy, Value,
};

/// What every analysis must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// The plugin has a name and a summary; every parameter a name of its own, help, and a default that configures.
    Parameters,
    /// A value that makes no sense is refused, by its parameter's name.
    Settings,
    /// There is a phase; phases and columns have names of their own and help; the key columns come first, `image` (int) and
    /// `model` (text) before any other; rows have the columns that their phase declares.
    Columns,
    /// No two rows have the same key.
    Keys,
    /// Rows name only images that they were mapped from, and models of the study (none without a model).
    Origin,
    /// The same seed gives the same rows.
    Repeat,
    /// The order of the samples changes nothing.
    Order,
    /// The batches (of 1, 2, 7, all) change nothing.
    Batches,
    /// The number of threads (1, 4) changes nothing.
    Threads,
    /// Another seed gives other rows exactly if the analysis draws, which it says by having a parameter `trials`.
    Seed,
    /// A model's rows are the same alone and beside others.
    Models,
    /// It works with nothing but what it declares to need: the capabilities, object masks, attributes.
    Needs,
    /// Object masks that are empty, full or missing, and ignore masks, stop nothing and change no other sample's rows.
    Masks,
    /// Without samples there are no rows, and there is a report.
    NoSamples,
    /// Samples of one class alone have a report.
    OneClass,
    /// The report is computed from the rows alone, names the run's provenance, has whole tables and finite numbers.
    Report,
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A law that an analysis breaks.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{plugin} breaks the law {law}: {found}")]
pub struct Violation {
    /// The plugin's name.
    pub plugin: String,
    /// The law.
    pub law: Law,
    /// What was seen.
    pub found: String,
}

/// Tries every law on `plugin`.
///
/// # Errors
/// The first [`Violation`].
pub fn conformance(plugin: &Plugin) -> Result<(), Violation> {
    conformance_with(plugin, &[])
}

/// Tries every law on `plugin` with some of its parameters set.
///
/// # Errors
/// The first [`Violation`].
pub fn conformance_with(plugin: &Plugin, settings: &[(&str, &str)]) -> Result<(), Violation> {
    let given = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let suite = Suite { plugin, given };
    suite.parameters()?;
    let analysis = suite.configure(Law::Parameters, 1)?;
    suite.columns(analysis.as_ref())?;
    suite.rows(analysis.as_ref())?;
    suite.seed()?;
    suite.needs()?;
    suite.masks()?;
    suite.few_samples()?;
    suite.settings()
}

struct Suite<'a> {
    plugin: &'a Plugin,
    given: Vec<(String, String)>,
}

type Outcome<T> = Result<T, Violation>;

impl Suite<'_> {
    fn violation(&self, law: Law, found: impl fmt::Display) -> Violation {
        Violation { plugin: self.plugin.name.to_owned(), law, found: found.to_string() }
    }

    fn require(&self, law: Law, holds: bool, found: impl FnOnce() -> String) -> Outcome<()> {
        if holds { Ok(()) } else { Err(self.violation(law, found())) }
    }

    /// Runs `action`; its error, or its panic, breaks `law`.
    fn attempt<T>(&self, law: Law, action: impl FnOnce() -> Result<T, AnalysisError>) -> Outcome<T> {
        self.caught(law, action)?.map_err(|error| self.violation(law, error))
    }

    /// Runs `action`; its panic breaks `law`.
    fn caught<T>(&self, law: Law, action: impl FnOnce() -> T) -> Outcome<T> {
        catch_unwind(AssertUnwindSafe(action)).map_err(|panic| {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            self.violation(law, format!("it panics: {text}"))
        })
    }

    fn configure(&self, law: Law, seed: u64) -> Outcome<Box<dyn Analysis>> {
        self.attempt(law, || {
            (self.plugin.configure)(&Settings::new(self.plugin, seed, Profile::default(), &self.given)?)
        })
    }

    /// A study of toys that has exactly what the analysis says it needs.
    fn setup(&self, analysis: &dyn Analysis, taxonomy: Taxonomy, scenes: Scenes) -> Setup {
        let needs = analysis.needs();
        let scenes = if needs.object_mask { scenes.marked() } else { scenes };
        let classes = taxonomy.classes.len();
        let sizes = [("toy-b", Size::new(12, 10)), ("toy-a", Size::new(12, 10)), ("toy-c", Size::new(8, 8))];
        let model = |(seed, (name, size)): (u64, (&str, Size))| {
            let classifier: Arc<dyn Classifier> = Arc::new(CellMeans::new(name, size, classes + 2, seed));
            let mut groups = ClassGroups::identity(classes);
            groups.0[0].push(classes + 1);
            Model { classifier: Arc::new(Limited::new(classifier, needs.capabilities)), groups }
        };
        let models: Vec<_> = if needs.model() { (0..).zip(sizes).map(model).collect() } else { Vec::new() };
        let provenance = Provenance {
            plugin: self.plugin.name.to_owned(),
            plugin_version: self.plugin.version,
            rival10_version: "0.0.0".to_owned(),
            profile: Profile::default().name().to_owned(),
            seed: 1,
            trials: u32::from(self.draws()),
            n: scenes.samples().len() as u64,
            models: models.iter().map(|m| (m.classifier.name().to_owned(), m.classifier.digest().to_owned())).collect(),
            data: "toys".to_owned(),
            parameters: self.plugin.parameters.iter().map(|p| (p.name.to_owned(), p.default.to_owned())).collect(),
        };
        Setup { taxonomy, scenes, models, provenance }
    }

    fn ordinary(&self, analysis: &dyn Analysis) -> Setup {
        let taxonomy = taxonomy(3, 4);
        let scenes = Scenes::ordinary(&taxonomy, 10);
        self.setup(analysis, taxonomy, scenes)
    }

    fn draws(&self) -> bool {
        self.plugin.parameters.iter().any(|parameter| parameter.name == "trials")
    }

    fn parameters(&self) -> Outcome<()> {
        let law = Law::Parameters;
        self.require(law, !self.plugin.name.is_empty(), || "it has no name".to_owned())?;
        self.require(law, !self.plugin.summary.is_empty(), || "it has no summary".to_owned())?;
        let mut names = BTreeSet::new();
        for parameter in self.plugin.parameters {
            let name = parameter.name;
            self.require(law, names.insert(name), || format!("two parameters are called {name:?}"))?;
            self.require(law, !name.is_empty(), || "a parameter has no name".to_owned())?;
            self.require(law, !parameter.help.is_empty(), || format!("parameter {name:?} has no help"))?;
        }
        self.configure(law, 1).map(drop)
    }

    fn columns(&self, analysis: &dyn Analysis) -> Outcome<()> {
        let law = Law::Columns;
        let phases = self.caught(law, || analysis.phases().to_vec())?;
        self.require(law, !phases.is_empty(), || "it has no phase".to_owned())?;
        let mut phase_names = BTreeSet::new();
        for phase in &phases {
            let at = phase.name;
            self.require(law, !at.is_empty() && phase_names.insert(at), || {
                format!("phase {at:?} has no name of its own")
            })?;
            let begins = |i: usize, name: &str, kind: Kind| {
                phase.columns.get(i).is_some_and(|c| c.name == name && c.kind == kind && c.key)
            };
            self.require(law, begins(0, "image", Kind::Int) && begins(1, "model", Kind::Text), || {
                format!("phase {at:?} does not begin with the key columns image (int) and model (text)")
            })?;
            let keys = phase.columns.iter().take_while(|column| column.key).count();
            self.require(law, phase.columns[keys..].iter().all(|column| !column.key), || {
                format!("phase {at:?} has a key column behind one that is none")
            })?;
            let mut names = BTreeSet::new();
            for Column { name, help, .. } in phase.columns {
                self.require(law, !name.is_empty() && names.insert(*name), || {
                    format!("phase {at:?}: column {name:?} has no name of its own")
                })?;
                self.require(law, !help.is_empty(), || format!("phase {at:?}: column {name:?} has no help"))?;
            }
        }
        Ok(())
    }

    /// What a host may do differently, with the same rows and report in the end.
    fn rows(&self, analysis: &dyn Analysis) -> Outcome<()> {
        let setup = self.ordinary(analysis);
        let first = self.attempt(Law::Needs, || host(analysis, &setup, PLAIN))?;
        self.sound_rows(analysis, &setup, &first)?;
        let mut ways = vec![(Law::Repeat, PLAIN), (Law::Order, Host { reversed: true, ..PLAIN })];
        ways.extend([1, 2, 7].map(|batch| (Law::Batches, Host { batch, ..PLAIN })));
        ways.extend([1, 4].map(|threads| (Law::Threads, Host { threads, batch: 2, ..PLAIN })));
        for (law, way) in ways {
            let again = self.attempt(law, || host(analysis, &setup, way))?;
            self.same_rows(law, &first, &again)?;
        }
        self.report(&setup, &first)?;
        for (i, model) in setup.models.iter().enumerate() {
            let alone = Setup { models: vec![model.clone()], ..self.ordinary(analysis) };
            let rows = self.attempt(Law::Models, || host(analysis, &alone, PLAIN))?;
            let name = setup.models[i].classifier.name();
            let own: Vec<Rows> = first.iter().map(|rows| only(rows, |row| row[1].as_str() == Some(name))).collect();
            let alone: Vec<Rows> = rows.iter().map(|rows| only(rows, |row| row[1].as_str() == Some(name))).collect();
            self.same_rows(Law::Models, &own, &alone)?;
        }
        Ok(())
    }

    fn sound_rows(&self, analysis: &dyn Analysis, setup: &Setup, phases: &[Rows]) -> Outcome<()> {
        for (phase, rows) in analysis.phases().iter().zip(phases) {
            self.require(Law::Columns, rows.columns() == phase.columns, || {
                format!("the rows of phase {:?} have other columns than it declares", phase.name)
            })?;
            let keys = phase.columns.iter().filter(|column| column.key).count();
            let cells: Vec<&[Value]> = rows.iter().collect();
            for pair in cells.windows(2) {
                self.require(Law::Keys, !same(&pair[0][..keys], &pair[1][..keys]), || {
                    format!("phase {:?} has two rows with the key {:?}", phase.name, &pair[0][..keys])
                })?;
            }
        }
        // Sample by sample, so that a row of another image of the same batch is found out too.
        let states = self.attempt(Law::Origin, || states(analysis, setup, phases))?;
        for phase in 0..analysis.phases().len() {
            for sample in setup.scenes.samples() {
                let context = setup.context(&states[..phase]);
                let rows = self.attempt(Law::Origin, || analysis.map(phase, &context, std::slice::from_ref(sample)))?;
                for row in rows.iter() {
                    // A key is never null: tables are identified by it.
                    let known = match &row[1] {
                        Value::Text(name) if setup.models.is_empty() => name.is_empty(),
                        Value::Text(name) => setup.models.iter().any(|model| model.classifier.name() == name),
                        _ => false,
                    };
                    self.require(Law::Origin, row[0].as_i64() == Some(sample.id.0) && known, || {
                        format!("image {} gives a row of image {:?} and model {:?}", sample.id, row[0], row[1])
                    })?;
                }
            }
        }
        Ok(())
    }

    fn same_rows(&self, law: Law, expected: &[Rows], found: &[Rows]) -> Outcome<()> {
        for (expected, found) in expected.iter().zip(found) {
            self.require(law, expected.len() == found.len(), || {
                format!("{} rows instead of {}", found.len(), expected.len())
            })?;
            for (a, b) in expected.iter().zip(found.iter()) {
                self.require(law, same(a, b), || format!("row {b:?} instead of {a:?}"))?;
            }
        }
        Ok(())
    }

    fn report(&self, setup: &Setup, rows: &[Rows]) -> Outcome<()> {
        let law = Law::Report;
        // An analysis that has mapped nothing must give it as well: whatever it needs stands in the rows.
        let fresh = || self.configure(law, 1);
        let report = {
            let analysis = fresh()?;
            self.attempt(law, || {
                let states = states(analysis.as_ref(), setup, rows)?;
                analysis.report(&setup.study(&states), rows)
            })?
        };
        let mapped = fresh()?;
        let again = self.attempt(law, || {
            let rows = host(mapped.as_ref(), setup, Host { batch: 2, reversed: true, threads: 4 })?;
            let states = states(mapped.as_ref(), setup, &rows)?;
            mapped.report(&setup.study(&states), &rows)
        })?;
        self.require(law, again == report, || "it depends on more than the rows".to_owned())?;
        self.whole_report(law, setup, &report)
    }

    fn whole_report(&self, law: Law, setup: &Setup, report: &Report) -> Outcome<()> {
        self.require(law, report.provenance == setup.provenance, || "it changes the provenance".to_owned())?;
        for estimate in &report.headline {
            let interval = estimate.interval.into_iter().flat_map(|(low, high)| [low, high]);
            let finite = estimate.value.into_iter().chain(interval).all(f64::is_finite);
            self.require(law, finite, || format!("{:?} is not finite: an undefined number is null", estimate.name))?;
            self.require(law, estimate.interval.is_none_or(|(low, high)| low <= high), || {
                format!("the interval of {:?} ends before it begins", estimate.name)
            })?;
            let method = estimate.interval.is_none() || !estimate.interval_method.is_empty();
            self.require(law, method, || format!("the interval of {:?} names no method", estimate.name))?;
        }
        let mut names = BTreeSet::new();
        for table in &report.tables {
            self.require(law, names.insert(&table.name), || format!("two tables are called {:?}", table.name))?;
            for row in &table.rows {
                self.require(law, row.len() == table.columns.len(), || {
                    format!("table {:?} has {} columns and a row of {}", table.name, table.columns.len(), row.len())
                })?;
                self.require(
                    law,
                    row.iter().all(|cell| cell.is_null() || cell.is_number() || cell.is_string()),
                    || format!("table {:?} has a cell that is no number, string or null", table.name),
                )?;
            }
        }
        let text = serde_json::to_string(report).map_err(|error| self.violation(law, error))?;
        let back: Report = serde_json::from_str(&text).map_err(|error| self.violation(law, error))?;
        self.require(law, back == *report, || "it does not survive being written as JSON".to_owned())
    }

    fn seed(&self) -> Outcome<()> {
        let rows = |seed| {
            let analysis = self.configure(Law::Seed, seed)?;
            let setup = self.ordinary(analysis.as_ref());
            self.attempt(Law::Seed, || host(analysis.as_ref(), &setup, PLAIN))
        };
        let (one, two) = (rows(1)?, rows(2)?);
        let same = self.same_rows(Law::Seed, &one, &two).is_ok();
        self.require(Law::Seed, same != self.draws(), || {
            let which = if same { "a parameter `trials`, but not other rows" } else { "other rows, but no `trials`" };
            format!("with another seed it has {which}")
        })
    }

    fn needs(&self) -> Outcome<()> {
        let law = Law::Needs;
        let analysis = self.configure(law, 1)?;
        if !analysis.needs().attributes {
            let bare = taxonomy(2, 0);
            let scenes = Scenes::ordinary(&bare, 5);
            let setup = self.setup(analysis.as_ref(), bare, scenes);
            self.attempt(law, || whole(analysis.as_ref(), &setup))?;
        }
        if !analysis.needs().object_mask {
            let toys = taxonomy(3, 4);
            let scenes = Scenes::odd(&toys);
            let setup = self.setup(analysis.as_ref(), toys, scenes);
            self.attempt(law, || whole(analysis.as_ref(), &setup))?;
        }
        Ok(())
    }

    /// Even an analysis that says it needs masks is given samples without one here: a host that was told of a mask may
    /// find none in the file.
    fn masks(&self) -> Outcome<()> {
        let law = Law::Masks;
        let analysis = self.configure(law, 1)?;
        let toys = taxonomy(3, 4);
        let odd = Scenes::odd(&toys);
        let marked = odd.marked();
        let mut setup = self.setup(analysis.as_ref(), toys, odd.clone());
        setup.scenes = odd;
        let (rows, report) = self.attempt(law, || whole(analysis.as_ref(), &setup))?;
        let mut alone = self.attempt(law, || analysis.map(0, &setup.context(&[]), marked.samples()))?;
        alone.sort();
        let known: BTreeSet<i64> = marked.samples().iter().map(|sample| sample.id.0).collect();
        let of_marked = |row: &[Value]| row[0].as_i64().is_some_and(|id| known.contains(&id));
        self.same_rows(law, &[only(&rows[0], of_marked)], &[alone])?;
        self.whole_report(law, &setup, &report)
    }

    fn few_samples(&self) -> Outcome<()> {
        for (law, class) in [(Law::NoSamples, usize::MAX), (Law::OneClass, 1)] {
            let analysis = self.configure(law, 1)?;
            let toys = taxonomy(3, 4);
            let scenes = Scenes::ordinary(&toys, 10).of_class(class);
            let setup = self.setup(analysis.as_ref(), toys, scenes);
            let (rows, report) = self.attempt(law, || whole(analysis.as_ref(), &setup))?;
            self.require(law, law != Law::NoSamples || rows.iter().all(Rows::is_empty), || {
                "there are rows of no sample".to_owned()
            })?;
            self.whole_report(law, &setup, &report)?;
        }
        Ok(())
    }

    fn settings(&self) -> Outcome<()> {
        let law = Law::Settings;
        for parameter in self.plugin.parameters {
            let name = parameter.name;
            let mut given = self.given.clone();
            given.push((name.to_owned(), "\u{1}no sense".to_owned()));
            let configured = self
                .caught(law, || (self.plugin.configure)(&Settings::new(self.plugin, 1, Profile::default(), &given)?))?;
            let outcome = match configured {
                Err(error) => Err(error),
                // What only the model can judge, such as a layer's name, is refused when it is first used.
                Ok(analysis) => {
                    let setup = self.ordinary(analysis.as_ref());
                    self.caught(law, || whole(analysis.as_ref(), &setup))?.map(drop)
                }
            };
            match outcome {
                Err(AnalysisError::Setting { name: named, .. }) if named == name => {}
                Err(error) => {
                    let found = format!("a senseless {name:?} gives an error that does not name it: {error}");
                    return Err(self.violation(law, found));
                }
                Ok(()) => return Err(self.violation(law, format!("a senseless {name:?} is taken"))),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
