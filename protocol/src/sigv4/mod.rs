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
pub use payload_mode::{EMPTY_SHA256_HEX, PayloadMode, PayloadModeError};
pub use sign::{PresignedUri, RequestTarget, SignError, Signed, Signer};
pub use signing_key::{SigningKey, SigningKeyCache, signatures_match};
pub use time::{SigningTime, SigningTimeError};
pub use uri::{decode_query_component, encode_path, encode_query_component};
pub use verify::{HeaderVerifier, Verified, VerifyError};

/// The only algorithm that is accepted and produced.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Last element of every credential scope.
pub const SCOPE_TERMINATOR: &str = "aws4_request";
/// Header that carries the signing time.
pub const X_AMZ_DATE: &str = "x-amz-date";
/// Header that carries the payload's hash or the way the payload is signed.
pub const X_AMZ_CONTENT_SHA256: &str = "x-amz-content-sha256";
/// Header that carries the token of temporary credentials.
pub const X_AMZ_SECURITY_TOKEN: &str = "x-amz-security-token";

#[cfg(test)]
mod tests;
