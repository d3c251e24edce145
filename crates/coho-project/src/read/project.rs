//! `coho.yaml`: sources, destinations, targets, ledger.

use std::collections::BTreeMap;

use coho_core::at_once::AtOnce;
use coho_core::code::Code;
use coho_core::ledger_address::{PostgresLedgerAddress, PostgresLedgerAddressError};
use coho_core::place::Place;
use coho_core::problem::Problem;
use coho_core::secret::address::encoded;
use coho_core::storage::StorageAddress;
use secrecy::SecretString;

use super::alerts::DeclaredAlerts;
use super::secret;
use crate::conform::is_missing;
use crate::interpolate::Scope;
use crate::keys::project::VITALLY;
use crate::names::unknown_name;
use crate::project::{
    CompareSpec, DbtSpec, DestinationSpec, HistorySpec, LedgerSpec, Rate, ServerSpec, SourceSpec,
};
use crate::webhooks::WebhookSpec;
use crate::yaml::{Content, Entry, Node};

/// Where the ledger is if the project does not say.
const LEDGER: &str = ".coho/ledger.db";

/// What `coho.yaml` says, before it is known what of it is used.
#[derive(Default)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) target: Option<Target>,
    pub(crate) sources: BTreeMap<String, Declaration<SourceSpec>>,
    pub(crate) destinations: BTreeMap<String, Declaration<DestinationSpec>>,
    /// The destinations that can be read, whether their references resolve or not.
    pub(crate) lacking: BTreeMap<String, Lacking>,
    pub(crate) dbt: Option<DbtSpec>,
    /// Whether there is a section `dbt`, right or wrong.
    pub(crate) has_dbt: bool,
    pub(crate) ledger: LedgerSpec,
    pub(crate) alerts: DeclaredAlerts,
    pub(crate) history: HistorySpec,
    pub(crate) webhooks: Vec<WebhookSpec>,
}

/// One of Vitally's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Token {
    /// Of the REST API.
    Rest,
    /// Of the Analytics API.
    Analytics,
}

impl Token {
    /// Both.
    const ALL: [Self; 2] = [Self::Rest, Self::Analytics];

    /// Its key in a destination.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Rest => "rest_token",
            Self::Analytics => "analytics_token",
        }
    }
}

/// A destination's name in `coho.yaml`, and what does not stand under it.
pub(crate) struct Lacking {
    pub(crate) at: Place,
    pub(crate) tokens: Vec<Token>,
}

/// The chosen target.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) name: String,
    /// `None` if its destination could not be read.
    pub(crate) destination: Option<String>,
}

/// A source or a destination.
pub(crate) struct Declaration<T> {
    /// `None` if a problem was told of it.
    pub(crate) spec: Option<T>,
    /// References that do not resolve: they count only if something uses the declaration.
    pub(crate) unresolved: Vec<Problem>,
}

/// Resolves the references of the tree; those of sources and destinations are kept apart, by section and name.
pub(crate) fn resolve(root: &mut Node, scope: &Scope<'_>, problems: &mut Vec<Problem>) -> Unresolved {
    let mut apart = Unresolved::new();
    let Content::Map(entries) = &mut root.content else { return apart };
    for entry in entries {
        let section = entry.key.clone();
        if let Content::Map(members) = &mut entry.value.content
            && (section == "sources" || section == "destinations")
        {
            for member in members {
                let mut found = Vec::new();
                scope.resolve(&mut member.value, &mut found);
                apart.insert((section.clone(), member.key.clone()), found);
            }
        } else {
            scope.resolve(&mut entry.value, problems);
        }
    }
    apart
}

/// Problems with references, by section and name.
pub(crate) type Unresolved = BTreeMap<(String, String), Vec<Problem>>;

/// Reads the tree of `coho.yaml`, and chooses the target.
pub(crate) fn read(
    root: &Node,
    mut apart: Unresolved,
    wanted: Option<&str>,
    problems: &mut Vec<Problem>,
) -> Declared {
    let section = |name: &'static str| root.get(name).map_or(&[][..], Node::entries);
    let mut unresolved =
        |section: &str, name: &str| apart.remove(&(section.to_owned(), name.to_owned())).unwrap_or_default();
    let sources = section("sources")
        .iter()
        .map(|entry| {
            let unresolved = unresolved("sources", &entry.key);
            (entry.key.clone(), Declaration { spec: source(&entry.value, problems), unresolved })
        })
        .collect();
    let destinations: BTreeMap<_, _> = section("destinations")
        .iter()
        .map(|entry| {
            let unresolved = unresolved("destinations", &entry.key);
            (entry.key.clone(), Declaration { spec: destination(entry, problems), unresolved })
        })
        .collect();
    for target in section("targets") {
        if let Some(destination) = target.value.get("destination")
            && let Some(name) = destination.text()
            && !destinations.contains_key(name)
        {
            let known = destinations.keys().map(String::as_str);
            problems.push(unknown_name("destination", name, known).at(&destination.place));
        }
    }
    Declared {
        name: root.text_of("project").unwrap_or_default().to_owned(),
        target: choose(root, wanted, problems),
        sources,
        destinations,
        lacking: section("destinations").iter().filter_map(lacking).collect(),
        dbt: root.get("dbt").and_then(dbt),
        has_dbt: root.entry("dbt").is_some(),
        ledger: ledger(root, problems),
        alerts: super::alerts::project(root, problems),
        history: history(root),
        webhooks: super::webhooks::read(root),
    }
}

fn choose(root: &Node, wanted: Option<&str>, problems: &mut Vec<Problem>) -> Option<Target> {
    let targets = root.get("targets").map_or(&[][..], Node::entries);
    let default = root.get("default_target");
    let known = || targets.iter().map(|target| target.key.as_str());
    if let Some(default) = default
        && let Some(name) = default.text()
        && !known().any(|target| target == name)
    {
        problems.push(unknown_name("target", name, known()).at(&default.place));
    }
    if let Some(name) = wanted
        && !known().any(|target| target == name)
    {
        let place = root
            .entry("targets")
            .map_or_else(|| Place::file(root.place.file.clone()), |entry| entry.at.clone());
        problems.push(unknown_name("target", name, known()).at(&place));
    }
    let chosen = wanted.or_else(|| default.and_then(Node::text));
    let target = match chosen {
        Some(name) => targets.iter().find(|target| target.key == name),
        None => targets.first(),
    }?;
    let destination = target.value.text_of("destination").map(str::to_owned);
    Some(Target { name: target.key.clone(), destination })
}

fn ledger(root: &Node, problems: &mut Vec<Problem>) -> LedgerSpec {
    if let Some(entry) = root.entry("ledger")
        && matches!(entry.value.content, Content::Map(ref entries) if entries.is_empty())
    {
        problems.push(
            Problem::new(Code::WRONG_VALUE, "`ledger` names no file")
                .at(&entry.at)
                .help(format!("write `ledger: {LEDGER}`")),
        );
    }
    let declared = root.get("ledger").and_then(|node| Some((node.text()?, &node.place)));
    let Some((path, place)) = declared else {
        let place = Place::file(root.place.file.clone());
        return LedgerSpec { path: LEDGER.to_owned(), postgres: None, place };
    };
    let place = place.clone();
    if PostgresLedgerAddress::is_meant(path) {
        return in_postgres(path, place, problems);
    }
    problems.extend(misplaced(path).map(|problem| problem.at(&place)));
    LedgerSpec { path: path.to_owned(), postgres: None, place }
}

/// A ledger in PostgreSQL. An address that is wrong may have its password anywhere, so it is not kept.
fn in_postgres(text: &str, place: Place, problems: &mut Vec<Problem>) -> LedgerSpec {
    match PostgresLedgerAddress::parse(text) {
        Ok(address) => LedgerSpec { path: address.to_string(), postgres: Some(address), place },
        Err(error) => {
            let help = match error {
                PostgresLedgerAddressError::Password(reserved) => {
                    let code = encoded(reserved);
                    format!(
                        "write `{code}` instead of each `{reserved}` in the password, also in an environment variable"
                    )
                }
                PostgresLedgerAddressError::Scheme
                | PostgresLedgerAddressError::Missing(_)
                | PostgresLedgerAddressError::Word(_) => {
                    "write `ledger: postgres://USER:${LEDGER_PASSWORD}@HOST/DATABASE?schema=coho`".to_owned()
                }
            };
            problems.push(Problem::new(Code::WRONG_VALUE, error.to_string()).help(help).at(&place));
            LedgerSpec { path: LEDGER.to_owned(), postgres: None, place }
        }
    }
}

/// What is wrong with the address of a ledger in a bucket.
fn misplaced(path: &str) -> Option<Problem> {
    if !StorageAddress::is_meant(path) {
        return None;
    }
    let what = match StorageAddress::parse(path) {
        Ok(address) if address.prefix.is_empty() => {
            "the address names a bucket, but no object in it".to_owned()
        }
        Ok(_) => return None,
        Err(error) => error.to_string(),
    };
    let help = "write `ledger: s3://BUCKET/FOLDER/ledger.db`, the same with `gs://` or `az://`, or `ledger: postgres://USER@HOST/DATABASE`";
    Some(Problem::new(Code::WRONG_VALUE, what).help(help))
}

fn dbt(node: &Node) -> Option<DbtSpec> {
    let target = node.get("target")?;
    Some(DbtSpec {
        target: target.text()?.to_owned(),
        max_age: node.text_of("max_age").and_then(super::max_age),
        place: target.place.clone(),
    })
}

fn history(root: &Node) -> HistorySpec {
    let default = HistorySpec::default();
    let Some(node) = root.get("history") else { return default };
    let days = |name: &'static str| node.text_of(name).and_then(super::days);
    HistorySpec {
        keep_days: days("keep").unwrap_or(default.keep_days),
        failures_days: days("failures").unwrap_or(default.failures_days),
        runs_days: days("runs").unwrap_or(default.runs_days),
        max_size: node.text_of("max_size").and_then(super::bytes).unwrap_or(default.max_size),
    }
}

fn source(node: &Node, problems: &mut Vec<Problem>) -> Option<SourceSpec> {
    let path = || node.text_of("path").map(str::to_owned);
    let limit = || node.text_of("statement_timeout").and_then(super::duration);
    match node.text_of("type")? {
        "postgres" => Some(SourceSpec::Postgres {
            url: secret(node, "url")?,
            statement_timeout: limit(),
            compare: compare(node),
            cache: cache(node),
        }),
        "mysql" => Some(SourceSpec::Mysql {
            url: secret(node, "url")?,
            statement_timeout: limit(),
            compare: compare(node),
        }),
        "sqlite" => Some(SourceSpec::Sqlite { path: path()? }),
        "adbc" => Some(SourceSpec::Adbc {
            driver: node.text_of("driver")?.to_owned(),
            options: options(node)?,
            statement_timeout: limit(),
            compare: compare(node),
        }),
        "files" => super::files::source(node, problems),
        _ => None,
    }
}

/// The options of a driver; `None` where one cannot be resolved.
fn options(node: &Node) -> Option<Vec<(String, SecretString)>> {
    let entries = node.get("options").map_or(&[][..], Node::entries);
    entries.iter().map(|entry| Some((entry.key.clone(), entry.value.text()?.into()))).collect()
}

fn compare(node: &Node) -> CompareSpec {
    match node.text_of("compare") {
        Some("in-source") => CompareSpec::InSource,
        None if node.get("cache").is_some() => CompareSpec::InSource,
        Some(_) | None => CompareSpec::Full,
    }
}

fn cache(node: &Node) -> Option<String> {
    node.get("cache")?.text_of("schema").map(str::to_owned)
}

fn lacking(entry: &Entry) -> Option<(String, Lacking)> {
    let Content::Map(entries) = &entry.value.content else { return None };
    let tokens = Token::ALL.into_iter().filter(|token| is_missing(entries, &VITALLY, token.key())).collect();
    Some((entry.key.clone(), Lacking { at: entry.at.clone(), tokens }))
}

fn destination(entry: &Entry, problems: &mut Vec<Problem>) -> Option<DestinationSpec> {
    let node = &entry.value;
    let is_open = |token: Token| node.get(token.key()).is_some_and(|secret| secret.text().is_none());
    let endpoint = endpoint(node, problems);
    let place_of = |key: &str| node.get(key).map(|token| token.place.clone());
    if Token::ALL.into_iter().any(is_open) {
        return None;
    }
    Some(DestinationSpec {
        endpoint: endpoint?,
        rest_token: secret(node, "rest_token"),
        analytics_token: secret(node, "analytics_token"),
        analytics_url: node.text_of("analytics_url").map(without_slash),
        rate: node.text_of("rate").and_then(super::rate).unwrap_or_default(),
        analytics_rate: node.text_of("analytics_rate").and_then(super::rate).unwrap_or(Rate::ANALYTICS),
        concurrency: node.text_of("concurrency").and_then(AtOnce::parse).unwrap_or_default(),
        place: entry.at.clone(),
        rest_token_place: place_of("rest_token"),
        analytics_token_place: place_of("analytics_token"),
    })
}

fn without_slash(url: &str) -> String {
    url.strip_suffix('/').unwrap_or(url).to_owned()
}

fn endpoint(node: &Node, problems: &mut Vec<Problem>) -> Option<ServerSpec> {
    if let Some(url) = node.text_of("base_url") {
        return Some(ServerSpec::BaseUrl(without_slash(url)));
    }
    match node.text_of("region")? {
        "us" => Some(ServerSpec::Us { subdomain: node.text_of("subdomain").map(str::to_owned) }),
        "eu" => {
            if let Some(subdomain) = node.entry("subdomain") {
                problems.push(
                    Problem::new(Code::WRONG_VALUE, "`subdomain` does not work with `region: eu`")
                        .at(&subdomain.at)
                        .help("remove it: all workspaces of this region share one server"),
                );
            }
            Some(ServerSpec::Eu)
        }
        _ => None,
    }
}
