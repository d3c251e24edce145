//! What tests need besides Rust: whether it is there, and how it gets there.
//!
//! Called by [`crate::test`] before the tests and by `.ci/run` on a bare machine.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::arguments::Arguments;
use crate::workspace::root;
use crate::{child, clock, python, say};

mod browser;

/// The version that is known to build with the oldest Rust we support; a newer one that is already there is kept.
const NEXTEST: &str = "0.9.143";

/// The server that imitates S3, and where it goes: [`crate::python`] says how.
const MOTO: &str = "moto[server]==5.2.5";
const MOTO_FOLDER: &str = "target/moto";

/// The server that imitates Azure's storage, and where it goes.
const AZURITE: &str = "3.35.0";
const AZURITE_FOLDER: &str = "target/azurite";

/// Drivers of databases by Apache Arrow's interface, and where they go.
const ADBC: &str = "adbc-driver-sqlite==1.13.0 adbc-driver-postgresql==1.13.0";
const ADBC_FOLDER: &str = "target/adbc";

/// DuckDB, whose library is such a driver too, and where it goes.
const DUCKDB: &str = "1.5.6-r.1";
const DUCKDB_FOLDER: &str = "target/duckdb";
const DUCKDB_PACKAGE: &str = if cfg!(target_arch = "aarch64") {
    "@duckdb/node-bindings-linux-arm64"
} else {
    "@duckdb/node-bindings-linux-x64"
};

const CLUSTERS: &str = "/etc/postgresql-common/createcluster.conf";

/// Where Debian has MariaDB's server: not on everybody's path.
const DEBIAN_MARIADBD: &str = "/usr/sbin/mariadbd";

/// What keeps the packages of a machine from starting servers as they are installed (Debian Policy, section 9.3.3).
const NO_SERVERS: &str = "/usr/sbin/policy-rc.d";

/// Something that tests need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// The test runner.
    Nextest,
    /// PostgreSQL's server programs: tests start a server of their own in a temporary folder.
    Postgres,
    /// MariaDB's server programs, for the same.
    MariaDb,
    /// A server that imitates S3, for the same.
    Moto,
    /// A server that imitates Azure's storage, for the same: 190 MB, so it is fetched only where it is asked for.
    Azurite,
    /// Drivers of databases that sources of type `adbc` are tried with.
    Adbc,
    /// DuckDB as such a driver: 70 MB.
    DuckDb,
    /// The library that gives tests another clock.
    Faketime,
    /// A browser, and the driver that tests speak to it through.
    Chromium,
    /// What finds pages that some people cannot use, run in that browser.
    Axe,
}

/// Whether missing things may be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Asked for with `--install`.
    Asked,
    /// Only if this is a machine where nobody is surprised: root on a Debian-like system.
    WhereHarmless,
}

impl Need {
    /// All of them.
    pub(crate) const ALL: [Self; 10] = [
        Self::Nextest,
        Self::Postgres,
        Self::MariaDb,
        Self::Moto,
        Self::Azurite,
        Self::Adbc,
        Self::DuckDb,
        Self::Faketime,
        Self::Chromium,
        Self::Axe,
    ];

    /// Those of tests with the machine's clock.
    pub(crate) const USUAL: [Self; 4] = [Self::Nextest, Self::Postgres, Self::MariaDb, Self::Moto];

    /// Those of pages in a browser.
    pub(crate) const BROWSER: [Self; 2] = [Self::Chromium, Self::Axe];

    /// What it is called in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nextest => "cargo-nextest",
            Self::Postgres => "PostgreSQL's server programs",
            Self::MariaDb => "MariaDB's server programs",
            Self::Moto => "moto",
            Self::Azurite => "Azurite",
            Self::Adbc => "the ADBC drivers of SQLite and PostgreSQL",
            Self::DuckDb => "DuckDB's library",
            Self::Faketime => "libfaketime",
            Self::Chromium => "Chromium with chromedriver",
            Self::Axe => "axe-core",
        }
    }

    /// How somebody installs it by hand.
    pub(crate) fn remedy(self) -> String {
        match self {
            Self::Nextest => format!("cargo install cargo-nextest --version {NEXTEST} --locked"),
            Self::Postgres => "apt-get install postgresql, or `cargo xtask test --install`".to_owned(),
            Self::MariaDb => "apt-get install mariadb-server, or `cargo xtask test --install`".to_owned(),
            Self::Moto => {
                format!(
                    "python3 with its module venv, then `cargo xtask test --install`; or pip install {MOTO}"
                )
            }
            Self::Adbc => "python3 with its module venv; then `cargo xtask install`".to_owned(),
            Self::Azurite | Self::DuckDb => "install npm; then `cargo xtask install`".to_owned(),
            Self::Faketime => "apt-get install libfaketime, or `cargo xtask install`".to_owned(),
            Self::Chromium => "apt-get install chromium chromium-driver, or `cargo xtask install`".to_owned(),
            Self::Axe => browser::AXE_REMEDY.to_owned(),
        }
    }

    /// Whether it comes from a registry of packages, so that not every machine can have it.
    fn is_package(self) -> bool {
        matches!(self, Self::Moto | Self::Azurite | Self::Adbc | Self::DuckDb)
    }

    /// Whether it is there.
    pub(crate) fn is_met(self) -> bool {
        match self {
            Self::Nextest => child::succeeds(child::cargo().args(["nextest", "--version"])),
            Self::Postgres => {
                debian_postgres()
                    || child::on_path("initdb").is_some_and(|file| file.with_file_name("pg_ctl").is_file())
            }
            Self::MariaDb => {
                child::on_path("mariadb-install-db").is_some()
                    && (Path::new(DEBIAN_MARIADBD).is_file() || child::on_path("mariadbd").is_some())
            }
            Self::Moto => {
                child::on_path("moto_server").is_some() || python::is_there(&root().join(MOTO_FOLDER), MOTO)
            }
            Self::Azurite => azurite_is_there(),
            Self::Adbc => python::is_there(&root().join(ADBC_FOLDER), ADBC),
            Self::DuckDb => duckdb_folder().join("libduckdb.so").is_file(),
            Self::Faketime => clock::library().is_some(),
            Self::Chromium => browser::is_there(),
            Self::Axe => browser::axe_is_there(),
        }
    }

    fn install(self) -> Result<()> {
        say::talk(&format!("installing {}", self.name()));
        match self {
            Self::Nextest => install_nextest(),
            Self::Postgres => install_postgres(),
            Self::MariaDb => install_mariadb(),
            Self::Moto => python::install(&root().join(MOTO_FOLDER), MOTO),
            Self::Azurite => npm(AZURITE_FOLDER, &format!("azurite@{AZURITE}")),
            Self::Adbc => python::install(&root().join(ADBC_FOLDER), ADBC),
            Self::DuckDb => npm(DUCKDB_FOLDER, &format!("{DUCKDB_PACKAGE}@{DUCKDB}")),
            Self::Faketime => install_faketime(),
            Self::Chromium => browser::install(),
            Self::Axe => browser::install_axe(),
        }
        .with_context(|| format!("installing {}", self.name()))
    }
}

/// `cargo xtask install`
pub(crate) fn run(arguments: Arguments) -> Result<()> {
    arguments.nothing_left()?;
    let (packages, required): (Vec<_>, Vec<_>) = Need::ALL.into_iter().partition(|need| need.is_package());
    let missing = prepare(&required, Permission::Asked)?;
    if let Some(need) = missing.first() {
        bail!("{} is missing: {}", need.name(), need.remedy());
    }
    let missing = prepare(&packages, Permission::WhereHarmless)?;
    for need in &missing {
        say::talk(&format!("tests that need {} will be skipped; {}", need.name(), need.remedy()));
    }
    if missing.is_empty() {
        say::line("everything that tests need is there");
    }
    Ok(())
}

/// Installs what is missing of these where that is permitted; returns what is missing still.
///
/// Fails only where installing was asked for: otherwise the tests run without.
pub(crate) fn prepare(needs: &[Need], permission: Permission) -> Result<Vec<Need>> {
    let mut missing: Vec<Need> = needs.iter().copied().filter(|need| !need.is_met()).collect();
    if permission == Permission::Asked || (is_root() && is_debian()) {
        for need in &missing {
            match (need.install(), permission) {
                (Ok(()), _) => {}
                (Err(error), Permission::Asked) => return Err(error),
                (Err(error), Permission::WhereHarmless) => say::talk(&format!("{error:#}")),
            }
        }
        missing.retain(|need| !need.is_met());
    }
    Ok(missing)
}

/// Debian keeps PostgreSQL's server programs off PATH, one folder a version.
fn debian_postgres() -> bool {
    let Ok(versions) = fs::read_dir("/usr/lib/postgresql") else { return false };
    versions.filter_map(Result::ok).any(|version| version.path().join("bin/initdb").is_file())
}

fn install_nextest() -> Result<()> {
    // A test runner need not be fast itself: with less optimization it is there in half the time.
    let mut cargo = child::cargo();
    cargo
        .args(["install", "cargo-nextest", "--version", NEXTEST, "--locked"])
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    child::run(&mut cargo)
}

fn install_postgres() -> Result<()> {
    if !is_debian() {
        bail!("only Debian-like systems are known here; install PostgreSQL's server programs by hand");
    }
    apt_get(&["update"])?;
    apt_get(&["install", "-y", "--no-install-recommends", "postgresql-common"])?;
    make_no_cluster()?;
    apt_get(&["install", "-y", "--no-install-recommends", "postgresql"])
}

fn install_mariadb() -> Result<()> {
    if !is_debian() {
        bail!("only Debian-like systems are known here; install MariaDB's server programs by hand");
    }
    apt_get(&["update"])?;
    without_servers(|| apt_get(&["install", "-y", "--no-install-recommends", "mariadb-server"]))
}

fn azurite_is_there() -> bool {
    let program = root().join(AZURITE_FOLDER).join("node_modules/.bin/azurite-blob");
    program.is_file() || child::on_path("azurite-blob").is_some()
}

fn duckdb_folder() -> PathBuf {
    root().join(DUCKDB_FOLDER).join("node_modules").join(DUCKDB_PACKAGE)
}

/// Installs a package of npm in a folder of its own.
fn npm(folder: &str, package: &str) -> Result<()> {
    let Some(npm) = child::on_path("npm") else { bail!("there is no npm") };
    let folder = root().join(folder);
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let mut npm = child::program(npm);
    npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]);
    child::run(npm.arg("--prefix").arg(folder).arg(package))
}

/// The package would start a server; tests want the programs alone. Where the machine has a rule of its own, that one holds.
fn without_servers(install: impl FnOnce() -> Result<()>) -> Result<()> {
    if Path::new(NO_SERVERS).exists() {
        return install();
    }
    let write = format!("printf '#!/bin/sh\nexit 101\n' >{NO_SERVERS} && chmod 755 {NO_SERVERS}");
    child::run(as_root("sh").args(["-c", &write]))?;
    let installed = install();
    child::run(as_root("rm").arg(NO_SERVERS))?;
    installed
}

fn install_faketime() -> Result<()> {
    if !is_debian() {
        bail!("only Debian-like systems are known here; install libfaketime by hand");
    }
    apt_get(&["update"])?;
    apt_get(&["install", "-y", "--no-install-recommends", "libfaketime"])
}

/// The package would create a cluster and start it; tests want the programs alone.
fn make_no_cluster() -> Result<()> {
    const SET: &str = r"s/^\s*#?\s*create_main_cluster\s*=.*$/create_main_cluster = false/";
    child::run(as_root("sed").args(["-E", "-i", SET, CLUSTERS]))
}

fn apt_get(words: &[&str]) -> Result<()> {
    child::run(as_root("env").args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]).args(words))
}

/// The program as root: itself, or through sudo, which may ask.
fn as_root(name: &str) -> std::process::Command {
    if is_root() {
        return child::program(name);
    }
    let mut sudo = child::program("sudo");
    sudo.arg(name);
    sudo
}

fn is_debian() -> bool {
    Path::new("/etc/debian_version").exists() && child::on_path("apt-get").is_some()
}

fn is_root() -> bool {
    child::output(child::program("id").arg("-u")).is_ok_and(|user| user.trim() == "0")
}
