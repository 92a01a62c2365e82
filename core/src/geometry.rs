//! Stripe geometry: which byte of an extent is in which cell of which shard.
//!
//! Bytes fill a stripe cell by cell: cell 0 of shard 0, then of shard 1, up to shard `k-1`; then the next stripe. All
//! cells of a stripe have the same size. The last stripe is cut into `k` equal cells, as small as possible, so an
//! extent of any length wastes fewer than `k` bytes of zero padding.

use std::ops::Range;

use minicbor::{Decode, Encode};

use crate::profile::{Profile, ProfileError};

/// The shape of one extent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Geometry {
    /// Data shards, `k`.
    #[n(0)]
    pub data_shards: u8,
    /// Parity shards, `m`.
    #[n(1)]
    pub parity_shards: u8,
    /// Bytes of a full cell.
    #[n(2)]
    pub cell_bytes: u32,
    /// Data bytes in the extent, without padding.
    #[n(3)]
    pub length: u64,
}

impl Geometry {
    /// The shape of an extent of `length` bytes under `profile`.
    pub fn new(profile: &Profile, length: u64) -> Self {
        Self {
            data_shards: profile.data_shards,
            parity_shards: profile.parity_shards,
            cell_bytes: profile.cell_bytes,
            length,
        }
    }

    /// Checks a shape that was read from a disk or a message. Everything else here relies on it.
    pub fn check(&self) -> Result<(), ProfileError> {
        let profile = Profile {
            id: crate::id::ProfileId(0),
            data_shards: self.data_shards,
            parity_shards: self.parity_shards,
            cell_bytes: self.cell_bytes,
            write_quorum: self.data_shards,
            failure_domain: crate::profile::FailureDomain::Disk,
        };
        profile.check()
    }

    /// Data and parity shards together.
    pub const fn total_shards(&self) -> u8 {
        self.data_shards + self.parity_shards
    }

    /// Data bytes of a full stripe.
    pub fn stripe_bytes(&self) -> u64 {
        u64::from(self.data_shards) * u64::from(self.cell_bytes)
    }

    /// Stripes in the extent, which is also the number of cells in each shard.
    pub fn stripes(&self) -> u32 {
        self.length.div_ceil(self.stripe_bytes()) as u32
    }

    /// Data bytes in stripe `stripe`; zero past the end.
    pub fn stripe_length(&self, stripe: u32) -> u64 {
        self.length.saturating_sub(u64::from(stripe) * self.stripe_bytes()).min(self.stripe_bytes())
    }

    /// Bytes of each cell of stripe `stripe`.
    pub fn cell_length(&self, stripe: u32) -> u32 {
        self.stripe_length(stripe).div_ceil(u64::from(self.data_shards)) as u32
    }

    /// Bytes of one shard's cells together, without checksums.
    pub fn shard_bytes(&self) -> u64 {
        let stripes = self.stripes();
        if stripes == 0 {
            return 0;
        }
        u64::from(stripes - 1) * u64::from(self.cell_bytes) + u64::from(self.cell_length(stripes - 1))
    }

    /// The stripes that hold any byte of `range`, which must lie inside the extent.
    pub fn stripes_of(&self, range: &Range<u64>) -> Range<u32> {
        if range.is_empty() {
            return 0..0;
        }
        let stripe = self.stripe_bytes();
        (range.start / stripe) as u32..range.end.div_ceil(stripe) as u32
    }

    /// The offset in the extent of the first byte of stripe `stripe`.
    pub fn stripe_start(&self, stripe: u32) -> u64 {
        u64::from(stripe) * self.stripe_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn geometry(k: u8, cell: u32, length: u64) -> Geometry {
        Geometry { data_shards: k, parity_shards: 2, cell_bytes: cell, length }
    }

    #[test]
    fn the_last_stripe_is_cut_evenly() {
        let g = geometry(4, 100, 1010);
        assert_eq!((g.stripes(), g.cell_length(0), g.cell_length(2), g.shard_bytes()), (3, 100, 53, 253));
        assert_eq!(g.stripes_of(&(399..401)), 0..2);
        assert_eq!(g.stripes_of(&(800..1010)), 2..3);
    }

    #[test]
    fn an_empty_extent_has_no_cells() {
        let g = geometry(4, 100, 0);
        assert_eq!((g.stripes(), g.shard_bytes()), (0, 0));
    }

    proptest! {
        #[test]
        fn shards_hold_all_bytes_with_little_padding(k in 1u8..12, cell in 1u32..5000, length in 0u64..1_000_000) {
            let g = geometry(k, cell, length);
            let total: u64 = (0..g.stripes()).map(|s| g.stripe_length(s)).sum();
            prop_assert_eq!(total, length);
            let cells: u64 = (0..g.stripes()).map(|s| u64::from(g.cell_length(s))).sum();
            prop_assert_eq!(cells, g.shard_bytes());
            let stored = g.shard_bytes() * u64::from(k);
            prop_assert!(stored >= length && stored < length + u64::from(k));
        }
    }
}
