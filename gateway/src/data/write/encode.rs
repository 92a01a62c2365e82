//! From stripes to cells.

use bytes::Bytes;
use cairn_core::cell::Cell;
use cairn_core::codec::{Codec, CodecError};
use cairn_core::geometry::Geometry;
use cairn_core::id::ExtentId;
use cairn_core::shard::ShardId;

/// Appends the cells of one stripe to `shards`, one list for each shard of the extent.
///
/// `stripe` has `k` cells, padding included. Data cells and plain copies share its memory.
pub(super) fn encode_stripe(
    codec: &Codec,
    geometry: &Geometry,
    extent: ExtentId,
    number: u32,
    stripe: &Bytes,
    shards: &mut [Vec<Cell>],
) -> Result<(), CodecError> {
    let cell = geometry.cell_length(number) as usize;
    let parity = if geometry.data_shards == 1 {
        None
    } else {
        let mut parity = vec![0; cell * usize::from(geometry.parity_shards)];
        codec.encode(stripe, &mut parity)?;
        Some(Bytes::from(parity))
    };
    let data_shards = usize::from(geometry.data_shards);
    for (index, list) in shards.iter_mut().enumerate() {
        let data = match &parity {
            None => stripe.clone(),
            Some(_) if index < data_shards => stripe.slice(index * cell..(index + 1) * cell),
            Some(parity) => parity.slice((index - data_shards) * cell..(index - data_shards + 1) * cell),
        };
        list.push(Cell::new(data, ShardId { extent, index: index as u8 }.cell(number)));
    }
    Ok(())
}
