# What `cargo xtask bench compare` runs with DuckDB: makes two files of which the second differs, or compares them.
#
#   compare.py make FOLDER ROWS
#   compare.py compare FOLDER
#
# A hundredth of the rows changed; of two hundred, one is gone and one is new.
import sys

import duckdb

COLUMNS = "id, name, seats, mrr, trial, created, seen, extra, score, note, region, big"

ROWS = """
SELECT md5(i::VARCHAR)[:20] AS id, 'Customer ' || i AS name, (hash(i) % 1000)::INTEGER AS seats,
  ((hash(i + 1) % 1000000) / 100.0)::DECIMAL(12,2) AS mrr, (hash(i + 2) % 2 = 0) AS trial,
  TIMESTAMPTZ '2020-01-01 00:00:00+00' + to_seconds((hash(i + 3) % 150000000)::BIGINT) AS created,
  TIMESTAMPTZ '2024-01-01 00:00:00+00' + to_seconds((hash(i + 4) % 50000000)::BIGINT) AS seen,
  '{"plan":"p' || (hash(i + 5) % 10) || '","n":' || (i % 100) || '}' AS extra, (hash(i + 6) % 100000) / 7.0::DOUBLE AS score,
  CASE WHEN i % 3 = 0 THEN NULL ELSE 'note ' || (hash(i + 7) % 100000) END AS note,
  'region-' || (hash(i + 8) % 20) AS region, (hash(i + 9) % 5000000000)::BIGINT AS big, i
FROM range(NUMBER) numbers(i)
"""

CHANGED = """
SELECT * REPLACE (CASE WHEN hash(i + 50) % 100 = 0 THEN seats + 1 ELSE seats END AS seats) FROM (ROWS)
  WHERE hash(i + 60) % 200 <> 0
UNION ALL SELECT * REPLACE (md5('new' || i)[:20] AS id) FROM (ROWS) WHERE hash(i + 61) % 200 = 0
"""

COMPARE = """
SELECT count(*) FILTER (WHERE old.id IS NULL), count(*) FILTER (WHERE new.id IS NULL),
  count(*) FILTER (WHERE old.id IS NOT NULL AND new.id IS NOT NULL AND old IS DISTINCT FROM new)
FROM 'FOLDER/old.parquet' old FULL JOIN 'FOLDER/new.parquet' new ON old.id = new.id
"""


def make(folder, number):
    db = duckdb.connect()
    rows = ROWS.replace("NUMBER", number)
    for name, sql in (("old", rows), ("new", CHANGED.replace("ROWS", rows))):
        db.execute(
            f"COPY (SELECT {COLUMNS} FROM ({sql}) ORDER BY hash(i + 77)) TO '{folder}/{name}.parquet' "
            "(FORMAT parquet, COMPRESSION zstd)"
        )


def compare(folder):
    old = ", ".join(f"old.{name} IS DISTINCT FROM new.{name}" for name in COLUMNS.split(", "))
    sql = COMPARE.replace("FOLDER", folder).replace("old IS DISTINCT FROM new", f"({old.replace(', ', ' OR ')})")
    print(*duckdb.connect().execute(sql).fetchone())


{"make": make, "compare": compare}[sys.argv[1]](*sys.argv[2:])
