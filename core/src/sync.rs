//! Locks whose contents stay valid when a holder panics.

use std::sync::{LockResult, PoisonError};

/// Uses what a lock holds, poisoned or not.
///
/// Poison marks data that a panicking thread may have left half changed. If every change behind a lock is complete
/// before anything can panic, the mark has no meaning, and a second panic would only spread the first.
pub trait IgnorePoison {
    /// What the lock gives access to: a guard, a reference or the value itself.
    type Access;

    /// The access, whether or not a holder panicked.
    fn ignore_poison(self) -> Self::Access;
}

impl<T> IgnorePoison for LockResult<T> {
    type Access = T;

    fn ignore_poison(self) -> T {
        self.unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_lock_whose_holder_panicked_is_still_used() {
        let shared = Mutex::new(1);
        let panicked = std::thread::scope(|scope| {
            let holder = scope.spawn(|| {
                let _guard = shared.lock().ignore_poison();
                panic!("while holding the lock");
            });
            holder.join().is_err()
        });
        assert!(panicked && shared.is_poisoned());
        assert_eq!(*shared.lock().ignore_poison(), 1);
    }
}
