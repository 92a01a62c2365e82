//! The extents that metadata knows, in order.

use std::collections::VecDeque;
use std::sync::Arc;

use cairn_core::id::ExtentId;
use cairn_protocol::metadata::query::{KnownExtent, ListExtents};
use cairn_protocol::metadata::{Metadata, MetadataError, MetadataExt};

/// Known extents in one page.
const PAGE_EXTENTS: u32 = 4096;

/// Reads the extents that metadata knows, page by page.
pub(super) struct KnownExtents {
    metadata: Arc<dyn Metadata>,
    page: VecDeque<KnownExtent>,
    after: Option<ExtentId>,
    ended: bool,
}

impl KnownExtents {
    pub(super) fn new(metadata: Arc<dyn Metadata>) -> Self {
        Self { metadata, page: VecDeque::new(), after: None, ended: false }
    }

    /// The next extent before `end`; `None` if there is none.
    pub(super) async fn next_before(&mut self, end: Option<ExtentId>) -> Result<Option<KnownExtent>, MetadataError> {
        if self.page.is_empty() && !self.ended {
            let page = self.metadata.ask(ListExtents { after: self.after, limit: PAGE_EXTENTS }).await?;
            self.ended = page.is_empty();
            self.after = page.last().map(|extent| extent.id).or(self.after);
            self.page = page.into();
        }
        let is_before = |extent: &KnownExtent| end.is_none_or(|end| extent.id < end);
        if self.page.front().is_some_and(is_before) { Ok(self.page.pop_front()) } else { Ok(None) }
    }

    /// The extent `id`, if it is the next. Call it after [`KnownExtents::next_before`] has returned `None` for `id`.
    pub(super) fn take(&mut self, id: ExtentId) -> Option<KnownExtent> {
        if self.page.front().is_some_and(|extent| extent.id == id) { self.page.pop_front() } else { None }
    }
}
