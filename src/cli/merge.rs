//! `rival10 merge`.

use std::path::PathBuf;

use super::{
    Outcome,
    shell::{Shell, counted},
};
use crate::ops::{self, MergeRequest};

/// Bring in what was done in other copies of this project: folders, archives that came back, or bare project files.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 merge back/*.tar                         what came back, in any order, as often as you like
  rival10 merge ../copy --dry-run                  what would come
  rival10 merge ../copy --take theirs              in every conflict, what is said there
  rival10 merge ../copy --take 'cat/1.jpg:0:ada:ears=ours' --take theirs

What one side alone changed is taken, and strokes that share no pixel are combined. Anything else that both changed is a
conflict: it is listed, stays as it is here, and is asked again until --take settles it. Exits with 1 while one is open.
`rival10 undo ENTRY` takes a whole merge back.")]
pub(super) struct Args {
    /// Folders, archives or project files
    #[arg(required = true, value_name = "OTHER")]
    others: Vec<PathBuf>,
    /// Whose word holds: ours or theirs for all conflicts, KEY=ours or KEY=theirs for one
    #[arg(long, value_name = "WORD")]
    take: Vec<String>,
    /// Who merges
    #[arg(long, value_name = "NAME")]
    annotator: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: Args, shell: &Shell) -> anyhow::Result<Outcome> {
    let Args { others, take, annotator, dry_run } = args;
    let request = MergeRequest { others, take, who: annotator, dry_run };
    let merged = ops::merge(&mut shell.open()?, &request, shell.progress())?;
    let open = merged.iter().map(|one| one.open.len()).sum::<usize>();
    if shell.json() {
        shell.print_json(&merged)?;
    } else {
        for one in &merged {
            shell.print(format!(
                "{}: {}, {} and {} that are new, {} combined, {} copied",
                one.from,
                counted(one.entries, "change"),
                counted(one.images, "image"),
                counted(one.annotations, "annotation"),
                counted(one.combined, "mask"),
                counted(one.files, "file")
            ))?;
            if let Some(entry) = one.entry.filter(|_| !dry_run) {
                shell.remark(format!("undo {entry} takes it back"));
            }
        }
        let rows: Vec<_> = merged.iter().flat_map(|one| one.settled.iter().chain(&one.open)).map(row).collect();
        if !rows.is_empty() {
            shell.print_table(&["conflict", "here", "there", "pixels", "taken"], &rows)?;
        }
        if open > 0 {
            shell.remark("nothing was chosen in what is open: --take ours|theirs, or --take 'CONFLICT=ours' for one");
        }
    }
    Ok(if open > 0 { Outcome::DoesNotHold } else { Outcome::Done })
}

fn row(conflict: &ops::ListedConflict) -> Vec<String> {
    vec![
        conflict.key.clone(),
        conflict.ours.clone(),
        conflict.theirs.clone(),
        conflict.pixels.map_or_else(String::new, |pixels| pixels.to_string()),
        conflict.taken.unwrap_or("open").to_owned(),
    ]
}
