//! The address of a server.

use std::fmt;
use std::str::FromStr;

use http::Uri;

/// A text that is not the address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// No URI, or one with a path or query.
    #[error("{0:?} is not an endpoint: write http://HOST:PORT")]
    Malformed(String),
    /// TLS and other schemes.
    #[error("{0:?} does not begin with http://: this client speaks plain HTTP only")]
    Scheme(String),
}

/// Host and port of a server that speaks HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    host: String,
    port: u16,
    /// The value of the `host` header: without the port where it is HTTP's own.
    authority: String,
}

impl Endpoint {
    /// The host, without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The value of the `host` header.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let malformed = || EndpointError::Malformed(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| malformed())?;
        match uri.scheme_str() {
            Some("http") => {}
            Some(_) => return Err(EndpointError::Scheme(text.to_owned())),
            None => return Err(malformed()),
        }
        let authority = uri.authority().ok_or_else(malformed)?;
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || authority.as_str().contains('@') {
            return Err(malformed());
        }
        let port = match authority.port_u16() {
            Some(port) => port,
            None if authority.as_str() == authority.host() => 80,
            None => return Err(malformed()),
        };
        let host = authority.host().to_owned();
        let authority = if port == 80 { host.clone() } else { format!("{host}:{port}") };
        Ok(Self { host, port, authority })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_and_written() {
        for (text, host, port, shown) in [
            ("http://127.0.0.1:9000", "127.0.0.1", 9000, "http://127.0.0.1:9000"),
            ("http://store.example/", "store.example", 80, "http://store.example"),
            ("http://[::1]:9001", "::1", 9001, "http://[::1]:9001"),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!((endpoint.host(), endpoint.port(), endpoint.to_string().as_str()), (host, port, shown));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "localhost:9000", "http://", "http://h/path", "http://h?q", "http://u@h", "http://h:99999"] {
            assert!(
                matches!(text.parse::<Endpoint>(), Err(EndpointError::Malformed(_) | EndpointError::Scheme(_))),
                "{text}"
            );
        }
        assert!(matches!("https://h".parse::<Endpoint>(), Err(EndpointError::Scheme(_))));
    }
}
