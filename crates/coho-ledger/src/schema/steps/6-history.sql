-- runs.started_by: what started it: command, schedule, api, catch-up, debugger; null where nobody said
ALTER TABLE runs ADD COLUMN started_by TEXT CHECK (started_by IN ('command', 'schedule', 'api', 'catch-up', 'debugger'));
-- runs.user: who started it, as the system names them
ALTER TABLE runs ADD COLUMN user TEXT;
-- runs.host: the machine that it ran on
ALTER TABLE runs ADD COLUMN host TEXT;
-- runs.arguments: what was asked for, as a command line without the program's name
ALTER TABLE runs ADD COLUMN arguments TEXT;
-- runs.scheduled_at: when it was due, where a schedule started it
ALTER TABLE runs ADD COLUMN scheduled_at INTEGER;
-- runs.coho_version: the version of Coho that ran
ALTER TABLE runs ADD COLUMN coho_version TEXT;
-- runs.project_digest: the digest of the project's files, as hexadecimal digits
ALTER TABLE runs ADD COLUMN project_digest TEXT;
-- runs.git_commit: the commit that the project's folder was at, where it is in a Git repository
ALTER TABLE runs ADD COLUMN git_commit TEXT;
-- runs.git_dirty: 1 where files of the folder differed from that commit, 0 where none did
ALTER TABLE runs ADD COLUMN git_dirty INTEGER CHECK (git_dirty IN (0, 1));
-- runs.kept: what is still kept of its rows and calls: all, failures (only rows that failed, with their calls), counts (neither)
ALTER TABLE runs ADD COLUMN kept TEXT NOT NULL DEFAULT 'all' CHECK (kept IN ('all', 'failures', 'counts'));

CREATE INDEX runs_kept ON runs (started_at) WHERE kept <> 'counts';

-- run_syncs.full_why: why every row was evaluated, not only those that changed: first-run, mapping-changed, encoding-changed, resend, resend-events, baseline, adopt; null where only changed rows were
ALTER TABLE run_syncs ADD COLUMN full_why TEXT;

CREATE INDEX run_syncs_by_scope ON run_syncs (scope, run);

CREATE TABLE stages (
  -- The stages of each sync of each run, with their times.
  run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE, -- the run
  scope INTEGER NOT NULL REFERENCES scopes (id), -- the sync
  number INTEGER NOT NULL,            -- counts them, in the order in which they began
  stage TEXT NOT NULL CHECK (stage IN ('read', 'sort', 'compare', 'plan', 'send', 'conclude')), -- which stage
  phase TEXT CHECK (phase IN ('fresh', 'retry', 'remove', 'probe', 'backfill')), -- of send: what was sent
  began_at INTEGER NOT NULL,          -- when it began
  ended_at INTEGER,                   -- when it ended; null while it goes on, and where the run died in it
  rows INTEGER,                       -- how many rows or operations went through it, where that is counted
  PRIMARY KEY (run, scope, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE endpoints (
  -- Where calls went to, and the headers that all of them had.
  id INTEGER PRIMARY KEY,             -- the number by which calls refer to it
  api TEXT NOT NULL CHECK (api IN ('rest', 'analytics')), -- which of Vitally's two APIs
  source TEXT NOT NULL CHECK (source IN ('us', 'eu', 'base_url', 'analytics_url')), -- where the address comes from: Vitally's own host of a region, or a key of the destination
  address TEXT NOT NULL,              -- the address that paths follow, without a slash at its end
  headers TEXT NOT NULL,              -- the request's headers, as a JSON object from name to value; a credential is ***
  UNIQUE (api, source, address, headers)
) STRICT;

-- calls.endpoint: where it went to; null of calls that earlier versions made
ALTER TABLE calls ADD COLUMN endpoint INTEGER REFERENCES endpoints (id);
-- calls.exchange: the call with which its exchange began, where it is not the first: all calls of one operation are one exchange
ALTER TABLE calls ADD COLUMN exchange INTEGER;
-- calls.attempt: how often this request was sent, with this time: 1 is the first
ALTER TABLE calls ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
-- calls.waited: how long the request waited before this attempt, in microseconds
ALTER TABLE calls ADD COLUMN waited INTEGER NOT NULL DEFAULT 0;
-- calls.wait_why: why it waited most: pace (our share of the rate), 429 (Vitally refused calls), retry-after (Vitally named a time), backoff (an attempt failed), settle (a write was to become visible first); null where it did not wait
ALTER TABLE calls ADD COLUMN wait_why TEXT CHECK (wait_why IN ('pace', '429', 'retry-after', 'backoff', 'settle'));
-- calls.response_headers: the answer's headers that are kept, as a JSON object from name to value; null where no answer arrived
ALTER TABLE calls ADD COLUMN response_headers TEXT;
-- calls.request_cut: how many bytes of the request's body are not kept
ALTER TABLE calls ADD COLUMN request_cut INTEGER NOT NULL DEFAULT 0;
-- calls.response_cut: how many bytes of the answer's body are not kept
ALTER TABLE calls ADD COLUMN response_cut INTEGER NOT NULL DEFAULT 0;
-- calls.request_zlib: the request's body, compressed, where that is shorter; `request` is null then
ALTER TABLE calls ADD COLUMN request_zlib BLOB;
-- calls.response_zlib: the answer's body, compressed, where that is shorter; `response` is empty then
ALTER TABLE calls ADD COLUMN response_zlib BLOB;

CREATE INDEX calls_by_run ON calls (run);

CREATE TABLE causes (
  -- What rows failed of: failures of one sync with one code and one message, but for numbers, ids and quoted values in it.
  id INTEGER PRIMARY KEY,             -- the number by which fates refer to it
  scope INTEGER NOT NULL REFERENCES scopes (id), -- the sync
  code TEXT NOT NULL,                 -- the code; empty where there is none
  message TEXT NOT NULL,              -- the message with placeholders; empty where there is none
  first_at INTEGER NOT NULL,          -- when a row failed of it for the first time
  last_at INTEGER NOT NULL,           -- when a row failed of it last
  healed_at INTEGER,                  -- since when no row waits with it; null while one does
  back_in INTEGER,                    -- the run in which it came back last, after no row had waited with it
  UNIQUE (scope, code, message)
) STRICT;

-- fates.cause: what it failed of; null where it did not fail
ALTER TABLE fates ADD COLUMN cause INTEGER REFERENCES causes (id);
-- fates.fields_zlib: the fields that differ, compressed, where they are many; `fields` is {} then
ALTER TABLE fates ADD COLUMN fields_zlib BLOB;

INSERT INTO causes (scope, code, message, first_at, last_at, healed_at)
SELECT scope, coalesce(code, ''), coalesce(message, ''), min(at), max(at), CASE WHEN max(standing) = 0 THEN max(at) END
FROM fates WHERE fate IN ('invalid', 'rejected', 'skipped', 'deferred', 'held', 'stale')
GROUP BY scope, coalesce(code, ''), coalesce(message, '');

UPDATE fates SET cause = (
  SELECT causes.id FROM causes
  WHERE causes.scope = fates.scope AND causes.code = coalesce(fates.code, '') AND causes.message = coalesce(fates.message, ''))
WHERE fate IN ('invalid', 'rejected', 'skipped', 'deferred', 'held', 'stale');

CREATE INDEX fates_failed ON fates (cause, run) WHERE cause IS NOT NULL;
CREATE INDEX fates_standing_by_cause ON fates (cause) WHERE standing = 1;

-- The fields of this view are null where they are compressed.
DROP VIEW sync_changelog;

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
    CAST(CASE WHEN fates.fields_zlib IS NULL THEN fates.fields END AS TEXT) AS fields, -- the fields that differ, as a JSON object from path to before and after; null where they are compressed
    workspaces.name AS workspace      -- the workspace, which Hightouch's logs do not have
  FROM fates
  JOIN runs ON runs.id = fates.run
  JOIN scopes ON scopes.id = fates.scope
  JOIN workspaces ON workspaces.id = scopes.workspace
  WHERE fates.op_type IS NOT NULL;

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
    calls.request AS request,         -- the request's JSON body
    calls.response_headers AS response_headers, -- the answer's headers, as a JSON object
    CAST(CASE WHEN calls.response_zlib IS NULL THEN calls.response END AS TEXT) AS response, -- the answer's body, or what went wrong
    workspaces.name AS workspace      -- the workspace
  FROM calls
  JOIN runs ON runs.id = calls.run
  JOIN scopes ON scopes.id = calls.scope
  JOIN workspaces ON workspaces.id = scopes.workspace
  LEFT JOIN endpoints ON endpoints.id = calls.endpoint;
