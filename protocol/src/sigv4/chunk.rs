//! Signatures of the chunks and of the trailer of an aws-chunked body.

use sha2::{Digest, Sha256};

use super::credential::Scope;
use super::payload_mode::EMPTY_SHA256_HEX;
use super::signing_key::SigningKey;
use super::time::SigningTime;

/// Signs chunk after chunk: each signature covers the one before it, the first the request's own.
/// Source: S3 API reference, "Transferring payload in multiple chunks (chunked upload)".
#[derive(Debug, Clone)]
pub struct ChunkSigner {
    key: SigningKey,
    time: SigningTime,
    scope: String,
    previous: String,
}

impl ChunkSigner {
    /// Starts from the request's own (seed) signature.
    pub fn new(key: SigningKey, time: SigningTime, scope: &Scope<'_>, seed_signature: impl Into<String>) -> Self {
        Self { key, time, scope: scope.to_string(), previous: seed_signature.into() }
    }

    /// Signature of the next chunk, whose data has this SHA-256.
    pub fn next_chunk(&mut self, data_sha256: &[u8; 32]) -> &str {
        let string_to_sign = format!(
            "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{EMPTY_SHA256_HEX}\n{}",
            self.time,
            self.scope,
            self.previous,
            hex::encode(data_sha256)
        );
        self.previous = self.key.sign(string_to_sign.as_bytes());
        &self.previous
    }

    /// Signature of the trailer, whose lines are `name:value\n` in the order in which they are sent.
    pub fn trailer(&self, canonical_trailer: &[u8]) -> String {
        let string_to_sign = format!(
            "AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{}\n{}",
            self.time,
            self.scope,
            self.previous,
            hex::encode(Sha256::digest(canonical_trailer))
        );
        self.key.sign(string_to_sign.as_bytes())
    }
}
