//! Reads what a request says about its signature, without checking it.

use std::borrow::Cow;
use std::time::Duration;

use cairn_protocol::sigv4::{
    ALGORITHM, Authorization, AuthorizationError, PayloadMode, SigningTime, X_AMZ_CONTENT_SHA256, X_AMZ_DATE,
    X_AMZ_SECURITY_TOKEN, decode_query_component,
};
use http::HeaderMap;
use http::header::{AUTHORIZATION, DATE};
use jiff::fmt::rfc2822::DateTimeParser;

use super::types::RequestHead;
use crate::error::{S3Error, S3ErrorCode};

/// Longest validity of a presigned URL. Source: S3 API reference, "Authenticating requests: using query parameters".
const EXPIRES_SECONDS_MAX: u64 = 604_800;

/// The signature of a request, wherever it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthInput<'a> {
    /// An unsigned request may still say something about its body.
    Anonymous {
        payload: PayloadMode,
    },
    Signed(SignedInput<'a>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedInput<'a> {
    /// Access key and scope.
    pub credential: Cow<'a, str>,
    /// Names of the signed headers, separated by semicolons.
    pub signed_headers: Cow<'a, str>,
    /// As presented.
    pub signature: Cow<'a, str>,
    /// When the request was signed.
    pub time: SigningTime,
    /// How long the signature is valid; `None` if it was in the header.
    pub expires: Option<Duration>,
    /// What was signed in place of the body.
    pub payload_hash: Cow<'a, str>,
    /// `payload_hash`, parsed.
    pub payload: PayloadMode,
    /// Token of temporary credentials.
    pub session_token: Option<Cow<'a, str>>,
}

impl<'a> AuthInput<'a> {
    /// Reads the signature of a request, from its `Authorization` header or from its query.
    pub fn read(request: &RequestHead<'a>) -> Result<Self, S3Error> {
        let query = request.uri.query().unwrap_or_default();
        let in_query = QueryAuth::read(query);
        match (request.headers.get(AUTHORIZATION), in_query) {
            (None, None) => {
                let payload = request
                    .headers
                    .get(X_AMZ_CONTENT_SHA256)
                    .map_or(Ok(PayloadMode::Unsigned), |value| parse_payload(value.to_str().unwrap_or_default()))?;
                Ok(Self::Anonymous { payload })
            }
            (Some(_), Some(_)) => Err(S3Error::invalid_argument(
                "Authorization",
                "",
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
                 parameter or the Authorization header should be specified",
            )),
            (Some(header), None) => read_header(header.to_str().unwrap_or_default(), request.headers).map(Self::Signed),
            (None, Some(query)) => query.into_input(request.headers).map(Self::Signed),
        }
    }
}

fn read_header<'a>(header: &'a str, headers: &'a HeaderMap) -> Result<SignedInput<'a>, S3Error> {
    if header.trim().is_empty() {
        return Err(S3ErrorCode::AccessDenied.into());
    }
    let authorization = Authorization::parse(header).map_err(|error| header_error(header, error))?;
    let payload_hash = text(headers, X_AMZ_CONTENT_SHA256).ok_or_else(|| {
        S3Error::with_message(
            S3ErrorCode::InvalidRequest,
            "Missing required header for this request: x-amz-content-sha256",
        )
    })?;
    Ok(SignedInput {
        credential: authorization.credential.as_str().into(),
        signed_headers: authorization.signed_headers.into(),
        signature: authorization.signature.into(),
        time: header_time(headers)?,
        expires: None,
        payload: parse_payload(payload_hash)?,
        payload_hash: payload_hash.into(),
        session_token: text(headers, X_AMZ_SECURITY_TOKEN).map(Cow::Borrowed),
    })
}

fn header_error(header: &str, error: AuthorizationError) -> S3Error {
    match error {
        AuthorizationError::Scheme if is_other_aws_scheme(header) => unsupported_mechanism(),
        AuthorizationError::Scheme => {
            S3Error::invalid_argument("Authorization", header, "Unsupported Authorization Type")
        }
        AuthorizationError::MissingElement(_)
        | AuthorizationError::Credential(_)
        | AuthorizationError::SignedHeaders => S3Error::with_message(
            S3ErrorCode::AuthorizationHeaderMalformed,
            format!("The authorization header is malformed; {error}."),
        ),
    }
}

/// Signature Version 2 (`AWS KEY:SIGNATURE`) or one of version 4's other algorithms.
fn is_other_aws_scheme(header: &str) -> bool {
    header.strip_prefix("AWS ").is_some_and(|rest| rest.contains(':')) || header.starts_with("AWS4-ECDSA-")
}

pub(super) fn unsupported_mechanism() -> S3Error {
    S3Error::with_message(
        S3ErrorCode::InvalidRequest,
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    )
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn parse_payload(text: &str) -> Result<PayloadMode, S3Error> {
    PayloadMode::parse(text).map_err(|error| S3Error::invalid_argument(X_AMZ_CONTENT_SHA256, text, error.to_string()))
}

/// `x-amz-date`; if it is absent, `Date` in either notation.
fn header_time(headers: &HeaderMap) -> Result<SigningTime, S3Error> {
    let time = match (text(headers, X_AMZ_DATE), text(headers, DATE.as_str())) {
        (Some(amz_date), _) => SigningTime::parse(amz_date).ok(),
        (None, Some(date)) => SigningTime::parse(date).ok().or_else(|| {
            let timestamp = DateTimeParser::new().parse_timestamp(date).ok()?;
            SigningTime::from_system_time(timestamp.into()).ok()
        }),
        (None, None) => None,
    };
    time.ok_or_else(|| {
        S3Error::with_message(
            S3ErrorCode::AccessDenied,
            "AWS authentication requires a valid Date or x-amz-date header",
        )
    })
}

/// The parameters of a presigned URL, decoded.
#[derive(Default)]
struct QueryAuth<'a> {
    algorithm: Option<Cow<'a, str>>,
    credential: Option<Cow<'a, str>>,
    date: Option<Cow<'a, str>>,
    expires: Option<Cow<'a, str>>,
    signed_headers: Option<Cow<'a, str>>,
    signature: Option<Cow<'a, str>>,
    content_sha256: Option<Cow<'a, str>>,
    session_token: Option<Cow<'a, str>>,
    version_2: bool,
}

impl<'a> QueryAuth<'a> {
    /// `None` if the query has no part of a signature.
    fn read(query: &'a str) -> Option<Self> {
        let mut found = Self::default();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let field = match name {
                "X-Amz-Algorithm" => &mut found.algorithm,
                "X-Amz-Credential" => &mut found.credential,
                "X-Amz-Date" => &mut found.date,
                "X-Amz-Expires" => &mut found.expires,
                "X-Amz-SignedHeaders" => &mut found.signed_headers,
                "X-Amz-Signature" => &mut found.signature,
                "X-Amz-Content-Sha256" => &mut found.content_sha256,
                "X-Amz-Security-Token" => &mut found.session_token,
                "AWSAccessKeyId" | "Signature" => {
                    found.version_2 = true;
                    continue;
                }
                _ => continue,
            };
            *field = decode_query_component(value);
        }
        let any =
            found.version_2 || found.algorithm.is_some() || found.signature.is_some() || found.credential.is_some();
        any.then_some(found)
    }

    fn into_input(self, headers: &'a HeaderMap) -> Result<SignedInput<'a>, S3Error> {
        let (Some(algorithm), Some(credential), Some(date), Some(expires), Some(signed_headers), Some(signature)) =
            (self.algorithm, self.credential, self.date, self.expires, self.signed_headers, self.signature)
        else {
            return Err(if self.version_2 {
                unsupported_mechanism()
            } else {
                query_error(
                    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
                     X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
                )
            });
        };
        if algorithm != ALGORITHM {
            return Err(query_error("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
        }
        let time = SigningTime::parse(&date)
            .map_err(|_| query_error("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""))?;
        let payload_hash = self
            .content_sha256
            .or_else(|| text(headers, X_AMZ_CONTENT_SHA256).map(Cow::Borrowed))
            .unwrap_or_else(|| PayloadMode::Unsigned.header_value());
        Ok(SignedInput {
            credential,
            signed_headers,
            signature,
            time,
            expires: Some(parse_expires(&expires)?),
            payload: parse_payload(&payload_hash)?,
            payload_hash,
            session_token: self.session_token,
        })
    }
}

/// A number of seconds out of range is answered with 403, as ceph/s3-tests demands
/// (`test_object_raw_get_x_amz_expires_out_*`). AWS documents 400.
fn parse_expires(text: &str) -> Result<Duration, S3Error> {
    let seconds: i64 = text.parse().map_err(|_| query_error("X-Amz-Expires should be a number"))?;
    match u64::try_from(seconds) {
        Err(_) => Err(S3Error::with_message(S3ErrorCode::AccessDenied, "X-Amz-Expires must be non-negative")),
        Ok(seconds) if seconds > EXPIRES_SECONDS_MAX => Err(S3Error::with_message(
            S3ErrorCode::AccessDenied,
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than \
             604800 seconds",
        )),
        Ok(0) => Err(S3Error::with_message(S3ErrorCode::AccessDenied, "Request has expired")),
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
    }
}

pub(super) fn query_error(message: impl Into<Cow<'static, str>>) -> S3Error {
    S3Error::with_message(S3ErrorCode::AuthorizationQueryParametersError, message)
}
