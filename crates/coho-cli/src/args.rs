//! What can be typed: verbs, flags and their help. The command line reference is generated from here.

mod dbt;
mod ledger;
mod pages;
mod serve;
mod template;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::span;

pub(crate) use dbt::DbtAction;
pub(crate) use ledger::LedgerAction;
pub(crate) use pages::{Debug, Demo};
pub(crate) use serve::{Serve, TokenAction, TokenMay};
pub(crate) use template::{TemplateAction, TemplateCheck, TemplateRender, Undefined};

/// Reverse ETL into Vitally: sends what changed in your data, and nothing else.
#[derive(Debug, Parser)]
#[command(name = "coho", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Where and how, for every verb.
    #[command(flatten)]
    pub(crate) global: Global,
    /// The command.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

const EXIT_CODES: &str = "Exit codes: 0 done, or nothing to do · 1 unexpected · 2 usage · 3 configuration or mapping \
invalid · 4 a guard holds something · 5 some rows rejected, invalid or deferred, or some tests failed · 6 halted (credentials, quota, ledger, \
network) · 7 another run holds the ledger · 10 `plan --exit-code` found something to send · 130 interrupted";

/// Under what help lists them: apart from the flags of a verb.
const GLOBAL: &str = "Global options";

/// Where and how, for every verb.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// The project's folder or its coho.yaml; by default this folder, or the nearest one above that has one.
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
    /// The project's target to use.
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "NAME")]
    pub(crate) target: Option<String>,
    /// A file with NAME=value lines for ${NAME} in the project; the environment takes precedence.
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
    /// Print one JSON document on stdout instead of text, also if the command fails.
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) json: bool,
    /// Print more on stderr: stages and calls; twice (-vv) also requests, responses and the status of each row.
    #[arg(short, long, global = true, help_heading = GLOBAL, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// The format of log lines on stderr.
    #[arg(long, global = true, help_heading = GLOBAL, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line, including the run's events.
    Json,
}

/// What is done.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Create a project that runs against the simulator.
    Init {
        /// The folder; created if missing.
        #[arg(value_name = "DIR", default_value = ".")]
        folder: PathBuf,
        /// Also write the files that these need to run the project. In an existing project, write only those. Existing files
        /// are never changed.
        #[arg(long, value_enum, value_delimiter = ',', value_name = "FOR")]
        with: Vec<With>,
    },
    /// Check the project: files, mappings, sources and tokens. Reports all problems at once.
    Check {
        /// Check only the files, without sources and Vitally.
        #[arg(long)]
        offline: bool,
        /// Find out how this destination's workspace behaves where Vitally's documentation is silent, with throw-away
        /// records, and write the answers to workspaces/DESTINATION.yaml. Asks first.
        #[arg(long, value_name = "DESTINATION", conflicts_with = "offline")]
        live: Option<String>,
        /// With --live: do not ask.
        #[arg(long, requires = "live")]
        yes: bool,
        /// Print the SQL statements that let Coho keep its caches in the sources that have one. Nothing else is checked, and nothing is run.
        #[arg(long, conflicts_with_all = ["offline", "live"])]
        grants: bool,
    },
    /// List the workspace's traits of an object, as YAML to paste into a sync.
    Traits {
        /// organization, account or user.
        object: String,
        /// The destination; required if the project has several.
        #[arg(long, value_name = "NAME")]
        destination: Option<String>,
        /// Ask Vitally even if the traits were fetched in the last 24 hours.
        #[arg(long)]
        refresh: bool,
    },
    /// Show rows as they would be sent, and their problems. Sends nothing.
    Preview {
        /// The sync.
        sync: String,
        /// Show at most this many rows.
        #[arg(long, default_value_t = 5)]
        limit: u64,
        /// Only the row with this primary key; if the key has several columns, their values: `acme,7`.
        #[arg(long)]
        key: Option<String>,
    },
    /// Run the project's mapping tests: rows in, records or problems out. Reads and sends nothing.
    ///
    /// The tests are tests/*.yaml. They need no source, no credentials and no ledger. Ends with 5 if a test failed, with 3 if
    /// a test could not run or a project file is wrong.
    Test {
        /// Test files or folders; all by default.
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Write the actual results into the files of failed tests, as the new expected results.
        #[arg(long)]
        bless: bool,
        /// Write a JUnit XML report, for CI servers.
        #[arg(long, value_name = "FILE")]
        junit: Option<PathBuf>,
    },
    /// Show exactly what a run would send, and why. Sends nothing and stores nothing.
    Plan {
        /// What is planned.
        #[command(flatten)]
        rows: Rows,
        /// End with 10 if there is something to send.
        #[arg(long)]
        exit_code: bool,
        /// Write the plan to a file for approval and `coho run --plan`: keys and digests, no values of rows.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Send what changed.
    Run {
        /// What is sent.
        #[command(flatten)]
        rows: Rows,
        /// Send only what this approved plan has, as far as it is still the same; the rest is reported as stale.
        #[arg(long, value_name = "FILE")]
        plan: Option<PathBuf>,
    },
    /// Treat the current rows as sent, without sending them: the next run sends what changes from now on.
    Baseline {
        /// The sync.
        sync: String,
        /// Only the row with this primary key; if the key has several columns, their values: `acme,7`.
        #[arg(long)]
        key: Option<String>,
    },
    /// Compare the rows with the records in Vitally and store the result: for a lost ledger, or records of another tool.
    /// Sends nothing; the next run sends what differs.
    Adopt {
        /// The sync.
        sync: String,
        /// Only the row with this primary key; if the key has several columns, their values: `acme,7`.
        #[arg(long)]
        key: Option<String>,
    },
    /// List runs, the newest first; with an id, show one run.
    Runs {
        /// The run's id: also shows its stages and what its calls waited for.
        run: Option<String>,
        /// Show why rows of the run failed: each cause once, with its number of rows.
        #[arg(long, requires = "run")]
        failures: bool,
        /// At most this many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// List rows by status; with --key, show everything about one row across all runs.
    Rows {
        /// The sync.
        sync: String,
        /// Only rows with this status, such as rejected, invalid, deferred, delivered.
        #[arg(long, alias = "fate")]
        status: Option<String>,
        /// Only the row with this primary key; if the key has several columns, their values: `acme,7`.
        #[arg(long)]
        key: Option<String>,
        /// Only what this run recorded; by default, the newest run of the sync that has such rows, plus what still applies;
        /// with --key, all runs.
        #[arg(long)]
        run: Option<String>,
        /// Only rows recorded since then, across all runs: a day (2026-11-24), a moment (2026-11-24T10:00:00Z) or an age (7d,
        /// 12h, 30m).
        #[arg(long, value_name = "TIME", conflicts_with = "run")]
        since: Option<String>,
        /// Only rows that failed with this code, such as refused or cast-failed, across all runs.
        #[arg(long, value_name = "CODE")]
        cause: Option<String>,
        /// Only rows that failed in any run and still fail.
        #[arg(long, conflicts_with = "run")]
        still_failing: bool,
        /// At most this many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// The output format.
        #[arg(long = "as", value_enum, default_value_t = RowsFormat::Table, value_name = "FORMAT")]
        format: RowsFormat,
    },
    /// Retry rejected, skipped and deferred rows now, and nothing else.
    Retry {
        /// The sync.
        sync: String,
        /// Only the row with this primary key; if the key has several columns, their values: `acme,7`.
        #[arg(long)]
        key: Option<String>,
        /// Only rows that wait because of this code, as `coho runs RUN --failures` shows it, or of the cause with this number.
        #[arg(long, value_name = "CODE", conflicts_with = "key")]
        cause: Option<String>,
    },
    /// Forget delivered rows, so that they are new to the next run. Asks first.
    Forget {
        /// The sync.
        sync: String,
        /// Only the row with this primary key; if the key has several columns, their values: `acme,7`.
        #[arg(long)]
        key: Option<String>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Remove the values of one row from everything that Coho keeps on this machine: row states, history, calls, messages, and
    /// the ledger's free pages and log. Asks first.
    ///
    /// The row's key, the ids of its record and digests stay, so that nothing is sent twice. If the row is still in the model,
    /// its values are stored again when it changes.
    Purge {
        /// The sync.
        sync: String,
        /// The row's primary key; if the key has several columns, their values: `acme,7`.
        #[arg(long)]
        key: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// List open alerts, muted syncs, and recipients that cannot be reached.
    Alerts {
        /// What else to do.
        #[command(subcommand)]
        action: Option<AlertsAction>,
    },
    /// Show every run, row and call in a browser, live.
    ///
    /// Pages read the ledger while runs write it. They are served only on this machine, unless --listen names another
    /// address.
    Debug(Debug),
    /// Render or check one template.
    Template {
        /// What is done with it.
        #[command(subcommand)]
        action: TemplateAction,
    },
    /// Show how Coho works, on sample data, in a temporary folder, against a simulator.
    Demo(Demo),
    /// Run a Vitally simulator until interrupted.
    Simulator(Simulator),
    /// Run syncs by their schedules and when triggered over HTTP, until stopped.
    Serve(Serve),
    /// Create, list and revoke tokens for `coho serve`.
    Token {
        /// What is done.
        #[command(subcommand)]
        action: TokenAction,
    },
    /// Move the ledger between files, buckets and PostgreSQL.
    Ledger {
        /// What is done.
        #[command(subcommand)]
        action: LedgerAction,
    },
    /// Write exposures, so that dbt's lineage shows the syncs.
    Dbt {
        /// What is written for dbt.
        #[command(subcommand)]
        action: DbtAction,
    },
    /// Serve read-only tools for AI assistants (MCP) over standard input and output: list syncs and runs, explain runs and rows,
    /// plan and preview.
    ///
    /// Available if `coho` was built with the feature `mcp`.
    Mcp {
        /// Also give values of rows, and texts that may quote them, to whoever runs the assistant.
        #[arg(long)]
        show_values: bool,
    },
    /// Print the JSON Schema of a kind of file, for editors.
    Schema {
        /// Which kind of file.
        #[arg(value_enum)]
        kind: SchemaName,
    },
    /// Print shell completions.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Holds an ADBC driver: reads a request from standard input and writes rows to standard output. Coho starts it.
    #[command(hide = true)]
    AdbcDriver,
    /// Prints a page of the reference documentation, as it is in docs/reference.
    #[command(hide = true)]
    Reference {
        /// Which page.
        #[arg(value_enum)]
        page: Page,
    },
}

/// For whom files are made that run the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum With {
    /// GitHub Actions: a plan on the pull request, sent after the merge.
    Github,
    /// systemd: a service and a timer, and the service of `coho serve`.
    Systemd,
    /// A container: a Containerfile.
    Container,
    /// cron: a file for /etc/cron.d.
    Cron,
    /// Airflow: a DAG.
    Airflow,
    /// Dagster: assets.
    Dagster,
    /// Prefect: a flow.
    Prefect,
}

/// Which rows are planned and sent.
#[derive(Clone, Debug, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that a person types")]
pub(crate) struct Rows {
    /// The syncs; all by default.
    pub(crate) syncs: Vec<String>,
    /// At most this many rows of each model; removes nothing.
    #[arg(long, conflicts_with = "key")]
    pub(crate) limit: Option<u64>,
    /// Only the row with this primary key; removes nothing. If the key has several columns, separate the values with
    /// commas, `--key acme,7`, or write it as reports show it, `--key '["acme","7"]'`.
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// Send records again even if nothing changed.
    #[arg(long)]
    pub(crate) resend: bool,
    /// Send events again too, each under its old `messageId`.
    #[arg(long, requires = "resend")]
    pub(crate) events: bool,
    /// Start over if the project's ledger is lost: everything is sent again.
    #[arg(long)]
    pub(crate) new_ledger: bool,
    /// Take over a ledger that belongs to another project, or to this project under its old name.
    #[arg(long)]
    pub(crate) adopt_ledger: bool,
}

/// What is done with alerts.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum AlertsAction {
    /// Check what depends on time (freshness, reminders, ended mutes) and send waiting messages. `coho run` does this too.
    Check,
    /// Send each recipient a test message. Ends with 5 if one could not be delivered.
    Test {
        /// The recipients; all by default.
        #[arg(value_name = "NAME")]
        recipients: Vec<String>,
    },
    /// Silence the alerts of a sync for a while. Alerts that are still open when the mute ends are sent then.
    Mute {
        /// The sync.
        sync: String,
        /// For how long, such as 30m, 4h or 2d.
        #[arg(long = "for", value_name = "TIME", value_parser = time)]
        time: Duration,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
    /// End a mute, and send the alerts that are open.
    Unmute {
        /// The sync.
        sync: String,
    },
}

/// How long a mute may be.
const YEAR: Duration = Duration::from_secs(366 * 86_400);

fn time(text: &str) -> Result<Duration, String> {
    let time = span::parse(text).filter(|time| !time.is_zero() && *time <= YEAR);
    time.ok_or_else(|| "expected a duration such as 30m, 4h or 2d, at most a year".to_owned())
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowsFormat {
    /// For people.
    Table,
    /// Comma-separated values.
    Csv,
    /// One JSON document.
    Json,
}

/// Kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaName {
    /// coho.yaml
    Project,
    /// models/*.yaml
    Model,
    /// syncs/*.yaml
    Sync,
    /// tests/*.yaml
    Test,
    /// run_results.json, which each run writes beside the ledger
    RunResults,
}

/// Pages of the reference documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Page {
    /// docs/reference/error-codes.md
    ErrorCodes,
    /// docs/reference/configuration.md
    Configuration,
    /// docs/reference/cli.md
    Cli,
    /// docs/reference/ledger.md
    Ledger,
    /// docs/reference/liquid.md
    Liquid,
    /// docs/reference/schema/project.json
    SchemaProject,
    /// docs/reference/schema/model.json
    SchemaModel,
    /// docs/reference/schema/sync.json
    SchemaSync,
    /// docs/reference/schema/test.json
    SchemaTest,
    /// docs/reference/schema/run-results.json
    SchemaRunResults,
}

/// The simulator's settings.
#[derive(Clone, Debug, Args)]
pub(crate) struct Simulator {
    /// The address to listen on; port 0 picks a free one. Anyone who can reach an address other than this machine's own can
    /// read and change the records with the token; the inspection API accepts calls only from this machine.
    #[arg(long, default_value = "127.0.0.1:7700", value_name = "ADDRESS")]
    pub(crate) listen: std::net::SocketAddr,
    /// The REST API token to accept.
    #[arg(long, default_value = "sandbox")]
    pub(crate) token: String,
    /// The Analytics API token to accept.
    #[arg(long, default_value = "sandbox")]
    pub(crate) analytics_token: String,
    /// A file to keep the records in; without it, they are lost when the simulator ends.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// A profile (strict, lenient, conflicting-post, …) or switches such as dup=409; repeatable.
    #[arg(long = "switch", value_name = "NAME=VALUE")]
    pub(crate) switches: Vec<String>,
    /// Delay each response by this many milliseconds.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pub(crate) latency: u64,
}
