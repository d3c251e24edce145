//! Words of other tools, and what they are called here: for people who come from Hightouch, Census or dbt.

/// What another tool's word for a key means here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meant {
    /// The key; none where there is no such key.
    pub(crate) key: Option<&'static str>,
    more: &'static str,
}

impl Meant {
    /// What helps who wrote the word.
    pub(crate) fn help(self) -> String {
        match self.key {
            Some(key) => format!("did you mean `{key}`? {}", self.more).trim_end().to_owned(),
            None => self.more.to_owned(),
        }
    }
}

/// What a word means in a mapping of this name.
pub(crate) fn key(word: &str, shape: &str) -> Option<Meant> {
    let word = word.to_lowercase().replace(['_', '-', ' '], "");
    let words = match shape {
        "syncs/NAME.yaml" => SYNC,
        "models/NAME.yaml" => MODEL,
        "coho.yaml" => PROJECT,
        "match" => MATCH,
        "destination of type vitally" => VITALLY,
        _ => return None,
    };
    let (_, key, more) = words.iter().find(|(words, ..)| words.contains(&word.as_str()))?;
    Some(Meant { key: Some(*key).filter(|key| !key.is_empty()), more })
}

/// What to write in place of another tool's mode of a sync.
pub(crate) fn mode(word: &str) -> Option<&'static str> {
    match word.to_lowercase().as_str() {
        "mirror" | "all" => {
            Some("write `mode: upsert` with `removed: delete-created` (or `removed: delete`)")
        }
        "add" | "append" | "create" => Some("write `mode: insert`"),
        "archive" | "delete" | "remove" => Some("write `mode: upsert` with `removed: delete`"),
        "merge" | "replace" | "full" | "diff" => Some("write `mode: upsert`: only what changed is sent"),
        _ => None,
    }
}

/// Words, the key that they mean here (or none), and what else to say.
type Words = &'static [(&'static [&'static str], &'static str, &'static str)];

const SYNC: Words = &[
    (&["destination", "destinationid", "target", "destinationname"], "to", ""),
    (&["source", "sourceid", "modelid", "modelslug", "query"], "model", ""),
    (
        &["mappings", "mapping", "fieldmappings", "columns", "properties", "traits", "externalidmapping"],
        "fields",
        "traits go under `traits` in it",
    ),
    (&["slug", "name", "syncid"], "id", ""),
    (&["syncmode", "operation", "behavior", "behaviour", "type", "updatemode"], "mode", ""),
    (&["objectid", "resource", "entity", "destinationobject"], "object", ""),
    (&["primarykey", "identifier", "matchon", "key", "uniqueid"], "match", ""),
    (
        &["deletemode", "ondelete", "removals", "removedrows", "archive", "mirror"],
        "removed",
        "it says what happens to records whose rows left",
    ),
    (&["thresholds", "failurethreshold", "limits"], "guards", ""),
    (&["backfill", "initialsync", "fullresync"], "first_run", "`coho run --resend` sends everything again"),
    (
        &["cron", "interval", "frequency", "trigger"],
        "",
        "run `coho run` from cron, systemd, CI or an orchestrator",
    ),
    (
        &["config", "configuration"],
        "",
        "write its keys here directly: model, to, object, mode, match, fields",
    ),
    (
        &["enabled", "disabled", "paused"],
        "",
        "to run one sync, name it: `coho run SYNC`; to disable a sync, move its file elsewhere",
    ),
];

const MODEL: Words = &[
    (&["query", "rawsql", "customquery", "select", "statement"], "sql", ""),
    (&["primarykey", "key", "id", "uniquekey"], "primary_key", ""),
    (&["sourceid", "connection", "database"], "source", ""),
    (&["path", "filename", "csv"], "file", ""),
    (&["name", "slug"], "", "a model is named after its file"),
    (&["separator", "sep"], "delimiter", ""),
    (&["columns", "schema"], "types", ""),
];

const PROJECT: Words = &[
    (&["name"], "project", ""),
    (&["connections", "connection", "source", "databases"], "sources", ""),
    (&["destination"], "destinations", ""),
    (&["environments", "environment", "outputs", "profiles"], "targets", ""),
    (&["state", "statefile"], "ledger", ""),
    (&["models"], "", "each model is a file in `models/`"),
    (&["syncs"], "", "each sync is a file in `syncs/`"),
    (&["tests"], "", "tests are files in `tests/`"),
];

const MATCH: Words = &[(&["id", "externalid", "primarykey", "userid", "accountid"], "externalId", "")];

const VITALLY: Words = &[
    (
        &["apikey", "token", "apitoken", "secret", "key", "auth", "restapikey", "secrettoken", "accesstoken"],
        "rest_token",
        "",
    ),
    (&["url", "host", "endpoint", "apiurl"], "base_url", ""),
    (&["workspace", "domain"], "subdomain", ""),
    (&["ratelimit", "limit"], "rate", ""),
    (&["parallelism", "threads", "workers"], "concurrency", ""),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{model, project, sync};

    #[test]
    fn what_is_meant_is_a_key_of_its_mapping() {
        let shapes = [
            (SYNC, &sync::SYNC),
            (MODEL, &model::MODEL),
            (PROJECT, &project::PROJECT),
            (MATCH, &sync::MATCH),
            (VITALLY, &project::VITALLY),
        ];
        for (words, shape) in shapes {
            for (words, name, _) in words {
                assert!(name.is_empty() || shape.key(name).is_some(), "{name} in {}", shape.name);
                for word in *words {
                    assert!(key(word, shape.name).is_some(), "{word} in {}", shape.name);
                }
            }
        }
    }
}
