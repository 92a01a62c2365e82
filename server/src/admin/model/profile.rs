//! Profiles, and the rules by which new objects get one.

use cairn_core::profile;
use serde::{Deserialize, Serialize};

use super::named::named;

/// An entry of the answer to `GET /v1/profiles`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileEntry {
    /// The number that extents record.
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
    /// The level at which a domain holds at most `parity_shards` shards of an extent.
    pub failure_domain: FailureDomain,
    /// Who made it: `cluster` for those that follow the cluster's size, `operator` for those of `cairn profile set`.
    #[serde(default)]
    pub made_by: ProfileMaker,
}

/// How new objects are coded: an entry of the answer to `GET /v1/profiles/rules`, and the answer to what changes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileRule {
    /// The bucket; null for all buckets that have no rule of their own.
    pub bucket: Option<String>,
    /// The storage class, such as `STANDARD_IA`; null for all classes that have no rule of their own.
    #[serde(default)]
    pub class: Option<String>,
    /// Whether the operator set a rule for exactly this.
    pub is_set: bool,
    /// What the rule that applies here is set for, such as `bucket logs, class STANDARD_IA`, or `all`; null if the profile
    /// follows the cluster's size.
    #[serde(default)]
    pub follows: Option<String>,
    /// Bytes up to which an object is small.
    pub small_bytes_max: u64,
    /// What small objects should get; null if nothing can be placed.
    pub small: Option<ProfileEntry>,
    /// What larger objects should get; null if nothing can be placed.
    pub large: Option<ProfileEntry>,
    /// What small objects get now, such as `1+2`; `none` if nothing can be placed.
    pub small_now: String,
    /// What larger objects get now.
    pub large_now: String,
    /// What the cluster lacks for the profile that is set; null if nothing.
    pub lacks: Option<String>,
}

named! {
    /// A level of failure domains.
    pub enum FailureDomain {
        Disk = "disk",
        Node = "node",
        Rack = "rack",
        Zone = "zone",
    }
}

impl From<profile::FailureDomain> for FailureDomain {
    fn from(domain: profile::FailureDomain) -> Self {
        match domain {
            profile::FailureDomain::Disk => Self::Disk,
            profile::FailureDomain::Node => Self::Node,
            profile::FailureDomain::Rack => Self::Rack,
            profile::FailureDomain::Zone => Self::Zone,
        }
    }
}

named! {
    /// Who made a profile.
    pub enum ProfileMaker {
        /// It follows the cluster's size.
        Cluster = "cluster",
        /// `cairn profile set`.
        Operator = "operator",
    }
}
