//! The product's verbs. Command line, REST, pages and (later) agents call these and nothing below them.
//!
//! A verb takes the [`App`], the [`Caller`](crate::model::Caller) and plain values; it returns plain values that serialise to
//! the JSON every mouth shows. It judges by itself whether the caller has the role it takes, and shows them what they may
//! see. To add a verb: a file here, then its mouths.

mod access;
mod accounts;
mod analytics;
mod audiences;
mod audit;
mod backup;
mod connector_life;
mod connectors;
mod crawl;
mod crawls;
mod directory;
mod directory_file;
mod error;
mod gate;
mod items;
mod keys;
mod metrics;
mod openid;
mod overview;
mod passwords;
mod people;
mod plan;
mod preview;
mod reconcile;
mod rerender;
mod roles;
mod scheduler;
mod schedules;
mod scim;
mod search;
mod secrets;
mod sign_in;
mod start_points;
mod status;
mod tokens;
mod watch;
mod webhooks;
mod why;
mod why_files;

pub use crate::store::{
    Account, AccountPage, AlertFilter, AlertLevel, AlertPage, AlertScope, AuditCheck, AuditEntry, AuditRow,
    AuditStage, Departure, Difference, DirectoryFilter, DirectoryPage, Failure, Holding, Key, MappedAs,
    RoleGrant, Scope, StartPoint, UnknownKind, UserCounts, UserPage, Waiting,
};
pub use access::{
    AccessByConnector, AccessOfPage, AccessOfPerson, Deciding, RuleFor, Seeing, SightOfConnector, search_as,
    show_access_of_page, show_access_of_person,
};
pub use accounts::{change_password, delete_account, list_accounts, set_password, sign_out_account};
pub use analytics::{Analytics, AnalyticsDay, AnalyticsTotals, Day, Quota, Trend, analytics};
pub use audiences::{
    AudienceLine, Audiences, Grant, GrantTo, OptionItems, SetAudience, remove_audience, set_audience,
    show_audiences, switch_audiences,
};
pub use audit::{AuditPage, Refusals, export_audit, list_audit};
pub use backup::{Backup, backup, restore};
pub use connector_life::{
    ConnectorDetail, DeletedConnector, EditConnector, Effective, Setting, delete_connector, edit_connector,
    rename_connector, set_connector_active, show_connector, typed_list,
};
pub use connectors::{
    AddConnector, ConnectorSummary, NOTION_URL, Problem, Validation, add_connector, check_connector,
    list_connectors, set_secret, validate_connection,
};
pub use crawl::{CrawlReport, CrawlRequest, run_crawl};
pub use crawls::{
    CrawlDetail, CrawlSummary, PeopleCounters, StartCrawl, approve_deletions, cancel_crawl, list_alerts,
    list_crawls, show_crawl, start_crawl,
};
pub use directory::{DirectoryImport, ImportDirectory, import_directory, list_directory};
pub use error::OpsError;
pub use gate::SignInGate;
pub use items::{ExportLine, ExportedFile, FileStands, export, load_item};
pub use keys::{CreateKey, CreatedKey, Identity, create_key, identify_key, list_keys, revoke_key};
pub use metrics::metrics;
pub use openid::{Returning, begin_openid, finish_openid, openid_label};
pub use overview::{Nothing, Overview, Reach, UnderWay, overview};
pub use people::{
    ListPeople, MappingAnswer, MappingTest, TestMapping, count_people, list_people, set_mapping_script,
    test_mapping,
};
pub use plan::{PlanDetail, PlanRequest, plan_crawl};
pub use preview::{Preview, PreviewItem, PreviewKind, preview_asking, preview_connector};
pub use reconcile::{Differences, Reconciliation, compare};
pub use rerender::{Rerendered, rerender};
pub use roles::{RoleChanged, RoleOf, grant_role, list_roles, revoke_role};
pub use scheduler::run_scheduler;
pub use schedules::{
    AddSchedule, EditSchedule, ScheduleSummary, add_schedule, delete_schedule, edit_schedule, list_schedules,
    parse_scope,
};
pub use scim::{
    MAX_COUNT as MAX_SCIM_COUNT, ScimChange, ScimError, ScimKind, ScimQuery, change_scim_group,
    change_scim_user, create_scim_group, create_scim_user, delete_scim_group, delete_scim_user, list_scim,
    show_scim_group, show_scim_user,
};
pub use search::{
    FacetCount, FacetCounts, HitFile, HitProperty, SearchAnswer, SearchHit, SearchQuery, search,
    search_on_record,
};
// What a search is narrowed by is the same for those who ask for it by words.
pub use crate::model::{Plan, PlannedItems};
pub use crate::search::{FacetBy, Filters, PointInTime, PropertyFilter};
pub use secrets::{Rotation, rotate_secrets};
pub use sign_in::{
    SignIn, accept_link, form_token, identify_named, identify_session, invite, is_form_token,
    link_for_first_administrator, open_session, sign_in, sign_out, sign_out_everywhere,
};
pub use start_points::{list_start_points, queue_start_points, refresh_start_points};
pub use status::{ConnectorStatus, Status, find_unconfined, list_failures, status};
pub use watch::{CrawlProgress, CrawlWatch};
pub use webhooks::{
    Received, WEBHOOKS, WebhookDetail, close_webhook, forget_webhook, open_webhook, receive_webhook,
    show_webhook,
};
pub use why::{AskedNotion, Reason, Standing, Why, why};
pub use why_files::{FileAnswer, FileNotIndexed};
