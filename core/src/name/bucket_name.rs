//! Bucket names under S3's rules.

use std::net::Ipv4Addr;
use std::sync::Arc;

use crate::limits::{BUCKET_NAME_BYTES_MAX, BUCKET_NAME_BYTES_MIN};

/// Why a text is not a bucket name. Source: S3 user guide, "Bucket naming rules".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BucketNameError {
    /// Shorter than 3 or longer than 63 bytes.
    #[error("bucket names have {BUCKET_NAME_BYTES_MIN} to {BUCKET_NAME_BYTES_MAX} characters")]
    Length,
    /// A character other than a lower-case letter, a digit, a dot or a hyphen.
    #[error("bucket names consist of lower-case letters, digits, dots and hyphens")]
    Character,
    /// Begins or ends with a dot or a hyphen.
    #[error("bucket names begin and end with a letter or a digit")]
    Edge,
    /// Two dots in a row.
    #[error("bucket names have no two dots in a row")]
    AdjacentDots,
    /// A hyphen beside a dot.
    #[error("bucket names have no hyphen beside a dot")]
    HyphenBesideDot,
    /// Looks like an IPv4 address.
    #[error("bucket names are not formatted as IP addresses")]
    IpAddress,
    /// A prefix or suffix that S3 reserves.
    #[error(
        "bucket names do not start with xn--, sthree- or amzn-s3-demo-, nor end with -s3alias, --ol-s3, .mrap, --x-s3 or \
         --table-s3"
    )]
    Reserved,
}

/// The bucket of system objects, whose name no other bucket can have.
const SYSTEM: &str = ".cairn";

/// A bucket's name. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketName(Arc<str>);

impl BucketName {
    /// Checks `name` against S3's naming rules.
    pub fn new(name: &str) -> Result<Self, BucketNameError> {
        check(name)?;
        Ok(Self(name.into()))
    }

    /// Checks what is asked of new buckets beyond [`BucketName::new`]; there may be older ones that break it.
    pub fn check_new(&self) -> Result<(), BucketNameError> {
        if [".-", "-."].iter().any(|pair| self.0.contains(pair)) {
            return Err(BucketNameError::HyphenBesideDot);
        }
        if self.0.ends_with("--table-s3") {
            return Err(BucketNameError::Reserved);
        }
        Ok(())
    }

    /// The bucket of system objects. No request can name it: [`BucketName::new`] refuses it.
    pub fn system() -> Self {
        Self(SYSTEM.into())
    }

    /// Whether it is the bucket of system objects.
    pub fn is_system(&self) -> bool {
        &*self.0 == SYSTEM
    }

    /// A name from a message or a disk, which may be the system bucket's.
    fn stored(name: &str) -> Result<Self, BucketNameError> {
        if name == SYSTEM { Ok(Self::system()) } else { Self::new(name) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check(name: &str) -> Result<(), BucketNameError> {
    if !(BUCKET_NAME_BYTES_MIN..=BUCKET_NAME_BYTES_MAX).contains(&name.len()) {
        return Err(BucketNameError::Length);
    }
    if !name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-')) {
        return Err(BucketNameError::Character);
    }
    let edge = |c: char| c == '.' || c == '-';
    if name.starts_with(edge) || name.ends_with(edge) {
        return Err(BucketNameError::Edge);
    }
    if name.contains("..") {
        return Err(BucketNameError::AdjacentDots);
    }
    if name.parse::<Ipv4Addr>().is_ok() {
        return Err(BucketNameError::IpAddress);
    }
    let reserved_prefix = ["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|p| name.starts_with(p));
    let reserved_suffix = ["-s3alias", "--ol-s3", ".mrap", "--x-s3"].iter().any(|s| name.ends_with(s));
    if reserved_prefix || reserved_suffix {
        return Err(BucketNameError::Reserved);
    }
    Ok(())
}

super::text_codec!(BucketName, stored);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_accepted() {
        for name in ["abc", "my-bucket.2026", "1.2.3", "a".repeat(63).as_str()] {
            assert_eq!(BucketName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn new_names_obey_more_rules_than_old_ones() {
        let check = |name: &str| BucketName::new(name).unwrap().check_new();
        assert_eq!(check("foo.bar-baz"), Ok(()));
        assert_eq!(check("foo.-bar"), Err(BucketNameError::HyphenBesideDot));
        assert_eq!(check("foo-.bar"), Err(BucketNameError::HyphenBesideDot));
        assert_eq!(check("foo--table-s3"), Err(BucketNameError::Reserved));
    }

    #[test]
    fn no_request_can_name_the_system_bucket_and_messages_can() {
        let system = BucketName::system();
        assert!(BucketName::new(system.as_str()).is_err());
        assert_eq!(minicbor::decode::<BucketName>(&minicbor::to_vec(&system).unwrap()).unwrap(), system);
    }

    #[test]
    fn each_rule_refuses_what_breaks_it() {
        use BucketNameError as E;
        let long = "a".repeat(64);
        for (name, expected) in [
            ("ab", E::Length),
            (long.as_str(), E::Length),
            ("Abc", E::Character),
            ("a_b", E::Character),
            ("a/b", E::Character),
            ("-abc", E::Edge),
            ("abc.", E::Edge),
            ("a..b", E::AdjacentDots),
            ("192.168.1.1", E::IpAddress),
            ("xn--abc", E::Reserved),
            ("abc-s3alias", E::Reserved),
        ] {
            assert_eq!(BucketName::new(name), Err(expected), "{name}");
        }
    }
}
