//! Where results, remarks and progress go: stdout, stderr and, on a terminal, a bar. Nothing else in the crate prints.

use std::{
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use anyhow::Context;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, presets};
use serde::Serialize;
use signal_hook::{consts, flag};

use super::{
    Global,
    progress::{Bar, Look},
};
use crate::ops::{self, Project};

/// What a command has at hand to speak with.
pub(super) struct Shell {
    global: Global,
    progress: Bar,
}

impl Shell {
    /// Sets the worker threads and the signal handlers up. The first Ctrl-C or SIGTERM asks the work to stop at its next
    /// safe point; the second ends the process.
    pub(super) fn new(global: Global) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [consts::SIGINT, consts::SIGTERM] {
            flag::register_conditional_shutdown(signal, super::TRY_AGAIN.into(), Arc::clone(&stop))
                .context("signal handlers")?;
            flag::register(signal, Arc::clone(&stop)).context("signal handlers")?;
        }
        // A file that may not grow any more is an error like a full disk, and no reason to be killed in the middle of it.
        flag::register(consts::SIGXFSZ, Arc::default()).context("signal handlers")?;
        if let Some(threads) = global.threads {
            rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build_global().context("worker threads")?;
        }
        let look = match (global.quiet, global.json, io::stderr().is_terminal()) {
            (true, ..) => Look::Nothing,
            (_, false, true) => Look::Bar,
            _ => Look::Lines,
        };
        Ok(Self { global, progress: Bar::new(look, stop) })
    }

    pub(super) fn json(&self) -> bool {
        self.global.json
    }

    pub(super) fn seed(&self) -> u64 {
        self.global.seed
    }

    pub(super) fn progress(&self) -> &Bar {
        &self.progress
    }

    /// The project's folder: `--project`, else the nearest upwards.
    pub(super) fn project_dir(&self) -> anyhow::Result<PathBuf> {
        let dir = ops::find_project(self.global.project.as_deref())?;
        self.check_place(&dir)?;
        Ok(dir)
    }

    /// Fails where a project would not be safe, unless the user said that it is.
    pub(super) fn check_place(&self, dir: &Path) -> anyhow::Result<()> {
        if self.global.allow_network_fs { Ok(()) } else { Ok(ops::refuse_network_file_system(dir)?) }
    }

    /// The folder that `--project` names, whether or not a project is there.
    pub(super) fn named_project(&self) -> Option<&Path> {
        self.global.project.as_deref()
    }

    pub(super) fn open(&self) -> anyhow::Result<Project> {
        Ok(Project::open(&self.project_dir()?)?)
    }

    /// `value` as the command's one JSON document.
    pub(super) fn print_json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, value)?;
        writeln!(out)?;
        Ok(())
    }

    /// A line of the result.
    pub(super) fn print(&self, text: impl AsRef<str>) -> io::Result<()> {
        writeln!(io::stdout().lock(), "{}", text.as_ref())
    }

    /// Text that is a result as it stands.
    pub(super) fn print_bytes(&self, bytes: &[u8]) -> io::Result<()> {
        io::stdout().lock().write_all(bytes)
    }

    /// Something that the user should know and that is not the result.
    pub(super) fn remark(&self, text: impl AsRef<str>) {
        if !self.global.quiet {
            self.progress.suspend(|| complain(text.as_ref()));
        }
    }

    /// A table on stdout; columns whose cells are all numbers are set to the right.
    pub(super) fn print_table(&self, headings: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
        self.print(table(headings, rows).to_string())
    }
}

/// A line to stderr; if even that fails, there is nobody to tell.
pub(super) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn table(headings: &[&str], rows: &[Vec<String>]) -> Table {
    let mut table = Table::new();
    let style = presets::NOTHING.header_separator(LineStyle::none().fill('─').junction('─'));
    table.load_style(style).set_header(headings.iter().copied());
    if io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    } else {
        table.force_no_tty();
    }
    for row in rows {
        table.add_row(row);
    }
    for (i, column) in table.column_iter_mut().enumerate() {
        let numeric = |text: &String| text.chars().next().is_none_or(|c| c.is_ascii_digit() || "-–".contains(c));
        if !rows.is_empty() && rows.iter().filter_map(|row| row.get(i)).all(numeric) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// `12345` as `12,345`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 image`, `2 images`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1000, 26_384, 1_234_567].map(grouped), ["0", "999", "1,000", "26,384", "1,234,567"]);
        assert_eq!(counted(1, "image"), "1 image");
        assert_eq!(counted(0, "image"), "0 images");
    }
}
