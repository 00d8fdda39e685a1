use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ops::{self, AddSchedule, EditSchedule, ScheduleSummary};
use crate::web::Web;
use crate::web::body::Body;
use crate::web::caller::Asking;
use crate::web::problem::{Problem, ProblemBody};

/// Schedules.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct ScheduleList {
    /// By name.
    schedules: Vec<ScheduleSummary>,
}

/// List schedules
#[utoipa::path(
    get,
    path = "/api/v1/schedules",
    operation_id = "list_schedules",
    tag = "crawls",
    responses((status = 200, description = "All schedules, by name.", body = ScheduleList))
)]
pub(in crate::web) async fn list(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
) -> Result<Json<ScheduleList>, Problem> {
    let schedules = web.blocking(move |web| ops::list_schedules(&web.app, &caller)).await?;
    Ok(Json(ScheduleList { schedules }))
}

/// Add a schedule
///
/// It counts from now on.
#[utoipa::path(
    post,
    path = "/api/v1/schedules",
    operation_id = "add_schedule",
    tag = "crawls",
    request_body = AddSchedule,
    responses(
        (status = 201, description = "The schedule.", body = ScheduleSummary),
        (status = 400, description = "The body is not understood, or name, rule, scope or time zone is none.", body = ProblemBody),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such connector.", body = ProblemBody),
        (status = 409, description = "The name is taken.", body = ProblemBody),
        (status = 415, description = "The body is not said to be JSON.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn add(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Body(new): Body<AddSchedule>,
) -> Result<(StatusCode, Json<ScheduleSummary>), Problem> {
    let schedule = web.blocking(move |web| ops::add_schedule(&web.app, &caller, new)).await?;
    Ok((StatusCode::CREATED, Json(schedule)))
}

/// Change a schedule
///
/// Pauses it and lets it run again too. What is not given stays.
#[utoipa::path(
    patch,
    path = "/api/v1/schedules/{name}",
    operation_id = "edit_schedule",
    tag = "crawls",
    params(("name" = String, Path, description = "Name of the schedule.")),
    request_body = EditSchedule,
    responses(
        (status = 200, description = "The schedule as it is now.", body = ScheduleSummary),
        (status = 400, description = "The body is not understood, or name, rule, scope or time zone is none.", body = ProblemBody),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such schedule or connector.", body = ProblemBody),
        (status = 409, description = "The name is taken.", body = ProblemBody),
        (status = 415, description = "The body is not said to be JSON.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn edit(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
    Body(edit): Body<EditSchedule>,
) -> Result<Json<ScheduleSummary>, Problem> {
    web.blocking(move |web| ops::edit_schedule(&web.app, &caller, &name, edit)).await.map(Json)
}

/// Delete a schedule
///
/// Crawls that it started stay.
#[utoipa::path(
    delete,
    path = "/api/v1/schedules/{name}",
    operation_id = "delete_schedule",
    tag = "crawls",
    params(("name" = String, Path, description = "Name of the schedule.")),
    responses(
        (status = 200, description = "The schedule as it was.", body = ScheduleSummary),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such schedule.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn delete(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
) -> Result<Json<ScheduleSummary>, Problem> {
    web.blocking(move |web| ops::delete_schedule(&web.app, &caller, &name)).await.map(Json)
}
