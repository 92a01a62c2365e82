//! Keys of the measured endpoint.

use std::path::Path;

use cairn_protocol::sigv4::Credentials;

use crate::admin::{DiscoveryError, discover_keys};

/// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, since any S3 server may be measured; else the keys of a
/// Cairn server as the admin verbs find them.
pub(super) fn discover(environment: impl Fn(&str) -> Option<String>) -> Result<Credentials, DiscoveryError> {
    let set = |name: &str| environment(name).filter(|value| !value.is_empty());
    if let (Some(access), Some(secret)) = (set("AWS_ACCESS_KEY_ID"), set("AWS_SECRET_ACCESS_KEY")) {
        let session_token = set("AWS_SESSION_TOKEN");
        return Ok(Credentials { session_token, ..Credentials::new(access, secret) });
    }
    Ok(discover_keys(environment, Path::new("."))?.credentials)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_aws_variables_come_first() {
        let get = |name: &str| Some(name.to_owned());
        assert_eq!(discover(get).unwrap().access_key, "AWS_ACCESS_KEY_ID");
        let get = |name: &str| name.starts_with("CAIRN").then(|| name.to_owned());
        assert_eq!(discover(get).unwrap().access_key, "CAIRN_ACCESS_KEY");
    }
}
