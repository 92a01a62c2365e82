//! Who sent a request, and what is known of its body.

use cairn_protocol::sigv4::{ChunkSigner, SecretKey};
use http::{HeaderMap, Method, Uri};

use crate::error::{S3Error, S3ErrorCode};

/// Finds the secret of an access key.
pub trait CredentialStore: Send + Sync {
    /// The secret; `None` for an access key that does not exist or is disabled.
    fn secret_key(&self, access_key: &str) -> Option<SecretKey>;
}

/// The head of a request as it arrived.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    pub method: &'a Method,
    pub uri: &'a Uri,
    pub headers: &'a HeaderMap,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// The request is not signed.
    Anonymous,
    /// The owner of this access key.
    AccessKey(String),
}

impl Caller {
    /// The access key; `AccessDenied` for anonymous callers.
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
    Unsigned,
    SignedSha256([u8; 32]),
    /// The body comes in signed chunks, and a signed trailer follows if `trailer` is set. `signer` knows the request's
    /// own signature, from which the chain of signatures starts.
    StreamingSigned {
        signer: ChunkSigner,
        trailer: bool,
    },
    /// The body comes in unsigned chunks and is followed by a trailer.
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

/// A request whose signature, if it has one, is valid.
#[derive(Debug, Clone)]
pub struct Authentication {
    pub caller: Caller,
    pub payload: PayloadAuth,
    /// Whether the signature was in the query. Then the query also carries headers: see [`super::hoist_query_headers`].
    pub presigned: bool,
}
