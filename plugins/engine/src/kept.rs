//! A few things that are dear to make, kept by what they were made for.

use std::sync::{Arc, Mutex, PoisonError};

/// How many are kept: an analysis uses one or two.
const KEPT: usize = 8;

/// At most eight values by their keys; the least recently used goes first.
pub(crate) struct Kept<K, V>(Mutex<Vec<(K, Arc<V>)>>);

impl<K: PartialEq, V> Kept<K, V> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// The value for `key`, made by `make` if it isn't there. Threads that ask meanwhile wait, so that none is made twice.
    pub(crate) fn get<E>(&self, key: K, make: impl FnOnce(&K) -> Result<V, E>) -> Result<Arc<V>, E> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let value = match kept.iter().position(|(of, _)| *of == key) {
            Some(at) => kept.remove(at).1,
            None => Arc::new(make(&key)?),
        };
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push((key, Arc::clone(&value)));
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_goes_first() {
        let kept = Kept::new();
        let mut made = Vec::new();
        for key in [0, 1, 2, 3, 4, 5, 6, 7, 0, 8, 0, 1] {
            let value = kept.get(key, |&key| {
                made.push(key);
                Ok::<_, ()>(10 * key)
            });
            assert_eq!(*value.unwrap(), 10 * key);
        }
        assert_eq!(made, [0, 1, 2, 3, 4, 5, 6, 7, 8, 1]);
        assert_eq!(kept.get(99, |_| Err("no")), Err("no"));
        assert_eq!(made.len(), 10);
    }
}
