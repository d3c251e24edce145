//! What can be typed: verbs, flags and their help. The command line reference is generated from here.

mod pages;
mod serve;
mod template;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::span;

pub(crate) use pages::{Debug, Demo};
pub(crate) use serve::{Serve, TokenAction, TokenMay};
pub(crate) use template::{TemplateAction, TemplateCheck, TemplateRender, Undefined};

/// Reverse ETL into Vitally: what changed in your warehouse, and nothing else, goes to Vitally.
#[derive(Debug, Parser)]
#[command(name = "coho", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Where and how, for every verb.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What is done.
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
    /// The project's folder, or its coho.yaml; by default this folder or the nearest above that has one.
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
    /// Which of the project's targets.
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "NAME")]
    pub(crate) target: Option<String>,
    /// A file with NAME=value lines for ${NAME} in the project; the environment wins over it.
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
    /// One JSON document on stdout in place of text, also where the command fails.
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) json: bool,
    /// More on stderr: stages and calls; twice for what was sent and answered, and what became of each row.
    #[arg(short, long, global = true, help_heading = GLOBAL, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// How stderr's log lines look.
    #[arg(long, global = true, help_heading = GLOBAL, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// A JSON object a line, events of the run among them.
    Json,
}

/// What is done.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Writes a project that runs against the simulator, with comments.
    Init {
        /// The folder; made if absent.
        #[arg(value_name = "DIR", default_value = ".")]
        folder: PathBuf,
        /// Writes as well what these need to run the project; into a folder that has a project, that alone. Files that are
        /// there already are left as they are.
        #[arg(long, value_enum, value_delimiter = ',', value_name = "FOR")]
        with: Vec<With>,
    },
    /// Says what is wrong with the project: files, mappings, sources and tokens, all at once.
    Check {
        /// Looks at the files only: no source, no Vitally.
        #[arg(long)]
        offline: bool,
        /// Finds out how this destination's workspace behaves where Vitally's documentation is silent, with throw-away
        /// records, and writes the answers to workspaces/DESTINATION.yaml. Asks first.
        #[arg(long, value_name = "DESTINATION", conflicts_with = "offline")]
        live: Option<String>,
        /// With --live: does not ask.
        #[arg(long, requires = "live")]
        yes: bool,
    },
    /// Lists the workspace's traits of an object with path and type, as YAML to paste into a sync.
    Traits {
        /// organization, account or user.
        object: String,
        /// The destination; needed where the project has several.
        #[arg(long, value_name = "NAME")]
        destination: Option<String>,
        /// Asks Vitally, though it was asked within the last 24 hours.
        #[arg(long)]
        refresh: bool,
    },
    /// Shows rows as they would be sent, and their problems. Nothing is sent.
    Preview {
        /// The sync.
        sync: String,
        /// At most this many rows.
        #[arg(long, default_value_t = 5)]
        limit: u64,
        /// Only the row with this primary key; of several columns their values, as in `acme,7`.
        #[arg(long)]
        key: Option<String>,
    },
    /// Runs the project's tests of its mappings: rows in, records or problems out. Nothing is read or sent.
    ///
    /// The tests are tests/*.yaml. They need no source, no credentials and no ledger. Ends with 5 where a test failed, with 3
    /// where one could not be run, or a file of the project is wrong.
    Test {
        /// Test files, or folders of them; all, if none is named.
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Writes what came into the files of failed tests, as what is expected from now on.
        #[arg(long)]
        bless: bool,
        /// Writes a report in JUnit XML, for CI servers.
        #[arg(long, value_name = "FILE")]
        junit: Option<PathBuf>,
    },
    /// Shows exactly what a run would send, and why. Nothing is sent, nothing is remembered.
    Plan {
        /// What is planned.
        #[command(flatten)]
        rows: Rows,
        /// Ends with 10 where there is something to send.
        #[arg(long)]
        exit_code: bool,
        /// Writes the plan as a permit for `coho run --plan`: keys and digests, no values of rows.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Sends what changed.
    Run {
        /// What is sent.
        #[command(flatten)]
        rows: Rows,
        /// Sends only what this permit has, and what is still the same; the rest is reported as stale.
        #[arg(long, value_name = "FILE")]
        plan: Option<PathBuf>,
    },
    /// Remembers the rows as they are, without sending them: the next run sends what changes from now on.
    Baseline {
        /// The sync.
        sync: String,
        /// Only the row with this primary key; of several columns their values, as in `acme,7`.
        #[arg(long)]
        key: Option<String>,
    },
    /// Compares the rows with what Vitally holds and remembers that: the answer to a lost ledger. Nothing is sent; the next
    /// run sends what differs.
    Adopt {
        /// The sync.
        sync: String,
        /// Only the row with this primary key; of several columns their values, as in `acme,7`.
        #[arg(long)]
        key: Option<String>,
    },
    /// Lists runs, the newest first; with an id, one run.
    Runs {
        /// The run's id: shows its stages and what its calls waited for as well.
        run: Option<String>,
        /// Shows why rows of the run failed: each cause once, with its number of rows.
        #[arg(long, requires = "run")]
        failures: bool,
        /// At most this many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Lists rows by what became of them; with --key, everything about one row over all runs.
    Rows {
        /// The sync.
        sync: String,
        /// Only rows with this fate, such as rejected, invalid, deferred, delivered.
        #[arg(long)]
        status: Option<String>,
        /// Only the row with this primary key; of several columns their values, as in `acme,7`.
        #[arg(long)]
        key: Option<String>,
        /// Only what this run wrote; by default what the newest run of the sync that has such rows did and what still
        /// stands, or with --key all.
        #[arg(long)]
        run: Option<String>,
        /// Only rows recorded since then, over all runs: a day such as 2026-11-24, a moment such as 2026-11-24T10:00:00Z, or
        /// an age such as 7d, 12h or 30m.
        #[arg(long, value_name = "TIME", conflicts_with = "run")]
        since: Option<String>,
        /// Only rows that failed with this code, such as refused or cast-failed, over all runs.
        #[arg(long, value_name = "CODE")]
        cause: Option<String>,
        /// Only rows that failed in any run and that no later run healed.
        #[arg(long, conflicts_with = "run")]
        still_failing: bool,
        /// At most this many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// How they are written.
        #[arg(long = "as", value_enum, default_value_t = RowsFormat::Table, value_name = "FORMAT")]
        format: RowsFormat,
    },
    /// Tries rejected, skipped and deferred rows again now, and nothing else.
    Retry {
        /// The sync.
        sync: String,
        /// Only the row with this primary key; of several columns their values, as in `acme,7`.
        #[arg(long)]
        key: Option<String>,
    },
    /// Forgets what was delivered, so that it is new to the next run. Asks first.
    Forget {
        /// The sync.
        sync: String,
        /// Only the row with this primary key; of several columns their values, as in `acme,7`.
        #[arg(long)]
        key: Option<String>,
        /// Does not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Lists open alerts, muted syncs, and recipients that messages do not reach.
    Alerts {
        /// What else to do.
        #[command(subcommand)]
        action: Option<AlertsAction>,
    },
    /// Shows every run, row and call in a browser, live.
    ///
    /// Pages read the ledger beside runs of this and of other processes. They are served on this machine only, unless
    /// --listen names another address.
    Debug(Debug),
    /// Renders or checks one template.
    Template {
        /// What is done with it.
        #[command(subcommand)]
        action: TemplateAction,
    },
    /// Shows the main job on data of its own, in a temporary folder, against a simulator.
    Demo(Demo),
    /// Runs a Vitally simulator until it is interrupted.
    Simulator(Simulator),
    /// Runs syncs by their schedules and when they are triggered over HTTP, until it is asked to end.
    Serve(Serve),
    /// Makes, lists and revokes tokens for the trigger API of `coho serve`.
    Token {
        /// What is done.
        #[command(subcommand)]
        action: TokenAction,
    },
    /// Serves tools for assistants (MCP) over standard input and output: they list syncs and runs, explain runs and rows, plan and
    /// preview. They only read.
    ///
    /// Only in a `coho` that was built with the feature `mcp`.
    Mcp {
        /// Gives values of rows and texts that may quote them too, which go to whoever runs the assistant.
        #[arg(long)]
        show_values: bool,
    },
    /// Prints the JSON Schema of a kind of file, for editors.
    Schema {
        /// Which kind of file.
        #[arg(value_enum)]
        kind: SchemaKind,
    },
    /// Prints a shell's completions.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
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
    /// The syncs; all, if none is named.
    pub(crate) syncs: Vec<String>,
    /// At most this many rows of each model; nothing is removed.
    #[arg(long, conflicts_with = "key")]
    pub(crate) limit: Option<u64>,
    /// Only the row with this primary key; nothing is removed. Of a key of several columns: their values with commas
    /// between, `--key acme,7`, or as reports show it, `--key '["acme","7"]'`.
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// Sends records again though nothing changed.
    #[arg(long)]
    pub(crate) resend: bool,
    /// Sends events again too, each under the `messageId` that it had.
    #[arg(long, requires = "resend")]
    pub(crate) events: bool,
    /// Begins anew where the project's ledger is gone: everything is sent again.
    #[arg(long)]
    pub(crate) new_ledger: bool,
    /// Takes a ledger over that belongs to another project, or to this one under the name that it had.
    #[arg(long)]
    pub(crate) adopt_ledger: bool,
}

/// What is done with alerts.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum AlertsAction {
    /// Checks what depends on time (freshness, reminders, ended mutes) and sends waiting messages. `coho run` does this too.
    Check,
    /// Sends each recipient a test message. Ends with 5 if one could not be delivered.
    Test {
        /// The recipients; all, if none is named.
        #[arg(value_name = "NAME")]
        recipients: Vec<String>,
    },
    /// Silences the alerts of a sync for a while. Whatever is still wrong when the mute ends is reported then.
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
    /// Ends a mute, and reports whatever is wrong.
    Unmute {
        /// The sync.
        sync: String,
    },
}

/// How long a mute may be.
const YEAR: Duration = Duration::from_secs(366 * 86_400);

fn time(text: &str) -> Result<Duration, String> {
    let time = span::parse(text).filter(|time| !time.is_zero() && *time <= YEAR);
    time.ok_or_else(|| "expected a time such as 30m, 4h or 2d, at most a year".to_owned())
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
pub(crate) enum SchemaKind {
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
    /// Where it listens; port 0 takes a free one. Whoever reaches another address than this machine's own can read and
    /// change its records with the token; its inspection API answers on this machine only.
    #[arg(long, default_value = "127.0.0.1:7700", value_name = "ADDRESS")]
    pub(crate) listen: std::net::SocketAddr,
    /// The REST API token that it accepts.
    #[arg(long, default_value = "sandbox")]
    pub(crate) token: String,
    /// The Analytics API token that it accepts.
    #[arg(long, default_value = "sandbox")]
    pub(crate) analytics_token: String,
    /// A file that keeps its records; without one they are gone when it ends.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// A profile (strict, lenient, conflicting-post, …) or switches such as dup=409; repeatable.
    #[arg(long = "switch", value_name = "NAME=VALUE")]
    pub(crate) switches: Vec<String>,
    /// Answers no sooner than after so many milliseconds.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pub(crate) latency: u64,
}
