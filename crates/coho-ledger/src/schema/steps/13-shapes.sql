CREATE TABLE shapes (
  -- What many JSON texts have in common: each is a text with places for values. The views put both together.
  id INTEGER PRIMARY KEY,             -- the number by which texts refer to it
  text TEXT,                          -- of a text of its own: what was sent, fields that differ; null of calls
  request TEXT,                       -- of the bodies of requests
  response_headers TEXT,              -- of the headers of answers
  response TEXT,                      -- of the bodies of answers
  base INTEGER NOT NULL,              -- of calls: how many of their values, the first ones, are the row's key and stand in `fields` of its status
  used_at INTEGER NOT NULL            -- about when a text was written with it last
) STRICT;

-- calls.shape: the shape of those texts that are kept as values; the columns for them are null then, and `response` is empty
ALTER TABLE calls ADD COLUMN shape INTEGER;
-- calls.fate: the status of its row, which has values of the texts too; null where the row's status has none of them
ALTER TABLE calls ADD COLUMN fate INTEGER;
-- calls.own: the values that stand nowhere else, each with the character 31 at its end; the character 30 at its beginning says that it has no quotes; 24, 25 and 26 are true, false and null
ALTER TABLE calls ADD COLUMN own TEXT;

-- memory.sent: what was acknowledged, as a JSON object from path to value; or the character 28, the number of its shape, the character 31 and its values
-- memory.would_send: open: what is remembered if it turns out to have arrived, as `sent` has it
-- fates.fields: the fields that differ, as a JSON object from path to before and after; or as `sent` of memory has it

-- The end of an id tells it from nearly all others.
DROP INDEX memory_by_vitally_id;
CREATE INDEX memory_by_vitally_id ON memory (scope, substr(vitally_id, -12)) WHERE vitally_id IS NOT NULL;

DROP VIEW sync_changelog;
DROP VIEW sync_snapshot;
DROP VIEW sync_calls;

CREATE VIEW sync_changelog AS
  -- A row for each operation of each run, with the columns of Hightouch's warehouse sync logs.
  SELECT
    scopes.sync AS sync_id,           -- the sync's id
    runs.run AS sync_run_id,          -- the run's id
    fates.key AS row_id,              -- the row's primary key
    fates.op_type AS op_type,         -- added, changed, removed
    CAST(CASE
      WHEN fates.fate IN ('delivered', 'accepted', 'removed') THEN 'succeeded'
      WHEN fates.fate IN ('rejected', 'skipped', 'deferred', 'invalid') THEN 'failed'
      ELSE fates.fate
    END AS TEXT) AS status, -- succeeded, failed, or the fate of what was not sent: not-attempted, held, stale
    CAST(CASE
      WHEN fates.code IS NOT NULL AND fates.message IS NOT NULL THEN fates.code || ': ' || fates.message
      ELSE coalesce(fates.code, fates.message)
    END AS TEXT) AS failure_reason, -- code and message of what went wrong
    CAST(CASE
      WHEN fates.fields_zlib IS NOT NULL THEN NULL
      WHEN unicode(fates.fields) = 28 THEN (
        WITH RECURSIVE filled (number, text, rest) AS (
          SELECT 0, (SELECT shapes.text FROM shapes WHERE shapes.id = CAST(substr(fates.fields, 2, 10) AS INTEGER)),
            substr(fates.fields, instr(fates.fields, char(31)) + 1)
          UNION ALL
          SELECT number + 1,
            replace(text, char(31, 256 + number), CASE unicode(rest)
              WHEN 24 THEN 'true' WHEN 25 THEN 'false' WHEN 26 THEN 'null'
              WHEN 30 THEN substr(rest, 2, instr(rest, char(31)) - 2)
              ELSE '"' || substr(rest, 1, instr(rest, char(31)) - 1) || '"'
            END),
            substr(rest, instr(rest, char(31)) + 1)
          FROM filled WHERE instr(text, char(31)) > 0 AND rest <> '')
        SELECT text FROM filled WHERE instr(text, char(31)) = 0)
      ELSE fates.fields
    END AS TEXT) AS fields, -- the fields that differ, as a JSON object from path to before and after; null where they are compressed
    workspaces.name AS workspace      -- the workspace, which Hightouch's logs do not have
  FROM fates
  JOIN runs ON runs.id = fates.run
  JOIN scopes ON scopes.id = fates.scope
  JOIN workspaces ON workspaces.id = scopes.workspace
  WHERE fates.op_type IS NOT NULL;

CREATE VIEW sync_snapshot AS
  -- The latest state of each row that was ever tried, with the columns of Hightouch's warehouse sync logs.
  SELECT
    scopes.sync AS sync_id,           -- the sync's id
    CAST(CASE memory.departure
      WHEN 0 THEN memory.key
      ELSE memory.key || ' (was ' || memory.target || ')'
    END AS TEXT) AS row_id,           -- the row's primary key, and of a record that it left, which that is
    CAST(CASE
      WHEN memory.verb = 'remove' OR memory.standing = 'removed' THEN 'removed'
      WHEN memory.standing = 'never' OR memory.n <= 1 THEN 'added'
      WHEN memory.standing <> 'assumed' OR memory.pending <> 'none' THEN 'changed'
    END AS TEXT) AS op_type, -- what was last done or tried: added, changed, removed; null where nothing was
    CAST(CASE
      WHEN memory.pending = 'open' THEN 'unknown'
      WHEN memory.pending = 'waiting' THEN 'failed'
      WHEN memory.standing IN ('delivered', 'removed') THEN 'succeeded'
      ELSE memory.standing
    END AS TEXT) AS status, -- succeeded, failed; unknown while the outcome is; assumed, released
    memory.code AS failure_reason,    -- the code of the last try
    CAST(CASE unicode(coalesce(memory.would_send, memory.sent))
      WHEN 28 THEN (
        WITH RECURSIVE filled (number, text, rest) AS (
          SELECT 0, (SELECT shapes.text FROM shapes WHERE shapes.id = CAST(substr(coalesce(memory.would_send, memory.sent), 2, 10) AS INTEGER)),
            substr(coalesce(memory.would_send, memory.sent), instr(coalesce(memory.would_send, memory.sent), char(31)) + 1)
          UNION ALL
          SELECT number + 1,
            replace(text, char(31, 256 + number), CASE unicode(rest)
              WHEN 24 THEN 'true' WHEN 25 THEN 'false' WHEN 26 THEN 'null'
              WHEN 30 THEN substr(rest, 2, instr(rest, char(31)) - 2)
              ELSE '"' || substr(rest, 1, instr(rest, char(31)) - 1) || '"'
            END),
            substr(rest, instr(rest, char(31)) + 1)
          FROM filled WHERE instr(text, char(31)) > 0 AND rest <> '')
        SELECT text FROM filled WHERE instr(text, char(31)) = 0)
      ELSE coalesce(memory.would_send, memory.sent)
    END AS TEXT) AS fields, -- what was sent, as a JSON object from path to value
    workspaces.name AS workspace      -- the workspace, which Hightouch's logs do not have
  FROM memory
  JOIN scopes ON scopes.id = memory.scope
  JOIN workspaces ON workspaces.id = scopes.workspace
  WHERE memory.standing <> 'never' OR memory.pending <> 'none';

CREATE VIEW sync_calls AS
  -- A row for each call to Vitally. Bodies that are compressed are null here: they stand in the table calls.
  SELECT
    scopes.sync AS sync_id,           -- the sync's id
    runs.run AS sync_run_id,          -- the run's id
    calls.id AS call_id,              -- the call's number
    calls.key AS row_id,              -- the row that it was made for; null where it was made for several, or for none
    CAST(strftime('%Y-%m-%dT%H:%M:%fZ', calls.at / 1000000.0, 'unixepoch') AS TEXT) AS sent_at, -- when it was sent
    endpoints.api AS api,             -- rest, analytics
    endpoints.address AS address,     -- the address that the path follows
    calls.method AS method,           -- GET, POST, PUT or DELETE
    calls.path AS path,               -- path and query
    calls.attempt AS attempt,         -- how often this request was sent, with this time
    CAST(calls.waited / 1000 AS INTEGER) AS waited_ms, -- how long it waited before, in milliseconds
    calls.wait_why AS wait_why,       -- pace, 429, retry-after, backoff, settle
    calls.status AS status,           -- the answer's status; null where none arrived
    CAST(calls.micros / 1000 AS INTEGER) AS took_ms, -- how long it took, in milliseconds
    endpoints.headers AS request_headers, -- the request's headers, as a JSON object
    CAST(coalesce(calls.request, (
        WITH RECURSIVE filled (number, text, rest) AS (
          SELECT 0, shapes.request,
            coalesce(calls.key || char(31) || CASE unicode(status.fields)
              WHEN 28 THEN substr(status.fields, instr(status.fields, char(31)) + 1) ELSE '' END, '') || calls.own
          UNION ALL
          SELECT number + 1,
            replace(text, char(31, 256 + number), CASE unicode(rest)
              WHEN 24 THEN 'true' WHEN 25 THEN 'false' WHEN 26 THEN 'null'
              WHEN 30 THEN substr(rest, 2, instr(rest, char(31)) - 2)
              ELSE '"' || substr(rest, 1, instr(rest, char(31)) - 1) || '"'
            END),
            substr(rest, instr(rest, char(31)) + 1)
          FROM filled WHERE instr(text, char(31)) > 0 AND rest <> '')
        SELECT text FROM filled WHERE instr(text, char(31)) = 0)) AS TEXT) AS request,         -- the request's JSON body
    CAST(coalesce(calls.response_headers, (
        WITH RECURSIVE filled (number, text, rest) AS (
          SELECT 0, shapes.response_headers,
            coalesce(calls.key || char(31) || CASE unicode(status.fields)
              WHEN 28 THEN substr(status.fields, instr(status.fields, char(31)) + 1) ELSE '' END, '') || calls.own
          UNION ALL
          SELECT number + 1,
            replace(text, char(31, 256 + number), CASE unicode(rest)
              WHEN 24 THEN 'true' WHEN 25 THEN 'false' WHEN 26 THEN 'null'
              WHEN 30 THEN substr(rest, 2, instr(rest, char(31)) - 2)
              ELSE '"' || substr(rest, 1, instr(rest, char(31)) - 1) || '"'
            END),
            substr(rest, instr(rest, char(31)) + 1)
          FROM filled WHERE instr(text, char(31)) > 0 AND rest <> '')
        SELECT text FROM filled WHERE instr(text, char(31)) = 0)) AS TEXT) AS response_headers, -- the answer's headers, as a JSON object
    CAST(CASE
      WHEN shapes.response IS NOT NULL THEN (
        WITH RECURSIVE filled (number, text, rest) AS (
          SELECT 0, shapes.response,
            coalesce(calls.key || char(31) || CASE unicode(status.fields)
              WHEN 28 THEN substr(status.fields, instr(status.fields, char(31)) + 1) ELSE '' END, '') || calls.own
          UNION ALL
          SELECT number + 1,
            replace(text, char(31, 256 + number), CASE unicode(rest)
              WHEN 24 THEN 'true' WHEN 25 THEN 'false' WHEN 26 THEN 'null'
              WHEN 30 THEN substr(rest, 2, instr(rest, char(31)) - 2)
              ELSE '"' || substr(rest, 1, instr(rest, char(31)) - 1) || '"'
            END),
            substr(rest, instr(rest, char(31)) + 1)
          FROM filled WHERE instr(text, char(31)) > 0 AND rest <> '')
        SELECT text FROM filled WHERE instr(text, char(31)) = 0)
      WHEN calls.response_zlib IS NULL THEN calls.response
    END AS TEXT) AS response, -- the answer's body, or what went wrong
    workspaces.name AS workspace      -- the workspace
  FROM calls
  JOIN runs ON runs.id = calls.run
  JOIN scopes ON scopes.id = calls.scope
  JOIN workspaces ON workspaces.id = scopes.workspace
  LEFT JOIN endpoints ON endpoints.id = calls.endpoint
  LEFT JOIN shapes ON shapes.id = calls.shape
  LEFT JOIN fates AS status ON status.id = calls.fate;
