//! The credentials of a gateway without a user directory.

use cairn_protocol::sigv4::{Credentials, SecretKey};

use super::types::CredentialStore;

/// Knows the root user's keys and no others.
pub struct RootOnly(Credentials);

impl RootOnly {
    pub fn new(root: Credentials) -> Self {
        Self(root)
    }
}

impl CredentialStore for RootOnly {
    fn secret_key(&self, access_key: &str) -> Option<SecretKey> {
        (access_key == self.0.access_key).then(|| self.0.secret_key.clone())
    }
}
