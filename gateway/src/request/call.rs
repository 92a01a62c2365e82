//! Requests that were let in, as the operations take them.

use std::sync::Arc;

use cairn_core::name::BucketName;
use cairn_core::version::VersionId;

use super::incoming::Incoming;
use super::name::ObjectName;
use super::target::Target;
use super::version::requested_version;
use crate::context::Context;
use crate::error::{S3Error, S3ErrorCode};

/// A request whose operation is known and whose input is still to be parsed.
pub(crate) struct Arrival {
    pub(crate) context: Arc<Context>,
    pub(crate) target: Target,
    pub(crate) request: Incoming,
}

/// The input of an operation.
pub(crate) trait Call: Sized {
    /// Parses everything that names what the operation is about. Of several mistakes the first one is reported, so the
    /// order of checks is part of the interface.
    fn parse(arrival: Arrival) -> Result<Self, S3Error>;
}

pub(crate) struct ServiceCall {
    pub(crate) context: Arc<Context>,
    pub(crate) request: Incoming,
}

pub(crate) struct BucketCall {
    pub(crate) context: Arc<Context>,
    pub(crate) bucket: BucketName,
    pub(crate) request: Incoming,
}

/// About a key, whatever versions it has.
pub(crate) struct ObjectCall {
    pub(crate) context: Arc<Context>,
    pub(crate) object: ObjectName,
    pub(crate) request: Incoming,
}

/// About one version of an object.
pub(crate) struct VersionCall {
    pub(crate) context: Arc<Context>,
    pub(crate) object: ObjectName,
    /// `None` means the current one.
    pub(crate) version: Option<VersionId>,
    pub(crate) request: Incoming,
}

impl Call for ServiceCall {
    fn parse(arrival: Arrival) -> Result<Self, S3Error> {
        Ok(Self { context: arrival.context, request: arrival.request })
    }
}

impl Call for BucketCall {
    fn parse(arrival: Arrival) -> Result<Self, S3Error> {
        Ok(Self { bucket: arrival.target.bucket()?, context: arrival.context, request: arrival.request })
    }
}

impl Call for ObjectCall {
    fn parse(arrival: Arrival) -> Result<Self, S3Error> {
        Ok(Self { object: arrival.target.object()?, context: arrival.context, request: arrival.request })
    }
}

impl Call for VersionCall {
    fn parse(arrival: Arrival) -> Result<Self, S3Error> {
        let Arrival { context, target, request } = arrival;
        let object = target.object()?;
        let version = requested_version(&context, &request.query).map_err(|error| match error.code() {
            S3ErrorCode::NoSuchVersion => error.with("Key", object.key.as_str()),
            _ => error,
        })?;
        Ok(Self { context, object, version, request })
    }
}
