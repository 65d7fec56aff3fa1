//! A copy of a project file that is known to be good.

use std::{fs, io, path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, backup::Backup};

use super::{StoreError, draft::Draft, error::Fault, migrations, read_meta};

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

/// Copies the backup `from` over the database of `connection` (in `file`), the project called `id`.
pub(super) fn restore(connection: &mut Connection, file: &Path, id: &str, from: &Path) -> Result<(), StoreError> {
    let in_backup = |fault: Fault| fault.in_file(from);
    let open = || -> Result<Connection, Fault> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Ok(Connection::open_with_flags(from, flags)?)
    };
    let source = open().map_err(in_backup)?;
    migrations::check(&source, from)?;
    verify(&source).map_err(in_backup)?;
    if read_meta(&source, "project").map_err(in_backup)? != id {
        let text = format!("{} is a backup of another project", from.display());
        return Err(StoreError::InvalidEdit(text));
    }
    let mut fill = || -> Result<(), Fault> {
        connection.flush_prepared_statement_cache();
        // All pages in one step: one transaction, before which everybody sees what was, and after which what is.
        Backup::new(&source, connection)?.run_to_completion(i32::MAX, Duration::from_millis(5), None)?;
        verify(connection)
    };
    fill().map_err(|fault| fault.in_file(file))
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
