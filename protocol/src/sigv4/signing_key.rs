//! Signing keys, and a cache of them: deriving one costs four HMACs, and it stays the same for a day.

use std::collections::HashMap;
use std::fmt;
use std::sync::RwLock;
use std::time::SystemTime;

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use cairn_core::sync::IgnorePoison;
use subtle::ConstantTimeEq;

use super::credential::{Credential, SecretKey};

/// Keys in one generation of the cache, of which two are kept.
const GENERATION_KEYS_MAX: usize = 1024;

/// The key of one secret for one day, region and service.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SigningKey([u8; 32]);

impl SigningKey {
    /// Derives the key; `time` is any moment of the scope's day.
    pub fn derive(secret: &SecretKey, time: SystemTime, region: &str, service: &str) -> Self {
        let derived = generate_signing_key(secret.expose(), time, region, service);
        let mut key = [0; 32];
        // An HMAC-SHA256 always has 32 bytes.
        key.copy_from_slice(derived.as_ref());
        Self(key)
    }

    /// Signature of `string_to_sign`, as 64 lower-case hex digits.
    pub fn sign(&self, string_to_sign: &[u8]) -> String {
        calculate_signature(self.0, string_to_sign)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// Compares two signatures in constant time.
pub fn signatures_match(computed: &str, presented: &str) -> bool {
    computed.as_bytes().ct_eq(presented.as_bytes()).into()
}

struct Entry {
    secret: SecretKey,
    key: SigningKey,
}

#[derive(Default)]
struct Generations {
    current: HashMap<Box<str>, Entry>,
    previous: HashMap<Box<str>, Entry>,
}

/// Recently derived keys, by credential. Bounded: a full generation becomes the previous one, and the one before it is
/// dropped.
#[derive(Default)]
pub struct SigningKeyCache {
    generations: RwLock<Generations>,
}

impl SigningKeyCache {
    pub fn new() -> Self {
        Self::default()
    }

    /// The key for `credential` under `secret`; `time` is any moment of the scope's day. A secret that has changed
    /// since the key was cached gets a new key.
    pub fn get(&self, credential: &Credential<'_>, secret: &SecretKey, time: SystemTime) -> SigningKey {
        {
            let generations = self.generations.read().ignore_poison();
            if let Some(key) = generations.find(credential.as_str(), secret) {
                return key;
            }
        }
        let key = SigningKey::derive(secret, time, credential.scope.region, credential.scope.service);
        let mut generations = self.generations.write().ignore_poison();
        if generations.current.len() >= GENERATION_KEYS_MAX {
            generations.previous = std::mem::take(&mut generations.current);
        }
        generations.current.insert(credential.as_str().into(), Entry { secret: secret.clone(), key });
        key
    }
}

impl Generations {
    fn find(&self, credential: &str, secret: &SecretKey) -> Option<SigningKey> {
        let entry = self.current.get(credential).or_else(|| self.previous.get(credential))?;
        let same: bool = entry.secret.expose().as_bytes().ct_eq(secret.expose().as_bytes()).into();
        same.then_some(entry.key)
    }
}

impl fmt::Debug for SigningKeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeyCache")
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn day() -> SystemTime {
        UNIX_EPOCH + Duration::from_hours(24)
    }

    #[test]
    fn the_cache_returns_what_derivation_returns() {
        let cache = SigningKeyCache::new();
        let credential = Credential::parse("AK/19700102/us-east-1/s3/aws4_request").unwrap();
        for secret in ["one", "two", "one"] {
            let secret = SecretKey::new(secret);
            let expected = SigningKey::derive(&secret, day(), "us-east-1", "s3");
            assert_eq!(cache.get(&credential, &secret, day()), expected);
            assert_eq!(cache.get(&credential, &secret, day()), expected);
        }
    }

    #[test]
    fn the_cache_is_bounded() {
        let cache = SigningKeyCache::new();
        let secret = SecretKey::new("s");
        for number in 0..3 * GENERATION_KEYS_MAX {
            let text = format!("AK{number}/19700102/us-east-1/s3/aws4_request");
            cache.get(&Credential::parse(&text).unwrap(), &secret, day());
        }
        let generations = cache.generations.read().unwrap();
        assert!(generations.current.len() <= GENERATION_KEYS_MAX);
        assert!(generations.previous.len() <= GENERATION_KEYS_MAX);
    }

    #[test]
    fn signatures_of_another_length_or_content_differ() {
        assert!(signatures_match("abc", "abc"));
        assert!(!signatures_match("abc", "abd"));
        assert!(!signatures_match("abc", "abcd"));
    }
}
