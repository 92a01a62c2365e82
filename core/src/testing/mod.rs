//! Time, randomness and threads under a test's control, shared by the tests of all crates.

mod clock;
mod commits;
mod random;
mod threads;

pub use clock::TestClock;
pub use commits::commit_at;
pub use random::CountingRandom;
pub use threads::TestThreads;
