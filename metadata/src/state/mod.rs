//! The replicated state: its [`tables`], the [`commands`] that change them in the form in which the log stores them
//! ([`stored`]), and the [`queries`] that read them. Nothing here knows of Raft or of leaders.

pub(crate) mod commands;
pub(crate) mod queries;
pub(crate) mod stored;
pub(crate) mod tables;
