//! People of the organisation, as a source describes them: an import, a push by SCIM, a sign-in.

use super::on_one_line;

/// Longest value of a person's attribute, in characters.
const MAX_VALUE_CHARS: usize = 2_000;
/// Longest user name, external id, e-mail address and group name, in characters. An address has at most 320
/// (RFC 3696, errata 1690, counts even fewer).
const MAX_NAME_CHARS: usize = 320;
/// Free fields of one person.
const MAX_FIELDS: usize = 100;
/// Groups of one person.
const MAX_GROUPS: usize = 2_000;

/// How names and e-mail addresses compare: trimmed, whatever the case. A letter that is not of ASCII never becomes one that
/// is: the Kelvin sign is not a k, else one address could pass for another.
pub fn directory_key(text: &str) -> String {
    let lower = |c: char| {
        let mut lowered = c.to_lowercase();
        let disguised = !c.is_ascii() && lowered.clone().all(|one| one.is_ascii());
        let kept = disguised.then_some(c);
        std::iter::from_fn(move || if disguised { None } else { lowered.next() }).chain(kept)
    };
    text.trim().chars().flat_map(lower).collect()
}

/// What a source says of one person. What it does not say stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonRecord {
    /// The name they sign in with: unique, whatever the case.
    pub user_name: String,
    /// The source's own id of them: unique, exact.
    pub external_id: Option<String>,
    /// The name that is shown; `Some(None)` takes it away.
    pub name: Option<Option<String>>,
    /// The e-mail address; `Some(None)` takes it away.
    pub email: Option<Option<String>>,
    /// Whether the source has seen that the address is theirs.
    pub email_verified: Option<bool>,
    /// Whether they belong to the organisation today.
    pub active: Option<bool>,
    /// All their groups, by name.
    pub groups: Option<Vec<String>>,
    /// Fields of the organisation's own; none takes one away.
    pub fields: Vec<(String, Option<String>)>,
}

impl PersonRecord {
    /// Trims what is trimmed, and says what cannot be.
    ///
    /// # Errors
    /// When a value is none of its kind.
    pub fn checked(mut self) -> Result<Self, String> {
        self.user_name = name_of("user name", &self.user_name)?;
        self.external_id = self.external_id.map(|id| name_of("external id", &id)).transpose()?;
        self.name = self.name.map(|name| value_of("name", name)).transpose()?;
        if let Some(Some(name)) = &self.name {
            check_line("name", name)?;
        }
        self.email = self.email.map(|email| value_of("e-mail address", email)).transpose()?;
        if let Some(Some(email)) = &self.email {
            check_email(email)?;
        }
        for (field, value) in &mut self.fields {
            *field = name_of("field name", field)?;
            *value = value_of(field, value.take())?;
        }
        self.fields.sort();
        if let Some(twice) = self.fields.windows(2).find(|two| two[0].0 == two[1].0) {
            return Err(format!("the field “{}” is there twice", twice[0].0));
        }
        if self.fields.len() > MAX_FIELDS {
            return Err(format!("more than {MAX_FIELDS} fields of their own"));
        }
        if let Some(groups) = &mut self.groups {
            for group in &mut *groups {
                *group = name_of("group", group)?;
            }
            groups.sort_by_key(|group| directory_key(group));
            groups.dedup_by_key(|group| directory_key(group));
            if groups.len() > MAX_GROUPS {
                return Err(format!("more than {MAX_GROUPS} groups"));
            }
        }
        Ok(self)
    }
}

/// Whether a group may be called so.
pub fn is_group_name(name: &str) -> bool {
    name_of("group", name).is_ok()
}

/// Name and external id of a group, trimmed.
///
/// # Errors
/// When one of them is none of its kind.
pub fn checked_group(name: &str, external_id: Option<&str>) -> Result<(String, Option<String>), String> {
    let external_id = external_id.map(|id| name_of("external id", id)).transpose()?;
    Ok((name_of("name", name)?, external_id))
}

fn name_of(what: &str, text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err(format!("no {what}")),
        chars if chars > MAX_NAME_CHARS => {
            Err(format!("the {what} is longer than {MAX_NAME_CHARS} characters"))
        }
        _ => check_line(what, text).map(|()| text.to_owned()),
    }
}

fn check_line(what: &str, text: &str) -> Result<(), String> {
    if text.chars().any(char::is_control) {
        return Err(format!("the {what} holds a line break or other control characters"));
    }
    Ok(())
}

/// A value without the space around it; an empty one is none.
fn value_of(what: &str, value: Option<String>) -> Result<Option<String>, String> {
    let Some(value) = value else { return Ok(None) };
    let text = value.trim();
    if text.chars().count() > MAX_VALUE_CHARS {
        return Err(format!("the {what} is longer than {MAX_VALUE_CHARS} characters"));
    }
    if text.chars().any(|c| c == '\0') {
        return Err(format!("the {what} holds a NUL character"));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn check_email(email: &str) -> Result<(), String> {
    let parted =
        email.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    let plain = !email.chars().any(|c| c.is_whitespace() || c.is_control());
    if parted && plain && email.chars().count() <= MAX_NAME_CHARS {
        Ok(())
    } else {
        Err(format!("“{}” is no e-mail address", on_one_line(email).chars().take(80).collect::<String>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_trimmed_and_whatever_the_case_and_no_sign_passes_for_a_letter() {
        assert_eq!(directory_key("  Ana.Gómez@ACME.example "), "ana.gómez@acme.example");
        assert_eq!(directory_key("ÅSE"), directory_key("åse"));
        // U+212A, the Kelvin sign, whose lower case is the letter k.
        assert_ne!(directory_key("\u{212A}ate@acme.example"), directory_key("Kate@acme.example"));
    }

    #[test]
    fn a_record_is_trimmed_and_its_groups_are_each_there_once() {
        let record = PersonRecord {
            user_name: " ana ".to_owned(),
            email: Some(Some(" ana@acme.example ".to_owned())),
            name: Some(Some("  ".to_owned())),
            groups: Some(vec!["Sales".to_owned(), " sales".to_owned(), "Board ".to_owned()]),
            ..PersonRecord::default()
        };
        let checked = record.checked().unwrap();
        assert_eq!((checked.user_name.as_str(), &checked.name), ("ana", &Some(None)));
        assert_eq!(checked.email, Some(Some("ana@acme.example".to_owned())));
        assert_eq!(checked.groups, Some(vec!["Board".to_owned(), "Sales".to_owned()]));
    }

    #[test]
    fn what_is_no_value_of_its_kind_is_named() {
        let with = |change: fn(&mut PersonRecord)| {
            let mut record = PersonRecord { user_name: "ana".to_owned(), ..PersonRecord::default() };
            change(&mut record);
            record.checked().unwrap_err()
        };
        assert_eq!(with(|one| one.user_name = "  ".to_owned()), "no user name");
        assert!(with(|one| one.email = Some(Some("ana at acme".to_owned()))).contains("no e-mail address"));
        assert!(with(|one| one.external_id = Some("x".repeat(321))).contains("longer than 320"));
        assert!(with(|one| one.groups = Some(vec!["a\u{7}".to_owned()])).contains("control characters"));
        assert!(with(|one| one.name = Some(Some("Ana\nbo,Bo".to_owned()))).contains("line break"));
        let address = with(|one| one.email = Some(Some("a@b\nc@d".to_owned())));
        assert_eq!(address, "“a@b c@d” is no e-mail address");
        let twice = || vec![("team".to_owned(), None), ("team ".to_owned(), None)];
        let mut record = PersonRecord { user_name: "ana".to_owned(), ..PersonRecord::default() };
        record.fields = twice();
        assert!(record.checked().unwrap_err().contains("twice"));
    }
}
