//! What is needed to let a request in.

use std::sync::Arc;

use crate::auth::{Authenticator, RootOnly};
use crate::context::Context;
use crate::request::host::Hosts;

pub(crate) struct Front {
    pub(crate) context: Arc<Context>,
    pub(crate) authenticator: Authenticator,
    pub(crate) credentials: RootOnly,
    pub(crate) hosts: Hosts,
}
