//! Requests to the stream threads.

use std::sync::Arc;

use cairn_core::cell::Cell;
use tokio::sync::OwnedSemaphorePermit;

use super::ack::Reply;
use super::region::Region;
use crate::format::FOOTER_BYTES;

/// What the stream threads do on request.
pub(crate) enum StreamRequest {
    /// Write cells at an offset in the record.
    Cells { region: Arc<Region>, offset: u64, cells: Vec<Cell>, memory: OwnedSemaphorePermit, reply: Reply<()> },
    /// Write the footer and pass the record on to the sync thread.
    Finish { region: Arc<Region>, footer: [u8; FOOTER_BYTES], reply: Reply<()> },
}
