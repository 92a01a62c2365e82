//! The `Authorization` header.

use super::credential::{Credential, CredentialError};
use super::names::ALGORITHM;

/// Why a header is not a SigV4 authorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// It names another scheme, or none.
    #[error("the authorization scheme is not {ALGORITHM}")]
    Scheme,
    #[error("the authorization header requires Credential, SignedHeaders and Signature; {0} is missing")]
    MissingElement(&'static str),
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The list of signed headers is empty or not lower case.
    #[error("SignedHeaders is a list of lower-case header names, separated by semicolons")]
    SignedHeaders,
}

/// The `Authorization` header of a signed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authorization<'a> {
    /// Who signed, and for which scope.
    pub credential: Credential<'a>,
    /// Names of the signed headers, separated by semicolons.
    pub signed_headers: &'a str,
    pub signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`, with or without spaces after the commas.
    pub fn parse(header: &'a str) -> Result<Self, AuthorizationError> {
        let elements = header
            .strip_prefix(ALGORITHM)
            .filter(|rest| rest.starts_with([' ', '\t']))
            .ok_or(AuthorizationError::Scheme)?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for element in elements.split(',') {
            match element.trim().split_once('=') {
                Some(("Credential", value)) => credential = Some(value),
                Some(("SignedHeaders", value)) => signed_headers = Some(value),
                Some(("Signature", value)) => signature = Some(value),
                _ => {}
            }
        }
        let credential = credential.ok_or(AuthorizationError::MissingElement("Credential"))?;
        let signed_headers = signed_headers.ok_or(AuthorizationError::MissingElement("SignedHeaders"))?;
        let signature = signature.ok_or(AuthorizationError::MissingElement("Signature"))?;
        if signed_headers.is_empty() || signed_headers.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(AuthorizationError::SignedHeaders);
        }
        Ok(Self { credential: Credential::parse(credential)?, signed_headers, signature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, expected: Result<(&str, &str, &str), AuthorizationError>) {
        let parsed = Authorization::parse(header);
        assert_eq!(parsed.map(|a| (a.credential.access_key, a.signed_headers, a.signature)), expected, "{header}");
    }

    #[test]
    fn spaces_and_order_do_not_matter() {
        let expected = Ok(("AK", "host;x-amz-date", "00ff"));
        check(
            "AWS4-HMAC-SHA256 Credential=AK/20130524/r/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=00ff",
            expected,
        );
        check(
            "AWS4-HMAC-SHA256 Signature=00ff,SignedHeaders=host;x-amz-date,Credential=AK/20130524/r/s3/aws4_request",
            expected,
        );
    }

    #[test]
    fn each_defect_is_named() {
        check("", Err(AuthorizationError::Scheme));
        check("AWS AK:signature", Err(AuthorizationError::Scheme));
        check("AWS4-HMAC-SHA256", Err(AuthorizationError::Scheme));
        check("AWS4-HMAC-SHA256 foo", Err(AuthorizationError::MissingElement("Credential")));
        check("AWS4-HMAC-SHA256 Credential=AK", Err(AuthorizationError::MissingElement("SignedHeaders")));
        check(
            "AWS4-HMAC-SHA256 Credential=AK,SignedHeaders=host",
            Err(AuthorizationError::MissingElement("Signature")),
        );
        check(
            "AWS4-HMAC-SHA256 Credential=AK,SignedHeaders=host,Signature=0",
            Err(AuthorizationError::Credential(CredentialError)),
        );
        check("AWS4-HMAC-SHA256 Credential=AK,SignedHeaders=Host,Signature=0", Err(AuthorizationError::SignedHeaders));
    }
}
