//! One project for several Unix users of a group.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{OpsError, Project};
use crate::store::FILE_NAME;

/// What a group may now work with.
#[derive(Debug, Serialize)]
pub struct Shared {
    /// The group's number.
    pub group: u32,
    /// Folders and files whose group or permissions were changed.
    pub changed: Vec<PathBuf>,
}

/// Lets every member of a group work on the project: the project folder, the project file and what SQLite keeps beside it
/// belong to the group and can be written by it, and so does whatever is made in the folder later. SQLite gives the files
/// that it makes beside the project file the permissions of that file.
///
/// # Errors
/// [`OpsError::Usage`] if there is no such group; [`OpsError::Io`] if the files belong to somebody else.
pub fn share(project: &Project, group: &str) -> Result<Shared, OpsError> {
    let group = number_of(group)?;
    let dir = project.store.dir();
    let beside = |suffix: &str| dir.join(format!("{FILE_NAME}{suffix}"));
    let mut changed = Vec::new();
    // Set-group-id: what is made in the folder belongs to the group, whoever makes it.
    let folders =
        [dir.to_owned(), dir.join("backups"), dir.join("runs"), dir.join("models"), dir.join("contact-sheets")];
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        give(folder, group, 0o2770, &mut changed)?;
    }
    for file in ["", "-wal", "-shm"].map(beside).iter().filter(|file| file.is_file()) {
        give(file, group, 0o660, &mut changed)?;
    }
    Ok(Shared { group, changed })
}

/// Gives `path` to the group and adds `mode` to its permissions.
fn give(path: &Path, group: u32, mode: u32, changed: &mut Vec<PathBuf>) -> Result<(), OpsError> {
    let io = OpsError::io(path);
    let now = fs::metadata(path).map_err(io)?;
    let wanted = now.permissions().mode() | mode;
    if now.gid() == group && wanted == now.permissions().mode() {
        return Ok(());
    }
    chown(path, None, Some(group)).map_err(OpsError::io(path))?;
    // After the owner, for a change of owner drops the set-group-id bit.
    fs::set_permissions(path, fs::Permissions::from_mode(wanted)).map_err(OpsError::io(path))?;
    changed.push(path.to_owned());
    Ok(())
}

/// The number of a group, by its number or its name in /etc/group.
fn number_of(group: &str) -> Result<u32, OpsError> {
    if let Ok(number) = group.parse() {
        return Ok(number);
    }
    let file = Path::new("/etc/group");
    let text = fs::read_to_string(file).map_err(OpsError::io(file))?;
    find(&text, group).ok_or_else(|| {
        OpsError::Usage(format!("no group in /etc/group is called {group:?}: a directory's groups go by number"))
    })
}

fn find(groups: &str, name: &str) -> Option<u32> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_by_its_whole_name() {
        let groups = "root:x:0:\nlabellers:x:1007:ada,bob\nlabel:x:1008:\nbroken\n";
        assert_eq!(find(groups, "label"), Some(1008));
        assert_eq!(find(groups, "labellers"), Some(1007));
        assert_eq!(find(groups, "ada"), None);
        assert_eq!(find(groups, "broken"), None);
    }
}
