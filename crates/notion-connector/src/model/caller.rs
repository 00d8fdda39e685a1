use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::{KeyId, PersonId, Viewer};

/// What somebody may do. Roles do not hold each other: an administrator of connectors sees only how many people are mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Creates, configures, runs and watches connectors.
    ConnectorAdmin,
    /// Sees who is mapped to whom, decides who sees what, reads the audit log, hands out keys.
    SecurityAdmin,
    /// Searches what they may see.
    SearchUser,
}

impl Role {
    /// Every role, in the order they are shown.
    pub const ALL: [Self; 3] = [Self::ConnectorAdmin, Self::SecurityAdmin, Self::SearchUser];

    /// The name in settings, in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectorAdmin => "connector_admin",
            Self::SecurityAdmin => "security_admin",
            Self::SearchUser => "search_user",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("“{text}” is no role; known are {known}")
        })
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of roles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Roles(u8);

impl Roles {
    /// No role.
    pub const NONE: Self = Self(0);
    /// All of them.
    pub const ALL: Self =
        Self(Role::ConnectorAdmin.bit() | Role::SecurityAdmin.bit() | Role::SearchUser.bit());

    /// Whether the role is among them.
    pub const fn contains(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Those that both hold.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those that one of both holds.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The roles, in the order they are shown.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.contains(*role))
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<T: IntoIterator<Item = Role>>(roles: T) -> Self {
        Self(roles.into_iter().fold(0, |bits, role| bits | role.bit()))
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iter().map(Role::as_str).collect::<Vec<_>>().join(" "))
    }
}

impl FromStr for Roles {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split_whitespace().map(str::parse::<Role>).collect()
    }
}

impl Serialize for Roles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Role::as_str))
    }
}

/// Under which name somebody acts; the audit log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The owner of the data directory, at the machine.
    LocalOperator,
    /// A person of the directory.
    Person {
        /// Who.
        id: PersonId,
        /// The name they sign in with.
        name: String,
    },
    /// A program with a key of its own.
    Key {
        /// Which.
        id: KeyId,
        /// The key's name.
        name: String,
    },
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LocalOperator => f.write_str("local operator"),
            Self::Person { name, .. } => write!(f, "{name}"),
            Self::Key { name, .. } => write!(f, "key “{name}”"),
        }
    }
}

/// Who calls a verb: what they may do, what they may see, and under which name. Only a mouth makes one, when it knows who
/// speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Under which name.
    pub actor: Actor,
    /// What they may do.
    pub roles: Roles,
    /// What they may see.
    pub viewer: Viewer,
    /// From where, where it was over a network.
    pub from: Option<IpAddr>,
}

impl Caller {
    /// The owner of the data directory, at the machine.
    pub const LOCAL_OPERATOR: Self =
        Self { actor: Actor::LocalOperator, roles: Roles::ALL, viewer: Viewer::LocalOperator, from: None };

    /// Passes whoever has the role.
    ///
    /// # Errors
    /// When the caller has not.
    pub const fn require(&self, role: Role) -> Result<(), MissingRole> {
        if self.roles.contains(role) { Ok(()) } else { Err(MissingRole(role)) }
    }
}

/// A verb that takes a role which the caller has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this takes the role {0}, which you do not have: ask a security administrator for it")]
pub struct MissingRole(pub Role);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_roles_holds_what_was_put_into_it_and_nothing_else() {
        for role in Role::ALL {
            let one: Roles = [role].into_iter().collect();
            assert_eq!(one.iter().collect::<Vec<_>>(), [role]);
            assert!(Role::ALL.into_iter().all(|other| one.contains(other) == (other == role)));
            assert!(Roles::ALL.contains(role) && !Roles::NONE.contains(role));
        }
        let two: Roles = [Role::SearchUser, Role::ConnectorAdmin].into_iter().collect();
        assert_eq!(serde_json::json!(two), serde_json::json!(["connector_admin", "search_user"]));
        assert_eq!(two.to_string().parse(), Ok(two));
        assert_eq!((Roles::ALL.and(two), Roles::NONE.or(two), two.and(Roles::NONE)), (two, two, Roles::NONE));
        assert!("search_user operator".parse::<Roles>().is_err());
    }

    #[test]
    fn a_verb_is_refused_to_who_has_another_role() {
        let caller = Caller { roles: [Role::SecurityAdmin].into_iter().collect(), ..Caller::LOCAL_OPERATOR };
        assert_eq!(caller.require(Role::SecurityAdmin), Ok(()));
        assert_eq!(caller.require(Role::ConnectorAdmin), Err(MissingRole(Role::ConnectorAdmin)));
        assert_eq!(Caller::LOCAL_OPERATOR.require(Role::SearchUser), Ok(()));
    }
}
