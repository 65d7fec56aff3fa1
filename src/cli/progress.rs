//! Progress on stderr: how far, how fast, how long still. A bar on a terminal; elsewhere, as in a cluster's log, a line a
//! minute of work that takes longer.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::shell::{complain, counted, grouped};
use crate::domain::{Forecast, Progress};

/// How often a line is written where there is no bar.
const LINE_EVERY: Duration = Duration::from_secs(60);

/// Work that will take less than this is not announced.
const WORTH_TELLING: f64 = 60.0;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// A bar that is redrawn.
    Bar,
    /// A line now and then.
    Lines,
    /// Not at all.
    Nothing,
}

/// A listener that shows progress, and that hears of Ctrl-C.
pub(super) struct Bar {
    look: Look,
    stop: Arc<AtomicBool>,
    current: Mutex<Current>,
}

/// The work in hand.
struct Current {
    bar: ProgressBar,
    what: String,
    begun: Instant,
    told: Instant,
    /// Done before it began.
    skipped: u64,
    done: u64,
    total: u64,
}

impl Bar {
    pub(super) fn new(look: Look, stop: Arc<AtomicBool>) -> Self {
        let now = Instant::now();
        let current = Current {
            bar: ProgressBar::hidden(),
            what: String::new(),
            begun: now,
            told: now,
            skipped: 0,
            done: 0,
            total: 0,
        };
        Self { look, stop, current: Mutex::new(current) }
    }

    /// Runs `speak` while the bar is out of the way.
    pub(super) fn suspend(&self, speak: impl FnOnce()) {
        let bar = self.with(|current| current.bar.clone());
        bar.suspend(speak);
    }

    fn with<T>(&self, action: impl FnOnce(&mut Current) -> T) -> T {
        action(&mut self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Progress for Bar {
    fn begin(&self, what: &str, total: u64) {
        let bar = if self.look == Look::Bar {
            let style = ProgressStyle::with_template("{msg:<24} {wide_bar} {pos}/{len} {per_sec:>10} {eta:>5} left")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr()).with_style(style)
        } else {
            ProgressBar::hidden()
        };
        bar.set_message(what.to_owned());
        let now = Instant::now();
        self.with(|current| {
            *current = Current { bar, what: what.to_owned(), begun: now, told: now, skipped: 0, done: 0, total };
        });
    }

    fn advance(&self, steps: u64) {
        let line = self.with(|current| {
            current.bar.inc(steps);
            current.done += steps;
            (self.look == Look::Lines && current.told.elapsed() >= LINE_EVERY).then(|| {
                current.told = Instant::now();
                current.line()
            })
        });
        if let Some(line) = line {
            complain(&line);
        }
    }

    fn skip(&self, steps: u64) {
        self.with(|current| {
            current.bar.inc(steps);
            current.bar.reset_eta();
            current.skipped += steps;
            current.done += steps;
        });
    }

    fn forecast(&self, forecast: &Forecast) {
        if self.look != Look::Nothing && forecast.seconds >= WORTH_TELLING {
            complain(&describe(forecast));
        }
    }

    fn end(&self) {
        self.with(|current| current.bar.finish_and_clear());
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Current {
    fn line(&self) -> String {
        let rate = as_f64(self.done - self.skipped) / self.begun.elapsed().as_secs_f64().max(1e-9);
        let left = as_f64(self.total.saturating_sub(self.done)) / rate.max(1e-9);
        format!(
            "{}: {} of {}, {rate:.1} a second, about {} left",
            self.what,
            grouped(self.done),
            grouped(self.total),
            duration(left)
        )
    }
}

/// What work will take, in a line.
pub(super) fn describe(forecast: &Forecast) -> String {
    let memory =
        forecast.memory.map_or_else(String::new, |bytes| format!(", {} MB of memory", grouped(bytes / 1_000_000)));
    format!(
        "{}: {} will take about {}{memory}",
        forecast.phase,
        counted(forecast.images, "image"),
        duration(forecast.seconds)
    )
}

/// `2 h 05 min`, `12 min`, `45 s`.
fn duration(seconds: f64) -> String {
    // A float becomes the nearest integer that there is, and no number is below 0.
    let seconds = seconds.round().max(0.0) as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds) {
        (0, 0, _) => format!("{seconds} s"),
        (0, minutes, _) if seconds < 600 && !seconds.is_multiple_of(60) => {
            format!("{minutes} min {:02} s", seconds % 60)
        }
        (0, minutes, _) => format!("{minutes} min"),
        (hours, minutes, _) => format!("{} h {minutes:02} min", grouped(hours)),
    }
}

fn as_f64(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_as_exact_as_they_are_worth() {
        let spelt = [0.2, 59.4, 60.0, 61.0, 599.0, 3599.0, 7500.0, 3_600_000.0, f64::INFINITY].map(duration);
        assert_eq!(spelt[..7], ["0 s", "59 s", "1 min", "1 min 01 s", "9 min 59 s", "59 min", "2 h 05 min"]);
        assert_eq!(spelt[7], "1,000 h 00 min");
    }

    #[test]
    fn what_was_done_before_says_nothing_of_the_speed() {
        let bar = Bar::new(Look::Lines, Arc::new(AtomicBool::new(false)));
        bar.begin("noise", 1000);
        bar.skip(900);
        bar.with(|current| current.begun = Instant::now().checked_sub(Duration::from_secs(10)).unwrap());
        bar.advance(50);
        let line = bar.with(|current| current.line());
        assert_eq!(line, "noise: 950 of 1,000, 5.0 a second, about 10 s left");
    }
}
