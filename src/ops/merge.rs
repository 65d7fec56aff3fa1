//! The work of others, brought in: from a copy of the project, a pack that came back, or a bare project file.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Serialize;
use tempfile::TempDir;

use super::{OpsError, Project, archive, history::utc};
use crate::{
    domain::{ContentHash, ImageId, Progress},
    durable,
    store::{Actor, FILE_NAME, ImageFilter, MergeConflict, Store, Take, Word},
};

/// What to merge, and how conflicts are settled.
#[derive(Clone, Debug, Default)]
pub struct MergeRequest {
    /// Folders, archives or project files.
    pub others: Vec<PathBuf>,
    /// `ours`, `theirs`, or KEY=ours and KEY=theirs; what is named goes before what is not.
    pub take: Vec<String>,
    /// Who merges; None for the command line.
    pub who: Option<String>,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
}

/// What one merge did.
#[derive(Debug, Serialize)]
pub struct Merged {
    /// What was merged.
    pub from: String,
    /// The journal entry that closes it; none if there was nothing to do.
    pub entry: Option<i64>,
    /// Entries that came.
    pub entries: u64,
    /// Images that were new.
    pub images: u64,
    /// Annotations that were new.
    pub annotations: u64,
    /// Masks on which the strokes of both sides were combined.
    pub combined: u64,
    /// Image files that were copied along.
    pub files: u64,
    /// Conflicts that were settled.
    pub settled: Vec<ListedConflict>,
    /// Conflicts that wait for a choice.
    pub open: Vec<ListedConflict>,
}

/// A conflict.
#[derive(Debug, Serialize)]
pub struct ListedConflict {
    /// What `--take` calls it.
    pub key: String,
    /// The image's path.
    pub path: String,
    /// Whose annotation it is about.
    pub annotator: Option<String>,
    /// What it is about.
    pub what: String,
    /// What is said here, by whom and when.
    pub ours: String,
    /// What is said there.
    pub theirs: String,
    /// How many pixels differ, where it is about a mask.
    pub pixels: Option<u64>,
    /// Whose word was taken.
    pub taken: Option<&'static str>,
}

/// Merges each of them, one after the other, each in one transaction.
///
/// # Errors
/// [`OpsError`] if one can't be read or is no copy of this project: those before it are merged, it is not.
pub fn merge(project: &mut Project, request: &MergeRequest, progress: &dyn Progress) -> Result<Vec<Merged>, OpsError> {
    let takes = Takes::parse(&request.take)?;
    let actor = request.who.as_deref().map_or(Actor::Operator, Actor::Annotator);
    let mut merged = Vec::new();
    for other in &request.others {
        if progress.stopped() {
            return Err(OpsError::Stopped);
        }
        let there = There::open(other, progress)?;
        let label = other.display().to_string();
        let files = if request.dry_run { 0 } else { copy_files(&project.store, &there.store, progress)? };
        let outcome = project
            .store
            .merge(&there.store, actor, &label, request.dry_run, &mut |conflict| takes.of(&conflict.key))?;
        let (settled, open) =
            outcome.conflicts.into_iter().map(listed).partition(|c: &ListedConflict| c.taken.is_some());
        merged.push(Merged {
            from: label,
            entry: outcome.entry.map(|entry| entry.0),
            entries: outcome.entries,
            images: outcome.images,
            annotations: outcome.annotations,
            combined: outcome.combined,
            files,
            settled,
            open,
        });
    }
    Ok(merged)
}

/// Which word is taken in which conflict.
struct Takes {
    all: Option<Take>,
    named: BTreeMap<String, Take>,
}

impl Takes {
    fn parse(texts: &[String]) -> Result<Self, OpsError> {
        let side = |text: &str| match text {
            "ours" => Some(Take::Ours),
            "theirs" => Some(Take::Theirs),
            _ => None,
        };
        let mut takes = Self { all: None, named: BTreeMap::new() };
        for text in texts {
            match (side(text), text.rsplit_once('=')) {
                (Some(take), _) if takes.all.is_none_or(|all| all == take) => takes.all = Some(take),
                (None, Some((key, word))) if side(word).is_some() => {
                    takes.named.extend(side(word).map(|take| (key.to_owned(), take)));
                }
                _ => {
                    let text = format!("--take {text}: say ours or theirs for all, or KEY=ours or KEY=theirs for one");
                    return Err(OpsError::Usage(text));
                }
            }
        }
        Ok(takes)
    }

    fn of(&self, key: &str) -> Option<Take> {
        self.named.get(key).copied().or(self.all)
    }
}

fn listed(conflict: MergeConflict) -> ListedConflict {
    let word = |word: &Word| {
        let who = word.who.as_deref().unwrap_or("nobody named");
        word.at.map_or_else(|| word.says.clone(), |at| format!("{} ({who}, {})", word.says, utc(at)))
    };
    ListedConflict {
        ours: word(&conflict.ours),
        theirs: word(&conflict.theirs),
        key: conflict.key,
        path: conflict.path,
        annotator: conflict.annotator,
        what: conflict.what,
        pixels: conflict.pixels,
        taken: conflict.taken.map(|take| match take {
            Take::Ours => "ours",
            Take::Theirs => "theirs",
        }),
    }
}

/// Another copy, and the folder that it was unpacked to.
struct There {
    store: Store,
    _unpacked: Option<TempDir>,
}

impl There {
    fn open(path: &Path, progress: &dyn Progress) -> Result<Self, OpsError> {
        let temporary = || TempDir::new().map_err(OpsError::io(&std::env::temp_dir()));
        if path.is_dir() {
            return Ok(Self { store: Store::open(path)?, _unpacked: None });
        }
        if !path.is_file() {
            return Err(OpsError::Usage(format!("{}: no folder, archive or project file is there", path.display())));
        }
        if path.file_name().is_some_and(|name| name == FILE_NAME) {
            let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
            return Ok(Self { store: Store::open(dir)?, _unpacked: None });
        }
        let folder = temporary()?;
        if archive::is_archive(path)? {
            archive::extract(path, folder.path(), progress)?;
        } else {
            // A project file under a name of its own, with what SQLite has not yet written into it.
            for suffix in ["", "-wal"] {
                let from = PathBuf::from(format!("{}{suffix}", path.display()));
                if from.is_file() {
                    let to = folder.path().join(format!("{FILE_NAME}{suffix}"));
                    fs::copy(&from, &to).map_err(OpsError::io(&from))?;
                }
            }
        }
        Ok(Self { store: Store::open(folder.path())?, _unpacked: Some(folder) })
    }
}

/// Copies the files of their images that lie in their project folder and are missing in ours. A file that is here already
/// is never touched.
fn copy_files(ours: &Store, theirs: &Store, progress: &dyn Progress) -> Result<u64, OpsError> {
    let images = theirs.images(&ImageFilter::default())?;
    let known: BTreeMap<_, ImageId> = ours.identities()?.images;
    let uids: BTreeMap<ImageId, _> = theirs.identities()?.images.into_iter().map(|(uid, id)| (id, uid)).collect();
    let mut files: Vec<(PathBuf, PathBuf, ContentHash)> = Vec::new();
    for image in images.iter().filter(|image| image.root.is_empty()) {
        if uids.get(&image.id).is_none_or(|uid| !known.contains_key(uid)) {
            files.push((image.file.clone(), ours.dir().join(&image.path), image.content));
            for mask in theirs.source_masks(image.id)? {
                if let Ok(path) = mask.file.strip_prefix(theirs.dir()) {
                    files.push((mask.file.clone(), ours.dir().join(path), mask.content));
                }
            }
        }
    }
    files.retain(|(from, to, _)| !to.exists() && from.is_file());
    progress.begin("copying", files.len() as u64);
    let mut copied = 0;
    for (from, to, content) in files {
        let bytes = fs::read(&from).map_err(OpsError::io(&from))?;
        if ContentHash::of(&bytes) == content {
            durable::write_bytes(&to, &bytes).map_err(OpsError::io(&to))?;
            copied += 1;
        }
        progress.advance(1);
    }
    progress.end();
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_goes_before_what_is_not() {
        let parse = |texts: &[&str]| Takes::parse(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        let takes = parse(&["ours", "a=b.jpg:0:ada:ears=theirs"]).unwrap();
        assert_eq!((takes.of("a=b.jpg:0:ada:ears"), takes.of("else")), (Some(Take::Theirs), Some(Take::Ours)));
        assert_eq!(parse(&[]).unwrap().of("else"), None);
        for wrong in [&["mine"][..], &["a=mine"], &["ours", "theirs"]] {
            assert!(matches!(parse(wrong), Err(OpsError::Usage(_))), "{wrong:?}");
        }
    }
}
