//! Models that were taken over from dbt: their SQL has Jinja in it, which no database reads.

/// What to do about Jinja in SQL that a database could not read.
pub(crate) fn help(sql: &str) -> Option<String> {
    let (start, close) =
        ["{{", "{%", "{#"].into_iter().zip(["}}", "%}", "#}"]).find_map(|(open, close)| {
            let at = sql.find(open)?;
            Some((sql.get(at..)?, close))
        })?;
    let end = start.find(close).map_or(start.len(), |end| end + close.len());
    let found = coho_core::value::preview(start.get(..end).unwrap_or(start));
    let inner = start.trim_start_matches(['{', ' ', '-']);
    let instead = if inner.starts_with("ref") || inner.starts_with("source") {
        "write the name of the table or view it refers to, `schema.table`,"
    } else {
        "write its value,"
    };
    Some(format!("`{found}` is dbt syntax: {instead} or use the SQL that `dbt compile` writes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dbts_is_named() {
        assert_eq!(
            help("select * from {{ ref('orders') }} o").as_deref(),
            Some(
                "`{{ ref('orders') }}` is dbt syntax: write the name of the table or view it refers to, `schema.table`, or \
                 use the SQL that `dbt compile` writes"
            )
        );
        assert!(
            help("{% if x %} select 1").unwrap().starts_with("`{% if x %}` is dbt syntax: write its value,")
        );
        assert_eq!(help("select '{1,2}'"), None);
    }
}
