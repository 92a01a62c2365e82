//! How many objects are whole, at risk or lost: in the words of both `cairn cluster verify` and `cairn cluster audit`.

use serde::{Deserialize, Serialize};

/// Objects and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    pub objects: u64,
    /// Their bytes, before coding.
    pub bytes: u64,
}

/// Objects that survive the same number of further losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtRisk {
    /// Losses that they survive.
    pub spare: u8,
    /// How many objects.
    #[serde(flatten)]
    pub amount: Amount,
}

/// An object at risk or lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectAtRisk {
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// Losses that it still survives; null if it is lost.
    pub spare: Option<u8>,
}
