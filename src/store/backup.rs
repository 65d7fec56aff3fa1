//! A copy of a project file that is known to be good.

use std::{fs, io, path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, backup::Backup};

use super::{StoreError, draft::Draft, error::Fault};

/// Pages copied between two looks at whether a writer waits.
const PAGES_A_STEP: i32 = 4096;

/// Copies the database of `connection` (in `file`) to `to`, checks the copy and gives it its name last.
///
/// SQLite's backup rather than `VACUUM INTO`: it also works while another connection of ours holds the write lock, and
/// the copy is page for page the original.
pub(super) fn copy(connection: &Connection, file: &Path, to: &Path) -> Result<(), StoreError> {
    let io = |source: io::Error| StoreError::Io { path: to.to_owned(), source };
    let folder = to.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(io)?;
    let draft = Draft::beside(to)?;
    let fill = || -> Result<(), Fault> {
        // One snapshot for the copy and for the counts that it is checked against.
        let snapshot = connection.unchecked_transaction()?;
        let tables = tables(connection)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut target = Connection::open_with_flags(draft.path(), flags)?;
        Backup::new(connection, &mut target)?.run_to_completion(PAGES_A_STEP, Duration::ZERO, None)?;
        // One file without companions: a backup is there to be moved about.
        target.pragma_update(None, "journal_mode", "delete")?;
        verify(&target)?;
        for table in tables {
            let count = format!("SELECT count(*) FROM \"{}\"", table.replace('"', "\"\""));
            let rows = |connection: &Connection| connection.query_row(&count, [], |row| row.get::<_, i64>(0));
            if rows(connection)? != rows(&target)? {
                return Err(Fault::Stored(format!("its copy lacks rows of table {table}")));
            }
        }
        snapshot.finish()?;
        target.close().map_err(|(_, error)| error)?;
        Ok(())
    };
    fill().map_err(|fault| fault.in_file(file))?;
    draft.publish(to)
}

/// SQLite's own check of every page and index, and of every reference.
fn verify(connection: &Connection) -> Result<(), Fault> {
    let verdict: String = connection.pragma_query_value(None, "integrity_check", |row| row.get(0))?;
    if verdict != "ok" {
        return Err(Fault::Stored(verdict));
    }
    let broken: i64 = connection.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    if broken > 0 {
        return Err(Fault::Stored(format!("{broken} rows refer to rows that are not there")));
    }
    Ok(())
}

fn tables(connection: &Connection) -> Result<Vec<String>, Fault> {
    let mut tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0")?;
    let names = tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(names)
}
