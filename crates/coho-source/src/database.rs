//! What PostgreSQL and MySQL have in common: a model's query, the layout of its rows, and advice that is worded once.

use coho_core::model::Relation;
use coho_core::row::{ColumnType, DuplicateColumn};
use coho_core::secret::address;

use crate::outline::{Found, Layout};
use crate::read::{SourceError, unnamed};
use crate::table::TableName;
use crate::unsafe_type::{Remedy, UnsafeColumn, UnsafeValue};

/// Advice that does not depend on the kind of server.
pub(crate) mod advice {
    /// Where the server does not answer.
    pub(crate) const UNREACHABLE: &str =
        "check the host and port in the source's `url`, and that this machine can reach the server";
    /// Where the server is not trusted.
    pub(crate) const UNTRUSTED: &str = "the server's certificate must name the host and be signed by an authority that this machine (or the file in SSL_CERT_FILE) trusts; `sslmode=disable` in the `url` connects without TLS";
    /// Where the server cannot encrypt.
    pub(crate) const NO_TLS: &str =
        "enable TLS on the server, or connect without it: `sslmode=prefer` or `sslmode=disable` in the `url`";
    /// Where the database does not exist.
    pub(crate) const DATABASE: &str = "check the database's name at the end of the source's `url`";
    /// Where a statement would write.
    pub(crate) const ONLY_READS: &str = "Coho only reads: write a query";
    /// Where the time limit ended a query.
    pub(crate) const TIME_LIMIT: &str = "make the query faster, or raise the source's `statement_timeout`";
    /// Where the server has too many connections.
    pub(crate) const CONNECTIONS: &str =
        "the server is out of connections: try again later, or raise `max_connections`";
    /// Where the connection broke.
    pub(crate) const LOST: &str = "run again: Coho used none of the rows that it read";
    /// Where the model has more than one statement.
    pub(crate) const MANY_STATEMENTS: &str = "keep one query in the model";
    /// Where the model is no query.
    pub(crate) const NO_COLUMNS: &str = "write the model as one query: `SELECT … FROM …`";
    /// Where the model has a parameter.
    pub(crate) const PARAMETER: &str = "write the value itself: models have no parameters";

    /// Where the URL is not one.
    pub(crate) fn url(begin: &str, end: &str) -> String {
        format!(
            "write it as `{begin}user:password@host{end}/database?sslmode=require`; characters such as `@`, `:`, `/`, `?`, `#` \
             and `%` in the password are percent-encoded"
        )
    }

    /// Where a character of the password ends it.
    pub(crate) fn password(reserved: char) -> String {
        format!("write `{}` instead of each `{reserved}` in the password", super::address::encoded(reserved))
    }
}

/// The query of a model on a server of this kind, which reads a whole table in its own way.
pub(crate) fn sql(
    relation: &Relation,
    connection: &'static str,
    select_all: impl FnOnce(&str) -> Result<String, TableName>,
) -> Result<String, SourceError> {
    match relation {
        Relation::Sql(sql) => Ok(sql.text.clone()),
        Relation::Table(name) => Ok(select_all(name)?),
        Relation::Dbt(dbt) => unnamed(dbt.select_all()),
        Relation::File { .. } => Err(SourceError::Relation { relation: "file", connection }),
    }
}

/// Whether a person wrote the model's SQL: else a place in it helps nobody.
pub(crate) fn is_written(relation: &Relation) -> bool {
    match relation {
        Relation::Sql(_) | Relation::File { .. } => true,
        Relation::Table(_) | Relation::Dbt(_) => false,
    }
}

/// Why a type has no form: its name, and the cast to write.
pub(crate) struct NoForm {
    pub(crate) kind: String,
    pub(crate) cast: String,
}

/// The layout of a query's rows, from the names of its fields and the types that Coho declares for them.
pub(crate) fn layout(
    relation: &Relation,
    fields: impl Iterator<Item = (String, Result<ColumnType, NoForm>)>,
) -> Result<Layout, DuplicateColumn> {
    let found = fields.map(|(name, kind)| {
        let kind = kind.map_err(|NoForm { kind, cast }| UnsafeColumn { column: name.clone(), kind, cast });
        Found { name, kind }
    });
    Layout::of(found.collect(), Remedy::of(relation), None)
}

/// A value that has no form: its column and row, and the cast to write for a column of this name.
pub(crate) fn refuse_value(
    layout: &Layout,
    column: usize,
    row: u64,
    what: impl Into<String>,
    cast: impl FnOnce(&str) -> String,
    remedy: Remedy,
) -> SourceError {
    let column = layout.outline.columns().names().nth(column).unwrap_or_default().to_owned();
    let cast = cast(&column);
    Box::new(UnsafeValue { column, row, what: what.into(), cast, remedy }).into()
}
