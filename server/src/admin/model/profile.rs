//! What the admin API answers about profiles.

use serde::{Deserialize, Serialize};

/// An entry of the answer to `GET /v1/profiles`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileEntry {
    /// Its id.
    pub id: u16,
    /// Its name, such as `4+2`.
    pub name: String,
    /// Data shards.
    pub data_shards: u8,
    /// Parity shards.
    pub parity_shards: u8,
    /// Bytes of a cell.
    pub cell_bytes: u32,
    /// Shards that are durable before a write is acknowledged.
    pub write_quorum: u8,
    /// The level at which at most `parity_shards` shards lie together.
    pub failure_domain: String,
    /// Who made it: `cluster` for those that follow the cluster's size, `operator` for those of `cairn profile set`.
    #[serde(default)]
    pub made_by: String,
}

/// How new objects are coded: an entry of the answer to `GET /v1/profiles/rules`, and the answer to what changes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileRule {
    /// The bucket; null for all buckets without a rule of their own.
    pub bucket: Option<String>,
    /// The storage class, such as `STANDARD_IA`; null for all classes without a rule of their own.
    #[serde(default)]
    pub class: Option<String>,
    /// Whether the operator set a rule for exactly this.
    pub is_set: bool,
    /// What the rule that holds here is set for, such as `bucket logs, class STANDARD_IA`, or `all`; null where the profile
    /// follows the cluster's size.
    #[serde(default)]
    pub follows: Option<String>,
    /// Bytes up to which an object is small.
    pub small_bytes_max: u64,
    /// What small objects should get; null where nothing can be placed.
    pub small: Option<ProfileEntry>,
    /// What larger objects should get; null where nothing can be placed.
    pub large: Option<ProfileEntry>,
    /// What small objects get now, such as `1+2`; `none` where nothing can be placed.
    pub small_now: String,
    /// What larger objects get now.
    pub large_now: String,
    /// What the cluster lacks for what is set; null if nothing.
    pub lacks: Option<String>,
}
