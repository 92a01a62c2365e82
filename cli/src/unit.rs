//! Sizes, durations and times as text.

pub use cairn_core::unit::{UnitError, parse_bytes, parse_duration};

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
