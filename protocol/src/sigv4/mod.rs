//! AWS Signature Version 4: one implementation for every signed request in the system.
//!
//! A request is reduced to a canonical text ([`CanonicalRequest`]), that text and its [`Scope`] to a string to sign,
//! and the string to a signature under a key that is good for one day, region and service ([`SigningKey`], derived
//! once and kept in a [`SigningKeyCache`]). Clients use [`Signer`]; the internal RPC and the admin API use
//! [`HeaderVerifier`]; the S3 gateway, which also knows presigned queries, S3's error codes and chunked bodies, builds
//! its own verifier from the same pieces. Time always comes in as an argument.
//! Source: "Authenticating Requests (AWS Signature Version 4)" in the Amazon S3 API reference.

mod authorization;
mod canonical;
mod chunk;
mod credential;
mod names;
mod payload_mode;
mod sign;
mod signing_key;
mod time;
mod uri;
mod verify;

pub use authorization::{Authorization, AuthorizationError};
pub use canonical::{CanonicalRequest, MissingSignedHeader, must_be_signed, signs_header, string_to_sign};
pub use chunk::ChunkSigner;
pub use credential::{Credential, CredentialError, Credentials, Scope, SecretKey};
pub use names::{ALGORITHM, SCOPE_TERMINATOR, X_AMZ_CONTENT_SHA256, X_AMZ_DATE, X_AMZ_SECURITY_TOKEN};
pub use payload_mode::{EMPTY_SHA256_HEX, PayloadMode, PayloadModeError};
pub use sign::{PresignedUri, RequestTarget, SignError, Signed, Signer};
pub use signing_key::{SigningKey, SigningKeyCache, signatures_match};
pub use time::{SigningTime, SigningTimeError};
pub use uri::{decode_query_component, encode_path, encode_query_component};
pub use verify::{HeaderVerifier, Verified, VerifyError};

#[cfg(test)]
mod tests;
