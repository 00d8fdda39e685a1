use std::fmt;
use std::str::FromStr;

/// A version of the API, sent with each request as `Notion-Version` (developers.notion.com "versioning").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum ApiVersion {
    /// Before data sources: a database is the table itself.
    V2022_06_28,
    /// Data sources; `archived` beside `in_trash`; `transcription` blocks.
    V2025_09_03,
    /// `in_trash` alone; `meeting_notes` blocks.
    #[default]
    V2026_03_11,
}

impl ApiVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 3] = [Self::V2022_06_28, Self::V2025_09_03, Self::V2026_03_11];

    /// As it is sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2022_06_28 => "2022-06-28",
            Self::V2025_09_03 => "2025-09-03",
            Self::V2026_03_11 => "2026-03-11",
        }
    }

    /// Whether databases are split into data sources.
    #[must_use]
    pub const fn has_data_sources(self) -> bool {
        match self {
            Self::V2022_06_28 => false,
            Self::V2025_09_03 | Self::V2026_03_11 => true,
        }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no version that this client speaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version of Notion's API that is spoken here; use 2026-03-11, 2025-09-03 or 2022-06-28")]
pub struct UnknownVersion(String);

impl FromStr for ApiVersion {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|version| version.as_str() == text)
            .ok_or_else(|| UnknownVersion(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_reads_back_as_itself() {
        for version in ApiVersion::ALL {
            assert_eq!(version.as_str().parse(), Ok(version));
        }
        assert!("2027-01-01".parse::<ApiVersion>().unwrap_err().to_string().contains("2026-03-11"));
    }
}
