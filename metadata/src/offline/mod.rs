//! Reads the tables of stopped members directly, without the code by which the service checks itself.
//!
//! Nothing is written to the members' directories. They are copied, and log entries beyond the state are applied to
//! the copy, as at the next start. Of several members the one with the newest log is read: it is the one that would
//! lead. If a majority is given, it contains everything that was ever acknowledged.

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
