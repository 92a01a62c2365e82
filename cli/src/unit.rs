//! Sizes and durations as text.

use std::time::Duration;

/// A text that is not a size or a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct UnitError {
    text: String,
    expected: &'static str,
}

const SIZE: &str = "a size such as 4096, 4KiB, 8MiB or 1GB";
const DURATION: &str = "a duration such as 500ms, 10s, 2m or 1h";

/// Reads a number of bytes: `4096`, `4KiB`, `8M` (binary), `1GB` (decimal).
pub fn parse_bytes(text: &str) -> Result<u64, UnitError> {
    let error = || UnitError { text: text.to_owned(), expected: SIZE };
    let (number, unit) = split(text).ok_or_else(error)?;
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "ki" | "kib" => 1 << 10,
        "m" | "mi" | "mib" => 1 << 20,
        "g" | "gi" | "gib" => 1 << 30,
        "t" | "ti" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return Err(error()),
    };
    number.checked_mul(factor).ok_or_else(error)
}

/// Reads a duration: `500ms`, `10s`, `2m`, `1h`. A bare number is in seconds.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let error = || UnitError { text: text.to_owned(), expected: DURATION };
    let (number, unit) = split(text).ok_or_else(error)?;
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return Err(error()),
    };
    number.checked_mul(unit_ms).map(Duration::from_millis).ok_or_else(error)
}

fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, unit.trim()))
}

/// Bytes with binary units, for display.
pub fn format_bytes(bytes: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit == UNITS[0] { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

/// A time in milliseconds since the Unix epoch, in UTC to the second.
pub fn format_ms(ms: u64) -> String {
    let time =
        jiff::Timestamp::from_millisecond(ms as i64).map(|time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    time.unwrap_or_else(|_| format!("{ms} ms"))
}

/// Seconds in a unit that keeps at least one digit: `40 s`, `12 min`, `5 h`, `3 d`.
pub fn format_seconds(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_binary_and_decimal_units() {
        for (text, bytes) in
            [("0", 0), ("4096", 4096), ("4KiB", 4096), ("8 MiB", 8 << 20), ("1g", 1 << 30), ("2MB", 2_000_000)]
        {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for text in ["", "KiB", "4 XiB", "-1", "1.5MiB", "99999999TiB"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_read_down_to_milliseconds() {
        for (text, ms) in [("10", 10_000), ("10s", 10_000), ("250ms", 250), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        assert!(parse_duration("10 years").is_err());
    }

    #[test]
    fn bytes_are_written_with_one_decimal() {
        assert_eq!(format_bytes(512.0), "512 B");
        assert_eq!(format_bytes(1536.0), "1.5 KiB");
        assert_eq!(format_bytes(10.0 * 1024.0 * 1024.0 * 1024.0), "10.0 GiB");
    }

    #[test]
    fn times_are_for_people() {
        assert_eq!(format_ms(1_790_000_000_123), "2026-09-21 14:13:20 UTC");
        for (seconds, text) in [(59, "59 s"), (3072, "51 min"), (10_000, "2 h"), (1_000_000, "11 d")] {
            assert_eq!(format_seconds(seconds), text);
        }
    }
}
