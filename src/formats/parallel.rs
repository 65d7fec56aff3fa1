//! Work on every entry of a list, on all cores.

use rayon::prelude::*;

use super::FormatError;
use crate::domain::Progress;

/// Runs `work` on every entry, told to `progress` as `what`; the results in the order of the entries, or an error.
///
/// Work that the user stops ends before the next entry.
pub(super) fn each<T: Sync, R: Send>(
    what: &str,
    entries: &[T],
    progress: &dyn Progress,
    work: impl Fn(&T) -> Result<R, FormatError> + Sync,
) -> Result<Vec<R>, FormatError> {
    progress.begin(what, entries.len() as u64);
    let one = |entry| {
        if progress.stopped() {
            return Err(FormatError::Stopped);
        }
        let result = work(entry)?;
        progress.advance(1);
        Ok(result)
    };
    let results = entries.par_iter().map(one).collect();
    progress.end();
    results
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use super::*;
    use crate::domain::Silent;

    /// Stops after three steps.
    struct Impatient(AtomicU64);

    impl Progress for Impatient {
        fn begin(&self, _: &str, _: u64) {}
        fn advance(&self, steps: u64) {
            self.0.fetch_add(steps, Relaxed);
        }
        fn end(&self) {}
        fn stopped(&self) -> bool {
            self.0.load(Relaxed) >= 3
        }
    }

    #[test]
    fn results_come_in_the_order_of_the_entries() {
        let entries: Vec<u32> = (0..1000).collect();
        assert_eq!(
            each("doubling", &entries, &Silent, |&n| Ok(2 * n)).unwrap(),
            (0..2000).step_by(2).collect::<Vec<_>>()
        );
    }

    #[test]
    fn stopping_ends_the_work_with_an_error_of_its_own() {
        let patience = Impatient(AtomicU64::new(0));
        let stopped = each("nothing", &[(); 10_000], &patience, |()| Ok(()));
        assert!(matches!(stopped, Err(FormatError::Stopped)));
        assert!(patience.0.into_inner() < 10_000);
    }
}
