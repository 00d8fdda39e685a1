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
