//! Recorded analyses. A run's rows and report are files in `runs/<id>`; they follow from the rest of the project, so
//! they come and go without the journal.

use rusqlite::{OptionalExtension, Row};

use super::{Store, StoreError};
use crate::domain::{RunRecord, RunStatus};

impl Store {
    /// Records a run. One that is recorded under the same id stays as it is: a run is begun once and then resumed.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be written.
    pub fn add_run(&mut self, run: &RunRecord) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.execute(
                "INSERT INTO runs (id, plugin, manifest, finished, begun) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (id) DO NOTHING",
                (&run.id, &run.plugin, &run.manifest, run.status == RunStatus::Finished, run.begun),
            )?;
            Ok(())
        })
    }

    /// Says that all rows and the report of run `id` are there.
    ///
    /// # Errors
    /// [`StoreError::Missing`].
    pub fn finish_run(&mut self, id: &str) -> Result<(), StoreError> {
        self.write(|tx| match tx.execute("UPDATE runs SET finished = 1 WHERE id = ?1", [id])? {
            0 => Err(StoreError::Missing { what: "run", which: id.to_owned() }.into()),
            _ => Ok(()),
        })
    }

    /// The runs, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn runs(&self) -> Result<Vec<RunRecord>, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare_cached("SELECT * FROM runs ORDER BY begun, id")?;
            Ok(query.query_map([], record)?.collect::<Result<_, _>>()?)
        })
    }

    /// The run `id`.
    ///
    /// # Errors
    /// [`StoreError::Missing`].
    pub fn run(&self, id: &str) -> Result<RunRecord, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare_cached("SELECT * FROM runs WHERE id = ?1")?;
            match query.query_row([id], record).optional()? {
                Some(run) => Ok(run),
                None => Err(StoreError::Missing { what: "run", which: id.to_owned() }.into()),
            }
        })
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    Ok(RunRecord {
        id: row.get("id")?,
        plugin: row.get("plugin")?,
        manifest: row.get("manifest")?,
        status: if row.get("finished")? { RunStatus::Finished } else { RunStatus::Unfinished },
        begun: row.get("begun")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::fixture;

    fn run(id: &str, begun: i64) -> RunRecord {
        RunRecord {
            id: id.to_owned(),
            plugin: "noise-sensitivity".to_owned(),
            manifest: r#"{"seed":1}"#.to_owned(),
            status: RunStatus::Unfinished,
            begun,
        }
    }

    #[test]
    fn runs_are_listed_oldest_first_and_finish_once_and_for_all() {
        let (_folder, mut store) = fixture::project();
        let (late, early) = (run("aa", 20), run("bb", 10));
        for run in [&late, &early] {
            store.add_run(run).unwrap();
        }
        assert_eq!(store.runs().unwrap(), [early, late.clone()]);
        store.finish_run("aa").unwrap();
        store.add_run(&RunRecord { begun: 99, ..late.clone() }).unwrap();
        let finished = RunRecord { status: RunStatus::Finished, ..late };
        assert_eq!(store.run("aa").unwrap(), finished, "a run that is resumed stays the run that was begun");
        for outcome in [store.finish_run("cc"), store.run("cc").map(|_| ())] {
            assert_eq!(outcome.unwrap_err().to_string(), "the project has no run cc");
        }
    }
}
