/// Reads a time of the API. Pages, blocks and data sources carry minutes (`2026-07-04T09:08:00.000Z`), databases
/// milliseconds with an offset (`2026-07-04T09:08:57.778+00:00`); both are instants in RFC 3339.
#[must_use]
pub fn parse_timestamp(text: &str) -> Option<jiff::Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parse_timestamp;

    #[test]
    fn both_spellings_are_the_same_instant() {
        let minutes = parse_timestamp("2026-07-04T09:08:00.000Z").unwrap();
        let milliseconds = parse_timestamp("2026-07-04T09:08:00.000+00:00").unwrap();
        assert_eq!(minutes, milliseconds);
        assert_eq!(parse_timestamp("2026-07-04T09:08:57.778+00:00").unwrap().subsec_millisecond(), 778);
    }

    #[test]
    fn what_is_no_instant_is_nothing() {
        assert_eq!(parse_timestamp("2026-07-04"), None);
        assert_eq!(parse_timestamp("yesterday"), None);
    }
}
