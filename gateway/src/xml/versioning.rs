//! Versioning of a bucket. Source: S3 API reference, "PutBucketVersioning" and "GetBucketVersioning".

use cairn_core::version::Versioning;
use serde::Deserialize;

use super::document::{self, Shape};
use super::writer::XmlWriter;
use crate::error::{S3Error, S3ErrorCode};

/// Largest document, in bytes.
pub const VERSIONING_BYTES_MAX: usize = 64 << 10;

const ROOT: &str = "VersioningConfiguration";
const SHAPE: Shape = Shape { root: ROOT, elements: Some(&["MfaDelete", "Status"]), not_implemented: &[] };

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    status: Option<String>,
    mfa_delete: Option<String>,
}

/// Parses the new versioning of a bucket.
pub fn parse_versioning(body: &[u8]) -> Result<Versioning, S3Error> {
    let document: Document = document::parse(body, &SHAPE, VERSIONING_BYTES_MAX)?;
    match document.mfa_delete.as_deref() {
        None | Some("Disabled") => {}
        Some("Enabled") => {
            let message = "MFA delete is not implemented. Nothing of the configuration was set.";
            return Err(S3Error::with_message(S3ErrorCode::NotImplemented, message));
        }
        Some(_) => return Err(document::malformed()),
    }
    match document.status.as_deref() {
        Some("Enabled") => Ok(Versioning::Enabled),
        Some("Suspended") => Ok(Versioning::Suspended),
        Some(_) => Err(document::malformed()),
        None => Err(S3ErrorCode::IllegalVersioningConfiguration.into()),
    }
}

/// The document. A bucket that was never versioned has no status.
pub fn versioning_configuration(versioning: Versioning) -> String {
    XmlWriter::document(ROOT, |xml| xml.optional("Status", versioning.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_round_trips() {
        for versioning in [Versioning::Enabled, Versioning::Suspended] {
            assert_eq!(parse_versioning(versioning_configuration(versioning).as_bytes()), Ok(versioning));
        }
        for (versioning, inner) in
            [(Versioning::Unversioned, ""), (Versioning::Suspended, "<Status>Suspended</Status>")]
        {
            let document = versioning_configuration(versioning);
            assert!(document.ends_with(&format!("\">{inner}</VersioningConfiguration>")), "{document}");
        }
    }

    #[test]
    fn other_configurations_are_refused() {
        use S3ErrorCode as C;
        for (inner, expected) in [
            ("<Status>Enabled</Status><MfaDelete>Disabled</MfaDelete>", Ok(Versioning::Enabled)),
            ("<MfaDelete>Disabled</MfaDelete><Status>Suspended</Status>", Ok(Versioning::Suspended)),
            ("<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>", Err(C::NotImplemented)),
            ("<Status>Enabled</Status><MfaDelete>no</MfaDelete>", Err(C::MalformedXml)),
            ("<Status>enabled</Status>", Err(C::MalformedXml)),
            ("<Status/>", Err(C::MalformedXml)),
            ("<MfaDelete>Disabled</MfaDelete>", Err(C::IllegalVersioningConfiguration)),
            ("", Err(C::IllegalVersioningConfiguration)),
        ] {
            let document = format!("<VersioningConfiguration>{inner}</VersioningConfiguration>");
            assert_eq!(parse_versioning(document.as_bytes()).map_err(|e| e.code()), expected, "{inner}");
        }
        assert_eq!(parse_versioning(b"").unwrap_err().code(), C::MalformedXml);
    }
}
