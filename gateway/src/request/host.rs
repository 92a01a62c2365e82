//! The one host that a request is for: the signature is checked for it, and it says where the bucket's name stands.
//!
//! Source: RFC 9112, section 3.2; S3 user guide, "Virtual hosting of general purpose buckets".

use std::net::{Ipv4Addr, Ipv6Addr};

use http::header::HOST;
use http::uri::Authority;
use http::{HeaderValue, Version};

use crate::error::{S3Error, S3ErrorCode};

/// Makes `Host` the one host of the request, or refuses it: a request in HTTP/1.1 names its host once, and one whose target is a
/// whole URI names the same in both places. `None` for an old request that names none.
pub(crate) fn settle(parts: &mut http::request::Parts) -> Result<Option<Authority>, S3Error> {
    let named = parts.headers.get_all(HOST).iter().collect::<Vec<_>>();
    let named = match named.as_slice() {
        [] => None,
        [one] => Some(one.to_str().ok().and_then(|text| text.parse::<Authority>().ok()).ok_or_else(no_host)?),
        [_, ..] => return Err(refused("The request has several Host headers.")),
    };
    let target = parts.uri.authority().cloned();
    if named.iter().chain(&target).any(|authority| authority.as_str().contains('@')) {
        return Err(no_host());
    }
    match (named, target) {
        (Some(named), Some(target)) if !is_same(&named, &target) => {
            Err(refused("The Host header and the request's target name different hosts."))
        }
        (Some(named), _) => Ok(Some(named)),
        (None, Some(target)) if parts.version != Version::HTTP_11 => {
            let value = HeaderValue::from_str(target.as_str()).map_err(|_| no_host())?;
            parts.headers.insert(HOST, value);
            Ok(Some(target))
        }
        (None, None) if parts.version < Version::HTTP_11 => Ok(None),
        (None, _) => Err(refused("The request has no Host header.")),
    }
}

/// Whether two hosts are one; a port that is left out is the scheme's.
fn is_same(one: &Authority, other: &Authority) -> bool {
    let port = |authority: &Authority| authority.port_u16().filter(|port| ![80, 443].contains(port));
    one.host().eq_ignore_ascii_case(other.host()) && port(one) == port(other)
}

fn no_host() -> S3Error {
    refused("The Host header is not a host.")
}

fn refused(message: &'static str) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidRequest, message)
}

/// Where the bucket's name stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Style {
    /// In the path.
    Path,
    /// In the host, in front of a domain.
    VirtualHost { bucket: String },
}

/// The hosts of a gateway.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hosts {
    /// In lower case.
    domains: Vec<String>,
}

impl Hosts {
    /// The domains under which buckets are hosts.
    pub(crate) fn new(domains: &[String]) -> Self {
        let lower = |domain: &String| domain.trim_matches('.').to_ascii_lowercase();
        Self { domains: domains.iter().map(lower).filter(|domain| !domain.is_empty()).collect() }
    }

    /// The style of a request to `host`. A host that could be a bucket of a domain which is not
    /// configured is refused: in path style the first part of the object's key would be taken for the bucket.
    pub(crate) fn style(&self, host: Option<&Authority>) -> Result<Style, S3Error> {
        let Some(host) = host else { return Ok(Style::Path) };
        let name = host.host().trim_end_matches('.').to_ascii_lowercase();
        if self.domains.contains(&name) {
            return Ok(Style::Path);
        }
        let in_front = |domain: &String| name.strip_suffix(domain.as_str())?.strip_suffix('.').map(str::to_owned);
        // The longest domain leaves the shortest name in front.
        if let Some(bucket) = self.domains.iter().filter_map(in_front).min_by_key(String::len) {
            return Ok(Style::VirtualHost { bucket });
        }
        if is_address(&name) || !name.contains('.') {
            return Ok(Style::Path);
        }
        Err(S3Error::with_message(
            S3ErrorCode::InvalidRequest,
            format!(
                "{name} is no host of this gateway, and may be a bucket's. If it is the gateway's, its operator adds it to \
                 gateway.domains; if it is a bucket's, what follows the bucket's name."
            ),
        ))
    }
}

fn is_address(name: &str) -> bool {
    let v6 = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    v6.map_or_else(|| name.parse::<Ipv4Addr>().is_ok(), |address| address.parse::<Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn settled(version: Version, uri: &str, hosts: &[&str]) -> Result<Option<String>, S3ErrorCode> {
        let mut request = Request::builder().version(version).uri(uri);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let settled = settle(&mut parts).map_err(|error| error.code())?;
        assert_eq!(settled.is_some(), parts.headers.contains_key(HOST));
        Ok(parts.headers.get(HOST).map(|host| host.to_str().unwrap().to_owned()))
    }

    #[test]
    fn a_request_has_one_host() {
        let refused = Err(S3ErrorCode::InvalidRequest);
        let one = |host: &str| Ok(Some(host.to_owned()));
        let v11 = |uri, hosts: &[&str]| settled(Version::HTTP_11, uri, hosts);
        assert_eq!(v11("/k", &["a:9000"]), one("a:9000"));
        assert_eq!(v11("/k", &[]), refused);
        assert_eq!(v11("/k", &["a", "a"]), refused);
        assert_eq!(v11("/k", &[""]), refused);
        assert_eq!(v11("/k", &["user@a"]), refused);
        assert_eq!(v11("http://a:9000/k", &["A:9000"]), one("A:9000"));
        assert_eq!(v11("http://a/k", &["a:80"]), one("a:80"));
        assert_eq!(v11("http://a/k", &["b"]), refused);
        assert_eq!(v11("http://a/k", &["a:9000"]), refused);
        assert_eq!(v11("http://a/k", &[]), refused);
        assert_eq!(settled(Version::HTTP_10, "http://a/k", &[]), one("a"));
        assert_eq!(settled(Version::HTTP_10, "/k", &[]), Ok(None));
    }

    #[test]
    fn a_host_is_the_gateways_or_a_buckets_or_refused() {
        let domains = ["S3.example.org".to_owned(), "eu.s3.example.org".to_owned(), "localhost".to_owned()];
        let hosts = Hosts::new(&domains);
        let bucket = |name: &str| Ok(Style::VirtualHost { bucket: name.to_owned() });
        let check = |host: &str, expected: Result<Style, S3ErrorCode>| {
            assert_eq!(hosts.style(Some(&host.parse().unwrap())).map_err(|error| error.code()), expected, "{host}");
        };
        for own in
            ["s3.example.org", "EU.S3.Example.Org:9000", "localhost", "cairn:9000", "10.1.2.3:9000", "[::1]:9000"]
        {
            check(own, Ok(Style::Path));
        }
        assert_eq!(hosts.style(None), Ok(Style::Path));
        check("photos.s3.example.org", bucket("photos"));
        check("Photos.Of.S3.EXAMPLE.org.:9000", bucket("photos.of"));
        check("photos.eu.s3.example.org", bucket("photos"));
        check("photos.localhost:9000", bucket("photos"));
        check(".localhost", bucket(""));
        for other in ["photos.example.org", "s3.example.org.evil.net", "10.1.2.3.example.net"] {
            check(other, Err(S3ErrorCode::InvalidRequest));
        }
    }
}
