//! Roots: the folders that paths are relative to, so that a project or its images can move. The empty name is the project
//! folder itself; every other root has an absolute path, or in a pack one that is relative to the project folder.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Component, Path, PathBuf},
};

use rusqlite::{Connection, OptionalExtension, Transaction};

use super::{
    Actor, Change, EntryId, Store, StoreError,
    error::Fault,
    journal::{self, Draft},
};

impl Store {
    /// Every root and its folder; the project folder's name is empty.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn roots(&self) -> Result<BTreeMap<String, PathBuf>, StoreError> {
        self.read(|connection| Ok(self.root_folders(connection)?.into_iter().collect()))
    }

    /// Says that the files of root `name` lie in `folder` now. None if they did already. A new name makes a new root.
    ///
    /// # Errors
    /// [`StoreError::Path`] if `folder` is no folder or not UTF-8; [`StoreError::InvalidEdit`] for the empty name, which
    /// always is the project folder.
    pub fn set_root(&mut self, actor: Actor<'_>, name: &str, folder: &Path) -> Result<Option<EntryId>, StoreError> {
        if name.is_empty() || name.contains('/') || name.chars().any(char::is_control) {
            return Err(StoreError::InvalidEdit(format!(
                "root name {name:?} is empty or has a slash or control character"
            )));
        }
        let folder = folder.canonicalize().map_err(|source| StoreError::Io { path: folder.to_owned(), source })?;
        if !folder.is_dir() {
            return Err(StoreError::Path { path: folder, reason: "not a folder".to_owned() });
        }
        let to = text(&folder)?.to_owned();
        self.write(|tx| {
            let actor = actor.id(tx)?;
            let from = path_of(tx, name)?;
            if from.as_ref() == Some(&to) {
                return Ok(None);
            }
            write(tx, name, Some(&to))?;
            let change = Change::SetRoot { name: name.to_owned(), from, to: Some(to) };
            journal::append(tx, &Draft::new(actor, change)).map(Some)
        })
    }

    pub(super) fn root_folders(&self, connection: &Connection) -> Result<HashMap<String, PathBuf>, Fault> {
        folders(connection, &self.dir)
    }
}

fn folders(connection: &Connection, project: &Path) -> Result<HashMap<String, PathBuf>, Fault> {
    let mut query = connection.prepare_cached("SELECT name, path FROM roots")?;
    let mut rows = query.query([])?;
    let mut folders = HashMap::new();
    while let Some(row) = rows.next()? {
        let (name, path): (String, String) = (row.get(0)?, row.get(1)?);
        // A root of a pack lies in the pack: its path is relative, and joining an absolute one gives that.
        let folder = if name.is_empty() { project.to_owned() } else { project.join(path) };
        folders.insert(name, folder);
    }
    Ok(folders)
}

/// Where the root called `name` is said to lie.
pub(super) fn path_of(connection: &Connection, name: &str) -> Result<Option<String>, Fault> {
    let mut query = connection.prepare_cached("SELECT path FROM roots WHERE name = ?1")?;
    Ok(query.query_row([name], |row| row.get(0)).optional()?)
}

/// Sets where the root called `name` lies; None takes the root away.
pub(super) fn write(tx: &Transaction<'_>, name: &str, path: Option<&str>) -> Result<(), Fault> {
    match path {
        Some(path) => tx.execute(
            "INSERT INTO roots (name, path) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET path = excluded.path",
            [name, path],
        )?,
        None => tx.execute("DELETE FROM roots WHERE name = ?1", [name])?,
    };
    Ok(())
}

/// The file that `path` under `root` means at present.
pub(super) fn resolve(roots: &HashMap<String, PathBuf>, root: &str, path: &str) -> Result<PathBuf, Fault> {
    match roots.get(root) {
        Some(folder) => Ok(folder.join(path)),
        None => Err(Fault::Stored(format!("root {root:?} is not among its roots"))),
    }
}

/// Turns files into root and path.
///
/// A file lies under the root whose folder is the longest that leads to it. Where there is none, one is made of the data
/// set's folder, or else of the file's own. Folders are compared in canonical form, but symbolic links inside a data set
/// are kept: a data set made of links is where its links are.
pub(super) struct Placement {
    roots: HashMap<String, PathBuf>,
    /// The data set's folders, as the caller spells them and in canonical form.
    folders: Vec<(PathBuf, PathBuf)>,
    /// Canonical forms of folders outside all of those.
    canonical: HashMap<PathBuf, PathBuf>,
}

impl Placement {
    /// Places files of a data set that lies in `folders`.
    pub(super) fn new(connection: &Connection, project: &Path, folders_given: &[PathBuf]) -> Result<Self, Fault> {
        let canonical = |folder: &PathBuf| Some((folder.clone(), folder.canonicalize().ok()?));
        Ok(Self {
            roots: folders(connection, project)?,
            folders: folders_given.iter().filter_map(canonical).collect(),
            canonical: HashMap::new(),
        })
    }

    /// Root and path of `file`; makes a root where none fits.
    pub(super) fn place(&mut self, tx: &Transaction<'_>, file: &Path) -> Result<(String, String), Fault> {
        let (file, data_set) = self.settle(file)?;
        if let Some((name, folder)) = self
            .roots
            .iter()
            .filter(|(_, folder)| file.starts_with(folder))
            .max_by_key(|(_, folder)| folder.components().count())
        {
            return Ok((name.clone(), relative(&file, folder)?));
        }
        let folder = data_set.or_else(|| file.parent().map(Path::to_owned)).unwrap_or_else(|| PathBuf::from("/"));
        let name = self.free_name(&folder);
        let path = relative(&file, &folder)?;
        write(tx, &name, Some(text(&folder)?))?;
        self.roots.insert(name.clone(), folder);
        Ok((name, path))
    }

    /// `file` with the folders that lead to it in canonical form, and the data set's folder that it lies in.
    fn settle(&mut self, file: &Path) -> Result<(PathBuf, Option<PathBuf>), Fault> {
        for (given, canonical) in &self.folders {
            if let Ok(rest) = file.strip_prefix(given)
                && rest.components().all(|part| matches!(part, Component::Normal(_)))
            {
                return Ok((canonical.join(rest), Some(canonical.clone())));
            }
        }
        let (Some(parent), Some(name)) = (file.parent(), file.file_name()) else {
            return Err(StoreError::Path { path: file.to_owned(), reason: "names no file".to_owned() }.into());
        };
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        if let Some(parent) = self.canonical.get(parent) {
            return Ok((parent.join(name), None));
        }
        let canonical = parent.canonicalize().map_err(|source| StoreError::Io { path: parent.to_owned(), source })?;
        let settled = canonical.join(name);
        self.canonical.insert(parent.to_owned(), canonical);
        Ok((settled, None))
    }

    /// The folder's own name, with a number after it if another root has it.
    fn free_name(&self, folder: &Path) -> String {
        let name = folder.file_name().map_or_else(|| "files".to_owned(), |name| name.to_string_lossy().into_owned());
        let name: String = name.chars().filter(|letter| !letter.is_control()).collect();
        let numbered = (2..).map(|n| format!("{name}-{n}"));
        std::iter::once(name.clone())
            .chain(numbered)
            .find(|name| !name.is_empty() && !self.roots.contains_key(name))
            .expect("numbers do not run out")
    }
}

/// `file` relative to `folder`, with `/` between the parts.
fn relative(file: &Path, folder: &Path) -> Result<String, Fault> {
    let rest = file.strip_prefix(folder).expect("the folder was chosen because it leads to the file");
    let parts: Result<Vec<&str>, Fault> = rest.iter().map(|part| text(Path::new(part)).map_err(Fault::from)).collect();
    Ok(parts?.join("/"))
}

fn text(path: &Path) -> Result<&str, StoreError> {
    path.to_str().ok_or_else(|| StoreError::Path {
        path: path.to_owned(),
        reason: "the name is not UTF-8, which a project can't hold: rename it".to_owned(),
    })
}

/// Whether an image or mask file lies in the root called `name`, or lay there and may be brought back.
pub(super) fn is_used(connection: &Connection, name: &str) -> Result<bool, Fault> {
    Ok(connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM images WHERE root = ?1) OR EXISTS (SELECT 1 FROM source_masks WHERE root = ?1)",
        [name],
        |row| row.get(0),
    )?)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;
    use crate::store::tests::fixture;

    /// Where `files` are placed by one import of the data set in `folders`.
    fn place(store: &mut Store, folders: &[PathBuf], files: &[PathBuf]) -> Vec<(String, String)> {
        let dir = store.dir().to_owned();
        store
            .write(|tx| {
                let mut placement = Placement::new(tx, &dir, folders)?;
                files.iter().map(|file| placement.place(tx, file)).collect()
            })
            .unwrap()
    }

    fn pair(root: &str, path: &str) -> (String, String) {
        (root.to_owned(), path.to_owned())
    }

    #[test]
    fn files_in_the_project_folder_belong_to_it_however_they_are_spelled() {
        let (folder, mut store) = fixture::project();
        fs::create_dir_all(folder.path().join("data/cats")).unwrap();
        let data = folder.path().join("data");
        let spelled = folder.path().join("data/../data");
        for given in [vec![data.clone()], vec![spelled.clone()], vec![]] {
            let files = [data.join("cats/a.jpg"), spelled.join("cats/b.jpg")];
            let placed = place(&mut store, &given, &files);
            assert_eq!(placed, [pair("", "data/cats/a.jpg"), pair("", "data/cats/b.jpg")], "{given:?}");
        }
        assert_eq!(store.roots().unwrap().len(), 1);
    }

    #[test]
    fn a_data_set_elsewhere_gets_one_root_with_a_name_of_its_own() {
        let (_folder, mut store) = fixture::project();
        let elsewhere = tempfile::TempDir::new().unwrap();
        let sets: Vec<PathBuf> = ["x/photos", "y/photos"].iter().map(|set| elsewhere.path().join(set)).collect();
        for set in &sets {
            fs::create_dir_all(set.join("cats")).unwrap();
            fs::create_dir_all(set.join("dogs")).unwrap();
        }
        for _ in 0..2 {
            for (set, root) in sets.iter().zip(["photos", "photos-2"]) {
                let files = [set.join("cats/a.jpg"), set.join("dogs/b.jpg")];
                let placed = place(&mut store, std::slice::from_ref(set), &files);
                assert_eq!(placed, [pair(root, "cats/a.jpg"), pair(root, "dogs/b.jpg")]);
            }
        }
        let roots = store.roots().unwrap();
        assert_eq!(roots.keys().collect::<Vec<_>>(), ["", "photos", "photos-2"]);
        assert_eq!(roots["photos-2"], sets[1].canonicalize().unwrap());
        let inner = place(&mut store, &[sets[0].join("cats")], &[sets[0].join("cats/a.jpg")]);
        assert_eq!(inner, [pair("photos", "cats/a.jpg")], "a part of a data set is where the whole is");
        let stray = place(&mut store, &[], &[elsewhere.path().join("x/c.jpg")]);
        assert_eq!(stray, [pair("x", "c.jpg")]);
    }

    #[test]
    fn links_inside_a_data_set_are_kept_and_links_to_it_are_not() {
        let (_folder, mut store) = fixture::project();
        let elsewhere = tempfile::TempDir::new().unwrap();
        let (set, archive, link) =
            (elsewhere.path().join("set"), elsewhere.path().join("archive"), elsewhere.path().join("link"));
        fs::create_dir_all(&set).unwrap();
        fs::create_dir_all(&archive).unwrap();
        symlink(&archive, set.join("cats")).unwrap();
        symlink(&set, &link).unwrap();
        for given in [&set, &link] {
            let placed = place(&mut store, std::slice::from_ref(given), &[given.join("cats/a.jpg")]);
            assert_eq!(placed, [pair("set", "cats/a.jpg")]);
        }
    }

    #[test]
    fn a_bare_file_name_lies_in_the_working_folder() {
        let (_folder, mut store) = fixture::project();
        let placed = place(&mut store, &[], &[PathBuf::from("Cargo.toml")]);
        let [(root, path)] = &placed[..] else { panic!("one file has one place") };
        assert_eq!(path, "Cargo.toml");
        assert_eq!(store.roots().unwrap()[root], std::env::current_dir().unwrap().canonicalize().unwrap());
    }

    #[test]
    fn a_root_that_moved_takes_its_images_along() {
        let (_folder, mut store) = fixture::project();
        let (old, new) = (tempfile::TempDir::new().unwrap(), tempfile::TempDir::new().unwrap());
        for folder in [&old, &new] {
            fs::create_dir(folder.path().join("pictures")).unwrap();
            fs::create_dir(folder.path().join("masks")).unwrap();
        }
        let (old, new) = (old.path().canonicalize().unwrap(), new.path().canonicalize().unwrap());
        store.import(&fixture::plan(&old), &fixture::items(&old, 3)).unwrap();
        let before = fixture::dump(&store);
        let root = old.file_name().unwrap().to_str().unwrap();
        let entry = store.set_root(Actor::Operator, root, &new).unwrap().unwrap();
        let images = store.images(&Default::default()).unwrap();
        assert!(images.iter().all(|image| image.file.starts_with(new.join("pictures"))));
        assert_eq!(fixture::dump(&store), before, "where a root is mounted is nothing that a project says");
        assert_eq!(store.set_root(Actor::Operator, root, &new).unwrap(), None);
        store.undo(Actor::Operator, entry).unwrap();
        assert_eq!(store.roots().unwrap()[root], old);
    }

    #[test]
    fn what_can_be_no_root_is_refused() {
        let (folder, mut store) = fixture::project();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for (name, path) in
            [("", folder.path()), ("a/b", folder.path()), ("a", &file), ("a", Path::new("/nowhere/at/all"))]
        {
            assert!(store.set_root(Actor::Operator, name, path).is_err(), "{name:?} {path:?}");
        }
        assert_eq!(store.roots().unwrap().len(), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_that_is_not_utf_8_is_refused_by_name() {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
        let (folder, mut store) = fixture::project();
        let mut item = fixture::item(folder.path(), 0);
        item.file = folder.path().join(OsStr::from_bytes(b"caf\xe9.jpg"));
        let mut import = store.begin_import(&fixture::plan(folder.path())).unwrap();
        assert!(
            matches!(import.add(&item), Err(StoreError::Path { path, .. }) if path.ends_with(item.file.file_name().unwrap()))
        );
        import.add(&fixture::item(folder.path(), 1)).unwrap();
        assert_eq!(import.finish().unwrap().added, 1, "the others still come in");
    }
}
