//! What differs, as it is listed for the operator.

use std::sync::Arc;

use cairn_protocol::metadata::command::RecordFindings;
use cairn_protocol::metadata::query::{Finding, FindingKind, KnownExtent, ListFindings, ReconcileTotals};
use cairn_protocol::metadata::{Metadata, MetadataError, MetadataExt};

use crate::disks::{FoundBody, Fragment};

/// Findings in one page and in one command.
const PAGE_FINDINGS: u32 = 256;

/// Findings on their way to the metadata service, which lists them.
pub(super) struct Findings {
    metadata: Arc<dyn Metadata>,
    waiting: Vec<Finding>,
}

impl Findings {
    /// Begins a new list in the metadata service.
    pub(super) async fn begin(metadata: Arc<dyn Metadata>) -> Result<Self, MetadataError> {
        metadata.run(RecordFindings { findings: Vec::new(), begins: true }).await?;
        Ok(Self { metadata, waiting: Vec::new() })
    }

    pub(super) fn add(&mut self, finding: Finding) {
        self.waiting.push(finding);
    }

    /// Records what waits, once it fills a page.
    pub(super) async fn record_full_pages(&mut self) -> Result<(), MetadataError> {
        self.record(PAGE_FINDINGS as usize).await
    }

    /// Records everything that waits.
    pub(super) async fn record_all(&mut self) -> Result<(), MetadataError> {
        self.record(1).await
    }

    async fn record(&mut self, at_least: usize) -> Result<(), MetadataError> {
        while self.waiting.len() >= at_least {
            let rest = self.waiting.split_off(self.waiting.len().min(PAGE_FINDINGS as usize));
            let findings = std::mem::replace(&mut self.waiting, rest);
            self.metadata.run(RecordFindings { findings, begins: false }).await?;
        }
        Ok(())
    }

    /// Counts what the metadata service lists.
    pub(super) async fn count(&self, shards: u64, ended_ms: u64) -> Result<ReconcileTotals, MetadataError> {
        let mut totals = ReconcileTotals { shards, ended_ms, ..ReconcileTotals::default() };
        let mut after = None;
        loop {
            let page = self.metadata.ask(ListFindings { after, limit: PAGE_FINDINGS }).await?;
            for finding in &page {
                match finding.kind {
                    FindingKind::Recovered => totals.recovered += 1,
                    FindingKind::Unreadable => totals.unreadable += 1,
                    FindingKind::Superseded | FindingKind::Incomplete | FindingKind::Upload => totals.kept += 1,
                }
            }
            match page.last() {
                Some(last) => after = Some(last.extent),
                None => return Ok(totals),
            }
        }
    }
}

/// An extent of the namespace of which too few shards are on the disks.
pub(super) fn unreadable(extent: &KnownExtent, found_shards: usize) -> Finding {
    Finding {
        extent: extent.id,
        kind: FindingKind::Unreadable,
        bucket: None,
        key: None,
        bytes: extent.length,
        written_ms: 0,
        detail: format!("{found_shards} of its shards exist, {} are needed", extent.data_shards),
    }
}

/// A whole body that is not, or not yet, in the namespace.
pub(super) fn body(body: &FoundBody, kind: FindingKind, detail: &str) -> Finding {
    Finding {
        extent: body.placed.run.first,
        kind,
        bucket: Some(body.descriptor.bucket.clone()),
        key: Some(body.descriptor.key.clone()),
        bytes: body.placed.run.size,
        written_ms: body.descriptor.written_at_ms,
        detail: detail.to_owned(),
    }
}

/// A part of a body.
pub(super) fn fragment(fragment: Fragment) -> Finding {
    let Fragment { first, descriptor, bytes, detail } = fragment;
    let written_ms = descriptor.as_ref().map_or(0, |descriptor| descriptor.written_at_ms);
    let (bucket, key) = descriptor.map(|descriptor| (descriptor.bucket, descriptor.key)).unzip();
    Finding { extent: first, kind: FindingKind::Incomplete, bucket, key, bytes, written_ms, detail }
}
