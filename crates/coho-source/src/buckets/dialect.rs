//! What a database is asked, in its own words: texts with gaps, one table of them for each kind of database.
//!
//! A fingerprint must tell any two values apart that Coho tells apart, whatever the session's settings are: settings change the
//! text of values, and changing them would change what the model's own SQL means. So it is made of the bytes that the server
//! would send, each with its length.

/// The texts of one kind of database. `{…}` is a gap.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// Its name in messages.
    pub(crate) name: &'static str,
    /// A key of one column, as Coho writes it: `{column}`.
    pub(crate) key: &'static str,
    /// One of several columns of a key, as Coho writes it in a JSON array.
    pub(crate) key_part: &'static str,
    /// Before, between and behind those.
    pub(crate) key_array: [&'static str; 3],
    /// Each row with `k`, the beginning of its key's digest as a number of 32 bits, and `f`, its fingerprint. `{names}` are
    /// names for all columns of `{query}`, `{columns}` those that are read, with a comma before each, `{chosen}` which rows.
    pub(crate) cells: &'static str,
    /// The sums of all buckets of `{cells}`: bucket, rows, and the sums of both halves as text.
    pub(crate) sums: &'static str,
    /// The rows of `{cells}`: `k`, both halves of the fingerprint, and `{columns}`.
    pub(crate) rows: &'static str,
    /// Only those rows that have no bucket, or whose bucket has its bit in the first parameter.
    pub(crate) chosen: &'static str,
}

/// PostgreSQL. `record_send` gives each value in the binary form that the server sends to Coho, with its type and length.
/// `unnest` of one element keeps the planner from computing it twice, and still lets workers share the table.
pub(crate) static POSTGRES: Dialect = Dialect {
    name: "PostgreSQL",
    key: "{column}::text",
    key_part: "to_json({column}::text)::text",
    key_array: ["'[' || ", " || ',' || ", " || ']'"],
    cells: "SELECT k, unnest(ARRAY[md5(record_send(ROW(t{columns})))]) AS f{columns} FROM \
            (SELECT ('x' || left(md5(textsend(t)), 8))::bit(32)::int8 AS k, t{columns} FROM \
            (SELECT {key} AS t{columns} FROM (\n{query}\n) AS m ({names})) AS n) AS o{chosen}",
    sums: "SELECT (k >> {shift})::int4, count(*), sum(('x' || left(f, 16))::bit(64)::int8)::text, \
           sum(('x' || right(f, 16))::bit(64)::int8)::text FROM ({cells}) AS p GROUP BY 1",
    rows: "SELECT k, ('x' || left(f, 16))::bit(64)::int8, ('x' || right(f, 16))::bit(64)::int8{columns} FROM ({cells}) AS p",
    chosen: " WHERE k IS NULL OR get_bit($1::bytea, (k >> {shift})::int4) = 1",
};

/// A model's query, and which of its columns are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Compared<'a> {
    /// The query.
    pub(crate) query: &'a str,
    /// How many fields it has.
    pub(crate) fields: usize,
    /// Which of them are the key.
    pub(crate) key: Vec<usize>,
    /// Which of them are read besides.
    pub(crate) reads: Vec<usize>,
}

impl Dialect {
    /// The statement that sums up so many buckets, as a power of two.
    pub(crate) fn sums(&self, of: &Compared<'_>, bits: u8) -> String {
        fill(self.sums, &[("cells", &self.cells(of, "")), ("shift", &shift(bits))])
    }

    /// The statement that gives all rows; those of some buckets, where there are so many, as a power of two.
    pub(crate) fn rows(&self, of: &Compared<'_>, bits: Option<u8>) -> String {
        let chosen = bits.map(|bits| fill(self.chosen, &[("shift", &shift(bits))])).unwrap_or_default();
        fill(self.rows, &[("columns", &columns(of)), ("cells", &self.cells(of, &chosen))])
    }

    /// All texts, without what depends on a model.
    pub(crate) fn texts(&self) -> [&str; 8] {
        let [before, between, behind] = self.key_array;
        [self.name, self.key, self.key_part, before, between, behind, self.cells, self.sums]
    }

    fn cells(&self, of: &Compared<'_>, chosen: &str) -> String {
        let names: Vec<_> = (0..of.fields).map(name).collect();
        fill(
            self.cells,
            &[
                ("columns", &columns(of)),
                ("key", &self.key(&of.key)),
                ("query", of.query),
                ("names", &names.join(", ")),
                ("chosen", chosen),
            ],
        )
    }

    fn key(&self, key: &[usize]) -> String {
        let part = |text: &str, field: usize| fill(text, &[("column", &name(field))]);
        if let [only] = key {
            return part(self.key, *only);
        }
        let [before, between, behind] = self.key_array;
        let parts: Vec<_> = key.iter().map(|field| part(self.key_part, *field)).collect();
        format!("{before}{}{behind}", parts.join(between))
    }
}

/// The name of a field in these statements: what the model calls it may be nothing, or twice the same.
fn name(field: usize) -> String {
    format!("c{field}")
}

fn columns(of: &Compared<'_>) -> String {
    let names = of.reads.iter().map(|field| name(*field));
    names.flat_map(|name| [", ".to_owned(), name]).collect()
}

fn shift(bits: u8) -> String {
    32_u8.saturating_sub(bits).to_string()
}

/// Fills the gaps of a text, in one pass: what stands in a query is no gap.
fn fill(text: &str, gaps: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        filled.push_str(before);
        let (gap, behind) = behind.split_once('}').unwrap_or((behind, ""));
        let value = gaps.iter().find(|(name, _)| *name == gap).map(|(_, value)| *value);
        filled.push_str(value.unwrap_or_default());
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_its_texts_with_the_gaps_filled() {
        let of =
            Compared { query: "SELECT '{key}' AS a, 1", fields: 3, key: vec![0, 2], reads: vec![0, 1, 2] };
        let cells = "SELECT k, unnest(ARRAY[md5(record_send(ROW(t, c0, c1, c2)))]) AS f, c0, c1, c2 FROM \
            (SELECT ('x' || left(md5(textsend(t)), 8))::bit(32)::int8 AS k, t, c0, c1, c2 FROM \
            (SELECT '[' || to_json(c0::text)::text || ',' || to_json(c2::text)::text || ']' AS t, c0, c1, c2 \
            FROM (\nSELECT '{key}' AS a, 1\n) AS m (c0, c1, c2)) AS n) AS o \
            WHERE k IS NULL OR get_bit($1::bytea, (k >> 22)::int4) = 1";
        let rows = format!(
            "SELECT k, ('x' || left(f, 16))::bit(64)::int8, ('x' || right(f, 16))::bit(64)::int8, c0, c1, c2 \
             FROM ({cells}) AS p"
        );
        assert_eq!(POSTGRES.rows(&of, Some(10)), rows);
        assert!(POSTGRES.sums(&of, 16).contains("(k >> 16)::int4"));
        assert!(!POSTGRES.rows(&of, None).contains("WHERE"));
    }
}
