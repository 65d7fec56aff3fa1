//! What a program did wrong.

use std::time::Duration;

use crate::Worker;

/// Why an answer is none.
#[derive(Debug)]
pub enum Fault {
    /// The program is gone, or its stdout is.
    Ended,
    /// It refused, in its own words; it goes on.
    Refused(String),
    /// It answered something else than was asked for.
    Garbled(String),
    /// It did not answer in time.
    Late,
}

impl Fault {
    /// The fault in words, with how `worker` ended and what it last said; `longer` says how it could be given more time
    /// than `limit`.
    #[must_use]
    pub fn told(self, worker: &mut Worker, limit: Duration, longer: &str) -> String {
        match self {
            Self::Refused(reason) | Self::Garbled(reason) => reason,
            Self::Ended => format!("it ended before it answered{}", worker.last_words()),
            Self::Late => format!(
                "it has not answered within {} s and was stopped{}; {longer}",
                limit.as_secs_f64(),
                worker.last_words()
            ),
        }
    }
}
