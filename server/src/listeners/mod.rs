//! The sockets of a process, and HTTP over them.

mod http;
mod sockets;

pub(crate) use http::ListenError;
pub(crate) use http::serve;
pub(crate) use sockets::Listeners;
