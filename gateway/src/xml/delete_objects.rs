//! DeleteObjects.

use cairn_core::limits::LIST_PAGE_MAX;
use serde::Deserialize;

use super::document::{self, Shape};
use super::writer::XmlWriter;
use crate::error::{S3Error, S3ErrorCode};

/// Largest document, in bytes: 1,000 keys of 1,024 bytes fit, unless nearly all of them need escaping.
pub const DELETE_BYTES_MAX: usize = 2 << 20;

const SHAPE: Shape = Shape {
    root: "Delete",
    elements: Some(&["ETag", "Key", "LastModifiedTime", "Object", "Quiet", "Size", "VersionId"]),
    not_implemented: &[],
};

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ObjectToDelete {
    pub key: String,
    /// The version to remove. Without it the current version is deleted.
    pub version_id: Option<String>,
    /// Delete only if the entity tag is this, or `*` for any.
    #[serde(rename = "ETag")]
    pub etag: Option<String>,
    /// Delete only if last modified at this time: an HTTP date or an ISO time.
    pub last_modified_time: Option<String>,
    /// Delete only if it has this many bytes.
    pub size: Option<u64>,
}

/// The body of DeleteObjects. Source: S3 API reference, "DeleteObjects".
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Delete {
    /// Report only failures.
    #[serde(default)]
    pub quiet: bool,
    /// One to 1,000 entries.
    #[serde(rename = "Object", default)]
    pub objects: Vec<ObjectToDelete>,
}

impl Delete {
    pub fn parse(body: &[u8]) -> Result<Self, S3Error> {
        let parsed: Self = document::parse(body, &SHAPE, DELETE_BYTES_MAX)?;
        if parsed.objects.is_empty() || parsed.objects.len() > LIST_PAGE_MAX as usize {
            return Err(document::malformed());
        }
        Ok(parsed)
    }
}

/// The outcome of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeleteOutcome {
    /// The object is gone, or a delete marker hides it.
    Deleted {
        key: String,
        /// As requested.
        version_id: Option<String>,
        /// Version id of the delete marker that was created or removed.
        delete_marker_version_id: Option<String>,
        /// Whether a delete marker was created or removed.
        delete_marker: bool,
    },
    /// The object still exists.
    Failed {
        key: String,
        /// As requested.
        version_id: Option<String>,
        code: S3ErrorCode,
        message: String,
    },
}

/// The response of DeleteObjects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteResult {
    /// Report only failures, as requested.
    pub quiet: bool,
    /// One per entry, in the order of the request.
    pub outcomes: Vec<DeleteOutcome>,
}

impl DeleteResult {
    pub fn to_xml(&self) -> String {
        XmlWriter::document("DeleteResult", |xml| {
            for outcome in &self.outcomes {
                self.write(outcome, xml);
            }
        })
    }

    fn write(&self, outcome: &DeleteOutcome, xml: &mut XmlWriter) {
        match outcome {
            DeleteOutcome::Deleted { .. } if self.quiet => {}
            DeleteOutcome::Deleted { key, version_id, delete_marker_version_id, delete_marker } => {
                xml.element("Deleted", |xml| {
                    xml.text("Key", key);
                    xml.optional("VersionId", version_id.as_deref());
                    if *delete_marker {
                        xml.value("DeleteMarker", true);
                    }
                    xml.optional("DeleteMarkerVersionId", delete_marker_version_id.as_deref());
                });
            }
            DeleteOutcome::Failed { key, version_id, code, message } => xml.element("Error", |xml| {
                xml.text("Key", key);
                xml.optional("VersionId", version_id.as_deref());
                xml.text("Code", code.as_str());
                xml.text("Message", message);
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_keys_to_the_byte() {
        let body = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n  <Object><Key> a &amp; b&#x1;&#13;\n</Key>\
                    <VersionId>null</VersionId></Object>\n  <Object><Key>ü</Key><ETag>&quot;e&quot;</ETag><Size>3</Size>\
                    <LastModifiedTime>2026-11-22T13:50:54Z</LastModifiedTime></Object><Quiet>true</Quiet></Delete>";
        let parsed = Delete::parse(body.as_bytes()).unwrap();
        assert!(parsed.quiet);
        assert_eq!(
            parsed.objects,
            [
                ObjectToDelete {
                    key: " a & b\u{1}\r\n".to_owned(),
                    version_id: Some("null".to_owned()),
                    etag: None,
                    last_modified_time: None,
                    size: None,
                },
                ObjectToDelete {
                    key: "ü".to_owned(),
                    version_id: None,
                    etag: Some("\"e\"".to_owned()),
                    last_modified_time: Some("2026-11-22T13:50:54Z".to_owned()),
                    size: Some(3),
                },
            ]
        );
    }

    #[test]
    fn a_request_has_one_to_a_thousand_entries() {
        let document = |count: usize| format!("<Delete>{}</Delete>", "<Object><Key>k</Key></Object>".repeat(count));
        for (count, accepted) in [(0, false), (1, true), (1000, true), (1001, false)] {
            assert_eq!(Delete::parse(document(count).as_bytes()).is_ok(), accepted, "{count}");
        }
        assert_eq!(Delete::parse(b"<Delete><Object/></Delete>").unwrap_err().code(), S3ErrorCode::MalformedXml);
        assert_eq!(
            Delete::parse(&vec![b' '; DELETE_BYTES_MAX + 1]).unwrap_err().code(),
            S3ErrorCode::MaxMessageLengthExceeded
        );
    }

    #[test]
    fn quiet_responses_contain_only_failures() {
        let outcomes = vec![
            DeleteOutcome::Deleted {
                key: "k".to_owned(),
                version_id: None,
                delete_marker_version_id: Some("7".to_owned()),
                delete_marker: true,
            },
            DeleteOutcome::Failed {
                key: "l".to_owned(),
                version_id: Some("1".to_owned()),
                code: S3ErrorCode::PreconditionFailed,
                message: "m".to_owned(),
            },
        ];
        let failed =
            "<Error><Key>l</Key><VersionId>1</VersionId><Code>PreconditionFailed</Code><Message>m</Message></Error>";
        let deleted = "<Deleted><Key>k</Key><DeleteMarker>true</DeleteMarker>\
                       <DeleteMarkerVersionId>7</DeleteMarkerVersionId></Deleted>";
        let loud = DeleteResult { quiet: false, outcomes };
        assert!(loud.to_xml().ends_with(&format!("\">{deleted}{failed}</DeleteResult>")));
        let quiet = DeleteResult { quiet: true, ..loud };
        assert!(quiet.to_xml().ends_with(&format!("\">{failed}</DeleteResult>")));
    }
}
