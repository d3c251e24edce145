CREATE TABLE totals (
  -- What is counted over all runs and cannot be counted any more, because history holds the runs or their calls no longer.
  scope INTEGER NOT NULL REFERENCES scopes (id), -- the sync
  what TEXT NOT NULL CHECK (what IN ('rows', 'runs', 'calls')), -- rows and runs: of runs that were forgotten; calls: of all runs that ended
  name TEXT NOT NULL,                 -- the rows' fate, the runs' status, or the API and the answer's status, such as 'rest 200'
  number INTEGER NOT NULL,            -- how many
  PRIMARY KEY (scope, what, name)
) STRICT, WITHOUT ROWID;

INSERT INTO totals (scope, what, name, number)
  SELECT calls.scope, 'calls', coalesce(endpoints.api, 'rest') || ' ' || coalesce(calls.status, 'none'), count(*)
  FROM calls JOIN runs ON runs.id = calls.run LEFT JOIN endpoints ON endpoints.id = calls.endpoint
  WHERE runs.status <> 'running' GROUP BY 1, 3;
