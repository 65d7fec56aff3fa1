//! Progress as a bar on stderr: rate and time left, on a terminal only.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::domain::Progress;

/// A listener that draws, and that hears of Ctrl-C.
pub(super) struct Bar {
    visible: bool,
    stop: Arc<AtomicBool>,
    current: Mutex<ProgressBar>,
}

impl Bar {
    pub(super) fn new(visible: bool, stop: Arc<AtomicBool>) -> Self {
        Self { visible, stop, current: Mutex::new(ProgressBar::hidden()) }
    }

    /// Runs `speak` while the bar is out of the way.
    pub(super) fn suspend(&self, speak: impl FnOnce()) {
        self.bar().suspend(speak);
    }

    fn bar(&self) -> ProgressBar {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Progress for Bar {
    fn begin(&self, what: &str, total: u64) {
        if !self.visible {
            return;
        }
        let style = ProgressStyle::with_template("{msg:<24} {wide_bar} {pos}/{len} {per_sec:>10} {eta:>5} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr()).with_style(style);
        bar.set_message(what.to_owned());
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = bar;
    }

    fn advance(&self, steps: u64) {
        self.bar().inc(steps);
    }

    fn end(&self) {
        self.bar().finish_and_clear();
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
