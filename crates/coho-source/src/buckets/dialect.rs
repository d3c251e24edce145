//! What a database is asked, in its own words: texts with gaps, one table of them for each kind of database.
//!
//! A fingerprint must tell any two values apart that Coho tells apart, whatever the session's settings are: settings change the
//! text of values, and changing them would change what the model's own SQL means. So it is made of the bytes that the server
//! would send, each with its length; or, where a server has no such function, of texts that no setting changes, each of them
//! framed.

use std::collections::BTreeSet;

use crate::cache_table::CacheTable;
use crate::table::quote;

/// The texts of one kind of database. `{…}` is a gap.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// Its name in messages.
    pub(crate) name: &'static str,
    /// A query of one row and one column, true where the server does all that the texts below rely on.
    pub(crate) probe: &'static str,
    /// What is in the signature of a type of which the texts below may be the same for two values.
    pub(crate) untold: &'static [&'static str],
    /// The text of a `{column}` by its form.
    pub(crate) text: Texts,
    /// A key of one column, as Coho writes it: `{text}`.
    pub(crate) key: &'static str,
    /// One of several columns of a key, as Coho writes it in a JSON array.
    pub(crate) key_part: &'static str,
    /// Before, between and behind those.
    pub(crate) key_array: [&'static str; 3],
    /// A `{column}`, or its `{text}`, in a fingerprint, such that a row of them says where each ends and which are null.
    pub(crate) frame: &'static str,
    /// Each row with `k`, the beginning of its key's digest as a number of 32 bits, and `f`, its fingerprint. `{names}` are
    /// names for all columns of `{query}`, `{named}` those that are used, each by its own name with that one behind it, `{columns}`
    /// those that are read, with a comma before each, `{frames}` those of a fingerprint, `{chosen}` which rows.
    pub(crate) cells: &'static str,
    /// The sums of all buckets of `{cells}`: bucket, rows, and the sums of both halves as text.
    pub(crate) sums: &'static str,
    /// The rows of `{cells}`: `k`, the fingerprint, and `{columns}`.
    pub(crate) rows: &'static str,
    /// Only those rows that have no bucket, or whose bucket is chosen: by the first parameter, or by the numbers in `{buckets}`,
    /// which begin with -1, so that there is one.
    pub(crate) chosen: &'static str,
    /// What is asked where Coho has a table of its own there, if that can be.
    pub(crate) cache: Option<&'static CacheTexts>,
}

/// What is asked of a cache, a table of Coho's own with the columns `key`, `fingerprint` and `seen`. In the row with an empty key the
/// fingerprint is the name under which all was published. `{table}` is the table, `{literal}` its name as a value, `{schema}` its schema.
#[derive(Debug)]
pub(crate) struct CacheTexts {
    /// Whether there is such a table.
    pub(crate) exists: &'static str,
    /// Under which name it was published.
    pub(crate) published: &'static str,
    /// Those rows of `{cells}` that have no key, are not in the table as they are, or whose bucket is chosen: as in `rows`, but behind
    /// the fingerprint there are what was seen of the key, and null. Keys in the table that have no row come as well, with
    /// what was seen of them and the key; all else is null.
    pub(crate) changed: &'static str,
    /// How many rows have a `{key}`.
    pub(crate) count: &'static str,
    /// Makes its schema.
    pub(crate) make_schema: &'static str,
    /// Makes the table.
    pub(crate) make: &'static str,
    /// Gives it another name in place of the one that is expected.
    pub(crate) rename: &'static str,
    /// Gives it a name, whichever it has.
    pub(crate) name: &'static str,
    /// Takes all keys out.
    pub(crate) clear: &'static str,
    /// Puts keys in, with their fingerprints and what was seen of them.
    pub(crate) put: &'static str,
    /// Takes keys out.
    pub(crate) take: &'static str,
    /// Whether there may be one: the schema `{name}` is there, or can be made, and tables can be made in it.
    pub(crate) rights: &'static str,
    /// The statements that give the rights that all of these need besides those of reading the model, to `{user}`.
    pub(crate) grants: &'static str,
}

impl CacheTexts {
    fn iter(&self) -> impl Iterator<Item = &'static str> {
        // The others change nothing of what a cache says.
        let Self { published, changed, count, make, put, .. } = self;
        [*published, *changed, *count, *make, *put].into_iter()
    }
}

/// PostgreSQL's cache. Keys are compared byte by byte, whatever the collation of the model's column.
static POSTGRES_CACHE: CacheTexts = CacheTexts {
    exists: "SELECT to_regclass({literal}) IS NOT NULL",
    published: "SELECT fingerprint::text FROM {table} WHERE key = ''",
    changed: "SELECT k, ('x' || left(f, 16))::bit(64)::int8, ('x' || right(f, 16))::bit(64)::int8, seen::text, \
              CASE WHEN f IS NULL THEN key END{columns} FROM ({cells}) AS p FULL JOIN \
              (SELECT key, fingerprint, seen FROM {table} WHERE key <> '') AS q ON key = t COLLATE \"C\" \
              WHERE k IS NULL OR fingerprint IS DISTINCT FROM f::uuid OR get_bit($1::bytea, (k >> {shift})::int4) = 1",
    count: "SELECT count(*) FROM (SELECT {key} AS t FROM (\n{query}\n) AS m ({names})) AS n WHERE t IS NOT NULL",
    make_schema: "CREATE SCHEMA IF NOT EXISTS {schema}",
    make: "CREATE TABLE {table} (key text COLLATE \"C\" PRIMARY KEY, fingerprint uuid NOT NULL, seen uuid NOT NULL)",
    rename: "UPDATE {table} SET fingerprint = $1::text::uuid WHERE key = '' AND fingerprint = $2::text::uuid",
    name: "INSERT INTO {table} VALUES ('', $1::text::uuid, $1::text::uuid) \
           ON CONFLICT (key) DO UPDATE SET fingerprint = EXCLUDED.fingerprint",
    clear: "DELETE FROM {table} WHERE key <> ''",
    put: "INSERT INTO {table} SELECT * FROM unnest($1::text[], $2::text[]::uuid[], $3::text[]::uuid[]) \
          ON CONFLICT (key) DO UPDATE SET fingerprint = EXCLUDED.fingerprint, seen = EXCLUDED.seen",
    take: "DELETE FROM {table} WHERE key = ANY($1::text[])",
    rights: "SELECT CASE WHEN to_regnamespace(quote_ident({name})) IS NULL THEN has_database_privilege(current_database(), 'CREATE') \
             ELSE has_schema_privilege({name}, 'USAGE') AND has_schema_privilege({name}, 'CREATE') END",
    grants: "CREATE SCHEMA IF NOT EXISTS {schema};\nGRANT USAGE, CREATE ON SCHEMA {schema} TO {user};",
};

/// The text of a `{column}` by its form.
#[derive(Debug)]
pub(crate) struct Texts {
    pub(crate) whole: &'static str,
    pub(crate) float: &'static str,
    pub(crate) moment: &'static str,
    pub(crate) local: &'static str,
    pub(crate) date: &'static str,
    pub(crate) json: &'static str,
    pub(crate) other: &'static str,
}

impl Texts {
    /// One text for all forms.
    pub(crate) const fn all(text: &'static str) -> Self {
        Self { whole: text, float: text, moment: text, local: text, date: text, json: text, other: text }
    }

    fn of(&self, form: Form) -> &'static str {
        match form {
            Form::Whole => self.whole,
            Form::Float => self.float,
            Form::Moment => self.moment,
            Form::Local => self.local,
            Form::Date => self.date,
            Form::Json => self.json,
            Form::Other => self.other,
        }
    }

    fn iter(&self) -> impl Iterator<Item = &'static str> {
        let Self { whole, float, moment, local, date, json, other } = self;
        [*whole, *float, *moment, *local, *date, *json, *other].into_iter()
    }
}

/// PostgreSQL. `record_send` gives each value in the binary form that the server sends to Coho, with its type and length.
/// `unnest` of one element keeps the planner from computing it twice, and still lets workers share the table.
pub(crate) static POSTGRES: Dialect = Dialect {
    name: "PostgreSQL",
    probe: "SELECT md5(record_send(ROW(1))) IS NOT NULL",
    untold: &[],
    text: Texts::all("{column}::text"),
    key: "{text}",
    key_part: "to_json({text})::text",
    key_array: ["'[' || ", " || ',' || ", " || ']'"],
    frame: ", {column}",
    cells: "SELECT k, t, unnest(ARRAY[md5(record_send(ROW(t{frames})))]) AS f{columns} FROM \
            (SELECT ('x' || left(md5(textsend(t)), 8))::bit(32)::int8 AS k, t{columns} FROM \
            (SELECT {key} AS t{columns} FROM (\n{query}\n) AS m ({names})) AS n) AS o{chosen}",
    sums: "SELECT (k >> {shift})::int4, count(*), sum(('x' || left(f, 16))::bit(64)::int8)::text, \
           sum(('x' || right(f, 16))::bit(64)::int8)::text FROM ({cells}) AS p GROUP BY 1",
    rows: "SELECT k, ('x' || left(f, 16))::bit(64)::int8, ('x' || right(f, 16))::bit(64)::int8{columns} FROM ({cells}) AS p",
    chosen: " WHERE k IS NULL OR get_bit($1::bytea, (k >> {shift})::int4) = 1",
    cache: Some(&POSTGRES_CACHE),
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
    untold: &[],
    text: Texts {
        whole: "CONVERT({column} + 0 USING utf8mb4)",
        float: "CONVERT({column} * 1e0 USING utf8mb4)",
        ..Texts::all("CONVERT({column} USING utf8mb4)")
    },
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
    cache: None,
};

/// What decides how a column's text is had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Whole numbers.
    Whole,
    /// Numbers with an exponent.
    Float,
    /// Moments with a zone.
    Moment,
    /// Moments without one.
    Local,
    /// Days.
    Date,
    /// JSON, and what is nested.
    Json,
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
    /// Their own names, quoted; of a dialect that names them by their places, none.
    pub(crate) names: Vec<String>,
    /// Which of them are the key.
    pub(crate) key: Vec<Field>,
    /// Which of them are read besides.
    pub(crate) reads: Vec<Field>,
    /// The table of the cache, quoted.
    pub(crate) table: String,
}

impl Compared<'_> {
    /// The fields that are used, each by its own name with its name in these statements behind it.
    fn named(&self) -> String {
        let used: BTreeSet<_> = self.key.iter().chain(&self.reads).map(|field| field.place).collect();
        let own = |place: usize| self.names.get(place).map(|own| format!("{own} AS {}", name(place)));
        used.into_iter().filter_map(own).collect::<Vec<_>>().join(", ")
    }
}

impl Dialect {
    /// The statement that sums up so many buckets, as a power of two.
    pub(crate) fn sums(&self, of: &Compared<'_>, bits: u8) -> String {
        self.statement(self.sums, of, "", &shift(bits))
    }

    /// The statement that gives all rows; those of some buckets, where there are so many, as a power of two.
    pub(crate) fn rows(&self, of: &Compared<'_>, bits: Option<u8>) -> String {
        match bits {
            Some(bits) => self.rows_of(of, bits, ""),
            None => self.statement(self.rows, of, "", ""),
        }
    }

    /// The statement that gives the rows of these buckets, of so many as a power of two.
    pub(crate) fn rows_of(&self, of: &Compared<'_>, bits: u8, buckets: &str) -> String {
        let shift = shift(bits);
        let chosen = fill(self.chosen, &[("shift", &shift), ("buckets", buckets)]);
        self.statement(self.rows, of, &chosen, &shift)
    }

    /// The statement that gives the rows that are not in a cache as they are, and those of some buckets, of so many as a power of two.
    pub(crate) fn changed(&self, texts: &CacheTexts, of: &Compared<'_>, bits: u8) -> String {
        self.statement(texts.changed, of, "", &shift(bits))
    }

    /// The statement that counts the rows that have a key.
    pub(crate) fn count(&self, texts: &CacheTexts, of: &Compared<'_>) -> String {
        self.statement(texts.count, of, "", "")
    }

    /// All texts, without what depends on a model.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &'static str> {
        let texts = [self.name, self.key, self.key_part, self.frame, self.cells, self.sums];
        let of_cache = self.cache.into_iter().flat_map(CacheTexts::iter);
        texts.into_iter().chain(self.text.iter()).chain(self.key_array).chain(of_cache)
    }

    fn statement(&self, text: &str, of: &Compared<'_>, chosen: &str, shift: &str) -> String {
        let names: Vec<_> = (0..of.fields).map(name).collect();
        let columns: String =
            of.reads.iter().flat_map(|field| [", ".to_owned(), name(field.place)]).collect();
        let unread = of.key.iter().filter(|field| !of.reads.contains(field));
        let frames: String = unread.chain(&of.reads).map(|field| self.of_field(self.frame, *field)).collect();
        let (key, names, used) = (self.key(&of.key), names.join(", "), of.named());
        let gaps = [
            ("columns", columns.as_str()),
            ("frames", &frames),
            ("key", &key),
            ("query", of.query),
            ("names", &names),
            ("named", &used),
            ("chosen", chosen),
            ("shift", shift),
            ("table", &of.table),
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
        let column = name(field.place);
        let value = fill(self.text.of(field.form), &[("column", &column)]);
        fill(text, &[("column", &column), ("text", &value)])
    }
}

/// The name of a field in these statements: what the model calls it may be nothing, or twice the same.
fn name(field: usize) -> String {
    format!("c{field}")
}

/// The text of a statement about a cache that no model has a part in.
pub(crate) fn of_cache(text: &str, table: &CacheTable) -> String {
    let gaps =
        [("table", table.quoted()), ("schema", quote(&table.schema)), ("literal", literal(&table.quoted()))];
    fill(text, &gaps.each_ref().map(|(gap, value)| (*gap, value.as_str())))
}

/// The statement that says whether there may be caches in a schema.
pub(crate) fn of_schema(text: &str, schema: &str) -> String {
    fill(text, &[("name", &literal(schema))])
}

/// A text as a value in a statement.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
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
            names: Vec::new(),
            key: fields(&[0, 2], Form::Other),
            reads: fields(&[0, 1, 2], Form::Other),
            table: String::new(),
        };
        let cells = "SELECT k, t, unnest(ARRAY[md5(record_send(ROW(t, c0, c1, c2)))]) AS f, c0, c1, c2 FROM \
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
            names: Vec::new(),
            key: fields(&[0], Form::Whole),
            reads: fields(&[2], Form::Other),
            table: String::new(),
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
