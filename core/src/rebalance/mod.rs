//! Rebalancing, decided without I/O: which shards move, and where to, until every disk holds its weighted share.
//!
//! [`Loads`] is what metadata places on each disk. [`Balance`] compares it with the shares under a cluster map and
//! plans the moves, extent by extent. Every move lowers the sum of the squared fills, so repeated passes over the same
//! extents come to an end.

mod balance;
mod loads;

pub use balance::{Balance, DiskFill, TOLERANCE_PERCENT};
pub use loads::Loads;
