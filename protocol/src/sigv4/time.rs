//! Signing times in the form that SigV4 writes them.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

const TEXT_BYTES: usize = 16;

/// A text that is not `YYYYMMDDTHHMMSSZ`, or a time that this form cannot express.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signing time has the form YYYYMMDDTHHMMSSZ and is in the years 1970 to 9999")]
pub struct SigningTimeError;

/// A time to the second, with its text `YYYYMMDDTHHMMSSZ` (UTC).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SigningTime {
    text: [u8; TEXT_BYTES],
    unix_seconds: u64,
}

impl SigningTime {
    pub fn parse(text: &str) -> Result<Self, SigningTimeError> {
        let bytes: [u8; TEXT_BYTES] = text.as_bytes().try_into().map_err(|_| SigningTimeError)?;
        if bytes[8] != b'T' || bytes[15] != b'Z' {
            return Err(SigningTimeError);
        }
        let number = |from: usize, to: usize| -> Result<i16, SigningTimeError> {
            bytes[from..to].iter().try_fold(0_i16, |value, digit| match digit {
                b'0'..=b'9' => Ok(value * 10 + i16::from(digit - b'0')),
                _ => Err(SigningTimeError),
            })
        };
        let small = |from: usize| number(from, from + 2).map(|value| value as i8);
        let civil = DateTime::new(number(0, 4)?, small(4)?, small(6)?, small(9)?, small(11)?, small(13)?, 0)
            .map_err(|_| SigningTimeError)?;
        let timestamp = Offset::UTC.to_timestamp(civil).map_err(|_| SigningTimeError)?;
        let unix_seconds = u64::try_from(timestamp.as_second()).map_err(|_| SigningTimeError)?;
        Ok(Self { text: bytes, unix_seconds })
    }

    /// Rounds `time` down to the second.
    pub fn from_system_time(time: SystemTime) -> Result<Self, SigningTimeError> {
        let unix_seconds = time.duration_since(UNIX_EPOCH).map_err(|_| SigningTimeError)?.as_secs();
        let seconds = i64::try_from(unix_seconds).map_err(|_| SigningTimeError)?;
        let timestamp = Timestamp::from_second(seconds).map_err(|_| SigningTimeError)?;
        let civil = Offset::UTC.to_datetime(timestamp);
        let text = format!(
            "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
            civil.year(),
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minute(),
            civil.second()
        );
        Ok(Self { text: text.as_bytes().try_into().map_err(|_| SigningTimeError)?, unix_seconds })
    }

    /// `YYYYMMDDTHHMMSSZ`.
    pub fn as_str(&self) -> &str {
        // The constructors accept only ASCII.
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// `YYYYMMDD`, the first element of a credential scope.
    pub fn date(&self) -> &str {
        self.as_str().get(..8).unwrap_or_default()
    }

    pub fn to_system_time(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.unix_seconds)
    }

    /// Distance from `now`, whichever of the two is earlier.
    pub fn skew(self, now: SystemTime) -> Duration {
        let time = self.to_system_time();
        now.duration_since(time).unwrap_or_else(|earlier| earlier.duration())
    }
}

impl fmt::Display for SigningTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SigningTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_time_agree_in_both_directions() {
        for (text, seconds) in
            [("19700101T000000Z", 0), ("20130524T000000Z", 1_369_353_600), ("20240229T235959Z", 1_709_251_199)]
        {
            let parsed = SigningTime::parse(text).unwrap();
            assert_eq!(parsed.to_system_time(), UNIX_EPOCH + Duration::from_secs(seconds));
            let formatted =
                SigningTime::from_system_time(parsed.to_system_time() + Duration::from_millis(999)).unwrap();
            assert_eq!(formatted.as_str(), text);
            assert_eq!(formatted.date(), &text[..8]);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "20130524", "20130524T000000", "2013-05-24T00:00:00Z", "20131324T000000Z", "2013052xT000000Z"]
        {
            assert_eq!(SigningTime::parse(text), Err(SigningTimeError), "{text}");
        }
        assert_eq!(SigningTime::parse("19691231T235959Z"), Err(SigningTimeError));
    }

    #[test]
    fn skew_is_measured_in_both_directions() {
        let time = SigningTime::parse("20130524T000000Z").unwrap();
        let minute = Duration::from_mins(1);
        assert_eq!(time.skew(time.to_system_time() + minute), minute);
        assert_eq!(time.skew(time.to_system_time() - minute), minute);
    }
}
