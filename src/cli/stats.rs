//! `rival10 stats`.

use clap::ValueEnum;

use super::{Outcome, shell::Shell, shell::grouped};
use crate::ops::{self, StatsBy};

/// Counts, coverage, attribute frequencies and mask areas.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 stats
  rival10 stats --by attribute
  rival10 stats --by annotator --json")]
pub(super) struct Args {
    /// What a row of the table stands for
    #[arg(long, value_enum, default_value_t = ByArg::Class)]
    by: ByArg,
}

#[derive(Clone, Copy, ValueEnum)]
enum ByArg {
    Class,
    Attribute,
    Annotator,
    Split,
}

pub(super) fn run(args: &Args, shell: &Shell) -> anyhow::Result<Outcome> {
    let by = match args.by {
        ByArg::Class => StatsBy::Class,
        ByArg::Attribute => StatsBy::Attribute,
        ByArg::Annotator => StatsBy::Annotator,
        ByArg::Split => StatsBy::Split,
    };
    let stats = ops::stats(&shell.open()?, by)?;
    if shell.json() {
        shell.print_json(&stats)?;
        return Ok(Outcome::Done);
    }
    shell.print(format!(
        "{} images, {} instances, {} annotations, {} masks; {} images without an annotation that counts",
        grouped(stats.images),
        grouped(stats.instances),
        grouped(stats.annotations),
        grouped(stats.masks),
        grouped(stats.excluded.values().sum())
    ))?;
    let headings: Vec<&str> = stats.columns.iter().map(String::as_str).collect();
    let cell = |value: &serde_json::Value| match value {
        serde_json::Value::Null => "–".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(number) => {
            number.as_u64().map_or_else(|| format!("{:.3}", number.as_f64().unwrap_or(f64::NAN)), grouped)
        }
        other => other.to_string(),
    };
    let rows: Vec<Vec<String>> = stats.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    shell.print_table(&headings, &rows)?;
    for (reason, count) in &stats.excluded {
        shell.print(format!("without: {} ({reason})", grouped(*count)))?;
    }
    Ok(Outcome::Done)
}
