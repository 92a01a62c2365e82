//! The replicated state: its [`tables`], the [`commands`] that change them, and the [`queries`] that read them. Nothing
//! here knows of Raft or of leaders.

pub(crate) mod commands;
pub(crate) mod queries;
pub(crate) mod tables;
