//! Stored commands on sessions.

use cairn_core::id::{NodeId, SessionId};
use cairn_core::release::Release;

use super::macros::stored;

stored!(array OpenSession { 0 gateway: NodeId, 1 release: Release, 2 name: Option<String> });
stored!(array OpenSystemSession { 0 writer: NodeId, 1 release: Release });
stored!(array EndSession { 0 session: SessionId });
