use std::collections::BTreeSet;

use super::ConnectorId;

/// Who asks. Every search takes one, and the index filters by it before it counts and ranks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// The owner of the data directory, at the machine: sees everything.
    LocalOperator,
    /// A person: sees the items of the connectors in which they are mapped, and nothing else.
    Mapped(BTreeSet<ConnectorId>),
}

impl Viewer {
    /// Whether they see an item that these connectors hold.
    pub fn sees(&self, holders: &[ConnectorId]) -> bool {
        match self {
            Self::LocalOperator => true,
            Self::Mapped(connectors) => holders.iter().any(|holder| connectors.contains(holder)),
        }
    }
}
