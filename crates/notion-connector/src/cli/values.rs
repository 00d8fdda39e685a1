//! Values of options: where one cannot be read, the error says what is expected there.

use std::num::IntErrorKind;
use std::ops::RangeInclusive;

use serde::de::DeserializeOwned;

use crate::ops::Setting;

/// A whole number.
pub(super) fn whole<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let too_large = || "a smaller number is expected".to_owned();
    match text.parse::<u64>() {
        Ok(number) => T::try_from(number).map_err(|_| too_large()),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Err(too_large()),
        Err(_) => Err("a whole number is expected".to_owned()),
    }
}

/// A whole number within a range.
pub(super) fn whole_of<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: TryFrom<u64> + PartialOrd + std::fmt::Display + Clone,
{
    move |text| match whole(text) {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!("a whole number from {} to {} is expected", range.start(), range.end())),
    }
}

/// A value of a connector's own; the error names what it can be.
pub(super) fn setting<T: DeserializeOwned>(
    expected: &'static str,
) -> impl Fn(&str) -> Result<Setting<T>, String> + Clone {
    move |text| {
        Setting::typed(text)
            .ok_or_else(|| format!("{expected} or default, for what the configuration says, is expected"))
    }
}
