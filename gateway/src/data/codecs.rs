//! A cache of coders: making one inverts a matrix.

use std::collections::HashMap;
use std::sync::RwLock;

use cairn_core::codec::{Codec, CodecError};
use cairn_core::sync::IgnorePoison;

/// One coder for each shape among the profiles.
#[derive(Debug, Default)]
pub struct Codecs {
    by_shape: RwLock<HashMap<(u8, u8), Codec>>,
}

impl Codecs {
    pub fn get(&self, data_shards: u8, parity_shards: u8) -> Result<Codec, CodecError> {
        let shape = (data_shards, parity_shards);
        if let Some(codec) = self.by_shape.read().ignore_poison().get(&shape) {
            return Ok(codec.clone());
        }
        let codec = Codec::new(data_shards, parity_shards)?;
        self.by_shape.write().ignore_poison().insert(shape, codec.clone());
        Ok(codec)
    }
}
