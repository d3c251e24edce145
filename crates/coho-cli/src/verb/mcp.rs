//! `coho mcp`: tools for assistants.

use crate::args::Global;
use crate::exit::Exit;

/// Serves until standard input ends.
#[cfg(feature = "mcp")]
pub(crate) async fn mcp(global: &Global, show_values: bool) -> anyhow::Result<Exit> {
    crate::mcp::serve(global, show_values).await?;
    Ok(Exit::Done)
}

/// Says how to get a program that can.
#[cfg(not(feature = "mcp"))]
#[expect(clippy::unused_async, reason = "with the feature it waits")]
pub(crate) async fn mcp(_: &Global, _: bool) -> anyhow::Result<Exit> {
    let help = "install it with `cargo install --path crates/coho-cli --features mcp`".to_owned();
    let message = "this `coho` was built without the feature `mcp`".to_owned();
    Err(crate::exit::Known { message, help: Some(help), code: 2, source: None }.into())
}
