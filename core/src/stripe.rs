//! Cuts a stripe's bytes into the cells on its disks, and puts them together again.

use bytes::Bytes;

use crate::cell::Cell;
use crate::codec::{Codec, CodecError, Recipe};
use crate::geometry::Geometry;
use crate::id::ExtentId;
use crate::shard::ShardId;

/// Appends the cells of stripe `number` to `shards`, one list for each shard of the extent.
///
/// `stripe` has `k` cells of [`Geometry::cell_length`] bytes, padding included. Data cells and plain copies share its
/// memory.
pub fn encode(
    codec: &Codec,
    geometry: &Geometry,
    extent: ExtentId,
    number: u32,
    stripe: &Bytes,
    shards: &mut [Vec<Cell>],
) -> Result<(), CodecError> {
    let cell = geometry.cell_length(number) as usize;
    let data_shards = usize::from(geometry.data_shards);
    if stripe.len() != cell * data_shards {
        return Err(CodecError::Mismatch(format!(
            "a stripe of {} bytes for {data_shards} cells of {cell}",
            stripe.len()
        )));
    }
    let parity = if data_shards == 1 {
        None
    } else {
        let mut parity = vec![0; cell * usize::from(geometry.parity_shards)];
        codec.encode(stripe, &mut parity)?;
        Some(Bytes::from(parity))
    };
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

/// The data cells of consecutive stripes, row by row. `shards` holds the verified cells of each shard that answered.
///
/// If all data shards answered, this only rearranges; otherwise it reconstructs each row with a gap.
pub fn decode(
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

/// The cells of `shard` from stripe `first` on, computed from the verified cells of the recipe's sources, in its order.
pub fn rebuild(recipe: &Recipe, shard: ShardId, first: u32, sources: &[Vec<Cell>]) -> Result<Vec<Cell>, CodecError> {
    let rows = sources.first().map_or(0, Vec::len);
    (first..)
        .take(rows)
        .enumerate()
        .map(|(row, stripe)| {
            let cells: Vec<&[u8]> = sources.iter().filter_map(|s| s.get(row)).map(|cell| &cell.data[..]).collect();
            Ok(Cell::new(Bytes::from(recipe.apply(&cells)?), shard.cell(stripe)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::SessionId;

    /// Encodes an extent of `data`, loses the shards in `lost`, and decodes what is left.
    fn roundtrip(geometry: Geometry, data: &[u8], lost: &[usize]) -> Result<Vec<u8>, CodecError> {
        let codec = Codec::new(geometry.data_shards, geometry.parity_shards)?;
        let extent = ExtentId::new(SessionId(1), 2);
        let mut shards = vec![Vec::new(); usize::from(geometry.total_shards())];
        for number in 0..geometry.stripes() {
            let start = geometry.stripe_start(number) as usize;
            let mut stripe = data[start..start + geometry.stripe_length(number) as usize].to_vec();
            stripe.resize(geometry.cell_length(number) as usize * usize::from(geometry.data_shards), 0);
            encode(&codec, &geometry, extent, number, &stripe.into(), &mut shards)?;
        }
        for (index, cells) in shards.iter().enumerate() {
            for (number, cell) in (0..).zip(cells) {
                assert!(cell.verify(ShardId { extent, index: index as u8 }.cell(number)));
            }
        }
        let mut shards: Vec<_> = shards.into_iter().map(Some).collect();
        for &index in lost {
            shards[index] = None;
        }
        let rows = decode(&codec, &geometry, geometry.stripes() as usize, &shards)?;
        let mut bytes = Vec::new();
        for (number, row) in (0..).zip(rows) {
            let length = geometry.stripe_length(number) as usize;
            bytes.extend_from_slice(&row.concat()[..length]);
        }
        Ok(bytes)
    }

    proptest! {
        /// I7, for an extent.
        #[test]
        fn any_m_lost_shards_give_the_same_bytes(
            k in 1u8..6, m in 0u8..4, cell_bytes in 1u32..40, length in 1u64..400, first in 0usize..9
        ) {
            let geometry = Geometry { data_shards: k, parity_shards: m, cell_bytes, length };
            let data: Vec<u8> = (0..length).map(|n| (n * 31 % 251) as u8).collect();
            let total = usize::from(k + m);
            let lost: Vec<usize> = (0..usize::from(m)).map(|n| (first + n) % total).collect();
            prop_assert_eq!(roundtrip(geometry, &data, &lost).unwrap(), data);
        }
    }

    #[test]
    fn more_than_m_lost_shards_are_an_error() {
        let geometry = Geometry { data_shards: 4, parity_shards: 2, cell_bytes: 8, length: 100 };
        let error = roundtrip(geometry, &[7; 100], &[0, 1, 2]).unwrap_err();
        assert_eq!(error, CodecError::TooFewCells { present: 3, needed: 4 });
    }
}
