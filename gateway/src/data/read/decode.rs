//! From any `k` shards to the data cells.

use bytes::Bytes;
use cairn_core::cell::Cell;
use cairn_core::codec::{Codec, CodecError};
use cairn_core::geometry::Geometry;

/// The data cells of a run of stripes, row by row. `shards` holds the verified cells of each shard that answered.
///
/// Where all data shards answered this only rearranges; otherwise each row with a gap is reconstructed.
pub(super) fn data_rows(
    codec: &Codec,
    geometry: &Geometry,
    stripes: usize,
    shards: &[Option<Vec<Cell>>],
) -> Result<Vec<Vec<Bytes>>, CodecError> {
    let data_shards = usize::from(geometry.data_shards);
    (0..stripes)
        .map(|row| {
            let cells = || shards.iter().map(|s| s.as_ref().and_then(|cells| cells.get(row)));
            if cells().take(data_shards).all(|c| c.is_some()) {
                return Ok(cells().take(data_shards).flatten().map(|c| c.data.clone()).collect());
            }
            let mut raw: Vec<Option<Vec<u8>>> = cells().map(|c| c.map(|c| c.data.to_vec())).collect();
            codec.reconstruct_data(&mut raw)?;
            Ok(raw.into_iter().take(data_shards).flatten().map(Bytes::from).collect())
        })
        .collect()
}
