//! The `Notion-Version` header and where the versions differ (developers.notion.com "changes-by-version").

use crate::error::ApiError;

/// A version of the API, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 2022-06-28 and before: databases without data sources.
    V2022,
    /// 2025-09-03: data sources; `archived` beside `in_trash`; `transcription` blocks.
    V2025,
    /// 2026-03-11: `in_trash` only; `meeting_notes` blocks.
    V2026,
}

const LEGACY: [&str; 5] = ["2021-05-11", "2021-05-13", "2021-08-16", "2022-02-22", "2022-06-28"];

impl Version {
    /// Reads the header.
    ///
    /// # Errors
    /// 400 `missing_version` without it, 400 `validation_error` for a version that never was.
    pub fn from_header(header: Option<&str>) -> Result<Self, ApiError> {
        match header {
            Some("2026-03-11") => Ok(Self::V2026),
            Some("2025-09-03") => Ok(Self::V2025),
            Some(old) if LEGACY.contains(&old) => Ok(Self::V2022),
            None => Err(ApiError::new(
                400,
                "missing_version",
                "Notion-Version header failed validation: Notion-Version header should be defined, instead was `undefined`.",
            )),
            Some(other) => Err(ApiError::validation(format!(
                "Notion-Version header failed validation: Notion-Version header should be `\"2026-03-11\"`, `\"2025-09-03\"`, or `\"2022-06-28\"`, instead was `\"{other}\"`."
            ))),
        }
    }

    /// Whether databases and data sources are two things.
    #[must_use]
    pub fn has_data_sources(self) -> bool {
        self >= Self::V2025
    }

    /// The `type` of a listing of pages and tables.
    #[must_use]
    pub fn listing_type(self) -> &'static str {
        if self.has_data_sources() { "page_or_data_source" } else { "page_or_database" }
    }

    /// Whether objects carry `archived`.
    #[must_use]
    pub fn has_archived(self) -> bool {
        self < Self::V2026
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_without_version_is_refused_by_its_own_code() {
        assert_eq!(Version::from_header(None).unwrap_err().code, "missing_version");
        assert_eq!(Version::from_header(Some("2030-01-01")).unwrap_err().code, "validation_error");
        assert_eq!(Version::from_header(Some("2021-08-16")), Ok(Version::V2022));
    }
}
