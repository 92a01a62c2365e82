//! S3's error codes.

use http::StatusCode;

macro_rules! codes {
    ($($name:ident $wire:literal $status:ident $message:literal)*) => {
        /// An error code. Source: S3 API reference, "Error responses", "List of error codes".
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum S3ErrorCode {
            $(
                #[doc = $message]
                $name,
            )*
        }

        impl S3ErrorCode {
            pub const ALL: &[Self] = &[$(Self::$name),*];

            const fn facts(self) -> (&'static str, StatusCode, &'static str) {
                match self {
                    $(Self::$name => ($wire, StatusCode::$status, $message),)*
                }
            }
        }
    };
}

impl S3ErrorCode {
    /// The code as clients know it.
    pub const fn as_str(self) -> &'static str {
        self.facts().0
    }

    pub const fn status(self) -> StatusCode {
        self.facts().1
    }

    /// AWS's message, used if there is nothing better to say.
    pub const fn message(self) -> &'static str {
        self.facts().2
    }
}

codes! {
    AccessDenied "AccessDenied" FORBIDDEN
        "Access Denied"
    AuthorizationHeaderMalformed "AuthorizationHeaderMalformed" BAD_REQUEST
        "The authorization header that you provided is not valid."
    AuthorizationQueryParametersError "AuthorizationQueryParametersError" BAD_REQUEST
        "The authorization query parameters that you provided are not valid."
    BadDigest "BadDigest" BAD_REQUEST
        "The Content-MD5 you specified did not match what we received."
    BucketAlreadyOwnedByYou "BucketAlreadyOwnedByYou" CONFLICT
        "Your previous request to create the named bucket succeeded and you already own it."
    BucketNotEmpty "BucketNotEmpty" CONFLICT
        "The bucket you tried to delete is not empty"
    EntityTooLarge "EntityTooLarge" BAD_REQUEST
        "Your proposed upload exceeds the maximum allowed size"
    EntityTooSmall "EntityTooSmall" BAD_REQUEST
        "Your proposed upload is smaller than the minimum allowed size"
    IllegalLocationConstraint "IllegalLocationConstraintException" BAD_REQUEST
        "The specified location constraint is incompatible for the region specific endpoint this request was sent to."
    IllegalVersioningConfiguration "IllegalVersioningConfigurationException" BAD_REQUEST
        "The Versioning element must be specified"
    IncompleteBody "IncompleteBody" BAD_REQUEST
        "You did not provide the number of bytes specified by the Content-Length HTTP header"
    InternalError "InternalError" INTERNAL_SERVER_ERROR
        "We encountered an internal error. Please try again."
    InvalidAccessKeyId "InvalidAccessKeyId" FORBIDDEN
        "The AWS Access Key Id you provided does not exist in our records."
    InvalidArgument "InvalidArgument" BAD_REQUEST
        "Invalid Argument"
    InvalidBucketName "InvalidBucketName" BAD_REQUEST
        "The specified bucket is not valid."
    InvalidChunkSize "InvalidChunkSizeError" FORBIDDEN
        "Only the last chunk is allowed to have a size less than 8192 bytes"
    InvalidDigest "InvalidDigest" BAD_REQUEST
        "The Content-MD5 you specified was invalid."
    InvalidPart "InvalidPart" BAD_REQUEST
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."
    InvalidPartNumber "InvalidPartNumber" RANGE_NOT_SATISFIABLE
        "The requested partnumber is not satisfiable"
    InvalidPartOrder "InvalidPartOrder" BAD_REQUEST
        "The list of parts was not in ascending order. Parts must be ordered by part number."
    InvalidRange "InvalidRange" RANGE_NOT_SATISFIABLE
        "The requested range is not satisfiable"
    InvalidRequest "InvalidRequest" BAD_REQUEST
        "Invalid Request"
    InvalidStorageClass "InvalidStorageClass" BAD_REQUEST
        "The storage class you specified is not valid"
    InvalidToken "InvalidToken" BAD_REQUEST
        "The provided token is malformed or otherwise invalid."
    InvalidUri "InvalidURI" BAD_REQUEST
        "Couldn't parse the specified URI."
    KeyTooLong "KeyTooLongError" BAD_REQUEST
        "Your key is too long"
    MalformedTrailer "MalformedTrailerError" BAD_REQUEST
        "The request contained trailing data that was not well-formed or did not conform to our published schema."
    MalformedXml "MalformedXML" BAD_REQUEST
        "The XML you provided was not well-formed or did not validate against our published schema"
    MaxMessageLengthExceeded "MaxMessageLengthExceeded" BAD_REQUEST
        "Your request was too big."
    MetadataTooLarge "MetadataTooLarge" BAD_REQUEST
        "Your metadata headers exceed the maximum allowed metadata size"
    MethodNotAllowed "MethodNotAllowed" METHOD_NOT_ALLOWED
        "The specified method is not allowed against this resource."
    MissingContentLength "MissingContentLength" LENGTH_REQUIRED
        "You must provide the Content-Length HTTP header."
    NoSuchBucket "NoSuchBucket" NOT_FOUND
        "The specified bucket does not exist"
    NoSuchKey "NoSuchKey" NOT_FOUND
        "The specified key does not exist."
    NoSuchLifecycleConfiguration "NoSuchLifecycleConfiguration" NOT_FOUND
        "The lifecycle configuration does not exist"
    NoSuchUpload "NoSuchUpload" NOT_FOUND
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    NoSuchVersion "NoSuchVersion" NOT_FOUND
        "The specified version does not exist."
    NotImplemented "NotImplemented" NOT_IMPLEMENTED
        "A header you provided implies functionality that is not implemented"
    NotModified "NotModified" NOT_MODIFIED
        "Not Modified"
    PreconditionFailed "PreconditionFailed" PRECONDITION_FAILED
        "At least one of the pre-conditions you specified did not hold"
    RequestTimeout "RequestTimeout" BAD_REQUEST
        "Your socket connection to the server was not read from or written to within the timeout period."
    RequestTimeTooSkewed "RequestTimeTooSkewed" FORBIDDEN
        "The difference between the request time and the current time is too large."
    ServiceUnavailable "ServiceUnavailable" SERVICE_UNAVAILABLE
        "Service is unable to handle request."
    SignatureDoesNotMatch "SignatureDoesNotMatch" FORBIDDEN
        "The request signature we calculated does not match the signature you provided. Check your key and signing method."
    SlowDown "SlowDown" SERVICE_UNAVAILABLE
        "Please reduce your request rate."
    TooManyBuckets "TooManyBuckets" BAD_REQUEST
        "You have attempted to create more buckets than allowed"
    UserKeyMustBeSpecified "UserKeyMustBeSpecified" BAD_REQUEST
        "The bucket POST must contain the specified field name. If it is specified, check the order of the fields."
    XAmzContentSha256Mismatch "XAmzContentSHA256Mismatch" BAD_REQUEST
        "The provided 'x-amz-content-sha256' header does not match what was computed."
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_distinct_and_complete() {
        let names: HashSet<_> = S3ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), S3ErrorCode::ALL.len());
        for code in S3ErrorCode::ALL {
            assert!(!code.message().is_empty());
            assert!(code.status().as_u16() >= 300, "{code:?}");
        }
    }
}
