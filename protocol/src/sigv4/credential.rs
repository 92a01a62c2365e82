//! Who signs: access keys, secrets, and the scope in which a signature is valid.

use std::fmt;
use std::sync::Arc;

use super::names::SCOPE_TERMINATOR;

/// A secret access key. Cheap to clone; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(Arc<str>);

impl SecretKey {
    pub fn new(secret: impl Into<Arc<str>>) -> Self {
        Self(secret.into())
    }

    /// The secret in plain text, for key derivation and for the files that store it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// What a client signs with.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub access_key: String,
    pub secret_key: SecretKey,
    /// Only with temporary credentials.
    pub session_token: Option<String>,
}

impl Credentials {
    /// Long-lived credentials, without a session token.
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<Arc<str>>) -> Self {
        Self { access_key: access_key.into(), secret_key: SecretKey::new(secret_key), session_token: None }
    }
}

/// The day, region and service for which a signature is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope<'a> {
    /// `YYYYMMDD`.
    pub date: &'a str,
    /// Such as `us-east-1`.
    pub region: &'a str,
    /// Such as `s3`.
    pub service: &'a str,
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{SCOPE_TERMINATOR}", self.date, self.region, self.service)
    }
}

/// A text that is not `ACCESS_KEY/YYYYMMDD/REGION/SERVICE/aws4_request`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the credential has the form <access key>/YYYYMMDD/<region>/<service>/aws4_request")]
pub struct CredentialError;

/// The credential element of a signed request: access key and scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credential<'a> {
    text: &'a str,
    pub access_key: &'a str,
    pub scope: Scope<'a>,
}

impl<'a> Credential<'a> {
    /// Reads `ACCESS_KEY/YYYYMMDD/REGION/SERVICE/aws4_request`. The access key may contain slashes.
    pub fn parse(text: &'a str) -> Result<Self, CredentialError> {
        let mut parts = text.rsplitn(5, '/');
        let mut next = || parts.next().filter(|part| !part.is_empty()).ok_or(CredentialError);
        let (terminator, service, region, date, access_key) = (next()?, next()?, next()?, next()?, next()?);
        if terminator != SCOPE_TERMINATOR || date.len() != 8 || !date.bytes().all(|b| b.is_ascii_digit()) {
            return Err(CredentialError);
        }
        Ok(Self { text, access_key, scope: Scope { date, region, service } })
    }

    /// The text that was parsed.
    pub fn as_str(&self) -> &'a str {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_read_from_the_right() {
        let text = "AK/with/slash/20130524/us-east-1/s3/aws4_request";
        let credential = Credential::parse(text).unwrap();
        assert_eq!(credential.access_key, "AK/with/slash");
        assert_eq!(credential.scope, Scope { date: "20130524", region: "us-east-1", service: "s3" });
        assert_eq!(format!("{}/{}", credential.access_key, credential.scope), text);
    }

    #[test]
    fn incomplete_credentials_are_refused() {
        for text in [
            "",
            "AK",
            "AK/20130524/us-east-1/s3",
            "AK/20130524/us-east-1/s3/aws4",
            "AK/20130524//s3/aws4_request",
            "/20130524/us-east-1/s3/aws4_request",
            "AK/2013-05-24/us-east-1/s3/aws4_request",
        ] {
            assert_eq!(Credential::parse(text), Err(CredentialError), "{text}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let credentials = Credentials::new("AK", "very-secret");
        assert!(!format!("{credentials:?}").contains("very-secret"));
    }
}
