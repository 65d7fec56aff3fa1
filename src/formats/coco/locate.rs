//! Where the images of an instances file lie, and how they are named in one.

use std::{
    collections::HashMap,
    path::{Component, Path, PathBuf},
};

use super::{FormatError, NO_SPLIT, fault::Fault};
use crate::formats::file_name;

/// The folders in which the images of one file are looked for, in order.
pub(super) struct Roots(Vec<PathBuf>);

impl Roots {
    /// The folders for the instances file `file`, whose split is called `split` in names. A folder that was named by the
    /// user (`given`) is the only one; else `stated`, what the file says itself, comes first, then the usual places.
    pub(super) fn of(file: &Path, split: Option<&str>, given: Option<&Path>, stated: Option<&str>) -> Self {
        let folder = file.parent().unwrap_or(Path::new(""));
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let mut roots = Vec::new();
        let mut add = |root: PathBuf| {
            roots.extend(split.map(|split| root.join(split)));
            roots.push(root);
        };
        if let Some(given) = given {
            add(given.to_path_buf());
        } else {
            stated.into_iter().for_each(|stated| add(folder.join(stated)));
            add(folder.to_path_buf());
            let above = if folder == Path::new(".") { PathBuf::from("..") } else { folder.join("..") };
            add(above.join("images"));
            add(above);
            add(folder.join("images"));
        }
        Self(roots)
    }

    /// The file called `name`. Names with backslashes are taken for paths of Windows where no such file exists.
    pub(super) fn find(&self, name: &str) -> Result<PathBuf, Fault> {
        let mut names = vec![name.to_owned()];
        if name.contains('\\') {
            names.push(name.replace('\\', "/"));
        }
        for name in &names {
            if let Some(file) = self.0.iter().map(|root| root.join(name)).find(|file| file.is_file()) {
                return Ok(file);
            }
        }
        Err(Fault::NoPicture(self.0.iter().filter(|root| root.is_dir()).cloned().collect()))
    }
}

/// Image files as they can be compared: absolute and without links in their folders. Folders are resolved once each.
#[derive(Default)]
pub(super) struct Resolver(HashMap<PathBuf, PathBuf>);

impl Resolver {
    /// The absolute path of `file`, which need not exist.
    pub(super) fn resolve(&mut self, file: &Path) -> Result<PathBuf, FormatError> {
        let absolute =
            std::path::absolute(file).map_err(|source| FormatError::Io { path: file.to_path_buf(), source })?;
        let (Some(folder), Some(name)) = (absolute.parent(), absolute.file_name()) else { return Ok(absolute) };
        if let Some(resolved) = self.0.get(folder) {
            return Ok(resolved.join(name));
        }
        let resolved = canonical(folder);
        let file = resolved.join(name);
        self.0.insert(folder.to_path_buf(), resolved);
        Ok(file)
    }
}

/// `folder` without links, as far as it exists.
fn canonical(folder: &Path) -> PathBuf {
    let resolve = |existing: &Path| {
        let rest = folder.strip_prefix(existing).ok()?;
        Some(existing.canonicalize().ok()?.join(rest))
    };
    folder.ancestors().find_map(resolve).unwrap_or_else(|| folder.to_path_buf())
}

/// The deepest folder above all of `files`, which are absolute; none if there are no files or they share no root.
pub(super) fn common_folder(files: &[PathBuf]) -> Option<PathBuf> {
    let mut files = files.iter().filter_map(|file| file.parent());
    let mut common = files.next()?.to_path_buf();
    for folder in files {
        while !folder.starts_with(&common) {
            if !common.pop() {
                return None;
            }
        }
    }
    Some(common)
}

/// The way from the folder `from` to `to`, both absolute, with `/` between its parts; `to` itself where no way leads there
/// (another drive).
///
/// # Errors
/// The path is not UTF-8, which JSON can't hold.
pub(super) fn relative(from: &Path, to: &Path) -> Result<String, FormatError> {
    let (mut a, mut b) = (from.components().peekable(), to.components().peekable());
    let mut shared = 0;
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        if x != y {
            break;
        }
        a.next();
        b.next();
        shared += 1;
    }
    let path: PathBuf = if shared == 0 { to.to_path_buf() } else { a.map(|_| Component::ParentDir).chain(b).collect() };
    let parts: Option<Vec<&str>> = path.components().map(|part| part.as_os_str().to_str()).collect();
    let invalid = || FormatError::Invalid {
        path: to.to_path_buf(),
        reason: "its name is not UTF-8, which JSON can't hold: rename it, or copy the images on export".to_owned(),
    };
    let text = parts.ok_or_else(invalid)?.join("/");
    Ok(if let Some(absolute) = text.strip_prefix("//") { format!("/{absolute}") } else { text })
}

/// What stands for a split in the names of files and folders.
pub(super) fn split_part(split: &str) -> String {
    if split.is_empty() { NO_SPLIT.to_owned() } else { file_name::encode(split, &[]) }
}

/// The split that a part of a name stands for.
pub(super) fn split_of_part(part: &str) -> String {
    if part == NO_SPLIT { String::new() } else { file_name::decode(part).into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_between_folders_go_up_as_far_as_they_must() {
        for (from, to, way) in [
            ("/a/b", "/a/b/c.png", "c.png"),
            ("/a/b", "/a/x/c.png", "../x/c.png"),
            ("/a/b/d", "/c.png", "../../../c.png"),
            ("/", "/a \u{e9}/c.png", "a \u{e9}/c.png"),
        ] {
            assert_eq!(relative(Path::new(from), Path::new(to)).unwrap(), way);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_on_the_way_to_a_folder_that_is_yet_to_be_made_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap().join("real");
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, folder.path().join("link")).unwrap();
        let resolved = Resolver::default().resolve(&folder.path().join("link/out/annotations/a.json")).unwrap();
        assert_eq!(resolved, real.join("out/annotations/a.json"));
    }

    #[test]
    fn the_common_folder_is_the_deepest_one_above_every_file() {
        let common = |files: &[&str]| common_folder(&files.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(common(&["/a/b/c.png", "/a/b/d.png"]), Some("/a/b".into()));
        assert_eq!(common(&["/a/b/c.png", "/a/bc/d.png"]), Some("/a".into()));
        assert_eq!(common(&["/a/b/c.png", "/d.png"]), Some("/".into()));
        assert_eq!(common(&[]), None);
    }
}
