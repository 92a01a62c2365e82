//! An endpoint and an identity.

use std::fmt;
use std::sync::Arc;

use cairn_core::clock::Clock;
use cairn_protocol::sigv4::{Credentials, Signer, SigningKeyCache};

use crate::http::Endpoint;

/// Region that requests are signed for unless another is given.
const REGION_DEFAULT: &str = "us-east-1";

/// An endpoint and an identity, shared with the derived signing keys by all clients of a process.
pub struct Account {
    pub endpoint: Endpoint,
    /// Region of the signature.
    pub region: String,
    credentials: Credentials,
    keys: SigningKeyCache,
    clock: Arc<dyn Clock>,
}

impl Account {
    /// An identity at `endpoint`; requests are dated by `clock`.
    pub fn new(endpoint: Endpoint, credentials: Credentials, clock: Arc<dyn Clock>) -> Self {
        let keys = SigningKeyCache::new();
        Self { endpoint, region: REGION_DEFAULT.to_owned(), credentials, keys, clock }
    }

    /// The same identity, with requests signed for another region.
    pub fn with_region(self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self }
    }

    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The clock that dates requests.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// Signs for S3.
    pub fn signer(&self) -> Signer<'_> {
        Signer { credentials: &self.credentials, region: &self.region, service: "s3", keys: &self.keys }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.credentials.access_key, self.endpoint)
    }
}
