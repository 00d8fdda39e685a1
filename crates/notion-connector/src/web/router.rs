//! Every route of the server, and what stands before them.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::{Router, middleware};
use tower::ServiceBuilder;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::within;
use super::{Web, api, assets, caller, guard, openapi, pages, problem, scim};
use crate::mcp;
use crate::model::KeyScope;

/// Bytes of a request's body.
const MAX_BODY_BYTES: usize = 64 << 10;
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The routes, without what stands before them, and their document.
pub(super) fn routes() -> (Router<Arc<Web>>, OpenApi) {
    let ordinary = OpenApiRouter::new()
        .merge(open())
        .merge(within(KeyScope::Search, searching()))
        .merge(within(KeyScope::Connectors, connectors()))
        .merge(within(KeyScope::Connectors, crawls()))
        .merge(within(KeyScope::Security, security()))
        .merge(within(KeyScope::Metrics, OpenApiRouter::new().routes(routes!(api::metrics::metrics))))
        .layer(RequestBodyLimitLayer::new(MAX_BODY_BYTES));
    let pushed = within(KeyScope::Scim, scim::routes())
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(scim::MAX_BODY_BYTES));
    OpenApiRouter::with_openapi(openapi::head()).merge(ordinary).merge(pushed).split_for_parts()
}

/// What everybody may ask: it tells nothing about anybody, or lets them in.
fn open() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::new()
        .routes(routes!(api::health::alive))
        .routes(routes!(api::health::ready))
        .routes(routes!(api::openapi::document))
        .routes(routes!(assets::show))
        .routes(routes!(pages::sign_in::show, pages::sign_in::submit))
        .routes(routes!(pages::sign_in::welcome, pages::sign_in::accept))
        .routes(routes!(pages::sign_in::sign_out))
        .routes(routes!(pages::account::show, pages::account::change))
        .routes(routes!(pages::openid::begin))
        .routes(routes!(pages::openid::finish))
}

fn searching() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::new()
        .routes(routes!(pages::search::start))
        .routes(routes!(pages::search::results))
        .routes(routes!(api::search::search))
        .routes(routes!(api::items::show))
        .routes(routes!(api::why::why))
}

fn connectors() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::new()
        .routes(routes!(api::connectors::list::list, api::connectors::add::add))
        .routes(routes!(api::connectors::validate::validate))
        .routes(routes!(
            api::connectors::show::show,
            api::connectors::edit::edit,
            api::connectors::delete::delete
        ))
        .routes(routes!(api::connectors::check::check))
        .routes(routes!(api::connectors::secret::set_secret))
        .routes(routes!(api::connectors::script::set_script))
        .routes(routes!(api::connectors::preview::preview))
        .routes(routes!(api::connectors::rename::rename))
        .routes(routes!(api::connectors::activate::activate))
        .routes(routes!(api::connectors::deactivate::deactivate))
        .routes(routes!(api::connectors::start_points::list))
        .routes(routes!(api::connectors::start_points::refresh))
        .routes(routes!(api::analytics::analytics))
        .routes(routes!(api::people::counts))
        .routes(routes!(api::people::test))
        .routes(routes!(api::webhooks::show, api::webhooks::open, api::webhooks::forget))
        .routes(routes!(api::webhooks::close))
}

fn crawls() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::new()
        .routes(routes!(api::crawls::list::list, api::crawls::start::start))
        .routes(routes!(api::crawls::show::show))
        .routes(routes!(api::crawls::alerts::list))
        .routes(routes!(api::crawls::approve::approve))
        .routes(routes!(api::crawls::cancel::cancel))
        .routes(routes!(api::crawls::events::events))
        .routes(routes!(api::schedules::list, api::schedules::add))
        .routes(routes!(api::schedules::edit, api::schedules::delete))
        .routes(routes!(api::status::status))
}

fn security() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::new()
        .routes(routes!(api::audit::list))
        .routes(routes!(api::people::list))
        .routes(routes!(api::audiences::show, api::audiences::switch))
        .routes(routes!(api::audiences::set))
        .routes(routes!(api::audiences::remove))
        .routes(routes!(api::access::who))
        .routes(routes!(api::access::what))
        .routes(routes!(api::keys::list, api::keys::create))
        .routes(routes!(api::keys::revoke))
        .routes(routes!(api::accounts::list))
        .routes(routes!(api::roles::list, api::roles::grant, api::roles::revoke))
}

/// The whole server.
pub(super) fn router(web: Arc<Web>) -> Router {
    let ground = Arc::new(guard::Ground { port: web.port, settings: web.app.config.server.clone() });
    let timeout = TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, TIMEOUT);
    let before = ServiceBuilder::new()
        .layer(middleware::from_fn(guard::harden))
        .layer(middleware::from_fn(problem::render))
        .layer(middleware::from_fn_with_state(ground, guard::admit))
        .layer(middleware::from_fn_with_state(Arc::clone(&web), caller::identify))
        .layer(timeout);
    let agents = Router::new()
        .nest_service("/mcp", mcp::over_http(Arc::clone(&web.app)))
        .route_layer(middleware::from_fn_with_state(KeyScope::Search, caller::admit))
        .layer(RequestBodyLimitLayer::new(MAX_BODY_BYTES));
    routes()
        .0
        .merge(agents)
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(before)
        .with_state(web)
}
