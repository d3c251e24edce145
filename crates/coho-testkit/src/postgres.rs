//! A PostgreSQL server of a test's own. [`crate::programs`] finds the programs, [`crate::server`] holds the server.

use std::path::Path;

use crate::programs::{POSTGRES_USER, Programs, as_user};
use crate::server::{Error, Keeper, ask, say_skipped};

/// Makes the folder, starts the server, says so, waits until nobody needs it any more, and leaves nothing behind.
///
/// What a query says of a moment's day depends on the server's zone, which would else be the machine's.
const SCRIPT: &str = r#"
folder=$1; port=$2; bin=$3
mkdir -m 700 "$folder" || exit 1
trap 'rm -rf "$folder"' EXIT
{
    "$bin/initdb" --no-sync --no-instructions -A trust -U postgres -E UTF8 --locale=C -D "$folder/data" &&
    sed -i '1i host all protected all scram-sha-256' "$folder/data/pg_hba.conf" &&
    "$bin/pg_ctl" start -w -t 60 -D "$folder/data" -l "$folder/log" \
        -o "-p $port -h 127.0.0.1 -k '$folder' -c timezone=UTC \
            -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
} >"$folder/start" 2>&1 </dev/null
if [ $? -ne 0 ]; then cat "$folder/start" "$folder/log" 2>/dev/null; exit 1; fi
echo ready
cat >/dev/null
"$bin/pg_ctl" stop -m immediate -D "$folder/data" >/dev/null 2>&1
"#;

/// A running PostgreSQL server with a superuser `postgres` who needs no password.
///
/// A role named `protected`, where a test makes one, must give its password.
#[derive(Debug)]
pub struct Postgres {
    keeper: Keeper,
    programs: Programs,
}

impl Postgres {
    /// Starts a server; about a second. `None` where the server programs are not installed or `COHO_TEST_POSTGRES=off`.
    pub fn start() -> Result<Option<Self>, Error> {
        let Some(programs) = Programs::find() else { return Ok(None) };
        let shell = || as_user(POSTGRES_USER, "/bin/sh".as_ref());
        let keeper = Keeper::start(shell, "postgres", SCRIPT, &[programs.folder().as_os_str()])?;
        Ok(Some(Self { keeper, programs }))
    }

    /// The same, and says on standard error which test is skipped where there is no server.
    pub fn start_or_skip(test: &str) -> Result<Option<Self>, Error> {
        let server = Self::start()?;
        if server.is_none() {
            say_skipped("PostgreSQL's server programs are", test)?;
        }
        Ok(server)
    }

    /// The URL of the database `postgres`.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The URL of a database by its name.
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}?sslmode=disable", self.port())
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.keeper.port()
    }

    /// Runs statements in the database `postgres`; gives the rows' text, columns separated by `|`.
    pub fn psql(&self, sql: &str) -> Result<String, Error> {
        self.psql_in("postgres", sql)
    }

    /// Runs statements in a database by its name; the first that fails ends it.
    pub fn psql_in(&self, database: &str, sql: &str) -> Result<String, Error> {
        let mut command = self.programs.command("psql");
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d"]).arg(self.url_of(database));
        ask(&mut command, "psql", sql)
    }

    /// Makes an empty database and gives its URL.
    pub fn create_database(&self, name: &str) -> Result<String, Error> {
        self.psql(&format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\"")))?;
        Ok(self.url_of(name))
    }

    /// Kills the server at once, as a crash or a lost machine would: clients see their connections break.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.keeper.stop()
    }

    /// Kills the server as a crash would, and starts it again with its data: what it had said to be committed is there.
    pub fn crash_and_restart(&self) -> Result<(), Error> {
        let folder = self.folder();
        let mut command = self.programs.command("pg_ctl");
        command.args(["restart", "-w", "-t", "60", "-m", "immediate", "-D"]).arg(folder.join("data"));
        command.arg("-l").arg(folder.join("log"));
        ask(&mut command, "pg_ctl", "").map(drop)
    }

    /// The folder of this server: its data, its socket and its log.
    pub fn folder(&self) -> &Path {
        self.keeper.folder()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_answers_and_leaves_nothing_behind() {
        let Some(mut server) = Postgres::start_or_skip("a_server_answers").unwrap() else { return };
        let url = server.create_database("second").unwrap();
        assert!(url.ends_with("/second?sslmode=disable"));
        server.psql_in("second", "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2);").unwrap();
        assert_eq!(server.psql_in("second", "SELECT sum(a), 'x' FROM t").unwrap(), "3|x");
        assert!(matches!(server.psql("SELECT * FROM nowhere"), Err(Error::Statement(_))));
        server.stop().unwrap();
        assert!(!server.folder().exists());
    }
}
