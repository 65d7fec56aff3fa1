//! The edge between our promise of no panic and an inference engine that makes no such promise.
//!
//! tract asserts and indexes its way through a graph, so that a hostile file can make it panic. What runs inside
//! [`guarded`] gives its panic back as a message, and the process's panic hook stays silent about it: the caller reports
//! it as an error with the file's name. Everything outside is left to the hook that was there before.

use std::{
    any::Any,
    cell::RefCell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

thread_local! {
    /// Some while this thread is inside [`guarded`]: where the panic that ended it happened, once there was one.
    static GUARDED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work`; a panic inside becomes an error that says what the engine said and where.
///
/// `work` must leave nothing half-made behind that outlives it: what it had is dropped.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    install_hook();
    let outer = GUARDED.replace(Some(String::new()));
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    let place = GUARDED.replace(outer).unwrap_or_default();
    result.map_err(|payload| format!("{} ({place})", message(payload.as_ref())))
}

/// Wraps the process's panic hook, once, by one that notes the place of a guarded panic and passes on every other.
fn install_hook() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let guarded = GUARDED.try_with(|state| {
                let mut state = state.try_borrow_mut().ok()?;
                let place = state.as_mut()?;
                *place = info.location().map_or_else(|| "unknown place".to_owned(), short_place);
                Some(())
            });
            if !matches!(guarded, Ok(Some(()))) {
                previous(info);
            }
        }));
    });
}

/// `tract-core-0.23.9/src/ops/….rs:12`: the part of the path that means something on another machine.
fn short_place(location: &panic::Location<'_>) -> String {
    let file = location.file();
    let start = file.rfind("/tract").map_or(0, |at| at + 1);
    format!("{}:{}", &file[start..], location.line())
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_inside_becomes_a_message_with_its_place() {
        let error = guarded(|| panic!("boom {}", 7)).unwrap_err();
        assert!(error.starts_with("boom 7 ("), "{error}");
        assert!(error.contains("guard.rs:"), "{error}");
        assert_eq!(guarded(|| 3), Ok(3));
    }

    #[test]
    fn guards_nest_and_leave_the_thread_as_it_was() {
        let outer = guarded(|| {
            assert!(guarded(|| panic!("inner")).is_err());
            5
        });
        assert_eq!(outer, Ok(5));
        assert!(GUARDED.with_borrow(Option::is_none));
    }
}
