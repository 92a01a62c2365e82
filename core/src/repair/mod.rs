//! Repair, decided without I/O: which shards have to be rebuilt, in which order, where, from what, and how fast.
//!
//! [`assess`] finds which shards of an extent are wanted under a cluster map. [`Task::plan`] turns a wanted shard into
//! an order: a disk that may take it and the disks to read from. [`spread()`] plans a move for a crowded extent. The
//! [`Planner`] holds the waiting tasks and gives them out, those with the fewest surviving shards first, within its
//! [`Limits`] and at its [`Pace`].

mod assess;
mod compare;
mod limits;
mod pace;
mod planner;
mod spread;
mod task;

pub use assess::{Assessment, ExtentView, Wanted, Why, assess};
pub use compare::{Difference, compare};
pub use limits::{Limits, Rates};
pub use pace::Pace;
pub use planner::{Planner, Progress};
pub use spread::spread;
pub(crate) use task::profile_of;
pub use task::{Blocked, Task};
