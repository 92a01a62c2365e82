//! Requests that never reach a role.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::roles::Roles;

/// A request that is refused, or cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: StatusCode,
    /// For people.
    pub detail: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, detail: impl ToString) -> Self {
        Self { status, detail: detail.to_string() }
    }

    pub(super) fn malformed(detail: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "the connection is not authenticated")
    }

    /// The caller has none of the roles that may do this.
    pub(super) fn no_right(roles: Roles, allowed: Roles, what: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, format!("{what} is for {allowed}; the caller is {roles}"))
    }

    /// A response in plain text, by which the client knows that the call never reached the role.
    pub fn into_response<R: From<Bytes>>(self) -> Response<R> {
        let mut response = Response::new(R::from(Bytes::from(self.detail)));
        *response.status_mut() = self.status;
        response
    }
}
