//! Dates in HTTP headers.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::TimeZone;

/// `Sun, 22 Nov 2026 13:50:54 GMT`. Source: RFC 9110, section 5.6.7.
pub(crate) fn format_http_date(unix_ms: u64) -> String {
    let timestamp = Timestamp::from_second((unix_ms / 1000) as i64).unwrap_or(Timestamp::UNIX_EPOCH);
    timestamp.to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Seconds since the Unix epoch; `None` for a text that is not a date, which RFC 9110 says to ignore.
pub(crate) fn parse_http_date(text: &str) -> Option<i64> {
    const PARSER: DateTimeParser = DateTimeParser::new();
    if let Ok(time) = PARSER.parse_timestamp(text) {
        return Some(time.as_second());
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_round_trip() {
        let text = format_http_date(1_795_355_454_999);
        assert_eq!(text, "Sun, 22 Nov 2026 13:50:54 GMT");
        assert_eq!(parse_http_date(&text), Some(1_795_355_454));
        assert_eq!(parse_http_date("yesterday"), None);
    }
}
