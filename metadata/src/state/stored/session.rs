//! Stored commands on sessions.

use cairn_core::id::{NodeId, SessionId};

use super::macros::stored;

stored!(array OpenSession { 0 gateway: NodeId });
stored!(array OpenSystemSession { 0 writer: NodeId });
stored!(array EndSession { 0 session: SessionId });
