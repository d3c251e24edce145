//! Checking: sources, mappings, destinations and traits, each problem with its place.

use coho_core::failure::Failure as _;
use std::collections::BTreeSet;
use std::fmt;

use coho_core::code::Code;
use coho_core::event::{Event, Listener};
use coho_core::object::Object;
use coho_core::problem::Problem;
use coho_core::row::Columns;
use coho_core::sync::{Api, Sync};
use coho_ledger::OpenError;
use coho_mapping::Mapping;
use coho_plan::read::source_problem;
use coho_vitally::client::Client;

use crate::context::{Engine, EngineError};
use crate::dbt::DbtFinding;
use crate::owner::OnForeign;
use crate::repeats;
use crate::traits::{CacheUse, misfits};

/// Looks at everything that syncs need. A model that several syncs share is asked once for each: their mappings differ.
pub(crate) async fn check(engine: &Engine<'_>, syncs: &[&Sync], listener: &dyn Listener) -> Checked {
    let mut problems = Vec::new();
    let mut warnings = engine.setup.project.warnings.clone();
    let dbt = engine.check_dbt().await;
    problems.extend(dbt.problems.iter().cloned());
    warnings.extend(dbt.warnings());
    let mut read = Vec::new();
    for sync in syncs {
        listener.on(&Event::Reading { sync: sync.id.clone(), rows: 0 });
        warnings.extend(Mapping::template_warnings(&engine.specification(sync)));
        let (found, columns) = model(engine, sync).await;
        problems.extend(found);
        read.push((*sync, columns));
    }
    warnings.extend(caches(engine).await);
    let ledger = ledger(engine, syncs);
    let destinations: BTreeSet<&str> = syncs.iter().map(|sync| sync.destination.as_str()).collect();
    for destination in destinations {
        let mut found = self::destination(engine, destination, syncs, ledger.is_ok()).await;
        // Both APIs may have one address, and one thing wrong with it.
        found.dedup();
        if found.is_empty() {
            warnings.extend(traits(engine, destination, &read).await);
        }
        problems.extend(found);
    }
    let mut remote = None;
    match ledger {
        Ok((found, place)) => {
            warnings.extend(found);
            remote = place;
        }
        Err(error) => problems.push(problem(&error)),
    }
    sort(&mut warnings);
    Checked { problems, warnings, dbt: dbt.found, ledger: remote }
}

/// Caches that Coho may not write. A source that cannot be reached is told with its models.
async fn caches(engine: &Engine<'_>) -> Vec<Problem> {
    let mut warnings = Vec::new();
    for (source, connection, schema) in engine.caches() {
        if let Ok(false) = coho_source::cache::may_write(&connection, &schema).await {
            let what = format!(
                "Coho may not keep its cache in the schema `{schema}` of the source `{source}`: each run reads all rows"
            );
            let help = "`coho check --grants` prints the statements that give the rights";
            warnings.push(Problem::new(Code::CACHE_RIGHTS, what).help(help));
        }
    }
    warnings
}

/// What is wrong with the ledger: it is another project's, is lost, or remembers events under an id that the project has no
/// more. That it is lost is a warning: a checkout that only checks has none.
///
/// Where it is in no file, also that it can be read where it is.
fn ledger(engine: &Engine<'_>, syncs: &[&Sync]) -> Result<(Vec<Problem>, Option<RemoteLedger>), EngineError> {
    let mut warnings = Vec::new();
    let lost = engine.lost(syncs)?;
    if !lost.is_empty() {
        warnings.push(problem(&EngineError::LedgerLost { path: engine.ledger_path(), syncs: lost }));
    }
    if let Some(place) = engine.remote_place().map_err(OpenError::from)? {
        place.check_rights().map_err(OpenError::from)?;
    }
    let ledger = engine.ledger_to_read()?;
    let remote = engine.ledger_is_remote().then(|| RemoteLedger {
        place: engine.ledger_path().display().to_string(),
        exists: ledger.is_some(),
    });
    let Some(ledger) = ledger else { return Ok((warnings, remote)) };
    engine.look_for_owner(&ledger, OnForeign::Refuse)?;
    for sync in syncs {
        if let Some(earlier) = engine.earlier(&ledger, sync)? {
            let (message, help) = repeats::renamed_sync(&sync.id, &earlier);
            warnings.push(Problem::new(Code::NEW_EVENT_IDS, message).help(help).at(&sync.place));
        }
    }
    Ok((warnings, remote))
}

/// By file and line.
fn sort(warnings: &mut [Problem]) {
    warnings.sort_by_key(|problem| {
        problem.place.as_ref().map(|place| (place.file.clone(), place.line, place.column))
    });
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// What keeps syncs from running.
    pub problems: Vec<Problem>,
    /// What is allowed and probably not meant.
    pub warnings: Vec<Problem>,
    /// What was found out of models of dbt.
    pub dbt: Vec<DbtFinding>,
    /// The ledger, where it is in no file and could be looked for.
    pub ledger: Option<RemoteLedger>,
}

/// A ledger in a bucket or in PostgreSQL that can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteLedger {
    /// Its address.
    pub place: String,
    /// Whether there is one.
    pub exists: bool,
}

/// `the ledger s3://acme/coho/ledger.db can be read`
impl fmt::Display for RemoteLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.exists { "can be read" } else { "can be reached; the first run creates it" };
        write!(f, "the ledger {} {what}", self.place)
    }
}

/// What is wrong with a sync's model and mapping, and the model's columns where they could be read.
async fn model(engine: &Engine<'_>, sync: &Sync) -> (Vec<Problem>, Option<Columns>) {
    let model = match engine.model(sync) {
        Ok(model) => model,
        Err(error) => return (vec![problem(&error)], None),
    };
    let connection = match engine.connection(model) {
        Ok(connection) => connection,
        Err(error) => return (vec![problem(&error)], None),
    };
    // What is wrong with a model of dbt is told once, not for each sync.
    let Ok(resolved) = engine.resolve(model).await else {
        return (Mapping::template_problems(&engine.specification(sync)), None);
    };
    let model = &*resolved.model;
    let outline = match coho_source::outline(&connection, model).await {
        Ok(outline) => outline,
        Err(error) => {
            let mut problems = vec![source_problem(&error, model)];
            problems.extend(Mapping::template_problems(&engine.specification(sync)));
            return (problems, None);
        }
    };
    let columns = outline.columns().clone();
    let mapping = Mapping::compile(&engine.specification(sync), &columns);
    let key = coho_plan::read::key_columns(model, &columns);
    let problems = match (mapping, key) {
        (Ok(mapping), Ok(key)) => {
            let allowed = outline.allow(&coho_plan::read::needed(&mapping, &key));
            allowed.err().map(|error| source_problem(&error, model)).into_iter().collect()
        }
        (mapping, key) => key.err().into_iter().chain(mapping.err()).flatten().collect(),
    };
    (problems, Some(columns))
}

/// What does not fit between the mappings to a destination and the traits of its workspace. They are fetched anew: who was
/// warned, and made the trait, checks again at once.
async fn traits(engine: &Engine<'_>, destination: &str, read: &[(&Sync, Option<Columns>)]) -> Vec<Problem> {
    if engine.rest_token_of(destination).is_err() {
        return Vec::new();
    }
    let mut warnings = Vec::new();
    for object in Object::RECORDS {
        let of_object = |sync: &Sync| sync.destination == destination && sync.object == object;
        let concerned: Vec<_> = read.iter().filter(|(sync, _)| of_object(sync)).collect();
        if concerned.is_empty() {
            continue;
        }
        match engine.traits(destination, object, CacheUse::Fresh).await {
            Ok(traits) => warnings.extend(
                concerned.iter().flat_map(|(sync, columns)| misfits(sync, columns.as_ref(), &traits.fields)),
            ),
            Err(error) => {
                let what = format!("could not compare the traits of {object}s with the workspace: ");
                let cause = problem(&error);
                let place = engine.setup.project.destinations.get(destination).map(|spec| spec.place.clone());
                warnings.push(Problem { message: what + &cause.message, place, ..cause });
            }
        }
    }
    warnings
}

/// What is wrong with a destination. Its token is compared with what the ledger remembers only where the ledger can be read: if it cannot,
/// [`ledger`] reports that, once for all destinations.
async fn destination(
    engine: &Engine<'_>,
    name: &str,
    syncs: &[&Sync],
    can_read_ledger: bool,
) -> Vec<Problem> {
    let client = match engine.client_at(name, None) {
        Ok(client) => client,
        Err(error) => return vec![at_token(engine, name, Api::Rest, problem(&error))],
    };
    let mut problems = Vec::new();
    for api in Api::ALL {
        let used = syncs.iter().any(|sync| sync.destination == name && sync.api == api);
        let tested = match api {
            _ if !used => continue,
            Api::Rest => client.test().await,
            Api::Analytics => client.test_analytics().await,
        };
        if let Err(error) = tested {
            let (code, message) = (error.code(), format!("destination `{name}`: {error}"));
            let problem = Problem { help: code.help(), ..Problem::new(code, message) };
            problems.push(at_token(engine, name, api, problem));
        }
    }
    if can_read_ledger
        && problems.is_empty()
        && let Err(error) = recognised(engine, name, &client).await
    {
        problems.push(at_token(engine, name, Api::Rest, problem(&error)));
    }
    problems
}

/// Whether the token is of the workspace that the ledger remembers, if there is a ledger.
async fn recognised(engine: &Engine<'_>, name: &str, client: &Client) -> Result<(), EngineError> {
    match engine.ledger_to_read()? {
        Some(ledger) => engine.recognise(&ledger, name, client).await.map(drop),
        None => Ok(()),
    }
}

fn at_token(engine: &Engine<'_>, name: &str, api: Api, problem: Problem) -> Problem {
    let Some(spec) = engine.setup.project.destinations.get(name) else { return problem };
    let token = match api {
        Api::Rest => spec.rest_token_place.as_ref(),
        Api::Analytics => spec.analytics_token_place.as_ref(),
    };
    let concerns_token = matches!(problem.code, Code::UNAUTHORIZED | Code::FORBIDDEN | Code::OTHER_WORKSPACE);
    problem.at(token.filter(|_| concerns_token).unwrap_or(&spec.place))
}

fn problem(error: &EngineError) -> Problem {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        message.push_str(": ");
        message.push_str(&error.to_string());
        cause = error.source();
    }
    Problem { help: error.help(), ..Problem::new(error.code(), message) }
}
