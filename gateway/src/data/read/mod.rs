//! Reading a body: the cells of the data shards where they are good, parity around those that are not.

mod body;
mod error;
mod extent;
mod frames;

pub use body::BodyReader;
pub(crate) use body::LOCATE_EXTENTS;
pub use error::ReadError;
