//! The databases of tests: servers, a file, an emulator.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use coho_source::DriverHost;
use coho_testkit::{
    AdbcDatabase, BigQuery, Fakesnow, MariaDb, Postgres, Spark, adbc_driver_or_skip, engine_driver_or_skip,
};

use super::engines::Engine;
use super::rewritten::Rewritten;
use crate::stage::Failure;

/// A server of a test's own, or a file.
pub(crate) enum Server {
    Postgres(Postgres),
    MariaDb(MariaDb),
    DuckDb(DuckDb),
    Snowflake(Snowflake),
    Spark(SparkCluster),
    BigQuery(Warehouse),
}

/// An emulator, which the driver reaches through a proxy.
pub(crate) struct Warehouse {
    server: BigQuery,
    driver: PathBuf,
    host: DriverHost,
}

impl Warehouse {
    fn start(test: &str) -> Result<Option<Self>, Failure> {
        let Some(driver) = engine_driver_or_skip("bigquery", test)? else { return Ok(None) };
        let Some(host) = driver_host(test)? else { return Ok(None) };
        let Some(server) = BigQuery::start_or_skip(test)? else { return Ok(None) };
        let arguments = server.environment().into_iter().chain([host.program.into()]).collect();
        let host = DriverHost { program: "/usr/bin/env".into(), arguments };
        Ok(Some(Self { server, driver, host }))
    }
}

/// A cluster, whose table is written anew before it is read.
pub(crate) struct SparkCluster {
    cluster: Spark,
    driver: PathBuf,
    host: DriverHost,
    database: RefCell<AdbcDatabase>,
    table: RefCell<Rewritten>,
}

impl SparkCluster {
    fn start(test: &str) -> Result<Option<Self>, Failure> {
        let Some(driver) = engine_driver_or_skip("spark", test)? else { return Ok(None) };
        let Some(host) = driver_host(test)? else { return Ok(None) };
        let Some(cluster) = Spark::start_or_skip(test)? else { return Ok(None) };
        let database = RefCell::new(AdbcDatabase::load(&driver, &[("uri", &cluster.uri())])?);
        Ok(Some(Self { cluster, driver, host, database, table: RefCell::default() }))
    }

    /// Runs what is to be run before rows are read.
    fn write(&self) -> Result<(), Failure> {
        let due = self.table.borrow_mut().due();
        if due.is_empty() {
            return Ok(());
        }
        Ok(self.database.borrow_mut().run(due.iter().map(String::as_str))?)
    }
}

/// An emulator.
pub(crate) struct Snowflake {
    server: Fakesnow,
    driver: PathBuf,
    host: DriverHost,
    database: RefCell<AdbcDatabase>,
}

impl Snowflake {
    fn start(test: &str) -> Result<Option<Self>, Failure> {
        let Some(driver) = engine_driver_or_skip("snowflake", test)? else { return Ok(None) };
        let Some(host) = driver_host(test)? else { return Ok(None) };
        let Some(server) = Fakesnow::start_or_skip(test)? else { return Ok(None) };
        let options = server.options();
        let options: Vec<_> = options.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let database = RefCell::new(AdbcDatabase::load(&driver, &options)?);
        Ok(Some(Self { server, driver, host, database }))
    }
}

/// A file in a folder of its own.
pub(crate) struct DuckDb {
    folder: tempfile::TempDir,
    driver: PathBuf,
    host: DriverHost,
    database: RefCell<AdbcDatabase>,
}

impl DuckDb {
    fn start(test: &str) -> Result<Option<Self>, Failure> {
        let Some(driver) = adbc_driver_or_skip("duckdb", test)? else { return Ok(None) };
        let Some(host) = driver_host(test)? else { return Ok(None) };
        let folder = tempfile::tempdir()?;
        let path = file(folder.path()).display().to_string();
        let database = RefCell::new(AdbcDatabase::load(&driver, &[("path", &path)])?);
        Ok(Some(Self { folder, driver, host, database }))
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("shop.duckdb")
}

/// The program that holds drivers, which is built with the workspace's tests.
fn driver_host(test: &str) -> Result<Option<DriverHost>, Failure> {
    let program =
        std::env::current_exe()?.parent().and_then(Path::parent).map(|folder| folder.join("coho-driver"));
    let program = program.filter(|program| program.is_file());
    if program.is_none() {
        let words = format!("skipped: `coho-driver` is built with all tests of the workspace ({test})\n");
        std::io::Write::write_all(&mut std::io::stderr(), words.as_bytes())?;
    }
    Ok(program.map(|program| DriverHost { program, arguments: Vec::new() }))
}

impl Server {
    /// Starts one; `None` where its programs are not installed.
    pub(crate) fn start(engine: &Engine, test: &str) -> Result<Option<Self>, Failure> {
        Ok(match engine.name {
            "PostgreSQL" => Postgres::start_or_skip(test)?.map(Self::Postgres),
            "DuckDB" => DuckDb::start(test)?.map(Self::DuckDb),
            "Snowflake" => Snowflake::start(test)?.map(Self::Snowflake),
            "Spark" => SparkCluster::start(test)?.map(Self::Spark),
            "BigQuery" => Warehouse::start(test)?.map(Self::BigQuery),
            _ => MariaDb::start_or_skip(test)?.map(Self::MariaDb),
        })
    }

    /// The keys of the source, read by this user.
    pub(crate) fn keys(&self, engine: &Engine, user: &str) -> String {
        let url = |url: String| {
            format!("url: '{}'", url.replace(&format!("{}@", engine.superuser), &format!("{user}@")))
        };
        match self {
            Self::Postgres(server) => url(server.url()),
            Self::MariaDb(server) => url(server.url()),
            Self::DuckDb(database) => {
                let path = file(database.folder.path());
                format!("driver: '{}', options: {{ path: '{}' }}", database.driver.display(), path.display())
            }
            Self::Snowflake(database) => driver(&database.driver, &database.server.options()),
            Self::BigQuery(database) => driver(&database.driver, &database.server.options()),
            Self::Spark(spark) => {
                let uri = spark.cluster.uri();
                format!("driver: '{}', options: {{ uri: '{uri}' }}", spark.driver.display())
            }
        }
    }

    /// What loads its driver.
    pub(crate) fn driver_host(&self) -> DriverHost {
        match self {
            Self::Postgres(_) | Self::MariaDb(_) => DriverHost::default(),
            Self::DuckDb(database) => database.host.clone(),
            Self::Snowflake(database) => database.host.clone(),
            Self::Spark(spark) => spark.host.clone(),
            Self::BigQuery(database) => database.host.clone(),
        }
    }

    pub(crate) fn sql(&self, sql: &str) -> Result<(), Failure> {
        match self {
            Self::Postgres(server) => drop(server.psql(sql)?),
            Self::MariaDb(server) => drop(server.sql(sql)?),
            Self::DuckDb(database) => database.database.borrow_mut().run(statements(sql))?,
            Self::Snowflake(database) => database.database.borrow_mut().run(statements(sql))?,
            Self::Spark(spark) => spark.table.borrow_mut().take(statements(sql)),
            Self::BigQuery(database) => {
                for statement in statements(&sql.replace("TRUNCATE items", "TRUNCATE TABLE items")) {
                    database.server.sql(statement)?;
                }
            }
        }
        Ok(())
    }

    /// What a statement gives.
    pub(crate) fn ask(&self, sql: &str) -> Result<String, Failure> {
        match self {
            Self::Postgres(server) => Ok(server.psql(sql)?.trim().to_owned()),
            Self::MariaDb(_) | Self::DuckDb(_) | Self::Snowflake(_) | Self::BigQuery(_) | Self::Spark(_) => {
                Err("only PostgreSQL is asked".into())
            }
        }
    }

    /// Does what must be done before rows are read.
    pub(crate) fn settle(&self) -> Result<(), Failure> {
        match self {
            Self::Postgres(_)
            | Self::MariaDb(_)
            | Self::DuckDb(_)
            | Self::Snowflake(_)
            | Self::BigQuery(_) => Ok(()),
            Self::Spark(spark) => spark.write(),
        }
    }
}

/// The keys of a source with a driver.
fn driver(driver: &Path, options: &[(&str, String)]) -> String {
    let options: Vec<_> = options.iter().map(|(name, value)| format!("{name}: '{value}'")).collect();
    format!("driver: '{}', options: {{ {} }}", driver.display(), options.join(", "))
}

/// The statements of a text; none of their strings has a semicolon.
fn statements(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(';').filter(|statement| !statement.trim().is_empty())
}
