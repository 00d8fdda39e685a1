use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use crate::app::App;
use crate::model::Caller;
use crate::ops::{self, OpsError, WebhookDetail};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::problem::{Problem, ProblemBody};

type Verb = fn(&App, &Caller, Option<&str>) -> Result<WebhookDetail, OpsError>;

async fn done(
    web: Arc<Web>,
    caller: Caller,
    name: String,
    verb: Verb,
) -> Result<Json<WebhookDetail>, Problem> {
    web.blocking(move |web| verb(&web.app, &caller, Some(&name))).await.map(Json)
}

/// Show a connector's webhook
///
/// Its address, what came there, and for ten minutes after it was opened the verification token that Notion sent.
#[utoipa::path(
    get,
    path = "/api/v1/connectors/{name}/webhook",
    operation_id = "show_webhook",
    tag = "crawls",
    params(("name" = String, Path, description = "Name of the connector.")),
    responses(
        (status = 200, description = "The webhook.", body = WebhookDetail),
        (status = 404, description = "There is no such connector, or it has no webhook.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn show(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
) -> Result<Json<WebhookDetail>, Problem> {
    done(web, caller, name, ops::show_webhook).await
}

/// Open a connector's webhook for a verification token
///
/// For ten minutes the verification token that Notion sends is let in, and shown. A webhook that there is keeps its address.
#[utoipa::path(
    post,
    path = "/api/v1/connectors/{name}/webhook",
    operation_id = "open_webhook",
    tag = "crawls",
    params(("name" = String, Path, description = "Name of the connector.")),
    responses(
        (status = 200, description = "The webhook.", body = WebhookDetail),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such connector.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn open(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
) -> Result<Json<WebhookDetail>, Problem> {
    done(web, caller, name, ops::open_webhook).await
}

/// Forget a connector's webhook
///
/// Its address, its token and what came there: events to it are refused from now on.
#[utoipa::path(
    delete,
    path = "/api/v1/connectors/{name}/webhook",
    operation_id = "forget_webhook",
    tag = "crawls",
    params(("name" = String, Path, description = "Name of the connector.")),
    responses(
        (status = 200, description = "The webhook as it was.", body = WebhookDetail),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such connector, or it has no webhook.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn forget(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
) -> Result<Json<WebhookDetail>, Problem> {
    done(web, caller, name, ops::forget_webhook).await
}

/// Let no verification token in any more
///
/// Nor show it. Events go on.
#[utoipa::path(
    delete,
    path = "/api/v1/connectors/{name}/webhook/window",
    operation_id = "close_webhook",
    tag = "crawls",
    params(("name" = String, Path, description = "Name of the connector.")),
    responses(
        (status = 200, description = "The webhook.", body = WebhookDetail),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such connector, or it has no webhook.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn close(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
) -> Result<Json<WebhookDetail>, Problem> {
    done(web, caller, name, ops::close_webhook).await
}
