//! Checks the condition of a conditional write.

use cairn_core::etag::ETag;
use cairn_protocol::metadata::Rejection;
use cairn_protocol::metadata::command::Precondition;

/// Checks a precondition against the key's newest version. Source: RFC 9110, section 13.
pub(super) fn check_precondition(precondition: &Precondition, current: Option<&ETag>) -> Result<(), Rejection> {
    if current.is_none() && precondition.requires_existence() {
        return Err(Rejection::NoSuchKey);
    }
    if precondition.holds(current) { Ok(()) } else { Err(Rejection::PreconditionFailed) }
}
