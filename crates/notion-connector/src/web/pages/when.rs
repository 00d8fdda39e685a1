//! Times as people say them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A time as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct When {
    /// For programs.
    pub(super) machine: String,
    /// "3 days ago".
    pub(super) relative: String,
    /// "4 Mar 2026, 09:30 UTC".
    pub(super) absolute: String,
}

impl When {
    pub(super) fn of(time: Timestamp, now: Timestamp) -> Self {
        let zoned = time.to_zoned(TimeZone::UTC);
        Self {
            machine: time.to_string(),
            relative: relative(now.as_second().saturating_sub(time.as_second())),
            absolute: zoned.strftime("%-d %b %Y, %H:%M UTC").to_string(),
        }
    }
}

fn relative(seconds_ago: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    const MONTH: i64 = 30 * DAY;
    const YEAR: i64 = 365 * DAY;
    let (unit, name) = match seconds_ago {
        // Notion's clock and this one may differ a little.
        ..MINUTE => return "just now".to_owned(),
        MINUTE..HOUR => (MINUTE, "minute"),
        HOUR..DAY => (HOUR, "hour"),
        DAY..MONTH => (DAY, "day"),
        MONTH..YEAR => (MONTH, "month"),
        YEAR.. => (YEAR, "year"),
    };
    let count = seconds_ago / unit;
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {name}{plural} ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_say_them() {
        let cases = [
            (-30, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (7_199, "1 hour ago"),
            (2 * 86_400, "2 days ago"),
            (45 * 86_400, "1 month ago"),
            (800 * 86_400, "2 years ago"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(relative(seconds), expected, "{seconds}");
        }
        let time: Timestamp = "2026-03-04T09:30:00Z".parse().unwrap();
        let when = When::of(time, time);
        assert_eq!(
            (when.machine.as_str(), when.absolute.as_str()),
            ("2026-03-04T09:30:00Z", "4 Mar 2026, 09:30 UTC")
        );
    }
}
