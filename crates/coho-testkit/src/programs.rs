//! Where the servers' programs are, and as whom they may run. [`crate::postgres`], [`crate::mariadb`], [`crate::s3`],
//! [`crate::azurite`], [`crate::bigquery`], [`crate::fakesnow`] and [`crate::spark`] start them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// PostgreSQL's server programs of one version.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// The newest version that is installed; `None` where there is none, or where `COHO_TEST_POSTGRES=off`.
    pub(crate) fn find() -> Option<Self> {
        if std::env::var_os("COHO_TEST_POSTGRES").is_some_and(|value| value == "off") {
            return None;
        }
        let complete = |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file();
        let mut found: Vec<PathBuf> = places().into_iter().filter(complete).collect();
        found.sort_by_key(|folder| version(folder));
        found.pop().map(|folder| Self { folder })
    }

    /// A program, as the user that may run it: PostgreSQL's server refuses to run as root.
    pub(crate) fn command(&self, program: &str) -> Command {
        let program = self.folder.join(program);
        as_user(POSTGRES_USER, &program)
    }

    /// The folder that holds the programs.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The user that PostgreSQL's packages make.
pub(crate) const POSTGRES_USER: &str = "postgres";

/// The user that MariaDB's packages make.
pub(crate) const MARIADB_USER: &str = "mysql";

/// MariaDB's server program; `None` where it is not installed with its tools, or where `COHO_TEST_MARIADB=off`.
pub(crate) fn mariadb() -> Option<PathBuf> {
    if std::env::var_os("COHO_TEST_MARIADB").is_some_and(|value| value == "off") {
        return None;
    }
    // The folder of programs for administrators is not on everybody's path.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).chain(["/usr/sbin".into()]).collect();
    let found = |program: &str| folders.iter().map(|folder| folder.join(program)).find(|file| file.is_file());
    found("mariadb-install-db")?;
    found("mariadb-admin")?;
    found("mariadbd")
}

/// The program of moto, in the environment that `cargo xtask test` makes for it, or on the path; `None` where it is not installed, or
/// where `COHO_TEST_MOTO=off`.
pub(crate) fn moto() -> Option<PathBuf> {
    installed("COHO_TEST_MOTO", "target/moto/bin", "moto_server")
}

/// The same for Azurite, which `cargo xtask install` fetches; `COHO_TEST_AZURITE=off`.
pub(crate) fn azurite() -> Option<PathBuf> {
    installed("COHO_TEST_AZURITE", "target/azurite/node_modules/.bin", "azurite-blob")
}

/// The library of an ADBC driver, which `cargo xtask install` fetches: `sqlite` and `postgresql` from PyPI, `duckdb` from npm. `None` where
/// it is not there, or where `COHO_TEST_ADBC=off`.
pub(crate) fn adbc_driver(name: &str) -> Option<PathBuf> {
    if std::env::var_os("COHO_TEST_ADBC").is_some_and(|value| value == "off") {
        return None;
    }
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target").canonicalize().ok()?;
    let folders = if name == "duckdb" {
        vec![target.join("duckdb/node_modules/@duckdb").join(DUCKDB)]
    } else {
        let versions = std::fs::read_dir(target.join("adbc/lib")).ok()?.flatten();
        versions
            .map(|version| version.path().join("site-packages").join(format!("adbc_driver_{name}")))
            .collect()
    };
    let file = if name == "duckdb" { "libduckdb.so".to_owned() } else { format!("libadbc_driver_{name}.so") };
    folders.into_iter().map(|folder| folder.join(&file)).find(|file| file.is_file())
}

/// The library of a driver among the packages of `cargo xtask test --engines`, which names their folder in `COHO_ENGINES`.
pub(crate) fn engine_driver(name: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("COHO_ENGINES")?).join(name);
    let versions = std::fs::read_dir(folder.join("lib")).ok()?.flatten();
    let package = format!("site-packages/adbc_driver_{name}/libadbc_driver_{name}.so");
    versions.map(|version| version.path().join(&package)).find(|file| file.is_file())
}

/// The Python of an engine among them.
pub(crate) fn engine_python(name: &str) -> Option<PathBuf> {
    let python = PathBuf::from(std::env::var_os("COHO_ENGINES")?).join(name).join("bin/python");
    Some(python).filter(|python| python.is_file())
}

/// The program that runs Java's, which Spark is one of.
pub(crate) fn java() -> Option<PathBuf> {
    let home = std::env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = home.into_iter().chain(std::env::split_paths(&path));
    folders.map(|folder| folder.join("java")).find(|file| file.is_file())
}

const DUCKDB: &str =
    if cfg!(target_arch = "aarch64") { "node-bindings-linux-arm64" } else { "node-bindings-linux-x64" };

fn installed(switch: &str, folder: &str, program: &str) -> Option<PathBuf> {
    if std::env::var_os(switch).is_some_and(|value| value == "off") {
        return None;
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(own).chain(std::env::split_paths(&path));
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A command that runs as this user where the tests run as root, and as oneself otherwise.
///
/// It keeps the machine's clock where the tests have another: a server's time limits would never be reached.
pub(crate) fn as_user(user: &str, program: &Path) -> Command {
    let mut command = if is_root() { through_runuser(user, program) } else { Command::new(program) };
    command.env_remove("LD_PRELOAD");
    command
}

fn through_runuser(user: &str, program: &Path) -> Command {
    let mut command = Command::new("runuser");
    command.args(["-u", user, "--"]).arg(program);
    command
}

pub(crate) fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Debian keeps each version in a folder of its own; others put the programs on the path.
fn places() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = versions.map(|entry| entry.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian.chain(std::env::split_paths(&path)).collect()
}

fn version(folder: &Path) -> u32 {
    let name = folder.parent().and_then(Path::file_name).and_then(std::ffi::OsStr::to_str);
    name.and_then(|name| name.parse().ok()).unwrap_or(0)
}
