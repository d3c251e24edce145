//! A MariaDB server of a test's own. [`crate::programs`] finds the programs, [`crate::server`] holds the server.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::programs::{MARIADB_USER, as_user, mariadb};
use crate::server::{Error, Keeper, ask, say_skipped};

/// Makes the folder, starts the server, says so, waits until nobody needs it any more, and leaves nothing behind.
///
/// A server that starts removes the temporary tables of others in the same folder: each has its own.
const SCRIPT: &str = r#"
folder=$1; port=$2; server=$3; certificate=$4; key=$5
mkdir -m 700 "$folder" || exit 1
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/temporary"
export TMPDIR="$folder/temporary"
small="--innodb-log-file-size=4M --innodb-buffer-pool-size=16M --innodb-flush-method=nosync"
set --
if [ -n "$certificate" ]; then
    printf %s "$certificate" >"$folder/certificate.pem"
    printf %s "$key" >"$folder/key.pem"
    set -- --ssl-cert="$folder/certificate.pem" --ssl-key="$folder/key.pem"
fi
mariadb-install-db --no-defaults $small --datadir="$folder/data" --auth-root-authentication-method=normal \
    --skip-test-db --skip-name-resolve >"$folder/start" 2>&1 </dev/null || { cat "$folder/start"; exit 1; }
"$server" --no-defaults $small --datadir="$folder/data" --port="$port" --bind-address=127.0.0.1 \
    --socket="$folder/socket" --pid-file="$folder/pid" --skip-name-resolve --default-time-zone=+05:00 \
    --character-set-server=utf8mb4 --innodb-flush-log-at-trx-commit=0 "$@" >"$folder/log" 2>&1 </dev/null &
pid=$!
until mariadb-admin --no-defaults --socket="$folder/socket" -u root ping >/dev/null 2>&1; do
    kill -0 $pid 2>/dev/null || { cat "$folder/log"; exit 1; }
    sleep 0.05
done
echo ready
cat >/dev/null
kill -KILL $pid 2>/dev/null
wait
"#;

/// The certificate of the authority that signed the certificate of each [`MariaDb`] that speaks TLS, which is for `localhost` by name
/// alone. Its key was thrown away.
pub const MARIADB_AUTHORITY: &str = include_str!("mariadb/authority.pem");

const CERTIFICATE: &str = include_str!("mariadb/certificate.pem");
const KEY: &str = include_str!("mariadb/key.pem");

/// A running MariaDB server, in a time zone five hours from UTC, with a database `shop` and a superuser `root` who needs no password.
#[derive(Debug)]
pub struct MariaDb {
    keeper: Keeper,
}

impl MariaDb {
    /// Starts a server; about four seconds. `None` where the server programs are not installed or `COHO_TEST_MARIADB=off`.
    pub fn start() -> Result<Option<Self>, Error> {
        Self::start_with("", "")
    }

    /// The same, and says on standard error which test is skipped where there is no server.
    pub fn start_or_skip(test: &str) -> Result<Option<Self>, Error> {
        Self::told(test, Self::start()?)
    }

    /// A server that speaks TLS, with a certificate that [`MARIADB_AUTHORITY`] signed.
    pub fn start_with_tls_or_skip(test: &str) -> Result<Option<Self>, Error> {
        Self::told(test, Self::start_with(CERTIFICATE, KEY)?)
    }

    fn told(test: &str, server: Option<Self>) -> Result<Option<Self>, Error> {
        if server.is_none() {
            say_skipped("MariaDB's server programs are", test)?;
        }
        Ok(server)
    }

    fn start_with(certificate: &str, key: &str) -> Result<Option<Self>, Error> {
        let Some(program) = mariadb() else { return Ok(None) };
        let shell = || as_user(MARIADB_USER, "/bin/sh".as_ref());
        let arguments: [&OsStr; 3] = [program.as_os_str(), certificate.as_ref(), key.as_ref()];
        let keeper = Keeper::start(shell, "mariadb", SCRIPT, &arguments)?;
        let server = Self { keeper };
        server.sql_in("mysql", "CREATE DATABASE shop")?;
        Ok(Some(server))
    }

    /// The URL of the database `shop`.
    pub fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}/shop?sslmode=disable", self.port())
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.keeper.port()
    }

    /// The socket on this machine.
    pub fn socket(&self) -> PathBuf {
        self.folder().join("socket")
    }

    /// Runs statements in the database `shop`; gives the rows' text, columns separated by tabs.
    pub fn sql(&self, sql: &str) -> Result<String, Error> {
        self.sql_in("shop", sql)
    }

    fn sql_in(&self, database: &str, sql: &str) -> Result<String, Error> {
        let mut command = as_user(MARIADB_USER, "mariadb".as_ref());
        command.args(["--no-defaults", "--skip-column-names", "--batch", "--default-character-set=utf8mb4"]);
        command.args(["-u", "root", "--socket"]).arg(self.socket()).arg(database);
        ask(&mut command, "mariadb", sql)
    }

    /// Kills the server at once, as a crash or a lost machine would: clients see their connections break.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.keeper.stop()
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
        let Some(mut server) = MariaDb::start_or_skip("a_server_answers").unwrap() else { return };
        server.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)").unwrap();
        assert_eq!(server.sql("SELECT sum(a), 'é' FROM t").unwrap(), "3\té");
        assert!(matches!(server.sql("SELECT * FROM nowhere"), Err(Error::Statement(_))));
        server.stop().unwrap();
        assert!(!server.folder().exists());
    }
}
