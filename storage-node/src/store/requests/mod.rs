//! What travels in the queues between callers and a disk's threads.

mod ack;
mod log;
mod read;
mod region;
mod stream;

pub(crate) use ack::{Ack, Change, Reply};
pub(crate) use log::LogRequest;
pub(crate) use read::{ReadRequest, WantedCells};
pub(crate) use region::Region;
pub(crate) use stream::StreamRequest;
