//! Connections to workspaces: a file for each verb, over the same verbs of `ops` as the command. Secrets come in bodies only, and no
//! answer holds one.

pub(in crate::web) mod activate;
pub(in crate::web) mod add;
pub(in crate::web) mod check;
pub(in crate::web) mod deactivate;
pub(in crate::web) mod delete;
pub(in crate::web) mod edit;
pub(in crate::web) mod list;
pub(in crate::web) mod preview;
pub(in crate::web) mod rename;
pub(in crate::web) mod script;
pub(in crate::web) mod secret;
pub(in crate::web) mod show;
pub(in crate::web) mod start_points;
pub(in crate::web) mod validate;
