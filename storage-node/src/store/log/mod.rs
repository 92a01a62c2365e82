//! Writing: the log thread hands out space, stream threads fill large regions, the sync thread acknowledges.

mod group;
pub(crate) mod stream;
mod stream_writer;
pub(crate) mod sync;
mod tail;
mod writer;

pub(crate) use stream_writer::{StreamWriter, check_cells};
pub(crate) use writer::LogWriter;
