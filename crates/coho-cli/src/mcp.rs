//! The server of `coho mcp`: tools that only read, over standard input and output.
//!
//! [`tools`] answers, [`values`] takes the values of rows out of the answers. Only this file knows the protocol and its SDK.

mod tools;
mod values;

use coho_core::json::Json;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool, ToolAnnotations,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt as _};

use crate::args::Global;
use crate::failure;

/// What an assistant is told of the server.
const INSTRUCTIONS: &str = "Coho sends rows of a warehouse to Vitally. These tools tell of a project: its syncs, its runs, why \
rows failed, what became of a row, and what a run would send. They only read. Begin with list_syncs; of a run that did not end well, ask \
explain_run, and of a row explain_row. Values of rows are left out unless the server was started with --show-values.";

/// Serves until standard input ends.
pub(crate) async fn serve(global: &Global, show_values: bool) -> anyhow::Result<()> {
    let server = Server { global: global.clone(), show_values };
    server.serve(rmcp::transport::stdio()).await?.waiting().await?;
    Ok(())
}

struct Server {
    global: Global,
    show_values: bool,
}

impl Server {
    /// Answers a call. The project is read anew each time, since its files may have changed.
    fn answer(&self, request: &CallToolRequestParams) -> CallToolResult {
        let arguments = request.arguments.clone().unwrap_or_default();
        let answering = tools::answer(&self.global, &request.name, &arguments);
        // Ledgers stay on one thread; the other goes on to read and write.
        let runtime = tokio::runtime::Handle::current();
        match tokio::task::block_in_place(|| runtime.block_on(answering)) {
            Ok(document) => {
                let document = if self.show_values { document } else { values::without(document) };
                CallToolResult::success(vec![ContentBlock::text(masked(&document))])
            }
            Err(error) => {
                let told = failure::told(&error);
                CallToolResult::error(vec![ContentBlock::text(
                    crate::print::masker().mask(&told).into_owned(),
                )])
            }
        }
    }
}

fn masked(document: &Json) -> String {
    crate::print::masker().mask(&document.to_string()).into_owned()
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("coho", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<ListToolsResult, ErrorData>> + Send + '_ {
        let tool = |tool: &tools::Described| {
            let schema = tool.schema().as_object().cloned().unwrap_or_default();
            Tool::new(tool.name, tool.about, schema).with_annotations(ToolAnnotations::new().read_only(true))
        };
        std::future::ready(Ok(ListToolsResult::with_all_items(tools::ALL.iter().map(tool).collect())))
    }

    fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<CallToolResponse, ErrorData>> + Send + '_ {
        std::future::ready(Ok(self.answer(&request).into()))
    }
}
