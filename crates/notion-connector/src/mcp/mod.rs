//! The door for agents: the product's verbs as tools of the Model Context Protocol, over standard input and output or HTTP.
//!
//! Every tool is one verb of `ops` with the caller's eyes: the local operator at the machine, over HTTP whoever the server found the
//! request to be from. Tools only read. What a tool refuses is an answer that says so, for the agent to read.
//!
//! Over HTTP there are no sessions: every request stands for itself, as REST. To add a tool: a variant of [`Tool`] with its name,
//! description, schema and verb.

mod tools;

use std::borrow::Cow;
use std::sync::Arc;

use http::request::Parts;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, Implementation,
    InitializeResult, ListToolsResult, PaginatedRequestParams, ServerCapabilities,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::transport::StreamableHttpServerConfig;
use rmcp::transport::streamable_http_server::StreamableHttpService;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::{ServerHandler, ServiceExt};
use tokio::sync::Semaphore;

use crate::app::App;
use crate::model::Caller;
use crate::ops::OpsError;
use tools::Tool;

/// What an agent is told of the whole.
const INSTRUCTIONS: &str = "Searches what this organisation keeps in Notion, as far as you may see it. Find pages, database rows and files \
    with `search`, read one whole with `fetch`, cite its `url`. Where something is not found, `why` tells why it is not indexed.";

/// Tools that run at once; more wait.
const WORKING_AT_ONCE: usize = 16;

/// Serves tools to agents.
#[derive(Clone)]
pub(crate) struct Door {
    app: Arc<App>,
    /// Who calls, where that is one for all requests.
    caller: Option<Caller>,
    working: Arc<Semaphore>,
}

impl Door {
    fn new(app: Arc<App>, caller: Option<Caller>) -> Self {
        Self { app, caller, working: Arc::new(Semaphore::new(WORKING_AT_ONCE)) }
    }

    /// Who calls: the one for all, or whom the server named in the request.
    fn caller(&self, context: &RequestContext<RoleServer>) -> Result<Caller, ErrorData> {
        let named = || context.extensions.get::<Parts>()?.extensions.get::<Caller>().cloned();
        let nobody = || ErrorData::invalid_request("nobody is named as the one who asks", None);
        self.caller.clone().or_else(named).ok_or_else(nobody)
    }
}

impl ServerHandler for Door {
    fn get_info(&self) -> InitializeResult {
        let server = Implementation::new("notion-connector", env!("CARGO_PKG_VERSION"));
        InitializeResult::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(server)
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(Tool::ALL.into_iter().map(Tool::describe).collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = Tool::ALL.into_iter().find(|tool| tool.name() == request.name) else {
            return Err(ErrorData::invalid_params(format!("there is no tool “{}”", request.name), None));
        };
        let caller = self.caller(&context)?;
        // A semaphore that is never closed always gives.
        let _permit = self.working.acquire().await.ok();
        let arguments = serde_json::Value::Object(request.arguments.unwrap_or_default());
        let answer = tool.call(&self.app, &caller, arguments).await;
        Ok(match answer {
            Ok(value) => CallToolResult::structured(value),
            Err(error) => CallToolResult::error(vec![ContentBlock::text(told(&error))]),
        }
        .into())
    }
}

/// What an agent is told of an error: what it or its person can mend. The rest is for the log.
fn told(error: &OpsError) -> Cow<'static, str> {
    match error {
        OpsError::NotFound(_)
        | OpsError::Invalid(_)
        | OpsError::Conflict(_)
        | OpsError::Forbidden(_)
        | OpsError::Notion { .. } => error.to_string().into(),
        _ => {
            tracing::error!(%error, "a tool failed");
            "the server could not do this; its log says why".into()
        }
    }
}

/// The service for `/mcp`. What stands before it has named the caller in each request.
pub(crate) fn over_http(app: Arc<App>) -> StreamableHttpService<Door, NeverSessionManager> {
    let door = Door::new(app, None);
    // Which hosts and origins are heard is decided before.
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .disable_allowed_hosts();
    StreamableHttpService::new(move || Ok(door.clone()), Arc::default(), config)
}

/// Serves one agent over standard input and output, as the local operator, until it closes them.
///
/// # Errors
/// When the agent does not speak the protocol.
pub(crate) async fn over_stdio(app: Arc<App>) -> Result<(), OpsError> {
    let fail = |error: &dyn std::error::Error| OpsError::Io {
        what: "the agent at standard input and output was not understood".to_owned(),
        source: std::io::Error::other(error.to_string()),
    };
    let door = Door::new(app, Some(Caller::LOCAL_OPERATOR));
    let serving = door.serve(rmcp::transport::stdio()).await.map_err(|error| fail(&error))?;
    serving.waiting().await.map_err(|error| fail(&error))?;
    Ok(())
}
