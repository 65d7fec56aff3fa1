//! How long work tells how far it is, and learns that it should stop.

use serde::Serialize;

/// A listener of long work. Called from any thread.
pub trait Progress: Sync {
    /// `total` steps of `what` begin.
    fn begin(&self, what: &str, total: u64);
    /// `steps` more are done.
    fn advance(&self, steps: u64);
    /// `steps` were done before: they say nothing of the speed.
    fn skip(&self, steps: u64) {
        self.advance(steps);
    }
    /// What is about to begin will take this.
    fn forecast(&self, forecast: &Forecast) {
        _ = forecast;
    }
    /// The work is over.
    fn end(&self);
    /// Whether the user has asked to stop; work ends at its next safe point.
    fn stopped(&self) -> bool;
}

/// What a phase of an analysis will take.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forecast {
    /// The phase.
    pub phase: String,
    /// How many images are left.
    pub images: u64,
    /// How long they will take, in seconds.
    pub seconds: f64,
    /// The most memory that will be held, in bytes; none where the system does not say.
    pub memory: Option<u64>,
}

/// Says nothing and never stops.
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn end(&self) {}
    fn stopped(&self) -> bool {
        false
    }
}
