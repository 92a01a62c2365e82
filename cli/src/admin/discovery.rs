//! Where the admin endpoint and the keys come from.

use std::fmt;
use std::path::{Path, PathBuf};

use cairn_protocol::sigv4::Credentials;
use serde::Deserialize;

use crate::http::{Endpoint, EndpointError};

/// The admin endpoint of a server on this machine.
const ENDPOINT_DEFAULT: &str = "http://127.0.0.1:9001";
/// Where a server started here with defaults keeps its root keys.
const CREDENTIALS_FILE: &str = "cairn-data/credentials";

/// Names of environment variables that hold a pair of keys, first match first.
const KEY_VARIABLES: [(&str, &str); 2] =
    [("CAIRN_ACCESS_KEY", "CAIRN_SECRET_KEY"), ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")];

/// Why no endpoint or no keys were found.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The endpoint does not parse.
    #[error("{0}; pass --endpoint http://HOST:PORT or set CAIRN_ENDPOINT")]
    Endpoint(#[from] EndpointError),
    /// One key of a pair is missing.
    #[error("{0} is set and {1} is not: set both")]
    HalfPair(&'static str, &'static str),
    /// No keys were found.
    #[error(
        "no keys: set CAIRN_ACCESS_KEY and CAIRN_SECRET_KEY (or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), \
         or run in the directory that holds {CREDENTIALS_FILE}"
    )]
    NoKeys,
    /// The credentials file cannot be read.
    #[error("{}: {cause}", path.display())]
    Read { path: PathBuf, cause: std::io::Error },
    /// The credentials file does not parse.
    #[error("{}: {cause}", path.display())]
    Parse { path: PathBuf, cause: toml::de::Error },
}

/// Where keys were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// On the command line.
    Flags,
    /// In this environment variable and its partner.
    Environment(&'static str),
    /// In this file.
    File(PathBuf),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flags => f.write_str("--access-key"),
            Self::Environment(name) => f.write_str(name),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Keys and their source, which is named when the server rejects them.
#[derive(Debug, Clone)]
pub struct Keys {
    pub credentials: Credentials,
    pub source: KeySource,
}

/// The file in which a server keeps its root keys.
#[derive(Deserialize)]
struct CredentialsFile {
    access_key: String,
    secret_key: String,
}

/// The admin endpoint: `flag`, else `CAIRN_ENDPOINT`, else a server on this machine.
pub fn discover_endpoint(
    flag: Option<&str>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Endpoint, DiscoveryError> {
    let text = flag.map(str::to_owned).or_else(|| environment("CAIRN_ENDPOINT"));
    Ok(text.as_deref().unwrap_or(ENDPOINT_DEFAULT).parse()?)
}

/// The keys: `CAIRN_*`, else `AWS_*`, else the credentials file of a server started in `directory`.
pub fn discover_keys(environment: impl Fn(&str) -> Option<String>, directory: &Path) -> Result<Keys, DiscoveryError> {
    let value = |name: &str| environment(name).filter(|value| !value.is_empty());
    for (access_name, secret_name) in KEY_VARIABLES {
        match (value(access_name), value(secret_name)) {
            (Some(access), Some(secret)) => {
                let mut credentials = Credentials::new(access, secret);
                if access_name.starts_with("AWS_") {
                    credentials.session_token = value("AWS_SESSION_TOKEN");
                }
                return Ok(Keys { credentials, source: KeySource::Environment(access_name) });
            }
            (Some(_), None) => return Err(DiscoveryError::HalfPair(access_name, secret_name)),
            (None, Some(_)) => return Err(DiscoveryError::HalfPair(secret_name, access_name)),
            (None, None) => {}
        }
    }
    read_credentials(&directory.join(CREDENTIALS_FILE))
}

fn read_credentials(path: &Path) -> Result<Keys, DiscoveryError> {
    let text = std::fs::read_to_string(path).map_err(|cause| match cause.kind() {
        std::io::ErrorKind::NotFound => DiscoveryError::NoKeys,
        _ => DiscoveryError::Read { path: path.to_owned(), cause },
    })?;
    let file: CredentialsFile =
        toml::from_str(&text).map_err(|cause| DiscoveryError::Parse { path: path.to_owned(), cause })?;
    let credentials = Credentials::new(file.access_key, file.secret_key);
    Ok(Keys { credentials, source: KeySource::File(path.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The access key and its source, found with `variables` set in a directory with or without a credentials file.
    fn found(variables: &[(&str, &str)], file: Option<&str>) -> Result<(String, String), String> {
        let directory = tempfile::tempdir().unwrap();
        if let Some(text) = file {
            std::fs::create_dir(directory.path().join("cairn-data")).unwrap();
            std::fs::write(directory.path().join(CREDENTIALS_FILE), text).unwrap();
        }
        let get = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        let keys = discover_keys(get, directory.path()).map_err(|e| e.to_string())?;
        let source = keys.source.to_string().replace(&directory.path().display().to_string(), ".");
        Ok((keys.credentials.access_key, source))
    }

    const FILE: &str = "access_key = \"from-file\"\nsecret_key = \"s\"\n";
    const AWS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "from-aws"), ("AWS_SECRET_ACCESS_KEY", "s")];
    const CAIRN: [(&str, &str); 2] = [("CAIRN_ACCESS_KEY", "from-cairn"), ("CAIRN_SECRET_KEY", "s")];

    #[test]
    fn keys_come_from_cairn_then_aws_then_the_file() {
        let all: Vec<_> = AWS.into_iter().chain(CAIRN).collect();
        assert_eq!(found(&all, Some(FILE)), Ok(("from-cairn".into(), "CAIRN_ACCESS_KEY".into())));
        assert_eq!(found(&AWS, Some(FILE)), Ok(("from-aws".into(), "AWS_ACCESS_KEY_ID".into())));
        assert_eq!(found(&[], Some(FILE)), Ok(("from-file".into(), "./cairn-data/credentials".into())));
    }

    #[test]
    fn errors_name_the_missing_variable() {
        assert!(found(&[], None).unwrap_err().contains("set CAIRN_ACCESS_KEY"));
        assert!(found(&CAIRN[..1], None).unwrap_err().contains("CAIRN_SECRET_KEY is not"));
        assert!(found(&[], Some("access_key = 1")).unwrap_err().contains("cairn-data/credentials"));
    }

    #[test]
    fn the_endpoint_is_a_flag_a_variable_or_this_machine() {
        let none = |_: &str| None;
        let set = |name: &str| (name == "CAIRN_ENDPOINT").then(|| "http://b:2".to_owned());
        let shown = |flag, env: &dyn Fn(&str) -> Option<String>| discover_endpoint(flag, env).map(|e| e.to_string());
        assert_eq!(shown(Some("http://a:1"), &set).unwrap(), "http://a:1");
        assert_eq!(shown(None, &set).unwrap(), "http://b:2");
        assert_eq!(shown(None, &none).unwrap(), ENDPOINT_DEFAULT);
        assert!(discover_endpoint(Some("b:2"), none).unwrap_err().to_string().contains("--endpoint"));
    }
}
