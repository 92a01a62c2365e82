//! What every operation holds.

use std::sync::{Arc, OnceLock};

use cairn_core::clock::Clock;
use cairn_core::lifecycle::Day;
use cairn_core::random::RandomSource;
use cairn_protocol::metadata::Metadata;

use crate::buckets::BucketRecords;
use crate::client_ids::ClientIds;
use crate::data::DataPath;
use crate::error::{S3Error, S3ErrorCode};

/// The other roles, and the facts about this gateway that answers depend on.
pub(crate) struct Context {
    data: DataPath,
    region: String,
    owner_id: String,
    day: Day,
    random: Arc<dyn RandomSource>,
    ids: OnceLock<ClientIds>,
}

/// What a [`Context`] is made from.
pub(crate) struct ContextOptions {
    pub(crate) region: String,
    /// Canonical user id of the one owner there is.
    pub(crate) owner_id: String,
    /// The length of the day that lifecycle rules count in.
    pub(crate) day: Day,
}

impl Context {
    pub(crate) fn new(data: DataPath, options: ContextOptions, random: Arc<dyn RandomSource>) -> Self {
        let ContextOptions { region, owner_id, day } = options;
        Self { data, region, owner_id, day, random, ids: OnceLock::new() }
    }

    pub(crate) fn data(&self) -> &DataPath {
        &self.data
    }

    pub(crate) fn metadata(&self) -> &dyn Metadata {
        &*self.data.metadata
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.data.clock
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    pub(crate) fn owner_id(&self) -> &str {
        &self.owner_id
    }

    pub(crate) fn day(&self) -> Day {
        self.day
    }

    /// The records of buckets.
    pub(crate) fn buckets(&self) -> &BucketRecords {
        &self.data.buckets
    }

    /// The translation of ids. Fails while the gateway does not know its cluster, in which it can neither read nor write.
    pub(crate) fn ids(&self) -> Result<&ClientIds, S3Error> {
        if let Some(ids) = self.ids.get() {
            return Ok(ids);
        }
        let map = self.data.view.get().ok_or(S3ErrorCode::ServiceUnavailable)?;
        Ok(self.ids.get_or_init(|| ClientIds::new(map.cluster)))
    }

    /// A new random id of 16 hexadecimal digits.
    pub(crate) fn new_id(&self) -> String {
        hex::encode_upper(&self.random.bytes16()[..8])
    }
}
