//! The keys of `coho.yaml`.

use super::Need::{Later, May, Must, With};
use super::alerts::ALERTS;
use super::sources::{SOURCES, kind};
use super::texts::{
    ANY_URL, AT_ONCE, BYTES, DAYS, HTTP_URL, MAX_AGE, NAME, NAMES, RATE, SECRET, SUBDOMAIN, TEXTS,
};
use super::webhooks::WEBHOOKS;
use super::{Choice, Form, Key, Others, Shape, Typed};

/// `coho.yaml`.
pub(crate) static PROJECT: Shape = Shape {
    name: "coho.yaml",
    about: "What the project reads from, where it sends to, and where it keeps its state. Everywhere in this file, `${NAME}` is replaced by the environment variable of that name, and `$$` by one `$`. Where a secret is expected, `file:PATH` is replaced by the content of a file. References in sources and destinations that nothing uses may be unresolved.",
    keys: &[
        Key {
            name: "project",
            need: Must,
            form: &NAMES,
            default: "",
            meaning: "The project's name.",
            example: "project: acme",
        },
        Key {
            name: "targets",
            need: May,
            form: &Form::Map(&TARGETS),
            default: "none",
            meaning: "Named destinations for the whole project, such as `dev` and `prod`: the chosen target's destination replaces every sync's `to`.",
            example: "targets: { dev: { destination: sandbox } }",
        },
        Key {
            name: "default_target",
            need: With("targets"),
            form: &NAMES,
            default: "the first of `targets`",
            meaning: "The target to use if the command line names none.",
            example: "default_target: dev",
        },
        Key {
            name: "sources",
            need: Must,
            form: &Form::Map(&SOURCES),
            default: "",
            meaning: "What models read from.",
            example: "sources: { files: { type: files, path: data } }",
        },
        Key {
            name: "destinations",
            need: Must,
            form: &Form::Map(&DESTINATIONS),
            default: "",
            meaning: "What syncs send to.",
            example: "destinations: { vitally: { type: vitally, region: us, rest_token: \"${VITALLY_REST_TOKEN}\" } }",
        },
        Key {
            name: "dbt",
            need: May,
            form: &Form::Map(&DBT),
            default: "models cannot use `dbt`",
            meaning: "Where dbt writes its manifest and results. A sync does not run while dbt's last command failed for its model or a test on it.",
            example: "dbt: { target: ../shop/target, max_age: 1d }",
        },
        Key {
            name: "ledger",
            need: May,
            form: &Form::Either(&[&TEXTS, &Form::Map(&LEDGER)]),
            default: "`.coho/ledger.db`",
            meaning: "The file in which Coho stores what it delivered, relative to the project; or an object in a bucket: `s3://`, `gs://` or `az://`; or a schema in PostgreSQL: `postgres://USER:${LEDGER_PASSWORD}@HOST/DATABASE?schema=coho&name=ledger`.",
            example: "ledger: .coho/ledger.db",
        },
        Key {
            name: "history",
            need: May,
            form: &Form::Map(&HISTORY),
            default: "see its keys",
            meaning: "How long the ledger keeps statuses of rows and their calls.",
            example: "history: { keep: 30d, failures: 90d, max_size: 2GB }",
        },
        Key {
            name: "alerts",
            need: May,
            form: &Form::Map(&ALERTS),
            default: "no alerts",
            meaning: "Who is notified when something goes wrong, and when it is fixed.",
            example: "alerts: { to: { ops: { type: slack, url: \"${SLACK_WEBHOOK}\" } } }",
        },
        Key {
            name: "webhooks",
            need: May,
            form: &Form::Map(&WEBHOOKS),
            default: "none",
            meaning: "Programs to notify over HTTP when each sync starts and ends.",
            example: "webhooks: { warehouse: { url: \"${WEBHOOK_URL}\", events: [sync.completed] } }",
        },
        Key {
            name: "public_url",
            need: May,
            form: &Form::Text(&ANY_URL),
            default: "messages name a command instead of a link",
            meaning: "The address of Coho's pages, for links in messages.",
            example: "public_url: https://coho.example.com",
        },
        Key {
            name: "ping",
            need: May,
            form: &Form::Text(&ANY_URL),
            default: "none",
            meaning: "An address that every `coho run` pings: `/start` at the start, the address itself after success, `/fail` after failure. A service such as Healthchecks can then alert you when pings stop. A secret.",
            example: "ping: \"${PING_URL}\"",
        },
    ],
    one_of: &[],
    others: None,
};

static DBT: Shape = Shape {
    name: "dbt",
    about: "Where Coho finds dbt's artifacts.",
    keys: &[
        Key {
            name: "target",
            need: Must,
            form: &TEXTS,
            default: "",
            meaning: "The folder with dbt's `manifest.json` and `run_results.json`, relative to the project.",
            example: "target: ../shop/target",
        },
        Key {
            name: "max_age",
            need: May,
            form: &Form::Text(&MAX_AGE),
            default: "any age",
            meaning: "How old dbt's last command may be. If it is older, the sync does not run.",
            example: "max_age: 1d",
        },
    ],
    one_of: &[],
    others: None,
};

static TARGETS: Shape = Shape {
    name: "targets",
    about: "",
    keys: &[],
    one_of: &[],
    others: Some(Others { label: "NAME", key: Some(&NAME), form: &Form::Map(&TARGET), meaning: "a target" }),
};

static TARGET: Shape = Shape {
    name: "target",
    about: "One of the destinations that the whole project can be sent to.",
    keys: &[Key {
        name: "destination",
        need: Must,
        form: &NAMES,
        default: "",
        meaning: "The destination of every sync while this target is chosen.",
        example: "destination: sandbox",
    }],
    one_of: &[],
    others: None,
};

static DESTINATIONS: Shape = Shape {
    name: "destinations",
    about: "",
    keys: &[],
    one_of: &[],
    others: Some(Others {
        label: "NAME",
        key: Some(&NAME),
        form: &Form::Typed(&Typed { types: &[("vitally", &VITALLY)], later: &[] }),
        meaning: "a destination",
    }),
};

/// A destination.
pub(crate) static VITALLY: Shape = Shape {
    name: "destination of type vitally",
    about: "A Vitally workspace, or a server with the same API.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["vitally"], later: &[] }), "type: vitally"),
        Key {
            name: "region",
            need: May,
            form: &Form::Choice(&Choice { now: &["us", "eu"], later: &[] }),
            default: "",
            meaning: "The workspace's region: you log in at `vitally.io` or at `vitally-eu.io`.",
            example: "region: us",
        },
        Key {
            name: "subdomain",
            need: With("region"),
            form: &Form::Text(&SUBDOMAIN),
            default: "none: `rest.vitally.io`",
            meaning: "The workspace's subdomain, in region `us` only.",
            example: "subdomain: acme",
        },
        Key {
            name: "base_url",
            need: May,
            form: &Form::Text(&HTTP_URL),
            default: "",
            meaning: "A different server, such as the simulator.",
            example: "base_url: http://127.0.0.1:7700",
        },
        Key {
            name: "rest_token",
            need: May,
            form: &Form::Text(&SECRET),
            default: "none",
            meaning: "The REST API token, a secret. Required by all syncs except those of events or with `api: analytics`.",
            example: "rest_token: \"${VITALLY_REST_TOKEN}\"",
        },
        Key {
            name: "analytics_token",
            need: May,
            form: &Form::Text(&SECRET),
            default: "none",
            meaning: "The Analytics API token, a secret. Required by syncs of events and by those with `api: analytics`. `associations: exact` uses it to unlink accounts from users.",
            example: "analytics_token: \"${VITALLY_ANALYTICS_TOKEN}\"",
        },
        Key {
            name: "analytics_url",
            need: May,
            form: &Form::Text(&HTTP_URL),
            default: "by `region` and `subdomain`, or `base_url`",
            meaning: "The address of the Analytics API, if Vitally gives you a different one for your workspace.",
            example: "analytics_url: https://api.example.com",
        },
        Key {
            name: "rate",
            need: May,
            form: &Form::Text(&RATE),
            default: "`900/min`",
            meaning: "The share of Vitally's rate limit that Coho may use.",
            example: "rate: 900/min",
        },
        Key {
            name: "analytics_rate",
            need: May,
            form: &Form::Text(&RATE),
            default: "`300/min`",
            meaning: "How many Analytics API calls Coho may make, of up to 100 records or events each.",
            example: "analytics_rate: 300/min",
        },
        Key {
            name: "concurrency",
            need: May,
            form: &Form::Text(&AT_ONCE),
            default: "`auto`",
            meaning: "How many calls of each API may be under way at once. `auto` starts with 4, goes up to what the rate and Vitally's response time need, and goes down when Vitally becomes slow under load.",
            example: "concurrency: auto",
        },
    ],
    one_of: &["region", "base_url"],
    others: None,
};

const FILE_LEDGER: &str = "name a file: `ledger: .coho/ledger.db`";

static HISTORY: Shape = Shape {
    name: "history",
    about: "How long the ledger keeps statuses of rows, applied at the end of each run. The state of delivered rows is kept as long as the rows exist, and rows that still fail are kept however old they are.",
    keys: &[
        Key {
            name: "keep",
            need: May,
            form: &Form::Text(&DAYS),
            default: "`30d`",
            meaning: "How long rows and their calls are kept, counted from the start of their run.",
            example: "keep: 30d",
        },
        Key {
            name: "failures",
            need: May,
            form: &Form::Text(&DAYS),
            default: "`90d`",
            meaning: "How long failed rows and their calls are kept; never shorter than `keep`.",
            example: "failures: 90d",
        },
        Key {
            name: "runs",
            need: May,
            form: &Form::Text(&DAYS),
            default: "`400d`",
            meaning: "How long runs with their counts are kept; never shorter than `failures`.",
            example: "runs: 400d",
        },
        Key {
            name: "max_size",
            need: May,
            form: &Form::Text(&BYTES),
            default: "`2GB`",
            meaning: "The maximum size of the ledger file. Beyond it, Coho removes the rows and calls of the oldest runs early, failed rows last.",
            example: "max_size: 2GB",
        },
    ],
    one_of: &[],
    others: None,
};

static LEDGER: Shape = Shape {
    name: "ledger",
    about: "A ledger in the warehouse.",
    keys: &[
        Key {
            name: "in",
            need: Later(FILE_LEDGER),
            form: &NAMES,
            default: "",
            meaning: "The source in which the ledger's tables are.",
            example: "",
        },
        Key {
            name: "schema",
            need: Later(FILE_LEDGER),
            form: &NAMES,
            default: "",
            meaning: "The schema of these tables.",
            example: "",
        },
    ],
    one_of: &[],
    others: None,
};
