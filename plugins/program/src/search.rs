//! Where programs lie: the folders of an environment variable, then those of PATH.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

/// The folders that are looked through, in order: those of the variable `first`, written as PATH is, then PATH's.
#[must_use]
pub fn folders(first: Option<&str>) -> Vec<PathBuf> {
    let variables = first.into_iter().chain(["PATH"]).filter_map(env::var_os);
    let folders = variables.flat_map(|value| env::split_paths(&value).collect::<Vec<_>>());
    // An empty entry of PATH means the folder that one stands in, and programs are not taken from there unasked.
    folders.filter(|folder| !folder.as_os_str().is_empty()).collect()
}

/// The file called `name` in the first of `folders` that has one.
#[must_use]
pub fn find(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Every file whose name begins with `prefix`, by the rest of its name; the first of `folders` that has it wins.
#[must_use]
pub fn list(prefix: &str, folders: &[PathBuf]) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    for entry in folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().filter_map(Result::ok) {
        let name = entry.file_name();
        let rest = name.to_str().and_then(|name| name.strip_prefix(prefix)).filter(|rest| !rest.is_empty());
        if let Some(rest) = rest
            && executable(&entry.path())
        {
            found.entry(rest.to_owned()).or_insert_with(|| entry.path());
        }
    }
    found
}

#[cfg(unix)]
fn executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn executable(path: &Path) -> bool {
    path.is_file() && path.extension() != Some(std::ffi::OsStr::new("py"))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_first_folder_wins_and_what_cannot_be_executed_is_no_program() {
        let dir = tempfile::tempdir().unwrap();
        let folders = [dir.path().join("a"), dir.path().join("nowhere"), dir.path().join("b")];
        for (folder, name, mode) in
            [(0, "p-one", 0o755), (2, "p-one", 0o755), (2, "p-two", 0o755), (2, "p-plain", 0o644), (2, "p-", 0o755)]
        {
            fs::create_dir_all(&folders[folder]).unwrap();
            let file = folders[folder].join(name);
            fs::write(&file, "").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        }
        let found: Vec<_> = list("p-", &folders).into_iter().collect();
        let expected = [("one", folders[0].join("p-one")), ("two", folders[2].join("p-two"))];
        assert_eq!(found, expected.map(|(name, path)| (name.to_owned(), path)));
        assert_eq!(find("p-two", &folders), Some(folders[2].join("p-two")));
        assert_eq!(find("p-three", &folders), None);
    }
}
