//! The engines behind drivers: how each quotes names and writes casts, and what its drivers are called and come from.

use super::frame::{Query, Report, Step};
use super::statement::{Strings, scan};
use crate::table::quote;

/// Which engine a driver leads to, as far as its SQL differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Bigquery,
    Duckdb,
    Mysql,
    Postgres,
    Snowflake,
    Spark,
    Sqlite,
    /// One whose SQL is taken for the standard's.
    Other,
}

/// How the columns of a query are known without running it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Describing {
    /// The driver announces them, if it can.
    Driver,
    /// A query around it gives one row: what the driver announces without one is something else.
    OneRow,
    /// A query around it gives no rows. So nothing runs that is not a query, whatever words it begins with.
    NoRows,
    /// A query around it gives a row of nulls: the driver announces no columns where there are no rows.
    RowOfNulls,
}

impl Engine {
    /// By a name: the driver's, or that which it gives the engine.
    pub(crate) fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let known = [
            ("bigquery", Self::Bigquery),
            ("duckdb", Self::Duckdb),
            ("mysql", Self::Mysql),
            ("mariadb", Self::Mysql),
            ("postgres", Self::Postgres),
            ("redshift", Self::Postgres),
            ("snowflake", Self::Snowflake),
            ("spark", Self::Spark),
            ("databricks", Self::Spark),
            ("sqlite", Self::Sqlite),
        ];
        known.into_iter().find(|(part, _)| name.contains(part)).map_or(Self::Other, |(_, engine)| engine)
    }

    /// A name, quoted.
    pub(crate) fn quote(self, name: &str) -> String {
        match self {
            Self::Bigquery => format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`")),
            Self::Mysql | Self::Spark => format!("`{}`", name.replace('`', "``")),
            Self::Duckdb | Self::Postgres | Self::Snowflake | Self::Sqlite | Self::Other => quote(name),
        }
    }

    /// A name as a person would write it: quoted only where it must be.
    fn identifier(self, name: &str) -> String {
        let is_letter = |byte: u8| match self {
            Self::Snowflake => byte.is_ascii_uppercase(),
            Self::Postgres | Self::Other => byte.is_ascii_lowercase(),
            Self::Bigquery | Self::Duckdb | Self::Mysql | Self::Spark | Self::Sqlite => {
                byte.is_ascii_alphabetic()
            }
        };
        let begins = name.bytes().next().is_some_and(|byte| is_letter(byte) || byte == b'_');
        let is_plain =
            begins && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit() || byte == b'_');
        if is_plain { name.to_owned() } else { self.quote(name) }
    }

    /// The SQL that makes a column text.
    pub(crate) fn text(self, column: &str) -> String {
        let c = self.identifier(column);
        let text = match self {
            Self::Bigquery | Self::Spark => "STRING",
            Self::Mysql => "CHAR",
            Self::Sqlite => "TEXT",
            Self::Duckdb | Self::Postgres | Self::Snowflake | Self::Other => "VARCHAR",
        };
        format!("CAST({c} AS {text}) AS {c}")
    }

    /// The SQL that makes a column of bytes text.
    pub(crate) fn encoded(self, column: &str) -> String {
        let c = self.identifier(column);
        match self {
            Self::Bigquery | Self::Duckdb | Self::Mysql => format!("to_base64({c}) AS {c}"),
            Self::Postgres => format!("encode({c}, 'base64') AS {c}"),
            Self::Snowflake => format!("BASE64_ENCODE({c}) AS {c}"),
            Self::Spark => format!("base64({c}) AS {c}"),
            Self::Sqlite => format!("hex({c}) AS {c}"),
            Self::Other => self.text(column),
        }
    }

    /// The SQL that makes what is nested text.
    pub(crate) fn written(self, column: &str) -> String {
        if self == Self::Bigquery {
            let c = self.identifier(column);
            return format!("TO_JSON_STRING({c}) AS {c}");
        }
        self.text(column)
    }

    /// A model's query: of its SQL the one statement.
    pub(crate) fn sql(self, query: &Query) -> Result<String, Report> {
        match query {
            Query::Sql(sql) => {
                let found = scan(sql, self.strings());
                let stop = |step| Err(Report { step, message: found.word.clone(), ..Report::default() });
                if found.has_more {
                    return stop(Step::Statements);
                }
                if found.is_query() { Ok(found.statement.to_owned()) } else { stop(Step::Word) }
            }
            Query::Table(parts) => {
                let quoted: Vec<String> = parts.iter().map(|part| self.quote(part)).collect();
                Ok(format!("SELECT * FROM {}", quoted.join(".")))
            }
        }
    }

    /// What begins and ends a transaction in which all statements see one state; none where the engine has no such transaction, or is
    /// never asked more than one statement.
    pub(crate) fn snapshot(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Duckdb => Some(("BEGIN TRANSACTION", "ROLLBACK")),
            Self::Bigquery
            | Self::Mysql
            | Self::Postgres
            | Self::Snowflake
            | Self::Spark
            | Self::Sqlite
            | Self::Other => None,
        }
    }

    /// How the columns of a query are known without running it.
    fn describing(self) -> Describing {
        match self {
            // Its driver takes a moment without a zone for one in UTC; and JSON for text, even in a result without rows.
            Self::Snowflake => Describing::OneRow,
            Self::Spark => Describing::NoRows,
            Self::Bigquery => Describing::RowOfNulls,
            Self::Duckdb | Self::Mysql | Self::Postgres | Self::Sqlite | Self::Other => Describing::Driver,
        }
    }

    /// Whether a query is described before it runs: where it would run whatever it is, or says nothing of columns without rows.
    pub(crate) fn describes_first(self) -> bool {
        match self.describing() {
            Describing::NoRows | Describing::RowOfNulls => true,
            Describing::Driver | Describing::OneRow => false,
        }
    }

    /// A query around a query that says its columns; none where the driver says them by itself.
    pub(crate) fn description(self, sql: &str) -> Option<String> {
        let limited = |most| format!("SELECT * FROM (\n{sql}\n) AS coho LIMIT {most}");
        match self.describing() {
            Describing::Driver => None,
            Describing::OneRow => Some(limited(1)),
            Describing::NoRows => Some(limited(0)),
            // BigQuery joins so where two columns are equal, and not on a condition that is always true.
            Describing::RowOfNulls => Some(format!(
                "SELECT coho.* EXCEPT (coho_two) FROM (SELECT 1 AS coho_one) AS one LEFT JOIN (SELECT *, 2 AS coho_two FROM (\n{sql}\n) AS m \
                 WHERE FALSE) AS coho ON one.coho_one = coho.coho_two"
            )),
        }
    }

    /// Whether its driver ends as after the last row where rows were lost on their way.
    pub(crate) fn loses_rows(self) -> bool {
        self == Self::Bigquery
    }

    /// Whether a query can be another one's subquery.
    pub(crate) fn is_subquery(self, sql: &str) -> bool {
        !["SHOW", "DESCRIBE"].contains(&scan(sql, self.strings()).word.as_str())
    }

    /// How it writes strings.
    pub(crate) fn strings(self) -> Strings {
        match self {
            Self::Bigquery => {
                Strings { backslash: true, triple: true, comment: Some('#'), ..Strings::default() }
            }
            Self::Mysql => Strings { backslash: true, comment: Some('#'), ..Strings::default() },
            Self::Spark => Strings { backslash: true, ..Strings::default() },
            Self::Snowflake => Strings { backslash: true, dollar: true, ..Strings::default() },
            Self::Duckdb | Self::Postgres | Self::Other => Strings { dollar: true, ..Strings::default() },
            Self::Sqlite => Strings::default(),
        }
    }

    /// Statements that make a session exact and read only, and limit its statements to so many milliseconds. An engine that does
    /// not know them goes on without.
    pub(crate) fn settings(self, limit: Option<u64>) -> Vec<String> {
        let seconds = limit.map(|millis| millis.div_ceil(1_000).max(1));
        let (first, second) = match self {
            Self::Postgres => (
                Some("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY".to_owned()),
                limit.map(|millis| format!("SET statement_timeout = {millis}")),
            ),
            Self::Sqlite => (Some("PRAGMA query_only = ON".to_owned()), None),
            Self::Mysql => (Some("SET SESSION TRANSACTION READ ONLY".to_owned()), None),
            Self::Snowflake => (
                None,
                seconds.map(|limit| format!("ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = {limit}")),
            ),
            // Without it, 2^128 - 1 comes as -1.
            Self::Duckdb => (Some("SET arrow_lossless_conversion = true".to_owned()), None),
            Self::Bigquery | Self::Spark | Self::Other => (None, None),
        };
        first.into_iter().chain(second).collect()
    }
}

/// How a driver of this name is installed: words with the line to type.
pub(crate) fn installation(driver: &str) -> Option<String> {
    const BY_DBC: [(&str, &str); 13] = [
        ("snowflake", "snowflake"),
        ("bigquery", "bigquery"),
        ("databricks", "databricks"),
        ("spark", "spark"),
        ("duckdb", "duckdb"),
        ("flightsql", "flightsql"),
        ("postgresql", "postgresql"),
        ("redshift", "redshift"),
        ("sqlite", "sqlite"),
        ("mysql", "mysql"),
        ("mssql", "mssql"),
        ("trino", "trino"),
        ("clickhouse", "clickhouse"),
    ];
    let (_, name) = BY_DBC.into_iter().find(|(name, _)| *name == driver)?;
    let pip = if name == "spark" { ", or `pip install adbc-driver-spark`" } else { "" };
    Some(format!("install the driver: `dbc install {name}` (https://docs.columnar.tech/dbc){pip}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts_are_written_as_the_engine_reads_them() {
        assert_eq!(Engine::of("Snowflake").text("PHOTO"), "CAST(PHOTO AS VARCHAR) AS PHOTO");
        assert_eq!(Engine::of("Snowflake").text("photo"), "CAST(\"photo\" AS VARCHAR) AS \"photo\"");
        assert_eq!(Engine::of("bigquery").encoded("a-b"), "to_base64(`a-b`) AS `a-b`");
        assert_eq!(Engine::of("Databricks").text("At"), "CAST(At AS STRING) AS At");
        assert_eq!(Engine::of("PostgreSQL").encoded("b"), "encode(b, 'base64') AS b");
        assert_eq!(Engine::of("dremio").text("b"), "CAST(b AS VARCHAR) AS b");
    }

    #[test]
    fn a_limit_is_told_in_the_engines_unit() {
        assert_eq!(
            Engine::Snowflake.settings(Some(1_500)),
            ["ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 2"]
        );
        assert_eq!(Engine::Snowflake.settings(None), Vec::<String>::new());
        assert_eq!(Engine::Postgres.settings(Some(1_500)).last().unwrap(), "SET statement_timeout = 1500");
    }
}
