//! The directory of the organisation's people: bringing it in, looking at it.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use serde::Serialize;

use super::OpsError;
use super::audit::Act;
use super::directory_file::{self, Told};
use crate::app::App;
use crate::model::Caller;
use crate::store::{DirectoryFilter, DirectoryPage, DirectorySource, IntakeCounts, Keep};

/// Errors of a file that are told one by one; of the others their number.
const ERRORS_TOLD: usize = 100;

/// Fields of the organisation's own that are named in an answer.
const FIELDS_TOLD: usize = 100;

/// How a file is taken in.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImportDirectory {
    /// Change nothing; say what would change.
    pub dry_run: bool,
    /// Deactivate people who were imported once and are not in the file.
    pub deactivate_missing: bool,
}

/// What an import did, or would do.
#[derive(Debug, Clone, Serialize)]
pub struct DirectoryImport {
    /// Whether nothing was changed, because only that was asked for.
    pub dry_run: bool,
    /// What changed.
    #[serde(flatten)]
    pub counts: IntakeCounts,
    /// The columns of the file that are fields of the organisation's own: at most a hundred. One that is misspelt is among them.
    pub fields: Vec<String>,
}

/// Takes the people of a file in: all of them, or none and the error says what is wrong in which line.
///
/// # Errors
/// When the caller is no security administrator, the file cannot be read, or something in it cannot be.
pub fn import_directory(
    app: &App,
    caller: &Caller,
    path: &Path,
    how: ImportDirectory,
) -> Result<DirectoryImport, OpsError> {
    Act::of_security("directory.import", &path.display().to_string()).run(app, caller, || {
        let unreadable =
            |source| OpsError::Io { what: format!("{} could not be read", path.display()), source };
        let file = File::open(path).map_err(unreadable)?;
        let mut new_uid = || app.runtime.uuid();
        app.store.take_in(DirectorySource::Import, app.runtime.now(), &mut new_uid, |intake| {
            let (mut errors, mut fields) = (Errors::default(), BTreeSet::new());
            let ended = directory_file::read(path, file, &mut |told: Told| {
                let record = match told.record {
                    Ok(record) => record,
                    Err(why) => {
                        errors.add(told.line, &why);
                        return Ok(());
                    }
                };
                let unseen = record.fields.iter().filter(|(name, _)| !fields.contains(name.trim()));
                let unseen: Vec<String> = unseen.map(|(name, _)| name.trim().to_owned()).collect();
                fields.extend(unseen.into_iter().take(FIELDS_TOLD - fields.len()));
                // Whoever is in a file that names everybody belongs to them, unless the file says otherwise.
                let active = record.active.or(how.deactivate_missing.then_some(true));
                if let Err(why) = intake.put(told.line, crate::model::PersonRecord { active, ..record })? {
                    errors.add(told.line, &why);
                }
                Ok(())
            })?;
            if let Err((line, why)) = ended {
                errors.add(line, &why);
            }
            errors.none_or(path)?;
            if how.deactivate_missing {
                if intake.counts().people == 0 {
                    let message = format!("there is nobody in {}: nobody was deactivated", path.display());
                    return Err(OpsError::Invalid(message));
                }
                intake.deactivate_missing()?;
            }
            let keep = if how.dry_run { Keep::Nothing } else { Keep::All };
            let fields = fields.into_iter().collect();
            Ok((keep, DirectoryImport { dry_run: how.dry_run, counts: intake.counts(), fields }))
        })
    })
}

/// The people of the directory that pass, by user name.
///
/// # Errors
/// When the caller is no security administrator, or there is no such group.
pub fn list_directory(
    app: &App,
    caller: &Caller,
    filter: &DirectoryFilter,
    limit: u32,
    offset: u32,
) -> Result<DirectoryPage, OpsError> {
    Act::of_security("directory.list", "").run(app, caller, || {
        if let Some(group) = &filter.group
            && !app.store.has_group(group)?
        {
            return Err(OpsError::NotFound(format!("the directory has no group “{group}”")));
        }
        Ok(app.store.load_directory(filter, limit, offset)?)
    })
}

#[derive(Default)]
struct Errors {
    told: Vec<String>,
    total: usize,
}

impl Errors {
    fn add(&mut self, line: u64, why: &str) {
        self.total += 1;
        if self.told.len() < ERRORS_TOLD {
            self.told.push(format!("line {line}: {why}"));
        }
    }

    fn none_or(mut self, path: &Path) -> Result<(), OpsError> {
        if self.total == 0 {
            return Ok(());
        }
        if let Some(more) = self.total.checked_sub(self.told.len()).filter(|more| *more > 0) {
            self.told.push(format!("and {more} more"));
        }
        let (path, told) = (path.display(), self.told.join("\n"));
        Err(OpsError::Invalid(format!(
            "nothing was imported: mend {path} and import it again; what is right in it stays as it is:\n{told}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::data_dir::DataDir;
    use crate::model::{Role, Roles};

    struct Place {
        files: tempfile::TempDir,
        app: App,
    }

    impl Place {
        fn new() -> Self {
            let files = tempfile::tempdir().unwrap();
            let dir = DataDir::create(&files.path().join("data")).unwrap();
            Self { app: App::open(Config::default(), dir).unwrap(), files }
        }

        fn import(
            &self,
            name: &str,
            text: impl AsRef<[u8]>,
            how: ImportDirectory,
        ) -> Result<IntakeCounts, String> {
            let path = self.files.path().join(name);
            std::fs::write(&path, text).unwrap();
            import_directory(&self.app, &Caller::LOCAL_OPERATOR, &path, how)
                .map(|import| import.counts)
                .map_err(|error| error.to_string())
        }

        fn take(&self, name: &str, text: &str) -> IntakeCounts {
            self.import(name, text, ImportDirectory::default()).unwrap()
        }

        /// Everybody, as `user name: e-mail, groups, fields`, with a mark where they are not active.
        fn people(&self) -> Vec<String> {
            let page =
                list_directory(&self.app, &Caller::LOCAL_OPERATOR, &DirectoryFilter::default(), 1_000, 0);
            let line = |one: crate::store::DirectoryPerson| {
                let mark = if one.active { "" } else { "(off) " };
                let email = one.email.unwrap_or_default();
                format!("{mark}{}: {email} {:?} {:?}", one.user_name, one.groups, one.fields)
            };
            page.unwrap().people.into_iter().map(line).collect()
        }
    }

    const CSV: &str = "\u{FEFF}User Name,E-mail,name,groups,external_id,active,Cost center\n\
        ana,Ana@acme.example,\"Gómez, Ana\",Sales; Board,x1,,12\n\
        bo,bo@acme.example,Bo,,x2,no,\n";

    #[test]
    fn csv_comes_in_and_the_same_file_again_changes_nothing() {
        let place = Place::new();
        let first = place.take("people.csv", CSV);
        assert_eq!((first.people, first.added, first.groups_added, first.memberships_added), (2, 2, 2, 2));
        let expected = [
            "ana: Ana@acme.example [\"Board\", \"Sales\"] {\"Cost center\": \"12\"}",
            "(off) bo: bo@acme.example [] {}",
        ];
        assert_eq!(place.people(), expected);
        let again = place.take("people.csv", CSV);
        assert_eq!(again, IntakeCounts { people: 2, unchanged: 2, ..IntakeCounts::default() });
        assert_eq!(place.people(), expected);
    }

    #[test]
    fn json_and_json_lines_say_the_same_as_csv() {
        let array = r#"[
          {"user_name": "ana", "email": "Ana@acme.example", "name": "Gómez, Ana", "groups": ["Sales", "Board"],
           "external_id": "x1", "Cost center": 12},
          {"userName": "bo", "email": "bo@acme.example", "name": "Bo", "groups": "", "externalId": "x2", "active": false}
        ]"#;
        let lines = "{\"user_name\": \"ana\", \"Cost center\": \"12\"}\n{\"user_name\": \"BO\"}\n";
        let place = Place::new();
        place.take("people.csv", CSV);
        for (name, text) in [("people.json", array), ("people.txt", array)] {
            let counts = place.take(name, text);
            assert_eq!((counts.people, counts.unchanged), (2, 2), "{name}");
        }
        let counts = place.take("people.jsonl", lines);
        assert_eq!((counts.updated, counts.unchanged), (1, 1), "the user name changed its case");
    }

    #[test]
    fn what_a_file_does_not_say_stays_and_what_it_empties_goes() {
        let place = Place::new();
        place.take("people.csv", CSV);
        place.take("more.csv", "external_id;user_name;email;Team\nx1;ana.gomez;;Blue\n");
        let ana = "ana.gomez:  [\"Board\", \"Sales\"] {\"Cost center\": \"12\", \"Team\": \"Blue\"}";
        assert_eq!(place.people()[0], ana);
        let counts = place.take("less.csv", "user_name\tgroups\tteam\tCost center\nana.gomez\tBoard\t\t\n");
        assert_eq!((counts.updated, counts.memberships_removed), (1, 1));
        assert_eq!(place.people()[0], "ana.gomez:  [\"Board\"] {\"Team\": \"Blue\"}");
    }

    #[test]
    fn a_file_with_errors_names_each_by_its_line_and_changes_nothing() {
        let place = Place::new();
        place.take("people.csv", CSV);
        let before = place.people();
        let text = "user_name,email,external_id,active\nnew,new@acme.example,,\n,x@acme.example,,\n\
            cy,no address,,\n\"d\ne\",,,perhaps\nfour,columns,only\nANA,,,\nAna,,,\nbo,,x9,\n";
        let error = place.import("bad.csv", text, ImportDirectory::default()).unwrap_err();
        for line in [
            "line 3: no user name",
            "line 4: “no address” is no e-mail address",
            "line 5: “active” is “perhaps”",
            "line 7: 3 columns, where the first line has 4",
            "line 9: this is the same person as in line 8",
            "line 10: the user name “bo” is that of another person, whose external id is “x2”",
        ] {
            assert!(error.contains(line), "{line} is not in {error}");
        }
        assert_eq!(error.matches("\nline ").count(), 6, "{error}");
        let json = "[\n{\"user_name\": \"new\"},\n\n{\"user_name\": [1]},\n 7,\n{\"email\": \"a@b\", \"E-Mail\": null}\n]";
        let error = place.import("bad.json", json, ImportDirectory::default()).unwrap_err();
        for line in [
            "line 4: “user_name” is no text",
            "line 5: this is no JSON object",
            "line 6: “email” and “E-Mail” are the same",
        ] {
            assert!(error.contains(line), "{line} is not in {error}");
        }
        assert_eq!(place.people(), before);
    }

    #[test]
    fn a_file_that_cannot_be_read_to_its_end_changes_nothing() {
        let place = Place::new();
        let open = format!("user_name,name\nana,\"{}\n", "x\n".repeat(1 << 20));
        for (name, text, expected) in [
            ("cut.json", "[{\"user_name\": \"ana\"},\n{\"user_name\":".to_owned(), "line 2: this is no JSON"),
            ("more.json", "[{\"user_name\": \"ana\"}] [".to_owned(), "line 1: this is no JSON"),
            ("cut.jsonl", "{\"user_name\": \"ana\"}\n{".to_owned(), "line 2: this is no JSON"),
            ("open.csv", open, "line 2: this is no CSV: one person takes more than 1024 KB"),
            ("head.csv", "name,email\na,b\n".to_owned(), "line 1: there is no column “user_name”"),
            (
                "twice.csv",
                "user_name,Username\na,b\n".to_owned(),
                "line 1: the column “Username” is there twice",
            ),
            ("deep.json", "[".repeat(100_000), "line 1: this is no JSON"),
            (
                "swallows.csv",
                "user_name,name,groups\nbo,\"Bruno\namara,Amara,A\nedith,Edith,B\n".to_owned(),
                "line 2: a quotation mark opens here that nothing closes",
            ),
            (
                "last.csv",
                "user_name,name\nana,\"A\"\"n\"\"a\"\nbo,\"\n".to_owned(),
                "line 3: a quotation mark opens here that nothing closes",
            ),
            (
                "heading.csv",
                "user_name,\"name\nana,Ana\n".to_owned(),
                "line 1: a quotation mark opens here that nothing closes",
            ),
            (
                "closes.csv",
                "user_name,name\nbo,\"Bruno\namara,Amara\"\n".to_owned(),
                "line 2: the name holds a line break",
            ),
            (
                "bell.json",
                r#"[{"user_name": "ana", "name": "A\u0007"}]"#.to_owned(),
                "line 1: the name holds",
            ),
            (
                "groups.jsonl",
                r#"{"user_name": "ana", "groups": ["A\nB"]}"#.to_owned(),
                "line 1: the group holds a line break",
            ),
            ("empty.csv", "\n \n".to_owned(), "line 1: the file is empty"),
        ] {
            let error = place.import(name, text, ImportDirectory::default()).unwrap_err();
            assert!(error.contains(expected), "{name}: {expected} is not in {error}");
        }
        let error = place.import("latin.csv", b"user_name,name\nana,G\xF3mez\n", ImportDirectory::default());
        assert!(error.unwrap_err().contains("line 2: this is not UTF-8"));
        assert_eq!(place.people(), Vec::<String>::new());
    }

    #[test]
    fn what_stands_in_quotation_marks_may_hold_marks_line_breaks_and_commas() {
        let place = Place::new();
        let text = "user_name,name,Address\r\nana,\"Ana \"\"A\"\" G, Dr\",\"1 Quay\r\nBremen\"\r\nbo,B\"o\"b,\"x\"y\r\ncy,\"\",\"\"\r\n";
        assert_eq!(place.take("people.csv", text).people, 3);
        let people = place.people();
        assert_eq!(people[0], "ana:  [] {\"Address\": \"1 Quay\\r\\nBremen\"}", "{people:?}");
    }

    #[test]
    fn an_answer_names_the_columns_that_are_no_attributes_of_ours() {
        let place = Place::new();
        let path = place.files.path().join("people.csv");
        std::fs::write(&path, "user_name,emial,E-Mail address\nana,a@b.example,\n").unwrap();
        let how = ImportDirectory::default();
        let told = import_directory(&place.app, &Caller::LOCAL_OPERATOR, &path, how).unwrap();
        assert_eq!(told.fields, ["E-Mail address", "emial"]);
    }

    #[test]
    fn a_dry_run_counts_and_changes_nothing() {
        let place = Place::new();
        let how = ImportDirectory { dry_run: true, deactivate_missing: false };
        assert_eq!(place.import("people.csv", CSV, how).unwrap().added, 2);
        assert_eq!(place.people(), Vec::<String>::new());
        assert_eq!(place.take("people.csv", CSV).added, 2);
    }

    #[test]
    fn who_is_missing_stays_unless_it_is_asked_otherwise_and_comes_back() {
        let place = Place::new();
        place.take("people.csv", CSV);
        let bo = "user_name,active\nbo,yes\n";
        assert_eq!(place.take("bo.csv", bo).deactivated, 0);
        let how = ImportDirectory { dry_run: false, deactivate_missing: true };
        assert_eq!(place.import("bo.csv", bo, how).unwrap().deactivated, 1);
        assert!(place.people()[0].starts_with("(off) ana"));
        assert_eq!(place.import("bo.csv", bo, how).unwrap().deactivated, 0);
        let both = place.import("both.csv", "user_name\nana\nbo\n", how).unwrap();
        assert_eq!((both.updated, both.unchanged, both.deactivated), (1, 1, 0));
        assert!(place.people()[0].starts_with("ana"));
        let error = place.import("none.csv", "user_name\n", how).unwrap_err();
        assert!(error.contains("nobody was deactivated"), "{error}");
    }

    #[test]
    fn people_are_listed_by_a_part_of_their_name_and_by_group_to_security_administrators() {
        let place = Place::new();
        place.take("people.csv", CSV);
        let list = |text: Option<&str>, group: Option<&str>| {
            let filter = DirectoryFilter { text: text.map(str::to_owned), group: group.map(str::to_owned) };
            let page = list_directory(&place.app, &Caller::LOCAL_OPERATOR, &filter, 10, 0).unwrap();
            (page.total, page.people.into_iter().map(|one| one.user_name).collect::<Vec<_>>())
        };
        assert_eq!(list(Some("GÓMEZ"), None), (1, vec!["ana".to_owned()]));
        assert_eq!(list(Some("@acme"), None).0, 2);
        assert_eq!(list(None, Some("board")), (1, vec!["ana".to_owned()]));
        let filter = DirectoryFilter { text: None, group: Some("nope".to_owned()) };
        let none = list_directory(&place.app, &Caller::LOCAL_OPERATOR, &filter, 10, 0).unwrap_err();
        assert!(none.to_string().contains("no group “nope”"), "{none}");
        let admin = [Role::ConnectorAdmin, Role::SearchUser].into_iter().collect::<Roles>();
        let caller = Caller { roles: admin, ..Caller::LOCAL_OPERATOR };
        assert!(list_directory(&place.app, &caller, &DirectoryFilter::default(), 10, 0).is_err());
        let path = place.files.path().join("people.csv");
        assert!(import_directory(&place.app, &caller, &path, ImportDirectory::default()).is_err());
    }
}
