//! Coders by shape: making one inverts a matrix, so they are kept.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use cairn_core::codec::{Codec, CodecError};

/// The coders in use. There are as many as there are shapes among the profiles.
#[derive(Debug, Default)]
pub struct Codecs {
    by_shape: RwLock<HashMap<(u8, u8), Codec>>,
}

impl Codecs {
    /// The coder for `data_shards + parity_shards`.
    pub fn get(&self, data_shards: u8, parity_shards: u8) -> Result<Codec, CodecError> {
        let shape = (data_shards, parity_shards);
        if let Some(codec) = self.by_shape.read().unwrap_or_else(PoisonError::into_inner).get(&shape) {
            return Ok(codec.clone());
        }
        let codec = Codec::new(data_shards, parity_shards)?;
        self.by_shape.write().unwrap_or_else(PoisonError::into_inner).insert(shape, codec.clone());
        Ok(codec)
    }
}
