//! Passwords: what one must be, and how they are kept and compared.
//!
//! Argon2id with the least parameters that OWASP's "Password Storage Cheat Sheet" names, as a PHC string that holds them: what
//! was hashed with others stays good. Hashing takes 19 MiB and some tens of milliseconds; callers bound how often at once.

use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use rand::Rng;
use secrecy::{ExposeSecret, SecretString};

use super::OpsError;

/// Fewest characters of a password.
const MIN_CHARS: usize = 12;
/// Most bytes of one.
pub(super) const MAX_BYTES: usize = 1_024;

const MEMORY_KIBIBYTES: u32 = 19 * 1024;
const ITERATIONS: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;

fn argon2() -> Result<Argon2<'static>, OpsError> {
    let params = Params::new(MEMORY_KIBIBYTES, ITERATIONS, LANES, None).map_err(|error| broken(&error))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn broken(error: &dyn std::fmt::Display) -> OpsError {
    OpsError::Invalid(format!("the password could not be hashed: {error}"))
}

/// What is kept of a password. Takes a while.
///
/// # Errors
/// When it is too short, too long or the name it belongs to.
pub(super) fn hash_password(password: &SecretString, user_name: &str) -> Result<String, OpsError> {
    check(password, user_name)?;
    let mut salt = [0; SALT_BYTES];
    rand::rng().fill_bytes(&mut salt);
    let hashed: PasswordHash = argon2()?
        .hash_password_with_salt(password.expose_secret().as_bytes(), &salt)
        .map_err(|error| broken(&error))?;
    Ok(hashed.to_string())
}

fn check(password: &SecretString, user_name: &str) -> Result<(), OpsError> {
    let text = password.expose_secret();
    let refuse = |why: String| Err(OpsError::Invalid(why));
    if text.chars().count() < MIN_CHARS {
        return refuse(format!("a password has at least {MIN_CHARS} characters"));
    }
    if text.len() > MAX_BYTES {
        return refuse(format!("a password has at most {MAX_BYTES} bytes"));
    }
    let first = text.chars().next();
    if text.chars().all(|c| Some(c) == first) {
        return refuse("a password is not one character again and again".to_owned());
    }
    if text.trim().eq_ignore_ascii_case(user_name.trim()) {
        return refuse("a password is not the user name".to_owned());
    }
    Ok(())
}

/// Whether the password is the one that was kept. Where none was it takes as long, so that no clock tells who has one. Takes a
/// while.
pub(super) fn is_password(password: &SecretString, kept: Option<&str>) -> bool {
    static NOBODYS: LazyLock<Option<String>> = LazyLock::new(|| {
        let random = super::tokens::new_token("");
        hash_password(&random, "").ok()
    });
    let hash = kept.or(NOBODYS.as_deref()).and_then(|kept| PasswordHash::new(kept).ok());
    // A text beyond what may be a password is none, whatever its hash.
    let bytes = password.expose_secret().as_bytes();
    let bytes = bytes.get(..MAX_BYTES.min(bytes.len())).unwrap_or_default();
    let is_right = match (hash, argon2()) {
        (Some(hash), Ok(argon2)) => argon2.verify_password(bytes, &hash).is_ok(),
        _ => false,
    };
    is_right && kept.is_some() && password.expose_secret().len() <= MAX_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_and_nobodys_is_none() {
        let password = SecretString::from("correct horse battery");
        let kept = hash_password(&password, "ana").unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(is_password(&password, Some(&kept)));
        assert!(!is_password(&SecretString::from("correct horse batterz"), Some(&kept)));
        assert!(!is_password(&password, None));
        assert!(!is_password(&password, Some("no hash")));
        assert_ne!(kept, hash_password(&password, "ana").unwrap(), "each has a salt of its own");
    }

    #[test]
    fn a_name_without_a_password_costs_as_much_as_one_with_a_wrong_one() {
        let kept = hash_password(&SecretString::from("correct horse battery"), "ana").unwrap();
        let wrong = SecretString::from("something else entirely");
        let took = |kept: Option<&str>| {
            let since = tokio::time::Instant::now();
            assert!(!is_password(&wrong, kept));
            since.elapsed()
        };
        // The first makes what nobody's password is compared with.
        took(None);
        let (with, without) = (took(Some(&kept)), took(None));
        assert!(without > with / 5, "{without:?} beside {with:?}");
    }

    #[test]
    fn a_password_that_is_easily_guessed_is_not_taken_and_not_repeated() {
        for (wrong, name) in [
            ("eleven-char", "ana"),
            ("aaaaaaaaaaaaaaaaaa", "ana"),
            ("Ana@Acme.Example", "ana@acme.example"),
            (&"long".repeat(300), "ana"),
        ] {
            let told = hash_password(&SecretString::from(wrong), name).unwrap_err().to_string();
            assert!(!told.contains(wrong), "{told}");
        }
        // Twelve characters, whatever their bytes.
        assert!(hash_password(&SecretString::from("пароль-из-12"), "ana").is_ok());
    }
}
