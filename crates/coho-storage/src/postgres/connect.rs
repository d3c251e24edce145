//! How a server is reached: its address, TLS, and why no connection came about. Messages never contain the address.

use std::sync::Arc;
use std::time::Duration;

use coho_core::secret::address;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::Host;
use tokio_postgres::error::DbError;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::trust;

/// A server that does not answer at all is given up after this time, unless the address has another `connect_timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub enum ConnectFault {
    /// The address is not one. Its parts are not shown: they may be parts of a password.
    #[error("cannot read the connection URL")]
    Url,
    /// The password in the address has a character that ends it where it stands.
    #[error("the password in the connection URL contains an unencoded `{0}`")]
    Password(char),
    /// TLS cannot be set up in this program.
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),
    /// The server answered with an error.
    #[error("PostgreSQL at {server} refused the connection: {}", words.message())]
    Refused {
        /// Host, port and database.
        server: String,
        /// What it says.
        words: Box<DbError>,
    },
    /// There is no connection.
    #[error("cannot connect to PostgreSQL at {server}")]
    Unreachable {
        /// Host, port and database.
        server: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ConnectFault {
    /// What an error of connecting means.
    pub fn of(error: tokio_postgres::Error, server: String) -> Self {
        if let Some(words) = error.as_db_error() {
            return Self::Refused { server, words: Box::new(words.clone()) };
        }
        let words = error.to_string();
        let source = error.into_source().unwrap_or_else(|| words.into());
        Self::Unreachable { server, source }
    }
}

/// Reads an address. The parser's own words may repeat parts of it, and so of its password: they are left out.
pub fn config(url: &str) -> Result<Config, ConnectFault> {
    if let Some(reserved) = address::unencoded(url) {
        return Err(ConnectFault::Password(reserved));
    }
    let url =
        url.replace("sslmode=verify-full", "sslmode=require").replace("sslmode=verify-ca", "sslmode=require");
    let mut config: Config = url.parse().map_err(|_: tokio_postgres::Error| ConnectFault::Url)?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(ConnectFault::Url);
    }
    Ok(config)
}

/// `host:port/database`, for messages.
pub fn server(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        #[cfg(unix)]
        Some(Host::Unix(path)) => path.display().to_string(),
        None => config.get_hostaddrs().first().map(ToString::to_string).unwrap_or_default(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    match config.get_dbname() {
        Some(database) => format!("{host}:{port}/{database}"),
        None => format!("{host}:{port}"),
    }
}

/// TLS. With no certificate in the system's store, every server's certificate is refused: that is said when one comes.
pub fn connector() -> Result<MakeRustlsConnect, ConnectFault> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(trust::certificates());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(ConnectFault::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::SslMode;

    use super::*;

    #[test]
    fn a_url_that_cannot_be_read_is_not_repeated() {
        let error = config("postgres://u:hunter2@h:hunter2/d").unwrap_err();
        assert_eq!(error.to_string(), "cannot read the connection URL");
        assert!(std::error::Error::source(&error).is_none());
    }

    #[test]
    fn verification_is_what_require_means() {
        for mode in ["require", "verify-ca", "verify-full"] {
            let config = config(&format!("postgres://u@h/d?sslmode={mode}")).unwrap();
            assert_eq!(config.get_ssl_mode(), SslMode::Require);
        }
    }
}
