//! Repair decided without I/O: which shards have to be made anew, in which order, where, from what, and how fast.
//!
//! [`assess`] says how an extent stands under a cluster map. [`Task::plan`] turns a shard that is wanted into an order:
//! a disk that may take it and the disks to read from. [`spread()`] plans a move of an extent whose shards stand closer
//! together than they have to. The [`Planner`] holds the tasks that wait and gives them out, the
//! fewest surviving shards first, within its [`Limits`] and at its [`Pace`].

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
