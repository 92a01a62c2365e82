//! Fixed texts of SigV4.

/// The only algorithm that is accepted and produced.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Last element of every credential scope.
pub const SCOPE_TERMINATOR: &str = "aws4_request";
/// Header with the signing time.
pub const X_AMZ_DATE: &str = "x-amz-date";
/// Header with the payload's hash, or with how the payload is signed.
pub const X_AMZ_CONTENT_SHA256: &str = "x-amz-content-sha256";
/// Header with the token of temporary credentials.
pub const X_AMZ_SECURITY_TOKEN: &str = "x-amz-security-token";
