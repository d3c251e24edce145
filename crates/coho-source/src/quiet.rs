//! Foreign code that panics on damaged data: the panic is an answer, and its message is nobody's business.
//!
//! A hook is set before the usual one, once. It passes on every panic but those of a thread that is within [`attempt`].

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

static HOOK: Once = Once::new();

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// What the work gives; `None` where it panicked.
pub(crate) fn attempt<T>(work: impl FnOnce() -> T) -> Option<T> {
    HOOK.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                usual(panic);
            }
        }));
    });
    let before = QUIET.replace(true);
    let given = catch_unwind(AssertUnwindSafe(work)).ok();
    QUIET.set(before);
    given
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn only_panics_within_are_silent() {
        static HEARD: AtomicU32 = AtomicU32::new(0);
        set_hook(Box::new(|_| {
            HEARD.fetch_add(1, Ordering::Relaxed);
        }));
        assert_eq!(attempt(|| 1), Some(1));
        assert_eq!(attempt(|| -> u32 { panic!("damaged") }), None);
        assert_eq!(HEARD.load(Ordering::Relaxed), 0);
        catch_unwind(|| panic!("a defect")).unwrap_err();
        assert_eq!(HEARD.load(Ordering::Relaxed), 1);
    }
}
