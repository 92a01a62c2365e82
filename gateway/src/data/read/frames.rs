//! Cuts cells down to the bytes of a range.

use std::ops::Range;

use bytes::Bytes;
use cairn_core::geometry::Geometry;

/// Cuts the data cells of `stripes` (row by row, `k` cells each) down to the bytes `wanted`, which are offsets in the
/// extent. Shares the cells' memory.
pub(super) fn frames(geometry: &Geometry, stripes: Range<u32>, rows: &[Vec<Bytes>], wanted: &Range<u64>) -> Vec<Bytes> {
    let mut frames = Vec::with_capacity(rows.len() * usize::from(geometry.data_shards));
    for (stripe, row) in stripes.zip(rows) {
        let mut start = geometry.stripe_start(stripe);
        // Padding at the end of a stripe is never part of the object.
        let data_end = start + geometry.stripe_length(stripe);
        for cell in row {
            let end = (start + cell.len() as u64).min(data_end);
            let (from, to) = (wanted.start.max(start), wanted.end.min(end));
            if from < to {
                frames.push(cell.slice((from - start) as usize..(to - start) as usize));
            }
            start += cell.len() as u64;
        }
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_range_of_an_extent_comes_out_byte_exact() {
        let geometry = Geometry { data_shards: 3, parity_shards: 1, cell_bytes: 4, length: 29 };
        let data: Vec<u8> = (0..29).collect();
        let rows: Vec<Vec<Bytes>> = (0..geometry.stripes())
            .map(|s| {
                let start = geometry.stripe_start(s) as usize;
                let mut stripe = data[start..start + geometry.stripe_length(s) as usize].to_vec();
                stripe.resize(geometry.cell_length(s) as usize * 3, 0);
                stripe.chunks(geometry.cell_length(s) as usize).map(Bytes::copy_from_slice).collect()
            })
            .collect();
        for start in 0..29u64 {
            for end in start + 1..=29 {
                let stripes = geometry.stripes_of(&(start..end));
                let rows = &rows[stripes.start as usize..stripes.end as usize];
                let got = frames(&geometry, stripes, rows, &(start..end)).concat();
                assert_eq!(got, &data[start as usize..end as usize], "{start}..{end}");
            }
        }
    }
}
