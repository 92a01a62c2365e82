//! What the threads of a disk synchronize with. A test puts a scheduler's versions in their place, to try the orders in
//! which threads may run.

pub(super) use std::sync::{Condvar, Mutex, MutexGuard};
