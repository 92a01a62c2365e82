//! Bytes per second.

use std::fmt;
use std::str::FromStr;

use super::size::ByteSize;
use super::text::UnitError;

/// A rate in bytes per second that is written with its unit. Reading what it displays gives the same rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteRate(ByteSize);

impl ByteRate {
    /// The form that errors and documentation ask for.
    pub const EXPECTED: &str = "a rate such as 32MiB/s or 0";

    /// A rate in units of 2^20 bytes per second.
    pub const fn from_mib_per_s(mib: u64) -> Self {
        Self(ByteSize::from_mib(mib))
    }

    /// Bytes per second.
    pub const fn bytes_per_s(self) -> u64 {
        self.0.bytes()
    }
}

impl fmt::Display for ByteRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

impl FromStr for ByteRate {
    type Err = UnitError;

    /// Reads `32MiB/s`; a size alone is one per second.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let size = text.trim().strip_suffix("/s").unwrap_or(text);
        size.parse().map(Self).map_err(|_| UnitError { text: text.to_owned(), expected: Self::EXPECTED })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_they_are_written() {
        for text in ["32MiB/s", "0B/s", "1000B/s"] {
            assert_eq!(text.parse::<ByteRate>().unwrap().to_string(), text);
        }
        for text in ["33554432", "32MiB", "32 MiB/s"] {
            assert_eq!(text.parse(), Ok(ByteRate::from_mib_per_s(32)), "{text}");
        }
        for text in ["", "/s", "fast", "32MiB/min", "32MiB/s/s"] {
            assert!(text.parse::<ByteRate>().is_err(), "{text}");
        }
    }
}
