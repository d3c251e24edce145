//! The keys of `coho.yaml`.

use super::Need::{Later, May, Must, With};
use super::alerts::ALERTS;
use super::files::FILES;
use super::texts::{
    ADBC_OPTION, ADBC_VALUE, ANY_URL, AT_ONCE, BYTES, DAYS, DURATION, HTTP_URL, MAX_AGE, MYSQL_URL, NAME,
    NAMES, POSTGRES_URL, RATE, SECRET, SUBDOMAIN, TEXTS,
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

static SOURCES: Shape = Shape {
    name: "sources",
    about: "",
    keys: &[],
    one_of: &[],
    others: Some(Others {
        label: "NAME",
        key: Some(&NAME),
        form: &Form::Typed(&SOURCE),
        meaning: "a source",
    }),
};

static SOURCE: Typed = Typed {
    types: &[
        ("postgres", &POSTGRES),
        ("mysql", &MYSQL),
        ("sqlite", &SQLITE),
        ("files", &FILES),
        ("adbc", &ADBC),
    ],
    later: &[
        ("snowflake", "write `type: adbc` and `driver: snowflake`"),
        ("bigquery", "write `type: adbc` and `driver: bigquery`"),
        ("redshift", "write `type: adbc` and `driver: redshift` or `driver: postgresql`"),
        ("databricks", "write `type: adbc` and `driver: databricks`"),
        ("duckdb", "write `type: adbc` and `driver: duckdb`"),
    ],
};

static ADBC: Shape = Shape {
    name: "source of type adbc",
    about: "A database or warehouse with an ADBC driver, such as Snowflake, BigQuery, Databricks, DuckDB or Flight SQL. The driver is installed apart from Coho.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["adbc"], later: &[] }), "type: adbc"),
        Key {
            name: "driver",
            need: Must,
            form: &TEXTS,
            default: "",
            meaning: "The driver's name, as `dbc install` takes it; or the path of its library or its manifest, relative to the project.",
            example: "driver: snowflake",
        },
        Key {
            name: "options",
            need: May,
            form: &Form::Map(&ADBC_OPTIONS),
            default: "none",
            meaning: "The driver's own options, such as `uri`, `username` and `password`. Relative paths in them begin at the project's folder.",
            example: "options: { uri: \"${WAREHOUSE_URI}\" }",
        },
        Key {
            name: "statement_timeout",
            need: May,
            form: &Form::Text(&DURATION),
            default: "the engine's",
            meaning: "How long one query may take, connecting included. Then Coho cancels it.",
            example: "statement_timeout: 10m",
        },
        COMPARE,
    ],
    one_of: &[],
    others: None,
};

static ADBC_OPTIONS: Shape = Shape {
    name: "options of a source of type adbc",
    about: "The names are the driver's. Values are texts or numbers; write `\"true\"` in quotes. None of them is printed.",
    keys: &[],
    one_of: &[],
    others: Some(Others {
        label: "OPTION",
        key: Some(&ADBC_OPTION),
        form: &Form::Text(&ADBC_VALUE),
        meaning: "an option of the driver",
    }),
};

static POSTGRES: Shape = Shape {
    name: "source of type postgres",
    about: "A PostgreSQL database.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["postgres"], later: &[] }), "type: postgres"),
        Key {
            name: "url",
            need: Must,
            form: &Form::Text(&POSTGRES_URL),
            default: "",
            meaning: "The address of the database, with user and password. A secret.",
            example: "url: \"${WAREHOUSE_URL}\"",
        },
        STATEMENT_TIMEOUT,
        COMPARE,
        Key {
            name: "cache",
            need: May,
            form: &Form::Map(&CACHE),
            default: "Coho has no table in the database",
            meaning: "Where Coho may keep a table of its own for each sync, with what each row was, so that only rows that changed leave the database.",
            example: "cache: { schema: coho }",
        },
    ],
    one_of: &[],
    others: None,
};

static CACHE: Shape = Shape {
    name: "cache",
    about: "Where Coho keeps what each row was. It implies `compare: in-source`.",
    keys: &[Key {
        name: "schema",
        need: Must,
        form: &TEXTS,
        default: "",
        meaning: "The schema in which Coho makes its tables. `coho check --grants` prints the rights that this needs.",
        example: "schema: coho",
    }],
    one_of: &[],
    others: None,
};

static MYSQL: Shape = Shape {
    name: "source of type mysql",
    about: "A MySQL or MariaDB database.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["mysql"], later: &[] }), "type: mysql"),
        Key {
            name: "url",
            need: Must,
            form: &Form::Text(&MYSQL_URL),
            default: "",
            meaning: "The address of the database, with user and password: a secret.",
            example: "url: \"${SHOP_URL}\"",
        },
        STATEMENT_TIMEOUT,
        COMPARE,
    ],
    one_of: &[],
    others: None,
};

const COMPARE: Key = Key {
    name: "compare",
    need: May,
    form: &Form::Choice(&Choice { now: &["full", "in-source"], later: &[] }),
    default: "full",
    meaning: "How changed rows are found: `full` reads every row; `in-source` lets the database sum them up, and reads only rows that may have changed.",
    example: "compare: in-source",
};

const STATEMENT_TIMEOUT: Key = Key {
    name: "statement_timeout",
    need: May,
    form: &Form::Text(&DURATION),
    default: "the server's",
    meaning: "How long one query may take.",
    example: "statement_timeout: 10m",
};

static SQLITE: Shape = Shape {
    name: "source of type sqlite",
    about: "An SQLite database file. Coho only reads it.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["sqlite"], later: &[] }), "type: sqlite"),
        path("The database file, relative to the project.", "path: data/app.db"),
    ],
    one_of: &[],
    others: None,
};

const fn kind(form: &'static Form, example: &'static str) -> Key {
    Key { name: "type", need: Must, form, default: "", meaning: "Which kind this is.", example }
}

const fn path(meaning: &'static str, example: &'static str) -> Key {
    Key { name: "path", need: Must, form: &TEXTS, default: "", meaning, example }
}

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
