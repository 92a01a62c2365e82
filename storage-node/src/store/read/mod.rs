//! Reading shards, on threads of the disk's own.

mod cells;
mod describe;
mod reader;

pub(crate) use cells::read_cached;
pub(crate) use reader::run;
