//! `manifest.json`: every model of dbt with its table or view, and the tests on it.

use std::collections::BTreeMap;
use std::io::Read;

use coho_core::code::Code;
use coho_core::problem::{Problem, nearest};
use coho_core::value::preview;
use serde::Deserialize;

use crate::json::{self, ArtifactError, or_default};
use crate::name::ModelName;

/// How many names a message lists.
const LISTED: usize = 8;

/// What is used of `manifest.json`.
#[derive(Clone, Debug)]
pub struct Manifest {
    adapter: Option<String>,
    /// What `ref` can name, by unique id.
    nodes: BTreeMap<String, Node>,
    /// What has a name, and no table that could be read: the kind of each, such as `test`.
    others: BTreeMap<String, String>,
    /// The names of models that are switched off.
    disabled: Vec<String>,
    /// The tests on each node, by its unique id: their unique ids and names.
    tests: BTreeMap<String, Vec<(String, String)>>,
}

/// A model, a seed or a snapshot that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundModel {
    /// dbt's id of it: `model.shop.customers`.
    pub unique_id: String,
    /// Its name without package and version.
    pub name: String,
    /// Its table or view, quoted as its database needs it: `"shop"."analytics"."customers"`.
    pub relation: String,
}

#[derive(Clone, Debug)]
struct Node {
    kind: String,
    package: String,
    name: String,
    version: Option<String>,
    is_latest: bool,
    materialized: Option<String>,
    relation: Option<String>,
}

#[derive(Deserialize)]
struct WireManifest {
    #[serde(default, deserialize_with = "or_default")]
    metadata: WireMetadata,
    nodes: Option<BTreeMap<String, WireNode>>,
    #[serde(default, deserialize_with = "or_default")]
    unit_tests: BTreeMap<String, WireNode>,
    #[serde(default, deserialize_with = "or_default")]
    disabled: BTreeMap<String, Vec<WireNode>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireMetadata {
    adapter_type: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireNode {
    resource_type: Option<String>,
    package_name: Option<String>,
    name: Option<String>,
    version: serde_json::Value,
    latest_version: serde_json::Value,
    relation_name: Option<String>,
    #[serde(deserialize_with = "or_default")]
    config: WireConfig,
    #[serde(deserialize_with = "or_default")]
    depends_on: WireDependsOn,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireConfig {
    materialized: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireDependsOn {
    #[serde(deserialize_with = "or_default")]
    nodes: Vec<String>,
}

impl Manifest {
    /// Reads a manifest.
    pub fn read(source: impl Read) -> Result<Self, ArtifactError> {
        let wire: WireManifest = json::read(source)?;
        let missing = ArtifactError::OtherFile { key: "nodes", file: "manifest.json" };
        let mut manifest = Self {
            adapter: wire.metadata.adapter_type,
            nodes: BTreeMap::new(),
            others: BTreeMap::new(),
            disabled: Vec::new(),
            tests: BTreeMap::new(),
        };
        for (id, node) in wire.nodes.ok_or(missing)? {
            manifest.take(id, node);
        }
        for (id, test) in wire.unit_tests {
            manifest.take_test(&id, &test);
        }
        let disabled = wire.disabled.into_values().flatten();
        manifest
            .disabled
            .extend(disabled.filter(|node| is_referable(&kind(node))).filter_map(|node| node.name));
        Ok(manifest)
    }

    fn take(&mut self, id: String, node: WireNode) {
        let kind = kind(&node);
        if kind == "test" {
            self.take_test(&id, &node);
        }
        let Some(name) = node.name else { return };
        if !is_referable(&kind) {
            self.others.insert(name, kind);
            return;
        }
        let (version, latest) = (text(&node.version), text(&node.latest_version));
        let node = Node {
            kind,
            package: node.package_name.unwrap_or_default(),
            is_latest: version.is_none() || version == latest,
            name,
            version,
            materialized: node.config.materialized,
            relation: node.relation_name.filter(|relation| !relation.trim().is_empty()),
        };
        self.nodes.insert(id, node);
    }

    fn take_test(&mut self, id: &str, test: &WireNode) {
        let name = test.name.clone().unwrap_or_else(|| id.to_owned());
        for node in &test.depends_on.nodes {
            self.tests.entry(node.clone()).or_default().push((id.to_owned(), name.clone()));
        }
    }

    /// The tests on a node: their unique ids and names.
    pub(crate) fn tests(&self, unique_id: &str) -> &[(String, String)] {
        self.tests.get(unique_id).map_or(&[], Vec::as_slice)
    }

    /// The model, seed or snapshot of a name, as `ref` finds it: without a version, the latest.
    pub fn find(&self, text: &str) -> Result<FoundModel, Problem> {
        let name = ModelName::parse(text);
        let named: Vec<(&String, &Node)> = self.nodes.iter().filter(|(_, node)| node.is(&name)).collect();
        let packages: Vec<&str> = distinct(named.iter().map(|(_, node)| node.package.as_str()));
        if named.is_empty() {
            return Err(self.unknown(text, &name));
        }
        if packages.len() > 1 {
            return Err(ambiguous(&name, &packages));
        }
        let wanted = |node: &Node| match &name.version {
            Some(version) => node.version.as_ref() == Some(version),
            None => node.is_latest,
        };
        match named.iter().find(|(_, node)| wanted(node)) {
            Some((id, node)) => self.relation(id, node),
            None => Err(no_version(&name, named.iter().filter_map(|(_, node)| node.version.as_deref()))),
        }
    }

    fn relation(&self, id: &str, node: &Node) -> Result<FoundModel, Problem> {
        let name = preview(&node.name);
        if node.materialized.as_deref() == Some("ephemeral") {
            let message = format!("the dbt model `{name}` is ephemeral: it has no table or view");
            let help = "set `materialized` of the model to `view` or `table` in dbt, and run `dbt build`";
            return Err(Problem::new(Code::DBT_MODEL, message).help(help));
        }
        let Some(relation) = &node.relation else {
            let message = format!("the manifest names no table or view of the dbt {} `{name}`", node.kind);
            let help = "run `dbt build`; if it stays so, write `table: schema.table` instead of `dbt:`";
            return Err(Problem::new(Code::DBT_MODEL, message).help(help));
        };
        if relation.contains('`') {
            let place = self.adapter.as_deref().map_or_else(
                || "not in the source's database".to_owned(),
                |adapter| format!("in {adapter}, but the source is a different database"),
            );
            let message = format!("the table of the dbt model `{name}` is {place}");
            let help = "name the `target` of the dbt project that builds the source's tables";
            return Err(Problem::new(Code::DBT_MODEL, message).help(help));
        }
        Ok(FoundModel { unique_id: id.to_owned(), name: node.name.clone(), relation: relation.clone() })
    }

    fn unknown(&self, text: &str, name: &ModelName) -> Problem {
        let shown = preview(text);
        if let Some(kind) = self.others.get(&name.model) {
            let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
            let message = format!("`{shown}` is {article} {kind} in dbt, not a model");
            return Problem::new(Code::DBT_MODEL, message).help("name a model, a seed or a snapshot");
        }
        if self.disabled.contains(&name.model) {
            let message = format!("the dbt model `{shown}` is disabled");
            return Problem::new(Code::DBT_MODEL, message).help("enable it in dbt, and run `dbt build`");
        }
        let elsewhere = self.nodes.values().filter(|node| node.name == name.model);
        let elsewhere = distinct(elsewhere.map(|node| node.package.as_str()));
        let problem = Problem::new(Code::DBT_MODEL, format!("dbt's manifest has no model `{shown}`"));
        if let [package, ..] = elsewhere.as_slice() {
            return problem.help(format!("did you mean `{package}.{}`?", name.model));
        }
        let names = distinct(self.nodes.values().map(|node| node.name.as_str()));
        problem.help(match nearest(&name.model, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => "the manifest has no models: run `dbt parse`".to_owned(),
            None => format!("if it is new, run `dbt parse`; the manifest has {}", listed(&names)),
        })
    }
}

impl Node {
    fn is(&self, name: &ModelName) -> bool {
        self.name == name.model && name.package.as_ref().is_none_or(|package| *package == self.package)
    }
}

/// What `ref` can name.
fn is_referable(kind: &str) -> bool {
    ["model", "seed", "snapshot"].contains(&kind)
}

fn kind(node: &WireNode) -> String {
    node.resource_type.clone().unwrap_or_else(|| "model".to_owned())
}

/// A version is a number or a text in YAML.
fn text(version: &serde_json::Value) -> Option<String> {
    match version {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Array(_)
        | serde_json::Value::Object(_) => None,
    }
}

fn ambiguous(name: &ModelName, packages: &[&str]) -> Problem {
    let message = format!("several dbt packages have a model `{}`: {}", name.model, listed(packages));
    let first = packages.first().copied().unwrap_or_default();
    let version = name.version.as_ref().map(|version| format!(".v{version}")).unwrap_or_default();
    let help = format!("name the package: `dbt: {first}.{}{version}`", name.model);
    Problem::new(Code::DBT_MODEL, message).help(help)
}

fn no_version<'a>(name: &ModelName, versions: impl Iterator<Item = &'a str>) -> Problem {
    let versions: Vec<&str> = versions.collect();
    let (message, help) = match &name.version {
        Some(version) if versions.is_empty() => (
            format!("the dbt model `{}` has no versions, and so no version {version}", name.model),
            format!("write `dbt: {}`", name.model),
        ),
        Some(version) => (
            format!("the dbt model `{}` has no version {version}", name.model),
            format!("its versions are {}", listed(&versions)),
        ),
        None => (
            format!("none of the versions of the dbt model `{}` is the latest", name.model),
            format!("name one: {}", listed(&versions)),
        ),
    };
    Problem::new(Code::DBT_MODEL, message).help(help)
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    names.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

/// At most some names, and how many more there are.
fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| format!("`{}`", preview(name))).collect();
    let more = names.len().saturating_sub(LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    shown.join(", ") + &more
}

#[cfg(test)]
mod tests;
