//! Durations.

use std::time::Duration;

use super::text::{UnitError, exact, split};

const EXPECTED: &str = "a duration such as 500ms, 10s, 2m or 1h";

const MINUTE_S: u64 = 60;
const HOUR_S: u64 = 60 * MINUTE_S;
const DAY_S: u64 = 24 * HOUR_S;

const UNITS: [(u64, &str); 4] = [(DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "m"), (1, "s")];

/// Reads a duration: `500ms`, `10s`, `2m`, `1h`, `30d`. A bare number is in seconds.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let error = || UnitError { text: text.to_owned(), expected: EXPECTED };
    let (number, unit) = split(text).ok_or_else(error)?;
    let unit_s: u64 = match unit {
        "ms" => return Ok(Duration::from_millis(number)),
        "" | "s" => 1,
        "m" | "min" => MINUTE_S,
        "h" => HOUR_S,
        "d" => DAY_S,
        _ => return Err(error()),
    };
    number.checked_mul(unit_s).map(Duration::from_secs).ok_or_else(error)
}

/// A duration, to the millisecond, in the largest unit that is exact. [`parse_duration`] reads it back.
pub fn format_duration(duration: Duration) -> String {
    if duration.subsec_millis() > 0 {
        return format!("{}ms", duration.as_millis());
    }
    let (number, unit) = exact(duration.as_secs(), &UNITS).unwrap_or((0, "s"));
    format!("{number}{unit}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_down_to_milliseconds() {
        for (text, ms) in [("10", 10_000), ("10s", 10_000), ("250ms", 250), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "s", "10 years", "1.5h", "-1s", "18446744073709551615d"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_written_in_the_largest_exact_unit() {
        for text in ["0s", "1500ms", "90s", "10m", "1h", "36h", "30d", "9223372036854775807s"] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
    }

    proptest! {
        #[test]
        fn durations_are_read_as_they_are_written(ms: u64) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }
    }
}
