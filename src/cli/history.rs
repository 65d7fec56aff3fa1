//! `rival10 log`, `undo`, `blame` and `diff`.

use super::{
    Outcome,
    shell::{Shell, counted, grouped},
};
use crate::ops::{self, BlameRequest, LogRequest};

/// What was changed, by whom and when.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 log
  rival10 log --image cat/0001.jpg --layer ears
  rival10 log --annotator ada --since 2026-11-24T10:00
  rival10 log --limit 200 --json")]
pub(super) struct LogArgs {
    /// The latest entries alone
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// About this image, by path, name or number
    #[arg(long)]
    image: Option<String>,
    /// By this annotator
    #[arg(long, value_name = "NAME")]
    annotator: Option<String>,
    /// About this layer or attribute
    #[arg(long)]
    layer: Option<String>,
    /// Of this kind: set-mask, set-status, import, …
    #[arg(long)]
    kind: Option<String>,
    /// Not before this time, in UTC
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Not after this time, in UTC
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

/// Take an entry of the log back. The undoing is an entry too: undoing it is redoing.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 log
  rival10 undo 42           it prints the number of the entry that this makes, say 57
  rival10 undo 57           brings it back")]
pub(super) struct UndoArgs {
    /// The entry's number, from `rival10 log`
    entry: i64,
    /// Who takes it back
    #[arg(long, value_name = "NAME")]
    annotator: Option<String>,
}

/// Who made an image's annotations what they are.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 blame cat/0001.jpg                      every layer, by share of its pixels, and every attribute
  rival10 blame cat/0001.jpg --pixel 120,80       who decided that pixel
  rival10 blame cat/0001.jpg --layer ears --of ada")]
pub(super) struct BlameArgs {
    /// The image, by path, name or number
    image: String,
    /// This pixel: x,y from the upper left corner of the upright picture
    #[arg(long, value_name = "X,Y", value_parser = pixel)]
    pixel: Option<(u32, u32)>,
    /// This layer or attribute alone
    #[arg(long)]
    layer: Option<String>,
    /// This annotator's annotations alone
    #[arg(long, value_name = "NAME")]
    of: Option<String>,
}

/// What differs between two projects, moments or releases: attributes by value, masks by pixels.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 diff ../copy                     the copy, and this project as it is
  rival10 diff @120                        this project as it was when entry 120 was its newest, and as it is
  rival10 diff @2026-11-24 @2026-11-25     between the ends of two days, in UTC
  rival10 diff v1 v2                       two releases
  rival10 diff ../copy@120 ../other/rival10.db --json

Exits with 1 if anything differs.")]
pub(super) struct DiffArgs {
    /// A folder, a project file, a release, or @ENTRY or @TIME, also after a folder
    from: String,
    /// The same [default: this project as it is]
    to: Option<String>,
    /// Say how many images differ, and not in what
    #[arg(long)]
    summary: bool,
}

fn pixel(text: &str) -> Result<(u32, u32), String> {
    let parsed = text.split_once(',').and_then(|(x, y)| Some((x.trim().parse().ok()?, y.trim().parse().ok()?)));
    parsed.ok_or_else(|| "a pixel is two numbers, as in 120,80".to_owned())
}

pub(super) fn log(args: LogArgs, shell: &Shell) -> anyhow::Result<Outcome> {
    let LogArgs { limit, image, annotator, layer, kind, since, until } = args;
    let request = LogRequest { limit: Some(limit as u64), image, annotator, layer, kind, since, until };
    let entries = ops::log(&shell.open()?, &request)?;
    if shell.json() {
        shell.print_json(&entries)?;
        return Ok(Outcome::Done);
    }
    let row =
        |e: &ops::LogEntry| vec![e.id.to_string(), e.when.clone(), e.who.clone(), e.what.clone(), e.image.clone()];
    shell
        .print_table(&["entry", "when (UTC)", "who", "what", "image"], &entries.iter().map(row).collect::<Vec<_>>())?;
    Ok(Outcome::Done)
}

pub(super) fn undo(args: &UndoArgs, shell: &Shell) -> anyhow::Result<Outcome> {
    let entry = ops::undo(&mut shell.open()?, args.entry, args.annotator.as_deref())?;
    if shell.json() {
        shell.print_json(&serde_json::json!({ "undone": args.entry, "entry": entry }))?;
    } else {
        shell.print(format!("entry {} is undone; that is entry {entry}", args.entry))?;
    }
    Ok(Outcome::Done)
}

pub(super) fn blame(args: BlameArgs, shell: &Shell) -> anyhow::Result<Outcome> {
    let BlameArgs { image, pixel, layer, of } = args;
    let blames = ops::blame(&shell.open()?, &BlameRequest { image, pixel, layer, of })?;
    if shell.json() {
        shell.print_json(&blames)?;
        return Ok(Outcome::Done);
    }
    let mut rows = Vec::new();
    for blame in &blames {
        let start = |what: &str| vec![blame.annotator.clone(), blame.instance.to_string(), what.to_owned()];
        let who = |who: &str| if who.is_empty() { "(nobody named)".to_owned() } else { who.to_owned() };
        for mask in &blame.masks {
            let outside = if mask.inside == Some(false) { "outside" } else { "never touched" };
            for by in &mask.by {
                let share = match mask.inside {
                    Some(true) => "inside".to_owned(),
                    Some(false) => outside.to_owned(),
                    None => format!("{:.1}% of its pixels", by.share * 100.0),
                };
                let how = if by.imported { "imported" } else { "drawn" };
                let who = who(&by.who);
                rows.push([
                    start(&mask.layer),
                    vec![share, who, how.to_owned(), by.when.clone(), by.entry.to_string()],
                ]);
            }
            if mask.by.is_empty() {
                let empty = if mask.inside.is_some() { outside } else { "no pixels" }.to_owned();
                let nothing = String::new;
                rows.push([start(&mask.layer), vec![empty, nothing(), nothing(), nothing(), nothing()]]);
            }
        }
        for judged in &blame.attributes {
            let (who, when) = (who(&judged.who), judged.when.clone());
            let cells = vec![judged.judged.to_owned(), who, "judged".to_owned(), when, judged.entry.to_string()];
            rows.push([start(&judged.attribute), cells]);
        }
    }
    let rows: Vec<Vec<String>> = rows.into_iter().map(|parts| parts.concat()).collect();
    shell.print_table(&["annotator", "instance", "of", "is", "by", "how", "when (UTC)", "entry"], &rows)?;
    Ok(Outcome::Done)
}

pub(super) fn diff(args: &DiffArgs, shell: &Shell) -> anyhow::Result<Outcome> {
    let project = shell.open()?;
    let diff = ops::diff(&project, &args.from, args.to.as_deref(), shell.progress())?;
    let outcome = if diff.is_empty() { Outcome::Done } else { Outcome::DoesNotHold };
    if shell.json() {
        shell.print_json(&diff)?;
        return Ok(outcome);
    }
    if !args.summary {
        let mut rows = Vec::new();
        for image in &diff.images {
            let path = &image.path;
            for (field, turn) in &image.fields {
                rows.push(vec![path.clone(), String::new(), (*field).to_owned(), turned(turn)]);
            }
            for annotation in &image.annotations {
                let whose = format!("{} / {}", annotation.annotator, annotation.instance);
                for (what, text) in annotation_lines(annotation) {
                    rows.push(vec![path.clone(), whose.clone(), what, text]);
                }
            }
        }
        for (paths, what) in [(&diff.images_removed, "gone"), (&diff.images_added, "new")] {
            rows.extend(
                paths.iter().map(|path| vec![path.clone(), String::new(), "image".to_owned(), what.to_owned()]),
            );
        }
        if !rows.is_empty() {
            shell.print_table(&["image", "annotator / instance", "what", "change"], &rows)?;
        }
    }
    shell.print(format!(
        "{} compared: {} differ, {} new, {} gone",
        counted(diff.images_compared, "image"),
        diff.images.len(),
        diff.images_added.len(),
        diff.images_removed.len()
    ))?;
    shell.remark(format!("from {} to {}", diff.from, diff.to));
    Ok(outcome)
}

fn turned(turn: &ops::Turn) -> String {
    format!("{} -> {}", turn.from, turn.to)
}

/// What differs in an annotation, a line each.
fn annotation_lines(annotation: &ops::AnnotationDiff) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    match annotation.what {
        ops::Presence::Added => lines.push(("annotation".to_owned(), "new".to_owned())),
        ops::Presence::Removed => lines.push(("annotation".to_owned(), "gone".to_owned())),
        ops::Presence::Changed => {}
    }
    lines.extend(annotation.fields.iter().map(|(field, turn)| ((*field).to_owned(), turned(turn))));
    lines.extend(annotation.attributes.iter().map(|(attribute, turn)| (attribute.clone(), turned(turn))));
    for mask in &annotation.masks {
        let text = match (mask.before, mask.after) {
            (None, after) => format!("drawn: {} pixels", grouped(after.unwrap_or(0))),
            (Some(before), None) => format!("layer gone: {} pixels", grouped(before)),
            (Some(_), Some(_)) => {
                format!("IoU {:.4}, +{} -{} pixels", mask.iou, grouped(mask.gained), grouped(mask.lost))
            }
        };
        lines.push((format!("mask of {}", mask.layer), text));
    }
    lines
}
