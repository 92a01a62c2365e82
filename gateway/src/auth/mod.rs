//! Who sent an S3 request: Signature Version 4 by header and by presigned query.
//!
//! [`Authenticator`] turns a request's head into an [`Authentication`]: the access key that signed it, if any, and what
//! the signature says about the body ([`PayloadAuth`]), which the body's reader then enforces. What the caller may do
//! is decided elsewhere. Nothing here reads a clock: `now` comes in as an argument.

mod authenticator;
mod hoist;
mod input;
mod presigned_v2;

use cairn_protocol::sigv4::{ChunkSigner, SecretKey};
use http::{HeaderMap, Method, Uri};

pub use authenticator::Authenticator;
pub use hoist::hoist_query_headers;
pub use input::{AuthInput, SignedInput};

use crate::error::{S3Error, S3ErrorCode};

/// Finds the secret of an access key.
pub trait CredentialStore: Send + Sync {
    /// The secret, or `None` for an access key that does not exist or is disabled.
    fn secret_key(&self, access_key: &str) -> Option<SecretKey>;
}

/// The head of a request, as it came over the wire.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a Method,
    /// Request target.
    pub uri: &'a Uri,
    /// All headers.
    pub headers: &'a HeaderMap,
}

/// Who a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Nobody signed.
    Anonymous,
    /// The owner of this access key.
    AccessKey(String),
}

impl Caller {
    /// The access key, or `AccessDenied` for an operation that anonymous callers may not do.
    pub fn access_key(&self) -> Result<&str, S3Error> {
        match self {
            Self::Anonymous => Err(S3ErrorCode::AccessDenied.into()),
            Self::AccessKey(access_key) => Ok(access_key),
        }
    }
}

/// What the signature says about the body.
#[derive(Debug, Clone)]
pub enum PayloadAuth {
    /// Nothing.
    Unsigned,
    /// Its SHA-256.
    SignedSha256([u8; 32]),
    /// It comes in signed chunks.
    StreamingSigned {
        /// Knows key, scope and the request's own signature, from which the chain of signatures starts.
        signer: ChunkSigner,
        /// Whether a signed trailer follows.
        trailer: bool,
    },
    /// It comes in unsigned chunks and is followed by a trailer.
    StreamingUnsignedTrailer,
}

impl PayloadAuth {
    /// The SHA-256 that the body must have.
    pub fn sha256(&self) -> Option<[u8; 32]> {
        match self {
            Self::SignedSha256(digest) => Some(*digest),
            Self::Unsigned | Self::StreamingSigned { .. } | Self::StreamingUnsignedTrailer => None,
        }
    }
}

/// A request whose signature, if it has one, is right.
#[derive(Debug, Clone)]
pub struct Authentication {
    /// Who signed.
    pub caller: Caller,
    /// What that says about the body.
    pub payload: PayloadAuth,
    /// Whether the signature was in the query; then the query also carries headers, see [`hoist_query_headers`].
    pub presigned: bool,
}

#[cfg(test)]
mod tests;
