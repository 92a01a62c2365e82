//! Fixed texts of SigV4.

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
