//! The `coho` command: thin. It reads what was typed, calls the engine and prints what it says.

mod acts;
mod args;
mod bounded;
mod exit;
mod failure;
mod hangup;
mod usage;
mod key;
mod print;
mod project;
mod since;
mod span;
mod started;
mod engine;
mod signal;
mod pipes;
#[cfg(feature = "mcp")]
mod mcp;
mod progress;
#[cfg_attr(not(feature = "otel"), path = "telemetry/none.rs")]
mod telemetry;
mod traced;
mod verb;

use std::process::ExitCode;

use clap::Parser;
use coho_core::decide::RunKind;
use coho_engine::traits::CacheUse;
use tracing_subscriber::EnvFilter;

use crate::args::{Cli, Global, LogFormat, TemplateAction, Verb};
use crate::exit::Exit;
use crate::failure::Form;

/// A row takes some hundred small pieces of memory, most of them freed by another thread than took them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A run keeps one thread busy with the ledger and one with the network; more would only wait.
#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(usage::report(&error)),
    };
    log(&cli.global);
    let form = if cli.global.json { Form::Document } else { Form::Text };
    let code = match carry_out(cli).await {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => ExitCode::from(failure::report(&error, form)),
    };
    telemetry::end();
    code
}

async fn carry_out(cli: Cli) -> anyhow::Result<Exit> {
    let global = &cli.global;
    match cli.verb {
        Verb::Init { folder, with } => verb::init::init(global, &folder, &with),
        Verb::Check { live: Some(destination), yes, .. } => verb::live::live(global, &destination, yes).await,
        Verb::Check { grants: true, .. } => verb::grants::grants(global),
        Verb::Check { offline, .. } => verb::check::check(global, offline).await,
        Verb::Traits { object, destination, refresh } => {
            let freshness = if refresh { CacheUse::Fresh } else { CacheUse::Cached };
            verb::traits::traits(global, &object, destination.as_deref(), freshness).await
        }
        Verb::Preview { sync, limit, key } => verb::preview::preview(global, &sync, limit, key).await,
        Verb::Test { files, bless, junit } => {
            let asked = verb::test::Asked { files, bless, junit };
            verb::test::test(global, &asked)
        }
        Verb::Plan { rows, exit_code, output } => {
            verb::plan::plan(global, &rows, exit_code, output.as_deref()).await
        }
        Verb::Run { rows, plan } => verb::run::run(global, &rows, plan.as_deref()).await,
        Verb::Baseline { sync, key } => verb::learn::learn(global, &sync, key, RunKind::Baseline).await,
        Verb::Adopt { sync, key } => verb::learn::learn(global, &sync, key, RunKind::Adopt).await,
        Verb::Runs { run: Some(run), failures: true, .. } => verb::failures::failures(global, &run),
        Verb::Runs { run, limit, .. } => verb::runs::runs(global, run.as_deref(), limit),
        Verb::Rows { sync, status, key, run, since, cause, still_failing, limit, format } => {
            let asked =
                verb::rows::Asked { sync, status, key, run, since, cause, still_failing, limit, format };
            verb::rows::rows(global, &asked)
        }
        Verb::Retry { sync, key, cause } => verb::run::retry(global, &sync, key, cause.as_deref()).await,
        Verb::Forget { sync, key, yes } => verb::forget::forget(global, &sync, key.as_deref(), yes),
        Verb::Purge { sync, key, yes } => verb::purge::purge(global, &sync, &key, yes),
        Verb::Alerts { action } => verb::alerts::alerts(global, action).await,
        Verb::Debug(typed) => verb::debug::debug(global, &typed).await,
        Verb::Template { action } => match action {
            TemplateAction::Render(typed) => verb::template::render(global, &typed),
            TemplateAction::Check(typed) => verb::template::check(global, &typed),
        },
        Verb::Demo(typed) => verb::demo::demo(&typed).await,
        Verb::Simulator(typed) => verb::simulator::simulator(typed).await,
        Verb::Serve(typed) => verb::serve::serve(global, &typed).await,
        Verb::Ledger { action } => verb::ledger::ledger(global, &action),
        Verb::Dbt { action } => verb::dbt::dbt(global, action),
        Verb::Token { action } => verb::token::token(global, &action),
        Verb::Mcp { show_values } => verb::mcp::mcp(global, show_values).await,
        Verb::Schema { kind } => verb::reference::schema(kind),
        Verb::Completions { shell } => verb::reference::completions(shell),
        Verb::AdbcDriver => {
            coho_source::drive()?;
            Ok(Exit::Done)
        }
        Verb::Reference { page } => verb::reference::page(page),
    }
}

/// Logs go to stderr; `-v` shows what Coho does, `-vv` every call, `RUST_LOG` anything else.
fn log(global: &Global) {
    let level = match global.verbose {
        0 => "warn",
        1 => "coho=info,coho_engine=info,coho_vitally=info,coho_source=info,coho_ledger=info,warn",
        _ => "coho=debug,coho_engine=debug,coho_vitally=debug,coho_source=debug,coho_ledger=debug,info",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(print::Log);
    match global.log_format {
        LogFormat::Text => builder.with_ansi(print::colours_talk()).with_target(false).init(),
        LogFormat::Json => builder.json().init(),
    }
}
