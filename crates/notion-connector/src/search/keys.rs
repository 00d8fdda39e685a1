//! Values as terms: what compares equal is the same term, and the order of terms is the order of values.
//!
//! Names and texts compare without regard to case and to how much space stands between words. Numbers are compared
//! as decimals of any length, so that nothing is lost to binary fractions. Dates are stretches of time on two scales:
//! as they are written (*civil*, what people see), and as instants, where an offset or a time zone says which. Pure.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use unicode_normalization::UnicodeNormalization as _;

use crate::model::DateValue;

/// Longest value that is told apart from others, in bytes; of longer ones, that much of the beginning.
pub(super) const MAX_VALUE_BYTES: usize = 1_000;
/// Longest name of a column, in bytes, that is told apart from others.
pub(super) const MAX_NAME_BYTES: usize = 300;
/// Longest number that is compared exactly.
const MAX_DIGITS: usize = 400;
/// Numbers of more digits before the point, or zeros behind it, are as good as infinite, or zero.
const MAX_EXPONENT: i64 = 499_999;

/// A text on one line, cut to `max_bytes`.
///
/// Made again of what comes back it is the same, so that a value that was shown finds what it was shown for.
pub(super) fn clean(text: &str, max_bytes: usize) -> String {
    let mut line = String::new();
    let mut space_due = false;
    // Spaces first: a character that was taken out must not make neighbours of two that combine.
    let spaced = text.chars().map(|c| if c.is_whitespace() || c.is_control() { ' ' } else { c });
    for c in spaced.nfc() {
        if c == ' ' {
            space_due = !line.is_empty();
            continue;
        }
        let space = usize::from(std::mem::take(&mut space_due));
        if line.len() + space + c.len_utf8() > max_bytes {
            break;
        }
        if space == 1 {
            line.push(' ');
        }
        line.push(c);
    }
    line
}

/// What values are compared by.
pub(super) fn value_key(text: &str) -> String {
    clean(text, MAX_VALUE_BYTES).to_lowercase()
}

/// What names of columns are compared by.
pub(super) fn name_key(name: &str) -> String {
    clean(name, MAX_NAME_BYTES).to_lowercase()
}

/// A decimal number: `-1.5`, `12e3`. None for anything else, infinities and not-a-number among it.
pub(super) fn number_key(text: &str) -> Option<String> {
    let text = text.trim();
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = whole.len() + fraction.len() > 0
        && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !is_number {
        return None;
    }
    let digits: String = whole.chars().chain(fraction.chars()).collect();
    let significant = digits.trim_start_matches('0');
    let zeros = digits.len() - significant.len();
    let point = i64::try_from(whole.len()).ok()? - i64::try_from(zeros).ok()? + i64::from(exponent);
    let kept = significant.get(..MAX_DIGITS).unwrap_or(significant).trim_end_matches('0');
    if kept.is_empty() || point < -MAX_EXPONENT {
        return Some("1".to_owned());
    }
    let magnitude = format!("{:06}{kept}", point.min(MAX_EXPONENT) + MAX_EXPONENT + 1);
    if negative {
        // The larger the magnitude, the smaller the number; and a longer one is the larger.
        let complement = magnitude.bytes().map(|digit| char::from(b'0' + (b'9' - digit)));
        return Some(format!("0{}~", complement.collect::<String>()));
    }
    Some(format!("2{magnitude}"))
}

/// A stretch of time in milliseconds; `to` does not belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Its begin.
    pub(super) from: i64,
    /// Its end.
    pub(super) to: i64,
}

/// A time as somebody wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    /// As written, whatever the zone.
    pub(super) civil: Stretch,
    /// When that was, if an offset stands with it.
    pub(super) instant: Option<Stretch>,
}

/// Reads `2026`, `2026-03`, `2026-03-01`, `2026-03-01T09:00` with or without seconds, and an offset or `Z`.
pub(super) fn written_time(text: &str) -> Option<Written> {
    let text = text.trim();
    if text.len() > 64 || !text.is_ascii() {
        return None;
    }
    let (date, rest) = text.split_once(['T', 't', ' ']).unwrap_or((text, ""));
    let (from, to) = days(date)?;
    if rest.is_empty() {
        let civil = Stretch { from: civil_ms(from)?, to: civil_ms(to)? };
        return (text == date).then_some(Written { civil, instant: None });
    }
    let offset_at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (time, offset) = rest.split_at(offset_at);
    let length = match time.len() {
        5 => 60_000,
        8 => 1_000,
        _ if time.contains('.') => 1,
        _ => return None,
    };
    if date.len() != 10 {
        return None;
    }
    let stretch = |from: i64| Stretch { from, to: from.saturating_add(length) };
    let civil = civil_ms(format!("{date}T{time}").parse::<DateTime>().ok()?)?;
    let instant = match offset {
        "" => None,
        _ => Some(format!("{date}T{time}{offset}").parse::<Timestamp>().ok()?.as_millisecond()),
    };
    Some(Written { civil: stretch(civil), instant: instant.map(stretch) })
}

/// First instant of a year, month or day, and the first behind it.
fn days(date: &str) -> Option<(DateTime, DateTime)> {
    let padded = match date.len() {
        4 => format!("{date}-01-01"),
        7 => format!("{date}-01"),
        10 => date.to_owned(),
        _ => return None,
    };
    let from: Date = padded.parse().ok()?;
    let length = match date.len() {
        4 => 1.year(),
        7 => 1.month(),
        _ => 1.day(),
    };
    Some((from.to_datetime(jiff::civil::Time::midnight()), from.checked_add(length).ok()?.into()))
}

fn civil_ms(time: DateTime) -> Option<i64> {
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

/// A date of a row: its civil stretch and its instants. None if its begin cannot be read.
pub(super) fn date_stretches(date: &DateValue) -> Option<(Stretch, Stretch)> {
    let zone = date.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
    let instant = |written: &Written| {
        written.instant.or_else(|| {
            Some(Stretch {
                from: zoned_ms(written.civil.from, &zone)?,
                to: zoned_ms(written.civil.to, &zone)?,
            })
        })
    };
    let start = written_time(&date.start)?;
    let end = date.end.as_deref().and_then(written_time).unwrap_or(start);
    let (first, last) = (instant(&start)?, instant(&end)?);
    let whole = |first: Stretch, last: Stretch| Stretch { from: first.from, to: last.to.max(first.to) };
    Some((whole(start.civil, end.civil), whole(first, last)))
}

/// When a civil time of a zone was.
fn zoned_ms(civil_ms: i64, zone: &TimeZone) -> Option<i64> {
    let civil = Timestamp::from_millisecond(civil_ms).ok()?.to_zoned(TimeZone::UTC).datetime();
    Some(civil.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond())
}

/// A time as a term.
pub(super) fn time_key(ms: i64) -> String {
    format!("{:016x}", ms.cast_unsigned() ^ (1 << 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_compare_without_case_and_space() {
        assert_eq!(value_key("  In\u{a0}\n Review\0"), "in review");
        assert_eq!(value_key("Cafe\u{301}"), value_key("CAFÉ"));
        assert_ne!(value_key("C++"), value_key("C"));
        assert_ne!(name_key("a.b"), name_key("a b"));
        assert_eq!(name_key(" \t "), "");
    }

    #[test]
    fn numbers_of_any_length_keep_their_order() {
        let ordered = [
            "-1e400000",
            "-9007199254740993",
            "-9007199254740992",
            "-10",
            "-9.5",
            "-1.25",
            "-1.2",
            "-0.5",
            "-1e-9",
            "0",
            "1e-9",
            "0.05",
            "0.5",
            "1",
            "1.2",
            "1.25",
            "9.5",
            "10",
            "9007199254740992",
            "9007199254740993",
            "1e400000",
        ];
        let keys: Vec<String> = ordered.iter().map(|text| number_key(text).unwrap()).collect();
        assert!(keys.is_sorted_by(|a, b| a < b), "{keys:#?}");
    }

    #[test]
    fn a_number_has_one_key_however_it_is_written() {
        for (a, b) in [
            ("3", "3.0"),
            ("3", "+003."),
            ("-0", "0.00"),
            ("1200", "1.2e3"),
            (".5", "0.50"),
            ("1e-999999999", "0"),
        ] {
            assert_eq!(number_key(a), number_key(b), "{a} {b}");
        }
        for text in ["", "-", ".", "NaN", "inf", "1,5", "0x1", "1e", "１", "3 days", "1e99999999999"] {
            assert_eq!(number_key(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_read_in_every_length() {
        let hours = |text: &str| {
            let stretch = written_time(text).unwrap().civil;
            (stretch.to - stretch.from) / 3_600_000
        };
        assert_eq!((hours("2024"), hours("2024-02"), hours("2024-02-29")), (366 * 24, 29 * 24, 24));
        let written = written_time("2026-03-01T23:00:00.000-05:00").unwrap();
        assert_eq!(written.instant.unwrap().from - written.civil.from, 5 * 3_600_000);
        assert_eq!(written_time("2026-03-01 09:00").unwrap().instant, None);
        for text in [
            "",
            "soon",
            "20",
            "2026-13",
            "2026-02-30",
            "2026-03T10:00",
            "2026-03-01T",
            "2026-03-01T9",
            "２０２６",
        ] {
            assert_eq!(written_time(text), None, "{text}");
        }
    }

    #[test]
    fn dates_without_an_offset_take_that_of_their_zone() {
        let date = |start: &str, zone: Option<&str>| DateValue {
            start: start.to_owned(),
            end: None,
            time_zone: zone.map(str::to_owned),
        };
        let instant = |value: &DateValue| date_stretches(value).unwrap().1.from;
        let utc = instant(&date("2026-03-01T09:00:00.000", None));
        assert_eq!(instant(&date("2026-03-01T09:00:00.000", Some("America/New_York"))) - utc, 5 * 3_600_000);
        assert_eq!(instant(&date("2026-03-01T09:00:00.000", Some("No/Where"))), utc);
        assert_eq!(date_stretches(&date("soon", None)), None);
    }

    proptest::proptest! {
        #[test]
        fn what_is_clean_stays_as_it_is(text in "(?s).{0,80}", cut in 1..40_usize) {
            let once = clean(&text, cut);
            proptest::prop_assert!(once.len() <= cut);
            proptest::prop_assert_eq!(clean(&once, cut), once.clone());
        }

        #[test]
        fn keys_order_numbers_as_numbers_are(a in -1e12..1e12_f64, b in -1e12..1e12_f64) {
            let keys = (number_key(&a.to_string()).unwrap(), number_key(&b.to_string()).unwrap());
            proptest::prop_assert_eq!(keys.0.cmp(&keys.1), a.total_cmp(&b));
        }

        #[test]
        fn keys_order_times_as_times_are(a: i64, b: i64) {
            proptest::prop_assert_eq!(time_key(a).cmp(&time_key(b)), a.cmp(&b));
        }
    }
}
