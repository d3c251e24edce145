//! A driver that is loaded, connected, and asked a query.

use std::path::PathBuf;

use adbc_core::error::{Error, Result, Status};
use adbc_core::options::{
    AdbcVersion, InfoCode, OptionConnection, OptionDatabase, OptionStatement, OptionValue,
};
use adbc_core::{Connection, Database, Driver, LOAD_FLAG_DEFAULT, Optionable, Statement};
use adbc_driver_manager::{ManagedConnection, ManagedDriver, ManagedStatement};
use arrow_array::cast::AsArray;

use crate::adbc::engine::Engine;
use crate::adbc::frame::{Report, Request, Step};

/// Under which name the driver manager says where it looked.
const TRACE: &str = "adbc.drivermanager.driver_load_trace";

/// A connection.
pub(super) struct Session {
    connection: ManagedConnection,
    /// What answers.
    pub(super) engine: Engine,
    /// What the driver calls it.
    pub(super) vendor: String,
    /// Whether it answers statements of Coho's own.
    pub(super) compares: bool,
}

impl Session {
    pub(super) fn open(request: &Request) -> std::result::Result<Self, Report> {
        let mut driver = load(&request.driver)?;
        let options = Options::of(request);
        let connecting = |error| failed(connection_step(&error), error);
        let database = driver.new_database_with_opts(options.database).map_err(connecting)?;
        let mut connection = database.new_connection_with_opts(options.connection).map_err(connecting)?;
        let vendor = vendor(&connection).unwrap_or_default();
        let told = Engine::of(&vendor);
        let engine = if told == Engine::Other { Engine::of(&request.driver) } else { told };
        let limit = request.limit.map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
        // What a driver or an engine does not know, it does without: the limit is kept by Coho too.
        connection.set_option(OptionConnection::ReadOnly, "true".into()).unwrap_or_default();
        for setting in engine.settings(limit) {
            execute(&mut connection, &setting).unwrap_or_default();
        }
        Ok(Self { connection, engine, vendor, compares: false })
    }

    /// Begins a transaction in which all statements see one state, where the engine has such a one.
    pub(super) fn begin(&mut self) {
        if let Some((begin, _)) = self.engine.snapshot() {
            // Without one each statement sees a state of its own, of which it tells.
            execute(&mut self.connection, begin).unwrap_or_default();
        }
    }

    /// Begins another one: a statement that was refused may have ended the first.
    pub(super) fn begin_again(&mut self) {
        if let Some((_, end)) = self.engine.snapshot() {
            execute(&mut self.connection, end).unwrap_or_default();
        }
        self.begin();
    }

    /// A statement of this SQL.
    pub(super) fn statement_of(
        &mut self,
        sql: &str,
        request: &Request,
    ) -> std::result::Result<ManagedStatement, Report> {
        let refused = |error| failed(Step::Query, error);
        let mut statement = self.connection.new_statement().map_err(refused)?;
        for (name, value) in Options::of(request).statement {
            statement.set_option(name, value).map_err(|error| failed(Step::Connect, error))?;
        }
        if self.engine == Engine::Snowflake {
            let option = OptionStatement::Other("adbc.snowflake.statement.query_tag".to_owned());
            // The comment says it too.
            statement.set_option(option, request.tag.as_str().into()).unwrap_or_default();
        }
        if let Some(limit) = request.limit.filter(|_| self.engine == Engine::Bigquery) {
            // A job goes on after nobody waits for it any more.
            let option = OptionStatement::Other("adbc.bigquery.sql.query.job_timeout".to_owned());
            let millis = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
            statement.set_option(option, OptionValue::Int(millis)).unwrap_or_default();
        }
        // A comment at the end of the model's SQL must not reach into what a driver puts behind it.
        let tagged = format!("/* {} */ {sql}\n", request.tag);
        statement.set_sql_query(tagged).map_err(refused)?;
        Ok(statement)
    }
}

fn execute(connection: &mut ManagedConnection, sql: &str) -> Result<()> {
    let mut statement = connection.new_statement()?;
    statement.set_sql_query(sql)?;
    statement.execute_update()?;
    Ok(())
}

/// Options by whom they are for.
struct Options {
    database: Vec<(OptionDatabase, OptionValue)>,
    connection: Vec<(OptionConnection, OptionValue)>,
    statement: Vec<(OptionStatement, OptionValue)>,
}

impl Options {
    fn of(request: &Request) -> Self {
        let mut options = Self { database: Vec::new(), connection: Vec::new(), statement: Vec::new() };
        for (name, value) in &request.options {
            let (name, value) = (name.as_str(), OptionValue::from(value.as_str()));
            if name.starts_with("adbc.connection.") {
                options.connection.push((OptionConnection::from(name), value));
            } else if name.contains(".statement.") || name.starts_with("adbc.bigquery.sql.query.") {
                options.statement.push((OptionStatement::from(name), value));
            } else {
                options.database.push((OptionDatabase::from(name), value));
            }
        }
        if Engine::of(&request.driver) == Engine::Duckdb {
            options.read_duckdb();
        }
        options
    }

    /// A file of DuckDB is opened for reading only, as long as nobody says how it is to be opened. A database in memory, or of
    /// MotherDuck (`md:`), cannot be.
    fn read_duckdb(&mut self) {
        let value = |wanted: &str| {
            let found = self.database.iter().find(|(name, _)| name.as_ref() == wanted);
            found.and_then(
                |(_, value)| if let OptionValue::String(text) = value { Some(text.as_str()) } else { None },
            )
        };
        let path = value("path").or_else(|| value("uri")).unwrap_or_default();
        let is_file = !path.is_empty() && !path.contains(":memory:") && !path.starts_with("md:");
        if is_file && value("access_mode").is_none() {
            self.database.push((OptionDatabase::from("access_mode"), "READ_ONLY".into()));
        }
    }
}

fn connection_step(error: &Error) -> Step {
    let is_refused = matches!(error.status, Status::Unauthenticated | Status::Unauthorized);
    if is_refused { Step::Refuse } else { Step::Connect }
}

/// Loads a driver by its name, the path of its library, or its manifest.
fn load(driver: &str) -> std::result::Result<ManagedDriver, Report> {
    let mut report = match load_named(driver) {
        Ok(driver) => return Ok(driver),
        Err(report) => report,
    };
    if report.step == Step::Load || driver.contains(['/', '.']) {
        return Err(report);
    }
    // The driver manager names libraries that it could not load, and not manifests that are not there.
    let manifests =
        folders().into_iter().map(|folder| folder.join(format!("{driver}.toml")).display().to_string());
    report.places = manifests.chain(report.places).collect();
    // Packages of Python and distributions call the libraries so.
    match load_named(&format!("adbc_driver_{driver}")) {
        Ok(driver) => Ok(driver),
        Err(other) if other.step == Step::Load => Err(other),
        Err(other) => {
            report.places.extend(other.places.into_iter().filter(|place| place.contains("adbc_driver_")));
            Err(report)
        }
    }
}

fn load_named(driver: &str) -> std::result::Result<ManagedDriver, Report> {
    let entry = (Engine::of(driver) == Engine::Duckdb).then_some(b"duckdb_adbc_init".as_slice());
    let load = |version| ManagedDriver::load_from_name(driver, entry, version, LOAD_FLAG_DEFAULT, None);
    let loaded = match load(AdbcVersion::V110) {
        Err(error) if error.status == Status::NotImplemented => load(AdbcVersion::V100),
        loaded => loaded,
    };
    loaded.map_err(|error| {
        let is_missing = error.status == Status::NotFound || !is_there(driver, &error);
        failed(if is_missing { Step::Find } else { Step::Load }, error)
    })
}

/// Where the driver manager looks for manifests, in its order.
fn folders() -> Vec<PathBuf> {
    let named = std::env::var_os("ADBC_DRIVER_PATH").unwrap_or_default();
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let (user, system) = if cfg!(target_os = "macos") {
        (home.join("Library/Application Support/ADBC/Drivers"), "/Library/Application Support/ADBC/Drivers")
    } else {
        let settings =
            std::env::var_os("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
        (settings.join("adbc/drivers"), "/etc/adbc/drivers")
    };
    let named: Vec<PathBuf> =
        std::env::split_paths(&named).filter(|folder| !folder.as_os_str().is_empty()).collect();
    named.into_iter().chain([user, system.into()]).collect()
}

/// Whether a driver that could not be loaded exists: then its own words say what is wrong with it.
fn is_there(driver: &str, error: &Error) -> bool {
    let path = std::path::Path::new(driver);
    if path.is_absolute() { path.exists() } else { !error.message.contains("cannot open shared object file") }
}

/// What the engine calls itself.
fn vendor(connection: &ManagedConnection) -> Option<String> {
    let mut reader = connection.get_info(Some([InfoCode::VendorName].into_iter().collect())).ok()?;
    let batch = reader.next()?.ok()?;
    let values = batch.column(1).as_union_opt()?;
    let value = values.value(0);
    let name = value.as_string_opt::<i32>()?;
    Some(name.value(0).to_owned())
}

/// Spark's words without the plan behind them, whose numbers are others each time.
fn without_plan(message: String) -> String {
    match message.split_once(";\n") {
        Some((words, _)) if message.starts_with("[Spark]") && words.contains("SQLSTATE") => words.to_owned(),
        Some(_) | None => message,
    }
}

/// What a driver says, as it is told.
pub(super) fn failed(step: Step, error: Error) -> Report {
    let state: String =
        error.sqlstate.iter().filter_map(|byte| u8::try_from(*byte).ok()).map(char::from).collect();
    let state = Some(state)
        .filter(|state| state.bytes().all(|byte| byte.is_ascii_alphanumeric()) && state != "00000");
    let trace = error.details.unwrap_or_default().into_iter().find(|(name, _)| name == TRACE);
    let trace = trace.map(|(_, text)| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
    Report {
        step,
        message: without_plan(error.message),
        state: state.unwrap_or_default(),
        places: trace.lines().map(str::to_owned).collect(),
    }
}
