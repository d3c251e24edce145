//! The dialects of engines behind ADBC drivers: rows of the table that [`super::dialect`] describes.

use super::dialect::{Dialect, Texts};

/// DuckDB, through its ADBC driver. Each value is its text behind its length in bytes, or `-` where it is null. Only numbers are
/// compared, so no collation has a part in it.
///
/// - The text of a float is its bits: what a number looks like is nobody's promise.
/// - Moments are microseconds, whatever the session's zone; what has none (infinities, which are not read) has its own text.
/// - `create_sort_key` tells apart any two values of a nested type, but for the labels of enums, which are in the text.
/// - Sums of 64 bits are of 128 there.
pub(crate) static DUCKDB: Dialect = Dialect {
    name: "DuckDB",
    probe: "SELECT md5('coho') = '8fce63ef600dd4879a83e12db6dd1909' AND strlen('é') = 2 \
            AND strlen(1.5::DOUBLE::BIT::VARCHAR) = 64 AND md5_number_upper('coho') <> md5_number_lower('coho') \
            AND create_sort_key(['a', NULL], 'ASC NULLS LAST') <> create_sort_key([NULL, 'a'], 'ASC NULLS LAST')",
    untold: &["Foreign("],
    text: Texts {
        float: "{column}::DOUBLE::BIT::VARCHAR",
        moment: "coalesce(epoch_us({column})::VARCHAR, {column}::VARCHAR)",
        json: "concat(md5(create_sort_key({column}, 'ASC NULLS LAST')::VARCHAR), {column}::VARCHAR)",
        ..Texts::all("{column}::VARCHAR")
    },
    key: "{text}",
    key_part: "CASE WHEN {column} IS NOT NULL THEN to_json({text})::VARCHAR END",
    key_array: ["'[' || ", " || ',' || ", " || ']'"],
    frame: ", CASE WHEN {column} IS NULL THEN ',-' ELSE concat(',', strlen({text}), ':', {text}) END",
    cells: "SELECT ('0x' || left(md5(t), 8))::UINTEGER AS k, md5_number_upper(r) AS u, md5_number_lower(r) AS l{columns} FROM \
            (SELECT {key} AS t, concat('r'{frames}) AS r{columns} FROM (\n{query}\n) AS m ({names})) AS o",
    sums: "SELECT k >> {shift}, count(*), sum(u)::VARCHAR, sum(l)::VARCHAR FROM ({cells}) AS p GROUP BY 1",
    rows: "SELECT k, u, l{columns} FROM ({cells}) AS p{chosen}",
    chosen: " LEFT JOIN (SELECT unnest(string_split('{buckets}', ',')::BIGINT[]) AS b) AS q ON b = k >> {shift} \
             WHERE k IS NULL OR b IS NOT NULL",
    cache: None,
};

/// Snowflake, through its ADBC driver. Each value is its text, as hexadecimal digits of UTF-8, between commas, or `-` where it is null;
/// so no collation has a part in it, nor has a format of the session.
///
/// - The text of a float may have fewer digits than the number. What is missing is a number again, which has few digits; and `HASH` is
///   of the number itself.
/// - The epoch of a moment is the same in every zone. A moment without a zone is written by a format of ours.
/// - A `VARIANT` has values that JSON has not, such as dates. `HASH` tells them apart whatever their text is.
/// - A value that has no text gets a new one each time, so its row is always read.
/// - `SUM` of whole numbers has 38 digits there, for numbers of 20. `TO_NUMBER` within it says that they are numbers.
/// - Buckets are joined: lists of `IN` are limited.
pub(crate) static SNOWFLAKE: Dialect = Dialect {
    name: "Snowflake",
    probe: "SELECT MD5('coho') = '8fce63ef600dd4879a83e12db6dd1909' AND TO_NUMBER('ff', 'XX') = 255 \
            AND BITSHIFTRIGHT(255, 4) = 15 AND MD5_NUMBER_UPPER64('coho') <> MD5_NUMBER_LOWER64('coho')",
    untold: &["Foreign("],
    text: Texts {
        float: "TO_VARCHAR({column}) || '~' || COALESCE(TO_VARCHAR({column} - TRY_CAST(TO_VARCHAR({column}) AS DOUBLE)), '?') \
                || '~' || TO_VARCHAR(HASH({column}))",
        moment: "TO_VARCHAR(DATE_PART(EPOCH_NANOSECOND, {column}))",
        local: "TO_VARCHAR({column}, 'YYYY-MM-DD HH24:MI:SS.FF9')",
        date: "TO_VARCHAR({column}, 'YYYY-MM-DD')",
        json: "TO_JSON({column}) || '~' || TO_VARCHAR(HASH({column}))",
        ..Texts::all("TO_VARCHAR({column})")
    },
    key: "{text}",
    key_part: "IFF({column} IS NULL, NULL, TO_JSON(TO_VARIANT({text})))",
    key_array: ["'[' || ", " || ',' || ", " || ']'"],
    frame: ", ',', IFF({column} IS NULL, '-', COALESCE(HEX_ENCODE({text}), UUID_STRING()))",
    cells: "SELECT TO_NUMBER(LEFT(MD5(t), 8), 'XXXXXXXX') AS k, MD5_NUMBER_UPPER64(r) AS u, MD5_NUMBER_LOWER64(r) AS l{columns} \
            FROM (SELECT {key} AS t, CONCAT('r'{frames}) AS r{columns} FROM (\n{query}\n) AS m ({names})) AS o",
    sums: "SELECT BITSHIFTRIGHT(k, {shift}), COUNT(*), TO_VARCHAR(SUM(TO_NUMBER(u))), TO_VARCHAR(SUM(TO_NUMBER(l))) \
           FROM ({cells}) AS p GROUP BY 1",
    rows: "SELECT k, u, l{columns} FROM ({cells}) AS p{chosen}",
    chosen: " LEFT JOIN (SELECT VALUE::INT AS b FROM TABLE(FLATTEN(INPUT => PARSE_JSON('[{buckets}]')))) AS q \
             ON b = BITSHIFTRIGHT(k, {shift}) WHERE k IS NULL OR b IS NOT NULL",
    cache: None,
};

/// Spark, and Databricks, which speaks the same dialect, through an ADBC driver. Each value is its text, as hexadecimal digits of UTF-8,
/// between commas, or `-` where it is null; what has a collation is bytes before it is compared or put together.
///
/// - The text of a float is what Java makes of it. `xxhash64` of a number of 64 bits is another one for each, but for 0 and -0.
/// - Moments are microseconds, whatever the session's zone.
/// - `to_json` leaves out nulls and cuts moments off at milliseconds unless it is told otherwise. `xxhash64` is of the value itself; it knows no
///   maps, whose keys `to_json` writes such that two may be one.
/// - Halves of digests are decimals of 38 digits, and so are their sums, which would need 10^18 rows to overflow. Sums of whole numbers
///   would wrap around, or fail in the mode ANSI.
/// - A value that has no text gets a new one each time, so its row is always read.
pub(crate) static SPARK: Dialect = Dialect {
    name: "Spark",
    probe: "SELECT md5('coho') = '8fce63ef600dd4879a83e12db6dd1909' AND conv('fedcba9876543210', 16, 10) = '18364758544493064720' \
            AND hex(CAST('é' AS BINARY)) = 'C3A9' AND shiftright(255, 4) = 15 \
            AND xxhash64(CAST('0.1' AS DOUBLE)) <> xxhash64(CAST('0.10000000000000002' AS DOUBLE)) \
            AND unix_micros(TIMESTAMP '2026-01-01 00:00:00.000001Z') = 1767225600000001 \
            AND to_json(named_struct('a', TIMESTAMP '2026-01-01 00:00:00.000001Z', 'b', CAST(NULL AS STRING)), \
            map('ignoreNullFields', 'false', 'timeZone', 'UTC', 'timestampFormat', 'yyyy-MM-dd HH:mm:ss.SSSSSS')) \
            = '{\"a\":\"2026-01-01 00:00:00.000001\",\"b\":null}'",
    untold: &["Foreign(", "map "],
    text: Texts {
        float: "concat(CAST({column} AS STRING), '~', CAST(xxhash64({column}) AS STRING))",
        moment: "CAST(unix_micros({column}) AS STRING)",
        json: "concat(to_json({column}, map('ignoreNullFields', 'false', 'timeZone', 'UTC', 'timestampFormat', \
               'yyyy-MM-dd HH:mm:ss.SSSSSS', 'timestampNTZFormat', 'yyyy-MM-dd HH:mm:ss.SSSSSS')), \
               '~', CAST(xxhash64({column}) AS STRING))",
        ..Texts::all("CAST({column} AS STRING)")
    },
    key: "{text}",
    key_part: "IF({column} IS NULL, NULL, trim(BOTH '[]' FROM to_json(array({text}))))",
    key_array: ["concat('[', ", ", ',', ", ", ']')"],
    frame: ", ',', IF({column} IS NULL, '-', coalesce(hex(CAST({text} AS BINARY)), uuid()))",
    cells: "SELECT CAST(conv(left(md5(CAST(t AS BINARY)), 8), 16, 10) AS BIGINT) AS k, \
            CAST(conv(left(f, 16), 16, 10) AS DECIMAL(38, 0)) AS u, CAST(conv(right(f, 16), 16, 10) AS DECIMAL(38, 0)) AS l{columns} \
            FROM (SELECT {key} AS t, md5(CAST(concat('r'{frames}) AS BINARY)) AS f{columns} FROM (\n{query}\n) AS m ({names})) AS o",
    sums: "SELECT b, count(*), CAST(sum(u) AS STRING), CAST(sum(l) AS STRING) \
           FROM (SELECT shiftright(k, {shift}) AS b, u, l FROM ({cells}) AS p) AS q GROUP BY b",
    rows: "SELECT k, u, l{columns} FROM ({cells}) AS p{chosen}",
    chosen: " LEFT JOIN (SELECT CAST(a AS BIGINT) AS b FROM (SELECT explode(split('{buckets}', ',')) AS a) AS q) AS s \
             ON b = shiftright(k, {shift}) WHERE k IS NULL OR b IS NOT NULL",
    cache: None,
};

/// BigQuery, through its ADBC driver. Each value is its text behind its length in bytes, or `-` where it is null. Only digests and
/// numbers are compared, so no collation has a part in it.
///
/// - 18 digits tell any two numbers of 64 bits apart; the other text of a float is not promised to.
/// - Moments are microseconds, whatever the session's zone. `TO_JSON_STRING` writes those of what is nested in UTC.
/// - Halves of digests are decimals with 38 digits before the point, and so are their sums, which would need 10^19 rows to overflow. A sum
///   of 64 bits fails after two rows.
/// - A subquery's columns have their own names only, so each is taken by its name.
/// - A value that has no text gets a new one each time, so its row is always read.
pub(crate) static BIGQUERY: Dialect = Dialect {
    name: "BigQuery",
    probe: "SELECT TO_HEX(MD5('coho')) = '8fce63ef600dd4879a83e12db6dd1909' AND CAST('0xfedcba98' AS INT64) = 4275878552 \
            AND CAST(4275878552 AS BIGNUMERIC) * 4294967296 + 1985229328 = CAST('18364758544493064720' AS BIGNUMERIC) \
            AND BYTE_LENGTH('é') = 2 AND 255 >> 4 = 15 AND CONCAT('a', CAST(NULL AS STRING)) IS NULL \
            AND FORMAT('%.17e', CAST('0.1' AS FLOAT64)) = '1.00000000000000006e-01' \
            AND UNIX_MICROS(TIMESTAMP '2026-01-01 00:00:00.000001+00') = 1767225600000001 \
            AND TO_JSON_STRING([CAST('0.1' AS FLOAT64)]) <> TO_JSON_STRING([CAST('0.10000000000000002' AS FLOAT64)]) \
            AND TO_JSON_STRING(['a', NULL, 'null']) = '[\"a\",null,\"null\"]' \
            AND TO_JSON_STRING([TIMESTAMP '2026-01-01 00:00:00.000001+00']) <> TO_JSON_STRING([TIMESTAMP '2026-01-01 00:00:00.000002+00']) AS agrees",
    untold: &["Foreign("],
    text: Texts {
        float: "CONCAT(CAST({column} AS STRING), '~', FORMAT('%.17e', {column}))",
        moment: "CAST(UNIX_MICROS({column}) AS STRING)",
        json: "TO_JSON_STRING({column})",
        ..Texts::all("CAST({column} AS STRING)")
    },
    key: "{text}",
    key_part: "IF({column} IS NULL, NULL, TO_JSON_STRING({text}))",
    key_array: ["CONCAT('[', ", ", ',', ", ", ']')"],
    frame: ", IF({column} IS NULL, ',-', \
            COALESCE(CONCAT(',', CAST(BYTE_LENGTH({text}) AS STRING), ':', {text}), GENERATE_UUID()))",
    cells: "SELECT CAST(CONCAT('0x', SUBSTR(TO_HEX(MD5(t)), 1, 8)) AS INT64) AS k, \
            CAST(CAST(CONCAT('0x', SUBSTR(f, 1, 8)) AS INT64) AS BIGNUMERIC) * 4294967296 \
            + CAST(CONCAT('0x', SUBSTR(f, 9, 8)) AS INT64) AS u, \
            CAST(CAST(CONCAT('0x', SUBSTR(f, 17, 8)) AS INT64) AS BIGNUMERIC) * 4294967296 \
            + CAST(CONCAT('0x', SUBSTR(f, 25, 8)) AS INT64) AS l{columns} \
            FROM (SELECT {key} AS t, TO_HEX(MD5(CONCAT('r'{frames}))) AS f{columns} FROM (SELECT {named} FROM (\n{query}\n) AS m) AS n) AS o",
    sums: "SELECT b, COUNT(*) AS n, SPLIT(CAST(SUM(u) AS STRING), '.')[OFFSET(0)] AS u, \
           SPLIT(CAST(SUM(l) AS STRING), '.')[OFFSET(0)] AS l \
           FROM (SELECT k >> {shift} AS b, u, l FROM ({cells}) AS p) AS q GROUP BY b",
    rows: "SELECT k, SPLIT(CAST(u AS STRING), '.')[OFFSET(0)] AS u, SPLIT(CAST(l AS STRING), '.')[OFFSET(0)] AS l{columns} \
           FROM ({cells}) AS p{chosen}",
    chosen: " LEFT JOIN (SELECT CAST(a AS INT64) AS b FROM UNNEST(SPLIT('{buckets}', ',')) AS a) AS s ON s.b = p.k >> {shift} \
             WHERE k IS NULL OR b IS NOT NULL",
    cache: None,
};

/// The dialect of an engine with an ADBC driver, by what the driver calls it.
pub(crate) fn of_vendor(name: &str) -> Option<&'static Dialect> {
    let name = name.to_ascii_lowercase();
    let known = [
        ("bigquery", &BIGQUERY),
        ("duckdb", &DUCKDB),
        ("snowflake", &SNOWFLAKE),
        ("spark", &SPARK),
        ("apache spark", &SPARK),
        ("databricks", &SPARK),
    ];
    known.into_iter().find(|(vendor, _)| *vendor == name).map(|(_, dialect)| dialect)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buckets::dialect::{Compared, Field, Form};

    #[test]
    fn columns_without_places_are_taken_by_their_names() {
        let of = Compared {
            query: "SELECT 1",
            fields: 3,
            names: ["`id`", "`left out`", "`a{b`"].map(str::to_owned).to_vec(),
            key: vec![Field { place: 0, form: Form::Whole }],
            reads: vec![Field { place: 2, form: Form::Other }],
            table: String::new(),
        };
        let rows = BIGQUERY.rows(&of, None);
        assert!(
            rows.contains("FROM (SELECT `id` AS c0, `a{b` AS c2 FROM (\nSELECT 1\n) AS m) AS n"),
            "{rows}"
        );
        let text = "COALESCE(CONCAT(',', CAST(BYTE_LENGTH(CAST(c2 AS STRING)) AS STRING), ':', CAST(c2 AS STRING)), GENERATE_UUID())";
        assert!(rows.contains(&format!("IF(c2 IS NULL, ',-', {text})")), "{rows}");
    }
}
