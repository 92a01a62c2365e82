//! GetObjectAttributes.

use axum::body::Body;
use http::Response;
use http::header::{CONTENT_TYPE, LAST_MODIFIED};

use super::steps::find_object::find_requested;
use crate::body::Checksum;
use crate::error::{S3Error, S3ErrorCode};
use crate::http_date::format_http_date;
use crate::request::call::{Arrival, Call, VersionCall};
use crate::response::respond::{self, Answer};
use crate::response::version::{VERSION_ID, describe_version};
use crate::xml::ObjectAttributes;

/// The header that names the wanted attributes.
const WANTED: &str = "x-amz-object-attributes";
/// Headers that page through the parts, of which only the number is reported.
const PAGING: [&str; 2] = ["x-amz-max-parts", "x-amz-part-number-marker"];

pub(crate) struct AttributesCall {
    of: VersionCall,
    wanted: Vec<Attribute>,
}

impl Call for AttributesCall {
    fn parse(arrival: Arrival) -> Result<Self, S3Error> {
        let headers = &arrival.request.headers;
        if let Some(name) = PAGING.iter().find(|name| headers.contains_key(**name)) {
            return Err(S3Error::not_implemented(*name));
        }
        let wanted = parse(headers.get_all(WANTED).iter().filter_map(|value| value.to_str().ok()))?;
        Ok(Self { of: VersionCall::parse(arrival)?, wanted })
    }
}

pub(crate) async fn handle(call: AttributesCall) -> Answer {
    let wants = |attribute| call.wanted.contains(&attribute);
    let view = find_requested(&call.of, None, None, 0).await?;
    let version = view.version;
    let checksum = version.checksum.as_ref().filter(|_| wants(Attribute::Checksum)).and_then(Checksum::from_stored);
    let attributes = ObjectAttributes {
        etag: wants(Attribute::ETag).then_some(version.etag),
        checksum: checksum.as_ref(),
        parts_count: view.parts.filter(|_| wants(Attribute::ObjectParts)),
        storage_class: wants(Attribute::StorageClass).then_some(version.storage_class.name()),
        size: wants(Attribute::ObjectSize).then_some(version.size),
    };
    let response = Response::builder()
        .header(CONTENT_TYPE, respond::XML)
        .header(LAST_MODIFIED, format_http_date(version.last_modified_ms));
    let response = describe_version(response, call.of.context.ids()?, VERSION_ID, version.id);
    respond::finish(response, Body::from(attributes.to_xml()))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attribute {
    ETag,
    Checksum,
    ObjectParts,
    StorageClass,
    ObjectSize,
}

/// Parses the header, which may be repeated and whose values may be lists.
fn parse<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Vec<Attribute>, S3Error> {
    let names = texts.flat_map(|text| text.split(',')).map(str::trim).filter(|name| !name.is_empty());
    let wanted = names.map(|name| {
        Ok(match name {
            "ETag" => Attribute::ETag,
            "Checksum" => Attribute::Checksum,
            "ObjectParts" => Attribute::ObjectParts,
            "StorageClass" => Attribute::StorageClass,
            "ObjectSize" => Attribute::ObjectSize,
            _ => return Err(S3Error::invalid_argument(WANTED, name, "Invalid attribute name specified.")),
        })
    });
    let wanted = wanted.collect::<Result<Vec<_>, _>>()?;
    if wanted.is_empty() {
        let message =
            "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty";
        return Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message));
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_named_in_lists_or_repeated_headers() {
        let wanted = parse(["ETag, ObjectSize", "ObjectParts"].into_iter());
        assert_eq!(wanted, Ok(vec![Attribute::ETag, Attribute::ObjectSize, Attribute::ObjectParts]));
        for (texts, code) in [
            (vec![], S3ErrorCode::InvalidRequest),
            (vec![" , "], S3ErrorCode::InvalidRequest),
            (vec!["ETag,Colour"], S3ErrorCode::InvalidArgument),
        ] {
            assert_eq!(parse(texts.into_iter()).unwrap_err().code(), code);
        }
    }
}
