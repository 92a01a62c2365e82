//! How much memory a body takes while it passes through a process: what is charged to a budget before it begins (I23).
//!
//! Every pipeline moves batches of whole stripes, and holds a fixed number of them. The sizes of the batches and the depths of
//! the queues stand here, beside the sums that rely on them; the pipelines take them from here. What is not counted is what a
//! connection costs whether or not a body passes through it.

use std::ops::Range;

use crate::geometry::Geometry;
use crate::limits::{CELLS_PER_READ_MAX, EXTENT_BYTES_MAX};
use crate::profile::Profile;

/// Data bytes that a writer encodes and sends together, unless one stripe has more.
const WRITE_BATCH_BYTES: u64 = 4 << 20;
/// Stripes that a writer encodes and sends together, however small they are.
const WRITE_BATCH_STRIPES_MAX: u64 = 4;
/// Data bytes that a reader fetches together, unless one stripe has more.
const READ_BATCH_BYTES: u64 = 1 << 20;
/// Bytes that a rebuild reads from each source together, unless one cell has more.
const REBUILD_BATCH_BYTES: u64 = 1 << 20;
/// Bytes that may wait for their digest, unless one stripe has more: five stripes of the default profile.
pub const DIGEST_QUEUE_BYTES: u64 = 5 << 18;
/// Bytes of a body that have arrived and are in no stripe yet: what a connection reads at once.
const INPUT_BYTES: u64 = 256 << 10;
/// Bytes that a connection to a storage node takes before it makes its sender wait; the last cell may exceed them. Source:
/// hyper 1, `DEFAULT_MAX_BUFFER_SIZE`.
const CONNECTION_BYTES: u64 = 408 << 10;
/// Bytes that a cell costs beyond its data: its checksum, twice, and where it lies.
const CELL_OVERHEAD_BYTES: u64 = 160;
/// Batches of a read that wait for the client: one that is being sent, one in the queue, one that waits for the queue.
const READ_BATCHES_AHEAD: u64 = 3;

/// Stripes that a writer encodes and sends together. An extent without more of them is sent in one call. A stream's queue to a
/// storage node holds the cells of as many.
pub fn write_batch_stripes(geometry: &Geometry) -> u32 {
    (WRITE_BATCH_BYTES / geometry.stripe_bytes().max(1)).clamp(1, WRITE_BATCH_STRIPES_MAX) as u32
}

/// Stripes that a reader fetches together.
pub fn read_batch_stripes(geometry: &Geometry) -> u32 {
    (READ_BATCH_BYTES / geometry.stripe_bytes().max(1)).clamp(1, u64::from(CELLS_PER_READ_MAX)) as u32
}

/// Stripes whose cells a rebuild reads together.
pub fn rebuild_batch_stripes(geometry: &Geometry) -> u32 {
    (REBUILD_BATCH_BYTES / u64::from(geometry.cell_bytes.max(1))).clamp(1, u64::from(CELLS_PER_READ_MAX)) as u32
}

/// Bytes that writing a body of `body_bytes` takes whose extents have the shape of `geometry`, that of the first.
pub fn write(geometry: &Geometry, body_bytes: u64) -> u64 {
    let batch = write_batch_stripes(geometry);
    let input = body_bytes.min(INPUT_BYTES);
    if geometry.stripes() <= batch {
        // The digest may still be at the last stripe of the extent before.
        let digested = if body_bytes > geometry.length { geometry.stripe_length(0) } else { 0 };
        return coded(geometry, geometry.shard_bytes(), geometry.stripes()) + digested + input;
    }
    let coded = coded(geometry, u64::from(batch) * u64::from(geometry.cell_bytes), batch);
    let connections = shards(geometry) * (CONNECTION_BYTES + u64::from(geometry.cell_bytes));
    // One batch is being encoded and one waits. Before that, a connection to another process holds what it has taken, and a
    // disk of this one a batch.
    2 * coded + coded.max(connections) + DIGEST_QUEUE_BYTES + input
}

/// Bytes of coded cells: `column` on each shard, in `stripes` stripes. Plain copies share their memory.
fn coded(geometry: &Geometry, column: u64, stripes: u32) -> u64 {
    let parity = if geometry.data_shards == 1 { 0 } else { u64::from(geometry.parity_shards) };
    column * (u64::from(geometry.data_shards) + parity) + u64::from(stripes) * shards(geometry) * CELL_OVERHEAD_BYTES
}

fn shards(geometry: &Geometry) -> u64 {
    u64::from(geometry.data_shards) + u64::from(geometry.parity_shards)
}

/// Bytes that reading `range` of an extent takes. `is_part` says that the client reads more than this extent, so that
/// batches of it wait while others are fetched.
pub fn read(geometry: &Geometry, range: &Range<u64>, is_part: bool) -> u64 {
    let stripes = geometry.stripes_of(range);
    let batch = read_batch_stripes(geometry).min(stripes.end.saturating_sub(stripes.start));
    let column = u64::from(batch) * (u64::from(geometry.cell_length(stripes.start)) + CELL_OVERHEAD_BYTES);
    let (k, m) = (u64::from(geometry.data_shards), u64::from(geometry.parity_shards));
    let is_streamed = is_part || batch < stripes.end.saturating_sub(stripes.start);
    // All shards may have been asked, one is joined from the pieces in which it arrived, and every row decoded.
    let fetched = (k + m) + 1 + k;
    let ahead = if is_streamed { READ_BATCHES_AHEAD * k } else { 0 };
    (fetched + ahead) * column
}

/// Bytes that rebuilding a shard of an extent takes.
pub fn rebuild(geometry: &Geometry) -> u64 {
    let batch = rebuild_batch_stripes(geometry).min(geometry.stripes());
    let column = u64::from(batch) * (u64::from(geometry.cell_length(0)) + CELL_OVERHEAD_BYTES);
    // The cells of `k` sources, one of which is joined from pieces; the new cells, and two batches of them on their way to
    // the disk.
    (u64::from(geometry.data_shards) + 1 + 1 + 2) * column
}

/// The most that one body under `profile` takes: a large one that is copied from another under it.
pub fn body_max(profile: &Profile) -> u64 {
    let geometry = Geometry::new(profile, EXTENT_BYTES_MAX);
    write(&geometry, u64::MAX) + read(&geometry, &(0..EXTENT_BYTES_MAX), true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{CELL_BYTES_MAX, DATA_SHARDS_MAX, PARITY_SHARDS_MAX};

    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;

    fn geometry(k: u8, m: u8, cell_bytes: u64, length: u64) -> Geometry {
        Geometry { data_shards: k, parity_shards: m, cell_bytes: cell_bytes as u32, length }
    }

    /// The batch in stripes and the charges in MiB, rounded up, for a large body.
    fn check(k: u8, m: u8, cell_bytes: u64, batch: u32, write_mib: u64, read_mib: u64, rebuild_mib: u64) {
        let geometry = geometry(k, m, cell_bytes, EXTENT_BYTES_MAX);
        let name = format!("{k}+{m} of {cell_bytes}");
        assert_eq!(write_batch_stripes(&geometry), batch, "{name}");
        assert_eq!(write(&geometry, 5 << 30).div_ceil(MIB), write_mib, "write {name}");
        assert_eq!(read(&geometry, &(0..EXTENT_BYTES_MAX), true).div_ceil(MIB), read_mib, "read {name}");
        assert_eq!(rebuild(&geometry).div_ceil(MIB), rebuild_mib, "rebuild {name}");
    }

    #[test]
    fn the_charge_follows_the_shape() {
        check(4, 2, 64 * KIB, 4, 8, 6, 9);
        check(10, 4, 64 * KIB, 4, 15, 4, 15);
        check(8, 3, 256 * KIB, 2, 20, 12, 13);
        check(10, 4, MIB, 1, 50, 56, 15);
    }

    #[test]
    fn a_small_body_is_charged_what_it_has() {
        let tiny = geometry(1, 2, 64 * KIB, 4 * KIB);
        assert!((8 * KIB..10 * KIB).contains(&write(&tiny, 4 * KIB)), "{}", write(&tiny, 4 * KIB));
        assert!((20 * KIB..22 * KIB).contains(&read(&tiny, &(0..4 * KIB), false)));
        let small = geometry(4, 2, MIB, 100 * KIB);
        assert!((250 * KIB..252 * KIB).contains(&write(&small, 100 * KIB)), "{}", write(&small, 100 * KIB));
        // A range costs the stripes that it touches.
        let large = geometry(4, 2, 64 * KIB, EXTENT_BYTES_MAX);
        let one_stripe = read(&large, &(10..20), false);
        assert!(one_stripe < read(&large, &(0..MIB), false) && one_stripe > 11 * 64 * KIB);
    }

    /// The largest shape that is allowed has a charge, not an overflow, and a rebuild of it fits in 160 MiB.
    #[test]
    fn every_allowed_shape_has_a_charge() {
        for k in 1..=DATA_SHARDS_MAX {
            for m in 0..=PARITY_SHARDS_MAX {
                for cell_bytes in [1, 4096, 1 << 20, u64::from(CELL_BYTES_MAX)] {
                    let geometry = geometry(k, m, cell_bytes, EXTENT_BYTES_MAX);
                    let stripe = geometry.stripe_length(0) * (u64::from(k) + u64::from(m)) / u64::from(k);
                    assert!(write(&geometry, u64::MAX) > stripe / 2, "{k}+{m} of {cell_bytes}");
                    assert!(rebuild(&geometry) < 160 * MIB, "{k}+{m} of {cell_bytes}");
                }
            }
        }
    }
}
