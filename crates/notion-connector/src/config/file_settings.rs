use super::Config;
use crate::model::FilePlace;

/// Which files crawls of a connector read: what it sets for itself before `[files]` and `extract.file_mb`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSettings {
    /// Where files are read.
    pub places: Vec<FilePlace>,
    /// See [`FilesConfig::include_extensions`](super::FilesConfig::include_extensions).
    pub include_extensions: Vec<String>,
    /// See [`FilesConfig::exclude_extensions`](super::FilesConfig::exclude_extensions).
    pub exclude_extensions: Vec<String>,
    /// See [`FilesConfig::other_hosts`](super::FilesConfig::other_hosts).
    pub other_hosts: bool,
    /// Largest file that is read, in megabytes.
    pub file_mb: u64,
}

impl FileSettings {
    /// What holds for a connector that sets nothing for itself.
    pub fn of(config: &Config) -> Self {
        Self {
            places: config.files.places.clone(),
            include_extensions: config.files.include_extensions.clone(),
            exclude_extensions: config.files.exclude_extensions.clone(),
            other_hosts: config.files.other_hosts,
            file_mb: config.extract.file_mb,
        }
    }

    /// Largest file that is read, in bytes.
    pub const fn max_bytes(&self) -> u64 {
        self.file_mb * super::extract::MB
    }

    /// Whether a file with this extension, in lower case, is read.
    pub fn admits(&self, extension: Option<&str>) -> bool {
        let lists = |list: &[String], extension: &str| list.iter().any(|listed| listed == extension);
        extension.is_none_or(|extension| {
            lists(&self.include_extensions, extension) && !lists(&self.exclude_extensions, extension)
        })
    }

    /// What is wrong with them, each with the name of the setting first.
    pub(super) fn problems(&self) -> Vec<String> {
        let none = (self.file_mb == 0).then(|| "file mb: must be at least 1".to_owned());
        extension_problems(&self.include_extensions, &self.exclude_extensions)
            .into_iter()
            .chain(none)
            .collect()
    }
}

/// What is wrong with lists of extensions.
pub(super) fn extension_problems(include: &[String], exclude: &[String]) -> Vec<String> {
    let lists = [("include_extensions", include), ("exclude_extensions", exclude)];
    let problems = lists.into_iter().flat_map(|(field, list)| {
        let wrong = |extension: &&String| {
            extension.is_empty()
                || !extension.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        list.iter().filter(wrong).map(move |extension| {
            format!("{field}: “{extension}” must be lower-case letters and digits, without the dot")
        })
    });
    problems.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_asked_for_and_kept_out() {
        let settings = FileSettings {
            exclude_extensions: vec!["csv".to_owned()],
            ..FileSettings::of(&Config::default())
        };
        assert!(settings.admits(Some("docx")) && settings.admits(None));
        assert!(!settings.admits(Some("csv")) && !settings.admits(Some("exe")));
        assert_eq!(settings.max_bytes(), 25_000_000);
    }
}
