use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::{Role, Roles};

/// Which part of the server a key opens. What its caller may do there, roles decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyScope {
    /// Searching and reading, for programs and agents.
    Search,
    /// Connectors, their crawls and schedules.
    Connectors,
    /// People, keys, roles and the audit log.
    Security,
    /// The directory, as an identity provider pushes it.
    Scim,
    /// Numbers for Prometheus.
    Metrics,
}

impl KeyScope {
    /// Every scope, in the order they are shown.
    pub const ALL: [Self; 5] = [Self::Search, Self::Connectors, Self::Security, Self::Scim, Self::Metrics];

    /// The name on the command line, in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Connectors => "connectors",
            Self::Security => "security",
            Self::Scim => "scim",
            Self::Metrics => "metrics",
        }
    }

    /// The role that one needs to do anything there: the only one that a key has by this scope.
    pub const fn role(self) -> Role {
        match self {
            Self::Search => Role::SearchUser,
            Self::Connectors | Self::Metrics => Role::ConnectorAdmin,
            Self::Security | Self::Scim => Role::SecurityAdmin,
        }
    }

    /// What of its roles a key with these scopes has where this one is asked for; none if it is not among them. The scope of
    /// numbers and that of the directory are for programs of others: their role holds there and nowhere else.
    pub fn roles_within(self, scopes: &[Self], roles: Roles) -> Option<Roles> {
        if !scopes.contains(&self) {
            return None;
        }
        let is_narrow = |scope: Self| matches!(scope, Self::Metrics | Self::Scim);
        let counted =
            scopes.iter().filter(|scope| **scope == self || !is_narrow(**scope) && !is_narrow(self));
        Some(roles.and(counted.map(|scope| scope.role()).collect()))
    }
}

impl fmt::Display for KeyScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyScope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("“{text}” is no scope; known are {known}")
        })
    }
}

impl Serialize for KeyScope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(roles: &[Role]) -> Roles {
        roles.iter().copied().collect()
    }

    #[test]
    fn a_scope_gives_its_own_role_and_no_scope_gives_another_ones() {
        for scope in KeyScope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
            assert_eq!(scope.roles_within(&[scope], Roles::ALL), Some(roles(&[scope.role()])));
            for other in KeyScope::ALL.into_iter().filter(|other| *other != scope) {
                assert_eq!(scope.roles_within(&[other], Roles::ALL), None);
            }
            assert_eq!(scope.roles_within(&[scope], Roles::NONE), Some(Roles::NONE));
        }
        assert!("everything".parse::<KeyScope>().is_err());
    }

    #[test]
    fn the_role_of_a_narrow_scope_holds_nowhere_else() {
        use KeyScope::{Connectors, Metrics, Scim, Search};
        let all = [Search, Metrics, Scim];
        assert_eq!(Search.roles_within(&all, Roles::ALL), Some(roles(&[Role::SearchUser])));
        assert_eq!(Metrics.roles_within(&all, Roles::ALL), Some(roles(&[Role::ConnectorAdmin])));
        let wide = [Search, Connectors];
        let both = roles(&[Role::SearchUser, Role::ConnectorAdmin]);
        assert_eq!(Search.roles_within(&wide, Roles::ALL), Some(both));
    }
}
