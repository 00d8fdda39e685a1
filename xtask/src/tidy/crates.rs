//! Arrows between our crates, read from their manifests.

use super::{File, Problem};

/// Each crate, and what it may use of ours; tests included.
const ARROWS: &[(&str, &[&str])] = &[
    ("notion-api", &[]),
    // It shares nothing with the client: a slip in a shared type would be wrong on both sides and pass every test.
    ("notion-emulator", &[]),
    ("plaintext", &[]),
    ("plaintext/fuzz", &["plaintext"]),
    ("notion-connector", &["notion-api", "notion-emulator", "plaintext"]),
    // It reads recorded answers as the product would; the emulator gives its tests some.
    ("xtask/recordings", &["notion-api", "notion-connector", "notion-emulator"]),
    ("xtask", &[]),
];

pub(crate) fn check(files: &[File]) -> Vec<Problem> {
    let manifests = files.iter().filter_map(|file| Some((file, crate_of(&file.path)?)));
    manifests.flat_map(|(file, name)| check_manifest(file, name)).collect()
}

fn crate_of(path: &str) -> Option<&str> {
    let folder = path.strip_suffix("/Cargo.toml")?;
    Some(folder.strip_prefix("crates/").unwrap_or(folder))
}

fn check_manifest(file: &File, name: &str) -> Vec<Problem> {
    let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
        let message =
            format!("the crate `{name}` is in no table: say in xtask/src/tidy/crates.rs what it may use");
        return vec![Problem::new(&file.path, 1, message)];
    };
    let mut problems = Vec::new();
    let mut among_dependencies = false;
    for (number, line) in file.text.lines().enumerate() {
        if line.starts_with('[') {
            among_dependencies = line.contains("dependencies");
            continue;
        }
        if !among_dependencies {
            continue;
        }
        let key = line.split(['.', '=', ' ']).next().unwrap_or_default();
        let ours = ARROWS.iter().any(|(known, _)| *known == key);
        if ours && !allowed.contains(&key) {
            let message = format!("`{name}` must not use `{key}`: see “Crates” in ARCHITECTURE.md");
            problems.push(Problem::new(&file.path, number + 1, message));
        }
        if line.contains("\"*\"") {
            let message = "a dependency needs a version: `*` takes whatever comes";
            problems.push(Problem::new(&file.path, number + 1, message));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn a_client_that_uses_the_emulator_is_found() {
        let manifest =
            "[package]\nname = \"notion-api\"\n[dev-dependencies]\nnotion-emulator.workspace = true\n";
        let problems = check(&[file("crates/notion-api/Cargo.toml", manifest)]);
        assert!(matches!(problems.as_slice(), [one] if one.line == 4));
        assert_eq!(check(&[file("crates/notion-connector/Cargo.toml", manifest)]), []);
    }

    #[test]
    fn a_new_crate_needs_a_place() {
        assert_eq!(check(&[file("crates/misc/Cargo.toml", "")]).len(), 1);
        assert_eq!(check(&[file("Cargo.toml", "[workspace]\n")]), []);
    }

    #[test]
    fn any_version_is_no_version() {
        assert_eq!(check(&[file("xtask/Cargo.toml", "[dependencies]\nclap = \"*\"\n")]).len(), 1);
    }
}
