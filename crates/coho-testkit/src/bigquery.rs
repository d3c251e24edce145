//! A server of a test's own that imitates BigQuery: bqemulator, from PyPI, over DuckDB. [`crate::programs`] finds it,
//! [`crate::emulator`] starts it. The proxy through which BigQuery's driver reaches it is in `bigquery/start.py`.

use std::ffi::OsString;

use serde_json::{Value, json};

use crate::emulator::{Emulator, End};
use crate::programs::engine_python;
use crate::server::{Error, Keeper};

const BIGQUERY: Emulator = Emulator {
    name: "bqemulator, which comes with `cargo xtask test --engines`,",
    ready: "BigQuery can be asked",
    arguments: &["-c", include_str!("bigquery/start.py"), "PORT"],
    end: End::AtOnce,
};

/// The project and the dataset of all tables.
const PROJECT: &str = "shop";
const DATASET: &str = "main";

/// A running server, with tables in memory.
#[derive(Debug)]
pub struct BigQuery {
    keeper: Keeper,
}

impl BigQuery {
    /// Starts a server; about four seconds. `None` where bqemulator is not installed; it then says on standard error which test is
    /// skipped.
    pub fn start_or_skip(test: &str) -> Result<Option<Self>, Error> {
        let Some(keeper) = BIGQUERY.start_or_skip(engine_python("bigquery"), test)? else { return Ok(None) };
        let server = Self { keeper };
        server.call("datasets", &json!({ "datasetReference": { "datasetId": DATASET } }))?;
        Ok(Some(server))
    }

    /// What BigQuery's driver is told to connect to it. The proxy takes every token.
    pub fn options(&self) -> Vec<(&'static str, String)> {
        let user = json!({ "type": "authorized_user", "client_id": "a", "client_secret": "b", "refresh_token": "c" });
        let kind = "adbc.bigquery.sql.auth_type.json_credential_string".to_owned();
        vec![
            ("adbc.bigquery.sql.auth_type", kind),
            ("adbc.bigquery.sql.auth_credentials", user.to_string()),
            ("adbc.bigquery.sql.project_id", PROJECT.to_owned()),
            ("adbc.bigquery.sql.dataset_id", DATASET.to_owned()),
        ]
    }

    /// What a process needs in its environment so that the driver reaches the server: arguments of `env`.
    pub fn environment(&self) -> Vec<OsString> {
        let authority = self.keeper.folder().join("authority.pem");
        vec![
            format!("HTTPS_PROXY=http://127.0.0.1:{}", self.keeper.port()).into(),
            "NO_PROXY=".into(),
            "no_proxy=".into(),
            format!("SSL_CERT_FILE={}", authority.display()).into(),
        ]
    }

    /// Runs a statement, not through the driver.
    pub fn sql(&self, sql: &str) -> Result<(), Error> {
        let dataset = json!({ "projectId": PROJECT, "datasetId": DATASET });
        let asked = json!({ "query": sql, "useLegacySql": false, "defaultDataset": dataset });
        let answer = self.call("queries", &asked)?;
        match answer.get("errors") {
            Some(errors) => Err(Error::Statement(errors.to_string())),
            None => Ok(()),
        }
    }

    fn call(&self, path: &str, body: &Value) -> Result<Value, Error> {
        let line = format!("POST /bigquery/v2/projects/{PROJECT}/{path}");
        let header = "Content-Type: application/json\r\n";
        let answer = BIGQUERY.ask(self.keeper.port(), &line, header, body.to_string().as_bytes())?;
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        serde_json::from_str(body).map_err(|_| Error::Statement(answer.clone()))
    }
}
