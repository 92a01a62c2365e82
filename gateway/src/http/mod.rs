//! From an HTTP request to its operation, and from the result to an HTTP response.

mod allowed;
mod dispatch;
mod front;
mod handle;
mod route;
mod unread_body;

pub(crate) use front::Front;
pub(crate) use handle::handle;
