//! What stopped members say, for an audit: read from the tables themselves, by no code that the service judges itself
//! with.
//!
//! Nothing is written where the members' files are. They are copied, and what the log has beyond the state is applied to
//! the copy, as it would be at the next start. Of several members the one with the newest log speaks: it is the one that
//! would lead. If a majority is given, everything that was ever acknowledged is in it.

mod copy;
mod error;
mod reader;
mod records;
mod source;
#[cfg(test)]
mod tests;

pub use error::OfflineError;
pub use reader::OfflineReader;
pub use records::{Excused, RecordedExtent, RecordedObject};
pub use source::Source;
