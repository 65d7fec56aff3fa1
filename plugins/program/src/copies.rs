//! Running copies of one program, lent to whoever asks: no more than may run at once, and none that has failed.

use std::sync::{Condvar, Mutex, PoisonError};

use crate::{Fault, Worker};

/// The copies of one program.
#[derive(Debug)]
pub struct Copies {
    most: usize,
    running: Mutex<Running>,
    given_back: Condvar,
}

#[derive(Debug, Default)]
struct Running {
    idle: Vec<Worker>,
    count: usize,
}

impl Copies {
    /// At most `most` copies, of which `first` runs already.
    #[must_use]
    pub fn new(most: usize, first: Worker) -> Self {
        let running = Mutex::new(Running { idle: vec![first], count: 1 });
        Self { most, running, given_back: Condvar::new() }
    }

    /// Lends a running copy to `ask`, where all are lent and another may run one that `start` makes. One that has failed
    /// is ended and not used again; `failed` says what its fault was.
    ///
    /// # Errors
    /// What `start` and `failed` give.
    pub fn with<T, E>(
        &self,
        start: impl FnOnce() -> Result<Worker, E>,
        ask: impl FnOnce(&mut Worker) -> Result<T, Fault>,
        failed: impl FnOnce(Fault, &mut Worker) -> E,
    ) -> Result<T, E> {
        let mut worker = match self.take() {
            Some(worker) => worker,
            None => start().inspect_err(|_| self.give_back(None))?,
        };
        let outcome = ask(&mut worker);
        let kept = matches!(outcome, Ok(_) | Err(Fault::Refused(_)));
        let outcome = outcome.map_err(|fault| failed(fault, &mut worker));
        if kept {
            self.give_back(Some(worker));
        } else {
            drop(worker);
            self.give_back(None);
        }
        outcome
    }

    /// An idle copy; none if another is to be started.
    fn take(&self) -> Option<Worker> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(worker) = running.idle.pop() {
                return Some(worker);
            }
            if running.count < self.most {
                running.count += 1;
                return None;
            }
            running = self.given_back.wait(running).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give_back(&self, worker: Option<Worker>) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match worker {
            Some(worker) => running.idle.push(worker),
            None => running.count -= 1,
        }
        self.given_back.notify_one();
    }
}
