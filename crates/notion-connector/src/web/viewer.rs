//! Who asks: the one place that sign-in will change.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use super::problem::Problem;
use crate::model::Viewer;

/// Names the one who asks, for the handlers behind. Whoever comes from this machine is its operator; nobody else is
/// heard.
pub(super) async fn identify(mut request: Request, next: Next) -> Result<Response, Problem> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    if !peer.is_some_and(|peer| peer.ip().is_loopback()) {
        return Err(Problem::forbidden("this server answers requests from its own machine only"));
    }
    request.extensions_mut().insert(Viewer::LocalOperator);
    Ok(next.run(request).await)
}

/// The one who asks, for handlers whose answers depend on it.
pub(super) struct Asking(pub(super) Viewer);

impl<S: Sync> FromRequestParts<S> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Viewer>()
            .cloned()
            .map(Self)
            .ok_or_else(|| Problem::forbidden("nobody is named as the one who asks"))
    }
}

/// Proof that the one who asks runs this installation, for handlers that show or change how it runs.
pub(super) struct Operator;

impl<S: Sync> FromRequestParts<S> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Asking::from_request_parts(parts, state).await?.0 {
            Viewer::LocalOperator => Ok(Self),
            Viewer::Mapped(_) => {
                Err(Problem::forbidden("only an administrator may see or change how crawls run"))
            }
        }
    }
}
