//! The store as a whole: files that are refused, writers side by side, failures that leave nothing behind.

use std::{fs, path::Path, thread};

use rusqlite::Connection;
use tempfile::TempDir;

use super::fixture::{self, dump};
use crate::{
    domain::Status,
    store::{Actor, Edit, FILE_NAME, LogFilter, Store, StoreError},
};

#[test]
fn a_project_is_found_from_any_folder_below_it() {
    let (folder, store) = fixture::project();
    let below = folder.path().join("a/b");
    fs::create_dir_all(&below).unwrap();
    assert_eq!(Store::find_project(&below).unwrap(), store.dir());
    let elsewhere = TempDir::new().unwrap();
    assert!(matches!(Store::find_project(elsewhere.path()), Err(StoreError::NotAProject { .. })));
    assert!(matches!(Store::open(elsewhere.path()), Err(StoreError::NotAProject { .. })));
}

#[test]
fn a_project_opens_with_what_it_was_made_with_and_is_made_once() {
    let folder = TempDir::new().unwrap();
    let made = Store::create(&folder.path().join("new/folder"), &fixture::taxonomy(), "toys").unwrap();
    let opened = Store::open(made.dir()).unwrap();
    assert_eq!((opened.name(), opened.taxonomy()), ("toys", &fixture::taxonomy()));
    assert_eq!((opened.project_id(), opened.created()), (made.project_id(), made.created()));
    assert_eq!(opened.project_id().len(), 32);
    let again = Store::create(made.dir(), &fixture::taxonomy(), "other");
    assert!(matches!(again, Err(StoreError::AlreadyAProject { .. })));
    assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 1, "no draft is left");
}

#[cfg(unix)]
#[test]
fn a_project_and_its_backup_have_the_permissions_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, store) = fixture::project();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    let (plain, copy) = (folder.path().join("plain"), folder.path().join("copy.db"));
    fs::write(&plain, "").unwrap();
    store.backup(&copy).unwrap();
    assert_eq!((mode(store.file()), mode(&copy)), (mode(&plain), mode(&plain)));
}

#[test]
fn foreign_and_broken_files_are_refused_and_left_alone() {
    type Write = fn(&Path);
    let cases: [(&str, Write); 3] = [
        ("was not written by rival10", |file| {
            let connection = Connection::open(file).unwrap();
            connection.execute_batch("CREATE TABLE notes (text); PRAGMA user_version = 3").unwrap();
        }),
        ("is damaged", |file| fs::write(file, "no database, but long enough ".repeat(99)).unwrap()),
        ("was not written by rival10", |file| fs::write(file, "").unwrap()),
    ];
    for (expected, write) in cases {
        let folder = TempDir::new().unwrap();
        write(&folder.path().join(FILE_NAME));
        let before = fs::read(folder.path().join(FILE_NAME)).unwrap();
        let error = Store::open(folder.path()).err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
        let error = Store::upgrade(folder.path()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(fs::read(folder.path().join(FILE_NAME)).unwrap(), before, "{expected}");
    }
}

#[test]
fn a_page_that_was_overwritten_is_reported_as_damage() {
    let (folder, mut store) = fixture::project();
    fixture::fill(&mut store, 30);
    store.connection.pragma_update(None, "journal_mode", "delete").unwrap();
    drop(store);
    let file = folder.path().join(FILE_NAME);
    let mut bytes = fs::read(&file).unwrap();
    bytes[4096..].fill(0xAB);
    fs::write(&file, bytes).unwrap();
    let outcome = Store::open(folder.path()).and_then(|store| store.images(&Default::default()));
    assert!(matches!(outcome, Err(StoreError::Damaged { .. })), "{outcome:?}");
}

#[test]
fn values_that_no_rival10_writes_are_reported_as_damage() {
    for (change, read) in [
        ("UPDATE images SET variant = 'mirrored'", "images"),
        ("UPDATE images SET width = -1", "images"),
        ("UPDATE images SET content = x'00'", "images"),
        ("UPDATE images SET class = 3", "images"),
        ("UPDATE annotations SET attributes = 'm-'", "annotations"),
        ("UPDATE annotations SET attributes = 'y'", "annotations"),
        ("UPDATE annotations SET altered = '000'", "annotations"),
        ("UPDATE instances SET class = 3", "annotations"),
        ("UPDATE annotations SET status = 'lost'", "annotations"),
        ("UPDATE masks SET runs = x'ff00'", "annotations"),
        ("UPDATE masks SET layer = 'attribute:x'", "annotations"),
        ("UPDATE masks SET layer = 'attribute:2'", "annotations"),
    ] {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 2);
        store.connection.execute_batch(change).unwrap_or_else(|_| {
            let all = format!("DELETE FROM masks WHERE layer <> 'object'; {change}");
            store.connection.execute_batch(&all).unwrap();
        });
        let outcome = match read {
            "images" => store.images(&Default::default()).map(|_| ()),
            _ => store.annotations(&Default::default()).map(|_| ()),
        };
        assert!(matches!(outcome, Err(StoreError::Damaged { .. })), "{change}: {outcome:?}");
    }
}

#[test]
fn two_writers_at_once_lose_no_edit() {
    const EDITS: usize = 60;
    let (folder, mut store) = fixture::project();
    fixture::fill(&mut store, 2);
    let annotations = fixture::all(&store);
    thread::scope(|scope| {
        for (annotation, name) in annotations.iter().zip(["ada", "bob"]) {
            let path = folder.path();
            scope.spawn(move || {
                let mut store = Store::open(path).unwrap();
                for n in 0..EDITS {
                    let status = [Status::Accepted, Status::Rejected][n % 2];
                    let edit = Edit::Status { annotation: annotation.id, status };
                    store.edit(Actor::Annotator(name), &edit).unwrap().expect("every edit changes something");
                }
            });
        }
    });
    for (annotation, name) in annotations.iter().zip(["ada", "bob"]) {
        let filter = LogFilter { actor: Some(name.to_owned()), annotation: Some(annotation.id), ..Default::default() };
        assert_eq!(store.log(&filter).unwrap().len(), EDITS);
        assert_eq!(store.annotation(annotation.id).unwrap().status, Status::Rejected);
    }
}

#[test]
fn a_lock_that_is_never_released_ends_in_an_error_that_names_the_file() {
    let (folder, store) = fixture::project();
    let mut other = Store::open(folder.path()).unwrap();
    store.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    other.connection.busy_timeout(std::time::Duration::ZERO).unwrap();
    let outcome = other.set_root(Actor::Operator, "photos", folder.path());
    assert!(matches!(&outcome, Err(StoreError::Locked { file }) if file == other.file()), "{outcome:?}");
}

#[test]
fn a_full_disk_and_a_read_only_file_change_nothing() {
    let (_folder, mut store) = fixture::project();
    fixture::fill(&mut store, 3);
    let before = dump(&store);
    let folder = store.dir().to_owned();
    let (plan, items) = (fixture::plan(&folder), fixture::items(&folder, 2000));

    let pages: i64 = store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    store.connection.pragma_update(None, "max_page_count", pages + 3).unwrap();
    assert!(matches!(store.import(&plan, &items), Err(StoreError::DiskFull { .. })));
    store.connection.pragma_update(None, "max_page_count", 1 << 30).unwrap();
    assert_eq!(dump(&store), before);

    store.connection.pragma_update(None, "query_only", "on").unwrap();
    assert!(matches!(store.import(&plan, &items), Err(StoreError::NotWritable { .. })));
    store.connection.pragma_update(None, "query_only", "off").unwrap();
    assert_eq!(dump(&store), before);
    assert_eq!(store.import(&plan, &items).unwrap().added, 1997, "and then it works");
}

#[test]
fn a_reader_sees_one_moment_while_others_write() {
    let (folder, mut store) = fixture::project();
    fixture::fill(&mut store, 6);
    let mut other = Store::open(folder.path()).unwrap();
    let mut seen = Vec::new();
    store
        .each_annotation(&Default::default(), |annotation| {
            let edit = Edit::Status { annotation: annotation.id, status: Status::Accepted };
            for later in fixture::all(&store).iter().filter(|later| later.id >= annotation.id) {
                other.edit(Actor::Operator, &Edit::Status { annotation: later.id, status: Status::Rejected })?;
            }
            other.edit(Actor::Operator, &edit)?;
            seen.push(annotation.status);
            Ok::<(), StoreError>(())
        })
        .unwrap();
    assert!(seen.len() > 6 && seen.iter().all(|status| *status == Status::Submitted), "{seen:?}");
}

#[test]
fn a_backup_is_a_project_that_says_the_same() {
    let (_folder, mut store) = fixture::project();
    fixture::fill(&mut store, 5);
    let elsewhere = TempDir::new().unwrap();
    let to = elsewhere.path().join("deep").join(FILE_NAME);
    store.backup(&to).unwrap();
    assert_eq!(dump(&Store::open(to.parent().unwrap()).unwrap()), dump(&store));
    assert!(store.backup(&to).is_err(), "a backup never replaces another file");
}
