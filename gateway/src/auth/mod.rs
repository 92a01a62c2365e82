//! Who sent an S3 request: Signature Version 4 by header and by presigned query.
//!
//! [`Authenticator`] turns a request's head into an [`Authentication`]: the access key that signed it, if any, and what
//! the signature says about the body ([`PayloadAuth`]), which the reader of the body then enforces. What the caller may
//! do is decided elsewhere. Nothing here reads a clock: `now` is an argument.

mod authenticator;
mod hoist;
mod input;
mod presigned_v2;
mod root_only;
mod types;

pub use authenticator::Authenticator;
pub use hoist::hoist_query_headers;
pub use input::{AuthInput, SignedInput};
pub use root_only::RootOnly;
pub use types::{Authentication, Caller, CredentialStore, PayloadAuth, RequestHead};

#[cfg(test)]
mod tests;
