//! What a database is asked, in its own words: texts with gaps, one table of them for each kind of database.
//!
//! A fingerprint must tell any two values apart that Coho tells apart, whatever the session's settings are: settings change the
//! text of values, and changing them would change what the model's own SQL means. So it is made of the bytes that the server
//! would send, each with its length; or, where a server has no such function, of texts that no setting changes, each of them
//! framed.

/// The texts of one kind of database. `{…}` is a gap.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// Its name in messages.
    pub(crate) name: &'static str,
    /// A query of one row and one column, true where the server does all that the texts below rely on.
    pub(crate) probe: &'static str,
    /// The text of a `{column}` by its form, in the order of [`Form`].
    pub(crate) text: [&'static str; 3],
    /// A key of one column, as Coho writes it: `{text}`.
    pub(crate) key: &'static str,
    /// One of several columns of a key, as Coho writes it in a JSON array.
    pub(crate) key_part: &'static str,
    /// Before, between and behind those.
    pub(crate) key_array: [&'static str; 3],
    /// A `{column}`, or its `{text}`, in a fingerprint, such that a row of them says where each ends and which are null.
    pub(crate) frame: &'static str,
    /// Each row with `k`, the beginning of its key's digest as a number of 32 bits, and `f`, its fingerprint. `{names}` are
    /// names for all columns of `{query}`, `{columns}` those that are read, with a comma before each, `{frames}` those of a
    /// fingerprint, `{chosen}` which rows.
    pub(crate) cells: &'static str,
    /// The sums of all buckets of `{cells}`: bucket, rows, and the sums of both halves as text.
    pub(crate) sums: &'static str,
    /// The rows of `{cells}`: `k`, the fingerprint, and `{columns}`.
    pub(crate) rows: &'static str,
    /// Only those rows that have no bucket, or whose bucket is chosen by the first parameter.
    pub(crate) chosen: &'static str,
}

/// PostgreSQL. `record_send` gives each value in the binary form that the server sends to Coho, with its type and length.
/// `unnest` of one element keeps the planner from computing it twice, and still lets workers share the table.
pub(crate) static POSTGRES: Dialect = Dialect {
    name: "PostgreSQL",
    probe: "SELECT md5(record_send(ROW(1))) IS NOT NULL",
    text: ["{column}::text", "{column}::text", "{column}::text"],
    key: "{text}",
    key_part: "to_json({text})::text",
    key_array: ["'[' || ", " || ',' || ", " || ']'"],
    frame: ", {column}",
    cells: "SELECT k, unnest(ARRAY[md5(record_send(ROW(t{frames})))]) AS f{columns} FROM \
            (SELECT ('x' || left(md5(textsend(t)), 8))::bit(32)::int8 AS k, t{columns} FROM \
            (SELECT {key} AS t{columns} FROM (\n{query}\n) AS m ({names})) AS n) AS o{chosen}",
    sums: "SELECT (k >> {shift})::int4, count(*), sum(('x' || left(f, 16))::bit(64)::int8)::text, \
           sum(('x' || right(f, 16))::bit(64)::int8)::text FROM ({cells}) AS p GROUP BY 1",
    rows: "SELECT k, ('x' || left(f, 16))::bit(64)::int8, ('x' || right(f, 16))::bit(64)::int8{columns} FROM ({cells}) AS p",
    chosen: " WHERE k IS NULL OR get_bit($1::bytea, (k >> {shift})::int4) = 1",
};

/// MySQL from 8.0 and MariaDB from 10.5 on. No function of theirs gives a value's bytes, so each value is its text, as
/// hexadecimal digits of UTF-8, between commas, or `-` where it is null. Nothing is compared as text, so no collation has a part
/// in it.
///
/// - `+ 0` takes the zeros in front that `ZEROFILL` adds.
/// - `* 1e0` makes a `FLOAT` a `DOUBLE`, whose text is the shortest that gives the number again; that of a `FLOAT` has six
///   digits. That of -0 is 0, which it is to Coho too.
/// - `CONCAT` gives null beyond `max_allowed_packet`. Such a row has another fingerprint each time, so it is always read. MariaDB
///   keeps the result of a subquery that has a random value, so this is where that spares work: sums need each fingerprint twice.
/// - Sums of whole numbers are decimals there, which do not overflow: 65 digits. An exclusive or would not count twins.
/// - A common table expression names columns in both servers, even if two have one name; a derived table does not in MariaDB.
///   It is not recursive, so its own name within the query is a table's.
/// - Four buckets make a letter of the parameter, from `@` to `O`: no conversion of characters changes those.
pub(crate) static MYSQL: Dialect = Dialect {
    name: "MySQL",
    probe: "SELECT MD5('coho') = '8fce63ef600dd4879a83e12db6dd1909' AND CONCAT('a', NULL) IS NULL \
            AND LENGTH(CONVERT(0.1e0 * 3e0 USING utf8mb4)) = 19",
    text: [
        "CONVERT({column} + 0 USING utf8mb4)",
        "CONVERT({column} * 1e0 USING utf8mb4)",
        "CONVERT({column} USING utf8mb4)",
    ],
    key: "{text}",
    key_part: "JSON_QUOTE({text})",
    key_array: ["CONCAT('[', ", ", ',', ", ", ']')"],
    frame: ", ',', IF({column} IS NULL, '-', HEX({text}))",
    cells: "SELECT CAST(CONV(LEFT(MD5({key}), 8), 16, 10) AS UNSIGNED) AS k, \
            MD5(CONCAT('r'{frames})) AS f{columns} FROM coho",
    sums: "WITH coho ({names}) AS (\n{query}\n) SELECT k >> {shift}, COUNT(*), \
           CAST(SUM(CAST(CONV(LEFT(f, 16), 16, 10) AS UNSIGNED)) AS CHAR), \
           CAST(SUM(CAST(CONV(RIGHT(f, 16), 16, 10) AS UNSIGNED)) AS CHAR) FROM \
           (SELECT k, CONVERT(IFNULL(f, MD5(UUID())) USING ascii) AS f FROM ({cells}) AS o) AS p GROUP BY 1",
    rows: "WITH coho ({names}) AS (\n{query}\n) SELECT k, IFNULL(f, MD5(UUID())){columns} FROM ({cells}) AS p{chosen}",
    chosen: " WHERE k IS NULL OR \
             ASCII(SUBSTR(CAST(? AS BINARY), ((k >> {shift}) DIV 4) + 1, 1)) >> ((k >> {shift}) & 3) & 1",
};

/// What decides how a column's text is had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Whole numbers.
    Whole,
    /// Numbers with an exponent.
    Float,
    /// All others.
    Other,
}

/// A field of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// Its place in the query.
    pub(crate) place: usize,
    pub(crate) form: Form,
}

/// A model's query, and which of its columns are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Compared<'a> {
    /// The query.
    pub(crate) query: &'a str,
    /// How many fields it has.
    pub(crate) fields: usize,
    /// Which of them are the key.
    pub(crate) key: Vec<Field>,
    /// Which of them are read besides.
    pub(crate) reads: Vec<Field>,
}

impl Dialect {
    /// The statement that sums up so many buckets, as a power of two.
    pub(crate) fn sums(&self, of: &Compared<'_>, bits: u8) -> String {
        self.statement(self.sums, of, "", &shift(bits))
    }

    /// The statement that gives all rows; those of some buckets, where there are so many, as a power of two.
    pub(crate) fn rows(&self, of: &Compared<'_>, bits: Option<u8>) -> String {
        let shift = bits.map(shift).unwrap_or_default();
        let chosen = bits.map(|_| fill(self.chosen, &[("shift", &shift)])).unwrap_or_default();
        self.statement(self.rows, of, &chosen, &shift)
    }

    /// All texts, without what depends on a model.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let texts = [self.name, self.key, self.key_part, self.frame, self.cells, self.sums];
        texts.into_iter().chain(self.text).chain(self.key_array)
    }

    fn statement(&self, text: &str, of: &Compared<'_>, chosen: &str, shift: &str) -> String {
        let names: Vec<_> = (0..of.fields).map(name).collect();
        let columns: String =
            of.reads.iter().flat_map(|field| [", ".to_owned(), name(field.place)]).collect();
        let unread = of.key.iter().filter(|field| !of.reads.contains(field));
        let frames: String = unread.chain(&of.reads).map(|field| self.of_field(self.frame, *field)).collect();
        let (key, names) = (self.key(&of.key), names.join(", "));
        let gaps = [
            ("columns", columns.as_str()),
            ("frames", &frames),
            ("key", &key),
            ("query", of.query),
            ("names", &names),
            ("chosen", chosen),
            ("shift", shift),
        ];
        let cells = fill(self.cells, &gaps);
        fill(text, &[&gaps[..], &[("cells", cells.as_str())]].concat())
    }

    fn key(&self, key: &[Field]) -> String {
        if let [only] = key {
            return self.of_field(self.key, *only);
        }
        let [before, between, behind] = self.key_array;
        let parts: Vec<_> = key.iter().map(|field| self.of_field(self.key_part, *field)).collect();
        format!("{before}{}{behind}", parts.join(between))
    }

    /// A text with a field in its gaps.
    fn of_field(&self, text: &str, field: Field) -> String {
        let [whole, float, other] = self.text;
        let of_form = match field.form {
            Form::Whole => whole,
            Form::Float => float,
            Form::Other => other,
        };
        let column = name(field.place);
        let value = fill(of_form, &[("column", &column)]);
        fill(text, &[("column", &column), ("text", &value)])
    }
}

/// The name of a field in these statements: what the model calls it may be nothing, or twice the same.
fn name(field: usize) -> String {
    format!("c{field}")
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

    fn fields(places: &[usize], form: Form) -> Vec<Field> {
        places.iter().map(|place| Field { place: *place, form }).collect()
    }

    #[test]
    fn a_statement_is_its_texts_with_the_gaps_filled() {
        let of = Compared {
            query: "SELECT '{key}' AS a, 1",
            fields: 3,
            key: fields(&[0, 2], Form::Other),
            reads: fields(&[0, 1, 2], Form::Other),
        };
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

    #[test]
    fn a_fingerprint_covers_the_key_and_what_is_read() {
        let of = Compared {
            query: "SELECT 1, 2, '{key}'",
            fields: 3,
            key: fields(&[0], Form::Whole),
            reads: fields(&[2], Form::Other),
        };
        let rows = "WITH coho (c0, c1, c2) AS (\nSELECT 1, 2, '{key}'\n) SELECT k, IFNULL(f, MD5(UUID())), c2 FROM (\
            SELECT CAST(CONV(LEFT(MD5(CONVERT(c0 + 0 USING utf8mb4)), 8), 16, 10) AS UNSIGNED) AS k, MD5(CONCAT('r', \
            ',', IF(c0 IS NULL, '-', HEX(CONVERT(c0 + 0 USING utf8mb4))), ',', IF(c2 IS NULL, '-', \
            HEX(CONVERT(c2 USING utf8mb4))))) AS f, c2 FROM coho) AS p";
        assert_eq!(MYSQL.rows(&of, None), rows);
        let chosen = "((k >> 26) DIV 4) + 1, 1)) >> ((k >> 26) & 3) & 1";
        assert!(MYSQL.rows(&of, Some(6)).ends_with(chosen));
    }
}
