//! The root user's keys and the cluster's secret: generated at the first start unless they are given. There is no default
//! (I22).

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use cairn_core::random::RandomSource;
use serde::{Deserialize, Serialize};

use crate::config::{Cluster, Root, Server};

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    #[error("cannot access {path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{path} is damaged ({detail}): restore it, or remove it to have new keys generated at the next start")]
    Damaged { path: PathBuf, detail: String },
    #[error("the cluster's secret is missing at {0}: copy the file from the node with the metadata role")]
    NoClusterSecret(PathBuf),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RootCredentials {
    pub access_key: String,
    pub secret_key: String,
}

/// The keys, and where they came from.
pub(crate) struct LoadedCredentials {
    pub root: RootCredentials,
    /// The file that holds them; `None` if they came from the configuration.
    pub file: Option<PathBuf>,
    /// Whether they were generated just now, and so are shown once.
    pub generated: bool,
}

const ACCESS_KEY_CHARS: usize = 20;
const SECRET_KEY_CHARS: usize = 40;
const CLUSTER_SECRET_CHARS: usize = 64;

/// The root user's keys: from the configuration, else from `DIR/credentials`, else generated and stored there.
pub(crate) fn root(
    given: &Root,
    server: &Server,
    random: &dyn RandomSource,
) -> Result<LoadedCredentials, CredentialsError> {
    if let (Some(access_key), Some(secret_key)) = (&given.access_key, &given.secret_key) {
        let root =
            RootCredentials { access_key: access_key.expose().to_owned(), secret_key: secret_key.expose().to_owned() };
        return Ok(LoadedCredentials { root, file: None, generated: false });
    }
    let path = server.data.join("credentials");
    if let Some(text) = read(&path)? {
        let root = toml::from_str(&text)
            .map_err(|e| CredentialsError::Damaged { path: path.clone(), detail: e.message().to_owned() })?;
        return Ok(LoadedCredentials { root, file: Some(path), generated: false });
    }
    let root = RootCredentials {
        access_key: random_text(ACCESS_KEY_CHARS, UPPER, random),
        secret_key: random_text(SECRET_KEY_CHARS, MIXED, random),
    };
    let text = format!("access_key = \"{}\"\nsecret_key = \"{}\"\n", root.access_key, root.secret_key);
    write_private(&path, &text)?;
    Ok(LoadedCredentials { root, file: Some(path), generated: true })
}

/// The secret that all roles of a cluster share. Only a process with all roles may generate one.
pub(crate) fn cluster_secret(
    cluster: &Cluster,
    server: &Server,
    random: &dyn RandomSource,
) -> Result<String, CredentialsError> {
    let path = &cluster.secret_file;
    match read(path)? {
        Some(text) if text.trim().len() >= 16 => Ok(text.trim().to_owned()),
        Some(_) => Err(CredentialsError::Damaged { path: path.clone(), detail: "fewer than 16 characters".into() }),
        None if server.is_all_in_one() => {
            let secret = random_text(CLUSTER_SECRET_CHARS, MIXED, random);
            write_private(path, &secret)?;
            Ok(secret)
        }
        None => Err(CredentialsError::NoClusterSecret(path.clone())),
    }
}

fn read(path: &Path) -> Result<Option<String>, CredentialsError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CredentialsError::File { path: path.to_owned(), source }),
    }
}

/// Writes a file that only its owner can read, durably and as a whole.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), CredentialsError> {
    let write = || {
        let parent = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent)?;
        let unfinished = path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)?;
        std::fs::File::open(parent)?.sync_all()
    };
    write().map_err(|source| CredentialsError::File { path: path.to_owned(), source })
}

const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const MIXED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Each character from 128 random bits, so that none is measurably likelier than another.
fn random_text(length: usize, alphabet: &[u8], random: &dyn RandomSource) -> String {
    let index = || (u128::from_le_bytes(random.bytes16()) % alphabet.len() as u128) as usize;
    (0..length).map(|_| char::from(alphabet[index()])).collect()
}

#[cfg(test)]
mod tests {
    use cairn_core::testing::CountingRandom;

    use super::*;

    #[test]
    fn random_texts_have_their_length_and_alphabet() {
        let text = random_text(500, UPPER, &CountingRandom::default());
        assert_eq!(text.len(), 500);
        assert!(text.bytes().all(|byte| UPPER.contains(&byte)), "{text}");
    }
}
