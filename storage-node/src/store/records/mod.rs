//! Reading volumes: one record with all its checksums, and all records in order.

mod damage;
mod reader;
mod scan;
mod settled;

pub use damage::Damage;
pub(crate) use reader::{FileSource, ReadError, RecordReader, Source, verify};
pub(crate) use scan::{Found, Scan, Unread, is_zero};
pub(crate) use settled::{SettledScan, Verdict};
