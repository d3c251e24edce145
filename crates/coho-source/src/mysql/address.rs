//! A connection URL, read. Messages never repeat it: its parts may be parts of a password.

use std::time::Duration;

use coho_core::secret::address;
use mysql_async::{Opts, OptsBuilder};
use secrecy::ExposeSecret;

use super::refusal::MysqlError;
use crate::connection::{DatabaseServer, MysqlConnection};

/// A server that does not answer at all is given up after this time, unless the URL has another `connect_timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that carries nothing is asked after this time whether somebody is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Whether a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    /// Never.
    Disable,
    /// If the server can.
    Prefer,
    /// Always.
    Require,
}

impl MysqlConnection {
    /// Which database the address leads to, if it can be read.
    pub fn server(&self) -> Option<DatabaseServer> {
        Address::parse(self.url.expose_secret()).ok().map(|address| address.server)
    }
}

/// What a URL says.
#[derive(Clone, Debug)]
pub(super) struct Address {
    /// The server.
    pub(super) server: DatabaseServer,
    /// Everything about the connection but TLS.
    pub(super) options: OptsBuilder,
    pub(super) encryption: Encryption,
    pub(super) patience: Duration,
}

impl Address {
    /// Reads a URL.
    pub(super) fn parse(url: &str) -> Result<Self, MysqlError> {
        if let Some(reserved) = address::unencoded(url) {
            return Err(MysqlError::Password { reserved });
        }
        let rest = url.strip_prefix("mysql://").or_else(|| url.strip_prefix("mariadb://"));
        let rest = rest.ok_or(MysqlError::Url)?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let settings = Settings::parse(query)?;
        let parsed = Opts::from_url(&format!("mysql://{place}")).map_err(|_| MysqlError::Url)?;
        let host = parsed.ip_or_hostname().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err(MysqlError::Url);
        }
        let options = OptsBuilder::default()
            .ip_or_hostname(host.clone())
            .tcp_port(parsed.tcp_port())
            .user(parsed.user())
            .pass(parsed.pass())
            .db_name(parsed.db_name())
            .socket(settings.socket.clone())
            // Else a server of this machine would be left for its socket, where it may know one as somebody else.
            .prefer_socket(false)
            .stmt_cache_size(0)
            .tcp_keepalive(Some(KEEPALIVE))
            .connect_attribute("program_name", "coho");
        let encryption = if settings.socket.is_some() { Encryption::Disable } else { settings.encryption };
        let server = DatabaseServer {
            host: settings.socket.unwrap_or(host),
            port: parsed.tcp_port(),
            database: parsed.db_name().unwrap_or_default().to_owned(),
        };
        Ok(Self { server, options, encryption, patience: settings.patience })
    }

    /// `host:port/database`, for messages.
    pub(super) fn name(&self) -> String {
        let DatabaseServer { host, port, database } = &self.server;
        let place = if host.starts_with('/') { host.clone() } else { format!("{host}:{port}") };
        if database.is_empty() { place } else { format!("{place}/{database}") }
    }
}

/// What stands behind `?`.
struct Settings {
    encryption: Encryption,
    socket: Option<String>,
    patience: Duration,
}

impl Settings {
    fn parse(query: &str) -> Result<Self, MysqlError> {
        let mut settings = Self { encryption: Encryption::Prefer, socket: None, patience: CONNECT_TIMEOUT };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let is_known = match name.to_ascii_lowercase().replace('-', "_").as_str() {
                "sslmode" | "ssl_mode" => encryption(value).map(|it| settings.encryption = it).is_some(),
                "connect_timeout" => seconds(value).map(|it| settings.patience = it).is_some(),
                "socket" => path(value).map(|it| settings.socket = Some(it)).is_some(),
                _ => return Err(MysqlError::Setting { name: coho_core::value::preview(name) }),
            };
            if !is_known {
                return Err(MysqlError::SettingValue { name: name.to_owned() });
            }
        }
        Ok(settings)
    }
}

/// PostgreSQL's words, and MySQL's.
fn encryption(word: &str) -> Option<Encryption> {
    Some(match word.to_ascii_lowercase().replace('_', "-").as_str() {
        "disable" | "disabled" => Encryption::Disable,
        "prefer" | "preferred" => Encryption::Prefer,
        "require" | "required" | "verify-ca" | "verify-full" | "verify-identity" => Encryption::Require,
        _ => return None,
    })
}

fn seconds(text: &str) -> Option<Duration> {
    text.parse().ok().filter(|seconds| *seconds > 0).map(Duration::from_secs)
}

fn path(text: &str) -> Option<String> {
    let text = text.replace("%2F", "/").replace("%2f", "/");
    text.starts_with('/').then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> Address {
        Address::parse(url).unwrap()
    }

    #[test]
    fn a_url_names_its_server_and_who_asks() {
        let full =
            parsed("mysql://reader:s%40cret@db.example.com:3307/shop?sslmode=verify-full&connect_timeout=3");
        assert_eq!(full.name(), "db.example.com:3307/shop");
        assert_eq!((full.encryption, full.patience), (Encryption::Require, Duration::from_secs(3)));
        let options = Opts::from(full.options);
        assert_eq!((options.user(), options.pass()), (Some("reader"), Some("s@cret")));
        assert_eq!(parsed("mariadb://reader@db").name(), "db:3306");
        assert_eq!(parsed("mysql://reader@[::1]/shop").server.host, "::1");
        assert_eq!(
            parsed("mysql://reader@localhost/shop?socket=/run/mysqld.sock").name(),
            "/run/mysqld.sock/shop"
        );
    }

    #[test]
    fn words_of_both_databases_say_whether_to_encrypt() {
        for (word, meaning) in [
            ("sslmode=disable", Encryption::Disable),
            ("ssl-mode=DISABLED", Encryption::Disable),
            ("ssl_mode=preferred", Encryption::Prefer),
            ("sslmode=require", Encryption::Require),
            ("ssl-mode=VERIFY_IDENTITY", Encryption::Require),
            ("", Encryption::Prefer),
        ] {
            assert_eq!(parsed(&format!("mysql://u@h/d?{word}")).encryption, meaning, "{word}");
        }
    }

    #[test]
    fn a_url_that_cannot_be_read_is_not_repeated() {
        for url in [
            "postgres://u:hunter2@h/d",
            "mysql://u:hunter2@h:hunter2/d",
            "mysql://",
            "hunter2",
            "mysql:///hunter2",
        ] {
            let error = Address::parse(url).unwrap_err();
            assert_eq!(error.to_string(), "cannot read the connection URL", "{url}");
            assert!(std::error::Error::source(&error).is_none());
        }
        let unknown = Address::parse("mysql://u:p@h/d?charset=hunter2").unwrap_err();
        assert_eq!(unknown.to_string(), "the connection URL contains the unknown setting `charset`");
        let wrong = Address::parse("mysql://u:p@h/d?sslmode=hunter2").unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "the connection URL contains a value of `sslmode` that Coho does not know"
        );
    }
}
