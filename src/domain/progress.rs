//! How long work tells how far it is, and learns that it should stop.

/// A listener of long work. Called from any thread.
pub trait Progress: Sync {
    /// `total` steps of `what` begin.
    fn begin(&self, what: &str, total: u64);
    /// `steps` more are done.
    fn advance(&self, steps: u64);
    /// The work is over.
    fn end(&self);
    /// Whether the user has asked to stop; work ends at its next safe point.
    fn stopped(&self) -> bool;
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
