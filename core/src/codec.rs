//! Reed–Solomon coding of one stripe.

use std::sync::Arc;

use reed_solomon_erasure::galois_8::{self, ReedSolomon};

/// Why a stripe could not be coded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The coder does not support the shape.
    #[error("no coder for {data_shards}+{parity_shards} shards")]
    Shape {
        /// Data shards.
        data_shards: u8,
        /// Parity shards.
        parity_shards: u8,
    },
    /// More cells are missing than the parity can replace.
    #[error("{present} cells of a stripe are readable, {needed} are needed")]
    TooFewCells {
        /// Readable cells.
        present: usize,
        /// Cells needed, `k`.
        needed: usize,
    },
    /// Cells of one stripe have different lengths, or their number is wrong.
    #[error("the cells of a stripe do not belong together: {0}")]
    Mismatch(String),
}

/// A coder for one shape. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Codec {
    data_shards: usize,
    parity_shards: usize,
    /// `None` if there is nothing to compute: without parity, and for plain copies (`k = 1`).
    coder: Option<Arc<ReedSolomon>>,
}

impl Codec {
    /// A coder for `data_shards + parity_shards`.
    pub fn new(data_shards: u8, parity_shards: u8) -> Result<Self, CodecError> {
        let (k, m) = (usize::from(data_shards), usize::from(parity_shards));
        let shape = || CodecError::Shape { data_shards, parity_shards };
        if k == 0 {
            return Err(shape());
        }
        let coder = if k > 1 && m > 0 { Some(Arc::new(ReedSolomon::new(k, m).map_err(|_| shape())?)) } else { None };
        Ok(Self { data_shards: k, parity_shards: m, coder })
    }

    /// Computes the parity of one stripe. `data` is `k` cells of equal length, one after the other; `parity` receives
    /// `m` cells in the same way.
    pub fn encode(&self, data: &[u8], parity: &mut [u8]) -> Result<(), CodecError> {
        let cell = data.len() / self.data_shards;
        if cell * self.data_shards != data.len() || parity.len() != cell * self.parity_shards {
            return Err(CodecError::Mismatch(format!("{} data bytes, {} parity bytes", data.len(), parity.len())));
        }
        if cell == 0 {
            return Ok(());
        }
        if let Some(coder) = &self.coder {
            let data: Vec<&[u8]> = data.chunks_exact(cell).collect();
            let mut parity: Vec<&mut [u8]> = parity.chunks_exact_mut(cell).collect();
            return coder.encode_sep(&data, &mut parity).map_err(|e| CodecError::Mismatch(e.to_string()));
        }
        parity.chunks_exact_mut(cell).for_each(|copy| copy.copy_from_slice(data));
        Ok(())
    }

    /// Rebuilds the data cells that are `None` from any `k` cells of the stripe. Parity cells are left as they are.
    pub fn reconstruct_data(&self, cells: &mut [Option<Vec<u8>>]) -> Result<(), CodecError> {
        self.reconstruct(cells, true)
    }

    /// How to compute cell `target` of a stripe from the cells `sources`, which are `k` different ones.
    pub fn recipe(&self, sources: &[usize], target: usize) -> Result<Recipe, CodecError> {
        let total = self.data_shards + self.parity_shards;
        if sources.len() != self.data_shards {
            return Err(CodecError::TooFewCells { present: sources.len(), needed: self.data_shards });
        }
        if target >= total || sources.iter().any(|source| *source >= total) {
            return Err(CodecError::Mismatch(format!("cell {target} from {sources:?} of {total}")));
        }
        let mut coefficients = Vec::with_capacity(sources.len());
        for chosen in sources {
            // The code is linear. So the cell that results from a one in a single source, and zeros in the others, is
            // that source's coefficient.
            let mut unit = vec![None; total];
            for source in sources {
                unit[*source] = Some(vec![u8::from(source == chosen)]);
            }
            self.reconstruct_all(&mut unit)?;
            let byte = unit.get(target).and_then(Option::as_ref).and_then(|cell| cell.first());
            coefficients.push(byte.copied().unwrap_or_default());
        }
        Ok(Recipe { coefficients })
    }

    /// Rebuilds every cell that is `None`, parity included.
    pub fn reconstruct_all(&self, cells: &mut [Option<Vec<u8>>]) -> Result<(), CodecError> {
        self.reconstruct(cells, false)
    }

    fn reconstruct(&self, cells: &mut [Option<Vec<u8>>], data_only: bool) -> Result<(), CodecError> {
        if cells.len() != self.data_shards + self.parity_shards {
            return Err(CodecError::Mismatch(format!("{} cells", cells.len())));
        }
        let present = cells.iter().flatten().count();
        if present < self.data_shards {
            return Err(CodecError::TooFewCells { present, needed: self.data_shards });
        }
        match &self.coder {
            Some(coder) if data_only => coder.reconstruct_data(cells),
            Some(coder) => coder.reconstruct(cells),
            None => {
                let copy = cells.iter().flatten().next().cloned();
                cells.iter_mut().filter(|c| c.is_none()).for_each(|c| c.clone_from(&copy));
                return Ok(());
            }
        }
        .map_err(|e| CodecError::Mismatch(e.to_string()))
    }
}

/// One cell of a stripe as a weighted sum of `k` others, so that a rebuild computes nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    coefficients: Vec<u8>,
}

impl Recipe {
    /// Computes the cell from those of the sources, in the recipe's order.
    pub fn apply(&self, cells: &[&[u8]]) -> Result<Vec<u8>, CodecError> {
        let length = cells.first().map_or(0, |cell| cell.len());
        if cells.len() != self.coefficients.len() || cells.iter().any(|cell| cell.len() != length) {
            return Err(CodecError::Mismatch(format!(
                "{} cells for a sum of {}",
                cells.len(),
                self.coefficients.len()
            )));
        }
        let mut sum = vec![0; length];
        for (coefficient, cell) in self.coefficients.iter().zip(cells) {
            galois_8::mul_slice_xor(*coefficient, cell, &mut sum);
        }
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Encodes `data`, drops the cells in `lost`, and returns what reconstruction yields.
    fn roundtrip(k: u8, m: u8, data: &[u8], lost: &[usize]) -> Result<Vec<Option<Vec<u8>>>, CodecError> {
        let codec = Codec::new(k, m)?;
        let cell = data.len() / usize::from(k);
        let mut parity = vec![0; cell * usize::from(m)];
        codec.encode(data, &mut parity)?;
        let mut cells: Vec<_> = data.chunks(cell).chain(parity.chunks(cell)).map(|c| Some(c.to_vec())).collect();
        let original = cells.clone();
        for &i in lost {
            cells[i] = None;
        }
        codec.reconstruct_all(&mut cells)?;
        assert_eq!(cells, original);
        Ok(cells)
    }

    proptest! {
        /// I7, for a stripe.
        #[test]
        fn any_m_lost_cells_come_back(k in 1u8..9, m in 0u8..5, cell in 1usize..200, seed: u64) {
            let data: Vec<u8> = (0..cell * usize::from(k)).map(|i| (seed.rotate_left(i as u32 % 64) as u8) ^ i as u8).collect();
            let total = usize::from(k + m);
            let lost: Vec<usize> = (0..usize::from(m)).map(|i| (seed as usize % total + i) % total).collect();
            prop_assert!(roundtrip(k, m, &data, &lost).is_ok());
        }
    }

    proptest! {
        /// I7, for a rebuild.
        #[test]
        fn any_cell_comes_from_any_k_others(k in 1u8..9, m in 1u8..5, cell in 1usize..100, seed: u64, first: usize, target: usize) {
            let (data_shards, total) = (usize::from(k), usize::from(k + m));
            let data: Vec<u8> = (0..cell * data_shards).map(|i| (seed.rotate_left(i as u32 % 64) as u8) ^ i as u8).collect();
            let codec = Codec::new(k, m).unwrap();
            let mut parity = vec![0; cell * usize::from(m)];
            codec.encode(&data, &mut parity).unwrap();
            let cells: Vec<&[u8]> = data.chunks(cell).chain(parity.chunks(cell)).collect();
            let target = target % total;
            let others: Vec<usize> = (0..total).map(|i| (first % total + i) % total).filter(|i| *i != target).collect();
            let sources = &others[..data_shards];
            let from: Vec<&[u8]> = sources.iter().map(|i| cells[*i]).collect();
            prop_assert_eq!(codec.recipe(sources, target).unwrap().apply(&from).unwrap(), cells[target]);
        }
    }

    #[test]
    fn more_than_m_lost_cells_are_an_error() {
        let error = roundtrip(4, 2, &[1; 40], &[0, 1, 2]).unwrap_err();
        assert_eq!(error, CodecError::TooFewCells { present: 3, needed: 4 });
    }
}
