//! `rival10 analyze`.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
};

use clap::CommandFactory;
use serde_json::Value;

use super::{
    Cli, Outcome,
    progress::describe,
    shell::{Shell, counted, grouped},
};
use crate::{
    domain::{Forecast, Progress},
    ops::{self, AnalyzeRequest, Analyzed, OpsError, Project, Report, Shard, Sharded, Table},
};

/// Run one analysis.
#[derive(clap::Args)]
#[command(
    disable_help_flag = true,
    after_help = "\
Examples:
  rival10 analyze --list
  rival10 analyze --plugin noise-sensitivity --help         with the analysis's own parameters
  rival10 analyze --plugin noise-sensitivity --model mobilenet --split test
  rival10 analyze --plugin noise-sensitivity --model a,b --set levels=30,60 --json
  rival10 analyze --plugin noise-sensitivity --model a --dry-run      how long it would take
  rival10 analyze --plugin noise-sensitivity --model a --shard 2/4    the second of four parts
  rival10 analyze --plugin noise-sensitivity --model t --device cuda:0 --batch 8   a TorchScript module on a GPU

The same command goes on where a stopped one was; rows are kept in the project's runs folder as Parquet. Shards may run
at once, in one project or in copies of it; `rival10 runs merge` brings their parts together.

A program rival10-plugin-NAME on the PATH, or in a folder of RIVAL10_PLUGINS, is an analysis as well."
)]
pub(super) struct Args {
    /// The analysis
    #[arg(long, value_name = "NAME")]
    plugin: Option<String>,
    /// The models under study, separated by commas
    #[arg(long, value_name = "MODEL[,…]", value_delimiter = ',')]
    model: Vec<String>,
    /// How metrics are computed
    #[arg(long, default_value = "strict")]
    profile: String,
    /// The images of this split alone
    #[arg(long)]
    split: Option<String>,
    /// At most this many images, evenly taken
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// A parameter of the analysis; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Only part I of N; the parts are brought together by `rival10 runs merge`
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// What runs the networks: tract, or onnxruntime where rival10 was built with it [default: tract; libtorch for TorchScript]
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
    /// Where TorchScript modules run: cpu, or cuda:N where libtorch finds a GPU [default: cpu]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Images that are handed to the analysis at once; changes no number [default: 1]
    #[arg(long, value_name = "N")]
    batch: Option<NonZeroUsize>,
    /// Say what is left to do and how long it will take, from a short probe, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// List the analyses
    #[arg(long)]
    list: bool,
    /// Print help; with --plugin, of the analysis as well
    #[arg(long, short)]
    help: bool,
}

pub(super) fn run(args: Args, shell: &Shell) -> anyhow::Result<Outcome> {
    if args.help {
        return help(args.plugin.as_deref(), shell);
    }
    if args.list {
        return list(shell);
    }
    let Some(plugin) = args.plugin else {
        return Err(
            OpsError::Usage("name an analysis with --plugin; `rival10 analyze --list` shows them".to_owned()).into()
        );
    };
    let request = AnalyzeRequest {
        plugin,
        models: args.model,
        profile: args.profile,
        split: args.split,
        limit: args.limit,
        settings: args.set,
        seed: shell.seed(),
        engine: args.engine,
        device: args.device,
        batch: args.batch,
    };
    let mut project = shell.open()?;
    if args.dry_run {
        return preview(&project, &request, args.shard.unwrap_or_default(), shell);
    }
    match args.shard {
        None => print_analyzed(shell, &ops::analyze(&mut project, &request, shell.progress())?),
        Some(shard) => print_sharded(shell, &ops::analyze_shard(&mut project, &request, shard, shell.progress())?),
    }
}

/// Listens for the forecast alone.
#[derive(Default)]
struct Probe(Mutex<Option<Forecast>>);

impl Progress for Probe {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn forecast(&self, forecast: &Forecast) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(forecast.clone());
    }
    fn end(&self) {}
    fn stopped(&self) -> bool {
        false
    }
}

fn preview(project: &Project, request: &AnalyzeRequest, shard: Shard, shell: &Shell) -> anyhow::Result<Outcome> {
    let probe = Probe::default();
    let part = ops::preview(project, request, shard, &probe)?;
    let forecast = probe.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    if shell.json() {
        shell.print_json(&serde_json::json!({ "left": part, "forecast": forecast }))?;
        return Ok(Outcome::Done);
    }
    match part {
        None => shell.print("the run is over already: nothing is left to do")?,
        Some(part) => {
            let (found, all) = (part.found, part.found + part.missing);
            shell.print(format!("run {}: {found} of {all} chunks of phase {:?} are there", part.id, part.phase))?;
        }
    }
    if let Some(forecast) = forecast {
        shell.print(describe(&forecast))?;
    }
    Ok(Outcome::Done)
}

/// What a shard, or a merge of shards, came to.
pub(super) fn print_sharded(shell: &Shell, sharded: &Sharded) -> anyhow::Result<Outcome> {
    let part = match sharded {
        Sharded::Finished(done) => return print_analyzed(shell, done),
        Sharded::Part(part) => part,
    };
    if shell.json() {
        shell.print_json(part)?;
        return Ok(Outcome::Done);
    }
    let next = match part.missing {
        0 => format!("all are there: `rival10 runs merge {}` makes the report", part.id),
        _ => format!("{} are still missing, here or elsewhere", counted(part.missing as u64, "chunk")),
    };
    shell.print(format!(
        "run {}, phase {:?}: {} computed, {} there before; {next}",
        part.id,
        part.phase,
        counted(part.computed as u64, "chunk"),
        grouped(part.found as u64)
    ))?;
    Ok(Outcome::Done)
}

/// A run that is over.
pub(super) fn print_analyzed(shell: &Shell, done: &Analyzed) -> anyhow::Result<Outcome> {
    if shell.json() {
        shell.print_json(done)?;
        return Ok(Outcome::Done);
    }
    for (reason, count) in &done.excluded {
        shell.remark(format!("left out: {} ({reason})", counted(*count, "image")));
    }
    if done.reused_chunks > 0 {
        shell.remark(format!(
            "{} of an earlier start were taken as they were",
            counted(done.reused_chunks as u64, "chunk")
        ));
    }
    print_report(shell, &done.report)?;
    shell.print(format!("run {}", done.run))?;
    Ok(Outcome::Done)
}

/// The report as tables: the headline, then every table, then what a reader must know.
pub(super) fn print_report(shell: &Shell, report: &Report) -> anyhow::Result<()> {
    print_headline(shell, report)?;
    // A table without rows says nothing that the notes do not say better.
    for table in report.tables.iter().filter(|table| !table.rows.is_empty()) {
        shell.print(format!("\n{}", table.caption))?;
        print_cells(shell, table)?;
    }
    if !report.notes.is_empty() {
        shell.print("")?;
    }
    for note in &report.notes {
        shell.print(format!("note: {note}"))?;
    }
    Ok(())
}

/// The few numbers that matter most.
pub(super) fn print_headline(shell: &Shell, report: &Report) -> anyhow::Result<()> {
    let digits = if report.counts_alone() { 0 } else { 4 };
    let number = |x: f64| format!("{x:.digits$}");
    let headline: Vec<Vec<String>> = report
        .headline
        .iter()
        .map(|estimate| {
            let interval = estimate
                .interval
                .map_or_else(|| "–".to_owned(), |(low, high)| format!("{} to {}", number(low), number(high)));
            vec![
                estimate.name.clone(),
                estimate.model.clone().unwrap_or_default(),
                estimate.value.map_or_else(|| "undefined".to_owned(), number),
                interval,
                grouped(estimate.n),
            ]
        })
        .collect();
    shell.print_table(&["estimate", "model", "value", "interval", "images"], &headline)?;
    Ok(())
}

fn print_cells(shell: &Shell, table: &Table) -> anyhow::Result<()> {
    let headings: Vec<&str> = table.columns.iter().map(String::as_str).collect();
    // Counts, and columns of whole numbers, are shown as such: noise levels, not accuracies that happen to be 1.
    let whole = |column: usize| {
        let mut numbers = table.rows.iter().filter_map(|row| row.get(column).and_then(Value::as_f64));
        numbers.clone().any(|x| x > 1.0) && numbers.all(|x| x.fract() == 0.0)
    };
    let whole: Vec<bool> = (0..table.columns.len()).map(whole).collect();
    let cell = |(column, value): (usize, &Value)| match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(n) => {
            let digits = if whole.get(column) == Some(&true) || !n.is_f64() { 0 } else { 4 };
            n.as_f64().map_or_else(|| n.to_string(), |x| format!("{x:.digits$}"))
        }
        other => other.to_string(),
    };
    let shown = table.shown_columns();
    let row = |row: &Vec<Value>| -> Vec<String> {
        let text = |at: usize| row.get(at).map_or_else(String::new, |value| cell((at, value)));
        let null = |at: usize| row.get(at).is_none_or(Value::is_null);
        let with_bounds = |&(at, bounded): &(usize, bool)| match bounded && !null(at + 1) && !null(at + 2) {
            true => format!("{} ({} to {})", text(at), text(at + 1), text(at + 2)),
            false => text(at),
        };
        shown.iter().map(with_bounds).collect()
    };
    let headings: Vec<&str> = shown.iter().map(|&(at, _)| headings[at]).collect();
    shell.print_table(&headings, &table.rows.iter().map(row).collect::<Vec<_>>())?;
    Ok(())
}

fn list(shell: &Shell) -> anyhow::Result<Outcome> {
    let (plugins, faulty) = ops::list_analyses();
    for reason in faulty {
        shell.remark(format!("left out: {reason}"));
    }
    if shell.json() {
        shell.print_json(&plugins)?;
    } else {
        let rows: Vec<_> =
            plugins.iter().map(|p| vec![p.name.to_owned(), p.version.to_string(), p.summary.to_owned()]).collect();
        shell.print_table(&["analysis", "version", "what it finds out"], &rows)?;
    }
    Ok(Outcome::Done)
}

fn help(plugin: Option<&str>, shell: &Shell) -> anyhow::Result<Outcome> {
    let mut command = Cli::command();
    command.build();
    let analyze = command.find_subcommand_mut("analyze").expect("declared above");
    shell.print(analyze.render_long_help().to_string())?;
    let Some(name) = plugin else { return Ok(Outcome::Done) };
    let plugin = ops::describe_analysis(name)?;
    shell.print(format!("\n{}: {}\nParameters (--set NAME=VALUE):", plugin.name, plugin.summary))?;
    for parameter in &plugin.parameters {
        shell.print(format!("  {} [default: {}]\n      {}", parameter.name, parameter.default, parameter.help))?;
    }
    Ok(Outcome::Done)
}
