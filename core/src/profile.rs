//! Erasure-coding profiles: how many shards, how large their cells, how many must be durable, and where they may be.

use minicbor::{Decode, Encode};

use crate::id::ProfileId;
use crate::limits::{CELL_BYTES_DEFAULT, CELL_BYTES_MAX, DATA_SHARDS_MAX, PARITY_SHARDS_MAX};

/// A level of the topology, from the narrowest to the widest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum FailureDomain {
    /// One disk.
    #[n(0)]
    Disk,
    /// One node: a process and its disks.
    #[n(1)]
    Node,
    /// One rack.
    #[n(2)]
    Rack,
    /// One zone.
    #[n(3)]
    Zone,
}

impl FailureDomain {
    /// All levels, the narrowest first.
    pub const ALL: [Self; 4] = [Self::Disk, Self::Node, Self::Rack, Self::Zone];

    /// The name in output and configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Node => "node",
            Self::Rack => "rack",
            Self::Zone => "zone",
        }
    }
}

/// A text that names no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a failure domain: expected disk, node, rack or zone")]
pub struct UnknownFailureDomain(pub String);

impl std::str::FromStr for FailureDomain {
    type Err = UnknownFailureDomain;

    fn from_str(name: &str) -> Result<Self, UnknownFailureDomain> {
        Self::ALL.into_iter().find(|level| level.name() == name).ok_or_else(|| UnknownFailureDomain(name.to_owned()))
    }
}

impl std::fmt::Display for FailureDomain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a profile cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// There is no data shard, or there are more than the coder supports.
    #[error("a profile has 1 to {DATA_SHARDS_MAX} data shards, not {0}")]
    DataShards(u8),
    /// There are more parity shards than the coder supports.
    #[error("a profile has at most {PARITY_SHARDS_MAX} parity shards, not {0}")]
    ParityShards(u8),
    /// Cells are empty or above the limit.
    #[error("cells have 1 to {CELL_BYTES_MAX} bytes, not {0}")]
    CellBytes(u32),
    /// The write quorum cannot be decoded or cannot be met.
    #[error("a write quorum is at least the data shards and at most all shards, not {0}")]
    WriteQuorum(u8),
}

/// How extents are coded and placed. Recorded by id on each extent, so that a later profile changes only new data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Profile {
    /// Its id in the cluster map.
    #[n(0)]
    pub id: ProfileId,
    /// Data shards, `k`.
    #[n(1)]
    pub data_shards: u8,
    /// Parity shards, `m`: how many may be lost.
    #[n(2)]
    pub parity_shards: u8,
    /// Bytes of one stripe on one shard.
    #[n(3)]
    pub cell_bytes: u32,
    /// Shards that are durable before a write is acknowledged.
    #[n(4)]
    pub write_quorum: u8,
    /// No domain of this level holds more than `m` shards of an extent.
    #[n(5)]
    pub failure_domain: FailureDomain,
}

impl Profile {
    /// A profile with the default cell size and the default write quorum `k+1` (`k` without parity). With it,
    /// acknowledged data survives one further loss.
    pub fn new(id: ProfileId, data_shards: u8, parity_shards: u8, domain: FailureDomain) -> Result<Self, ProfileError> {
        let profile = Self {
            id,
            data_shards,
            parity_shards,
            cell_bytes: CELL_BYTES_DEFAULT,
            write_quorum: data_shards.saturating_add(parity_shards.min(1)),
            failure_domain: domain,
        };
        profile.check()?;
        Ok(profile)
    }

    /// Checks every field against the limits.
    pub fn check(&self) -> Result<(), ProfileError> {
        if !(1..=DATA_SHARDS_MAX).contains(&self.data_shards) {
            return Err(ProfileError::DataShards(self.data_shards));
        }
        if self.parity_shards > PARITY_SHARDS_MAX {
            return Err(ProfileError::ParityShards(self.parity_shards));
        }
        if !(1..=CELL_BYTES_MAX).contains(&self.cell_bytes) {
            return Err(ProfileError::CellBytes(self.cell_bytes));
        }
        if !(self.data_shards..=self.total_shards()).contains(&self.write_quorum) {
            return Err(ProfileError::WriteQuorum(self.write_quorum));
        }
        Ok(())
    }

    /// Data and parity shards together.
    pub const fn total_shards(&self) -> u8 {
        self.data_shards + self.parity_shards
    }

    /// The profiles of a new cluster: copies for tiny objects, and one coded profile per cluster size, so that a small
    /// or degraded cluster still stores with as much redundancy as its disks allow.
    pub fn defaults(domain: FailureDomain) -> Vec<Profile> {
        const SHAPES: [(u8, u8); 7] = [(1, 2), (4, 2), (3, 2), (2, 2), (2, 1), (1, 1), (1, 0)];
        (1u16..)
            .zip(SHAPES)
            .filter_map(|(id, (data, parity))| Profile::new(ProfileId(id), data, parity, domain).ok())
            .collect()
    }
}

impl std::fmt::Display for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}+{}", self.data_shards, self.parity_shards)
    }
}

/// The profiles for an object of `object_bytes` when shards can go to `disks` disks, the best first.
///
/// Tiny objects get plain copies. Otherwise the most parity is best, then the most data shards. Placement decides which
/// of them the failure-domain rule allows. Empty without eligible disks.
pub fn preferred(profiles: &[Profile], object_bytes: u64, disks: usize) -> Vec<Profile> {
    let tiny = object_bytes <= crate::limits::TINY_OBJECT_BYTES_MAX;
    let fits = |p: &&Profile| usize::from(p.total_shards()) <= disks && (!tiny || p.data_shards == 1);
    let mut fitting: Vec<Profile> = profiles.iter().filter(fits).copied().collect();
    fitting.sort_by_key(|p| std::cmp::Reverse((p.parity_shards, p.data_shards)));
    fitting
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(bytes: u64, disks: usize) -> String {
        preferred(&Profile::defaults(FailureDomain::Disk), bytes, disks)
            .first()
            .map_or("none".to_owned(), Profile::to_string)
    }

    #[test]
    fn the_profile_follows_the_size_and_the_disks() {
        assert_eq!(chosen(4096, 6), "1+2");
        assert_eq!(chosen(16_385, 6), "4+2");
        assert_eq!(chosen(1 << 30, 5), "3+2");
        assert_eq!(chosen(1 << 30, 4), "2+2");
        assert_eq!(chosen(1 << 30, 3), "1+2");
        assert_eq!(chosen(1 << 30, 2), "1+1");
        assert_eq!(chosen(0, 1), "1+0");
        assert_eq!(chosen(0, 0), "none");
    }

    #[test]
    fn the_default_quorum_survives_one_further_loss() {
        let p = Profile::new(ProfileId(9), 4, 2, FailureDomain::Node).unwrap();
        assert_eq!(p.write_quorum, 5);
        assert_eq!(Profile::new(ProfileId(9), 1, 0, FailureDomain::Disk).unwrap().write_quorum, 1);
    }

    #[test]
    fn impossible_profiles_are_refused() {
        let good = Profile::new(ProfileId(1), 4, 2, FailureDomain::Disk).unwrap();
        assert_eq!(Profile::new(ProfileId(1), 0, 2, FailureDomain::Disk), Err(ProfileError::DataShards(0)));
        assert_eq!(Profile::new(ProfileId(1), 4, 17, FailureDomain::Disk), Err(ProfileError::ParityShards(17)));
        assert_eq!(Profile { cell_bytes: 0, ..good }.check(), Err(ProfileError::CellBytes(0)));
        assert_eq!(Profile { write_quorum: 3, ..good }.check(), Err(ProfileError::WriteQuorum(3)));
        assert_eq!(Profile { write_quorum: 7, ..good }.check(), Err(ProfileError::WriteQuorum(7)));
    }
}
