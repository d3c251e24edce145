//! Checking: sources, mappings and destinations, each problem with its place.

use std::collections::BTreeSet;

use coho_core::code::Code;
use coho_core::event::{Event, Listener};
use coho_core::problem::Problem;
use coho_core::sync::Sync;
use coho_mapping::{Mapping, Specification};
use coho_vitally::client::TestError;

use crate::context::{Engine, EngineError};
use crate::plan::source_problem;

/// Looks at everything that syncs need. A model that several syncs share is asked once for each: their mappings differ.
pub(crate) async fn check(engine: &Engine<'_>, syncs: &[&Sync], listener: &dyn Listener) -> Vec<Problem> {
    let mut problems = Vec::new();
    for sync in syncs {
        listener.on(&Event::Reading { sync: sync.id.clone(), rows: 0 });
        problems.extend(model(engine, sync).await);
    }
    let destinations: BTreeSet<&str> = syncs.iter().map(|sync| sync.destination.as_str()).collect();
    for destination in destinations {
        problems.extend(self::destination(engine, destination).await);
    }
    problems
}

async fn model(engine: &Engine<'_>, sync: &Sync) -> Vec<Problem> {
    let model = match engine.model(sync) {
        Ok(model) => model,
        Err(error) => return vec![problem(&error)],
    };
    let connection = match engine.connection(model) {
        Ok(connection) => connection,
        Err(error) => return vec![problem(&error)],
    };
    let columns = match coho_source::columns(&connection, model).await {
        Ok(columns) => columns,
        Err(error) => {
            let mut problems = vec![source_problem(&error, model)];
            problems.extend(Mapping::template_problems(&sync.fields));
            return problems;
        }
    };
    let specification = Specification { object: sync.object, matching: &sync.matching, fields: &sync.fields };
    let mapping = Mapping::compile(&specification, &columns).err();
    let key = crate::plan::key_columns(model, &columns).err();
    key.into_iter().chain(mapping).flatten().collect()
}

async fn destination(engine: &Engine<'_>, name: &str) -> Vec<Problem> {
    let client = match engine.client(name) {
        Ok(client) => client,
        Err(error) => return vec![at_token(engine, name, problem(&error))],
    };
    match client.test().await {
        Ok(_) => Vec::new(),
        Err(error) => {
            let problem = Problem::new(code(&error), format!("destination `{name}`: {error}"));
            let help = problem.code.entry().map(coho_core::code::Entry::help).unwrap_or_default();
            vec![at_token(engine, name, problem.help(help))]
        }
    }
}

fn code(error: &TestError) -> Code {
    match error {
        TestError::Unauthorized { .. } => Code::UNAUTHORIZED,
        TestError::Forbidden { .. } => Code::FORBIDDEN,
        TestError::TooMany => Code::QUOTA,
        TestError::Failing { .. } => Code::SERVER_FAILING,
        TestError::NoHost { .. }
        | TestError::Refused { .. }
        | TestError::Tls { .. }
        | TestError::TimedOut { .. }
        | TestError::Unreachable { .. }
        | TestError::Redirected { .. }
        | TestError::NotJson { .. } => Code::UNREACHABLE,
    }
}

fn at_token(engine: &Engine<'_>, name: &str, problem: Problem) -> Problem {
    let Some(spec) = engine.setup.project.destinations.get(name) else { return problem };
    let token = matches!(problem.code, Code::UNAUTHORIZED | Code::FORBIDDEN);
    problem.at(if token { &spec.rest_token_place } else { &spec.place })
}

fn problem(error: &EngineError) -> Problem {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        message.push_str(": ");
        message.push_str(&error.to_string());
        cause = error.source();
    }
    let problem = Problem::new(error.code(), message);
    match error.help() {
        Some(help) => problem.help(help),
        None => problem,
    }
}
