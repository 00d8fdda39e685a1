//! When a schedule runs: pure rules over calendars and time zones.
//!
//! - A rule names wall-clock times in an IANA time zone. A time that a change of clocks leaves out (02:30 in spring) is the
//!   same length of time after the gap began (03:30); one that it repeats (02:30 in autumn) is the first of the two. So each
//!   day of a rule has exactly one run.
//! - *Monthly on the 31st* means the last day of a shorter month.
//! - `next_after` is strictly later than its argument: whoever asks again from a run gets the one after it, none twice and
//!   none left out.
//!
//! Written as text, a rule is what people type and what the store keeps: `once 2026-05-01T08:00`, `daily 02:30`,
//! `weekly mon,thu 02:30`, `monthly 31 02:30`, `every 15 minutes`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// The longest interval of `every N minutes`: four weeks.
const MAX_MINUTES: u32 = 40_320;

/// When a schedule runs, on the clocks of some time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recurrence {
    /// One time.
    Once(DateTime),
    /// Every day.
    Daily(Time),
    /// On some days of each week; at least one.
    Weekly(BTreeSet<Day>, Time),
    /// On a day of each month, from 1 to 31; the last one where the month is shorter.
    Monthly(i8, Time),
    /// Every so many minutes from when the schedule was made, whatever the clocks show.
    EveryMinutes(u32),
}

/// A day of the week, Monday first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(i8);

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Day {
    fn of(weekday: Weekday) -> Self {
        Self(weekday.to_monday_zero_offset())
    }
}

impl Recurrence {
    /// The first run that is later than `after`; none if there will be no more. `anchor` is when the schedule was made.
    pub fn next_after(&self, after: Timestamp, anchor: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let later = |at: DateTime| instant(at, zone).filter(|run| *run > after);
        match self {
            Self::Once(at) => later(*at),
            Self::EveryMinutes(minutes) => {
                let (step, since) = (i64::from(*minutes) * 60, after.as_second() - anchor.as_second());
                let steps = since.div_euclid(step) + 1;
                let run = |steps: i64| Timestamp::from_second(anchor.as_second() + steps.max(1) * step).ok();
                run(steps).filter(|run| *run > after)
            }
            Self::Daily(time) => days_from(after, zone).find_map(|day| later(day.to_datetime(*time))),
            Self::Weekly(days, time) => days_from(after, zone)
                .filter(|day| days.contains(&Day::of(day.weekday())))
                .find_map(|day| later(day.to_datetime(*time))),
            Self::Monthly(number, time) => days_from(after, zone)
                .filter(|day| day.day() == (*number).min(day.days_in_month()))
                .find_map(|day| later(day.to_datetime(*time))),
        }
    }
}

/// The days that a run after an instant may be on. It begins the day before: a gap can move a run to the next day. Two
/// months and some days are enough for every rule.
fn days_from(after: Timestamp, zone: &TimeZone) -> impl Iterator<Item = Date> {
    let today = after.to_zoned(zone.clone()).date();
    let first = today.yesterday().unwrap_or(today);
    (0..70).map_while(move |days| first.checked_add(days.days()).ok())
}

/// The one instant of a wall-clock time.
fn instant(at: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(at).compatible().ok()
}

/// A text that names no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "“{0}” is no schedule: write once 2026-05-01T08:00, daily 02:30, weekly mon,thu 02:30, monthly 31 02:30 (on the last \
     day of shorter months) or every 15 minutes (at most {MAX_MINUTES})"
)]
pub struct ParseRecurrenceError(String);

impl FromStr for Recurrence {
    type Err = ParseRecurrenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let parsed = match *words.as_slice() {
            ["once", at] => at.parse().ok().map(Self::Once),
            ["daily", at] => time(at).map(Self::Daily),
            ["weekly", days, at] => weekdays(days).zip(time(at)).map(|(days, at)| Self::Weekly(days, at)),
            ["monthly", day, at] => {
                let day = day.parse().ok().filter(|day| (1..=31).contains(day));
                day.zip(time(at)).map(|(day, at)| Self::Monthly(day, at))
            }
            ["every", minutes, "minutes" | "minute"] => {
                let minutes = minutes.parse().ok().filter(|minutes| (1..=MAX_MINUTES).contains(minutes));
                minutes.map(Self::EveryMinutes)
            }
            _ => None,
        };
        parsed.ok_or_else(|| ParseRecurrenceError(text.chars().take(100).collect()))
    }
}

/// Hours and minutes.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |text: &str| {
        (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
    };
    Time::new(digits(hour)?, digits(minute)?, 0, 0).ok()
}

fn weekdays(text: &str) -> Option<BTreeSet<Day>> {
    let day =
        |name: &str| DAYS.iter().position(|day| *day == name).and_then(|at| i8::try_from(at).ok()).map(Day);
    text.split(',').map(|name| day(&name.to_ascii_lowercase())).collect()
}

impl fmt::Display for Recurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Once(at) => write!(f, "once {}", at.strftime("%Y-%m-%dT%H:%M:%S")),
            Self::Daily(at) => write!(f, "daily {}", at.strftime("%H:%M")),
            Self::Weekly(days, at) => {
                let days: Vec<&str> =
                    days.iter().filter_map(|day| DAYS.get(usize::try_from(day.0).ok()?).copied()).collect();
                write!(f, "weekly {} {}", days.join(","), at.strftime("%H:%M"))
            }
            Self::Monthly(day, at) => write!(f, "monthly {day} {}", at.strftime("%H:%M")),
            Self::EveryMinutes(minutes) => write!(f, "every {minutes} minutes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ZONES: [&str; 8] = [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe", // half an hour
        "America/Santiago",    // at midnight
        "Africa/Casablanca",
        "Asia/Kolkata",
        "Pacific/Apia", // left out a whole day in 2011
        "UTC",
    ];

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The runs of a rule from one instant to another.
    fn runs(rule: &str, zone_name: &str, from: &str, to: &str) -> Vec<String> {
        let (rule, zone, to) = (rule.parse::<Recurrence>().unwrap(), zone(zone_name), at(to));
        let mut found = Vec::new();
        let mut now = at(from);
        while let Some(run) = rule.next_after(now, at(from), &zone).filter(|run| *run < to) {
            found.push(run.to_string());
            now = run;
        }
        found
    }

    #[test]
    fn half_past_two_runs_exactly_once_on_the_days_when_clocks_change() {
        // Berlin: 2026-03-29 has no 02:30, 2026-10-25 has two.
        let spring = runs("daily 02:30", "Europe/Berlin", "2026-03-27T22:00:00Z", "2026-03-30T22:00:00Z");
        assert_eq!(spring, ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]);
        let autumn = runs("daily 02:30", "Europe/Berlin", "2026-10-23T22:00:00Z", "2026-10-26T22:00:00Z");
        assert_eq!(autumn, ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
    }

    #[test]
    fn the_thirty_first_is_the_last_day_of_shorter_months() {
        let found = runs("monthly 31 23:00", "UTC", "2028-01-01T00:00:00Z", "2028-05-15T00:00:00Z");
        let expected =
            ["2028-01-31T23:00:00Z", "2028-02-29T23:00:00Z", "2028-03-31T23:00:00Z", "2028-04-30T23:00:00Z"];
        assert_eq!(found, expected);
    }

    #[test]
    fn weeks_run_on_their_days_and_minutes_from_their_beginning() {
        let found =
            runs("weekly thu,mon 08:00", "Asia/Kolkata", "2026-05-01T00:00:00Z", "2026-05-12T00:00:00Z");
        assert_eq!(found, ["2026-05-04T02:30:00Z", "2026-05-07T02:30:00Z", "2026-05-11T02:30:00Z"]);
        let found = runs("every 15 minutes", "UTC", "2026-05-01T00:07:00Z", "2026-05-01T00:40:00Z");
        assert_eq!(found, ["2026-05-01T00:22:00Z", "2026-05-01T00:37:00Z"]);
        let once =
            runs("once 2026-05-01T08:00", "Europe/Berlin", "2026-04-01T00:00:00Z", "2027-01-01T00:00:00Z");
        assert_eq!(once, ["2026-05-01T06:00:00Z"]);
    }

    #[test]
    fn rules_are_read_and_written_and_mistakes_are_refused() {
        for text in [
            "once 2026-05-01T08:00:00",
            "daily 02:30",
            "weekly mon,sun 00:00",
            "monthly 31 23:59",
            "every 10 minutes",
        ] {
            assert_eq!(text.parse::<Recurrence>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "daily",
            "daily 24:00",
            "daily 2:30",
            "daily +2:30",
            "weekly 02:30",
            "weekly mon,xyz 02:30",
            "weekly , 02:30",
            "monthly 0 02:30",
            "monthly 32 02:30",
            "every 0 minutes",
            "every 40321 minutes",
            "every -1 minutes",
            "once tomorrow",
            "hourly",
        ] {
            let error = text.parse::<Recurrence>().unwrap_err().to_string();
            assert!(error.contains("daily 02:30"), "{error}");
        }
    }

    fn any_rule() -> impl Strategy<Value = Recurrence> {
        let time = (0_i8..24, 0_i8..60).prop_map(|(hour, minute)| Time::new(hour, minute, 0, 0).unwrap());
        prop_oneof![
            time.clone().prop_map(Recurrence::Daily),
            (proptest::collection::btree_set((0_i8..7).prop_map(Day), 1..7), time.clone())
                .prop_map(|(days, at)| Recurrence::Weekly(days, at)),
            (1_i8..=31, time).prop_map(|(day, at)| Recurrence::Monthly(day, at)),
            (1_u32..=MAX_MINUTES).prop_map(Recurrence::EveryMinutes),
        ]
    }

    proptest! {
        #[test]
        fn no_run_is_skipped_and_none_comes_twice(
            rule in any_rule(),
            zone_name in prop::sample::select(&ZONES[..]),
            from in 1_300_000_000_i64..1_900_000_000,
            step in 1_i64..200_000,
        ) {
            let (zone, anchor) = (zone(zone_name), Timestamp::from_second(from).unwrap());
            // Asked from run to run, and asked at arbitrary instants: the same runs.
            let mut by_runs = Vec::new();
            let mut now = anchor;
            let end = Timestamp::from_second(from + 50 * step).unwrap();
            while let Some(run) = rule.next_after(now, anchor, &zone).filter(|run| *run <= end) {
                prop_assert!(run > now);
                by_runs.push(run);
                now = run;
                if by_runs.len() > 300 { return Ok(()); }
            }
            let mut by_steps = Vec::new();
            for tick in 0..50 {
                let (mut now, until) = (
                    Timestamp::from_second(from + tick * step).unwrap(),
                    Timestamp::from_second(from + (tick + 1) * step).unwrap(),
                );
                while let Some(run) = rule.next_after(now, anchor, &zone).filter(|run| *run <= until) {
                    by_steps.push(run);
                    now = run;
                }
            }
            prop_assert_eq!(by_runs, by_steps);
            prop_assert_eq!(rule.to_string().parse::<Recurrence>().unwrap(), rule);
        }

        #[test]
        fn each_day_of_a_rule_has_one_run(
            hour in 0_i8..24, minute in 0_i8..60,
            zone_name in prop::sample::select(&ZONES[..7]),
            year in 2012_i16..2035,
        ) {
            let (zone, time) = (zone(zone_name), Time::new(hour, minute, 0, 0).unwrap());
            let first = Date::new(year, 1, 1).unwrap();
            let instant_of = |day: i32| instant(first.checked_add(day.days()).unwrap().to_datetime(time), &zone).unwrap();
            let mut now = instant_of(-1);
            let rule = Recurrence::Daily(time);
            for day in 0..366 {
                let next = rule.next_after(now, now, &zone).unwrap();
                prop_assert_eq!(next, instant_of(day));
                now = next;
            }
        }
    }
}
