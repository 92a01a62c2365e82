//! Writing a body: split it into extents, encode them, spread the shards, and leave all durable for the commit.

mod body;
mod digest_stage;
mod error;
mod extent;
mod round;
mod stripes;
mod uncommitted;

pub use body::{BodyWriter, WrittenBody};
pub use error::WriteError;
