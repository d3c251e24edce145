CREATE TABLE forgotten (
  -- What somebody had forgotten on purpose: the next run finds its rows new.
  id INTEGER PRIMARY KEY,             -- counts them
  at INTEGER NOT NULL,                -- when
  scope INTEGER NOT NULL REFERENCES scopes (id), -- the sync
  key TEXT,                           -- the row's primary key; null where all rows of the sync were forgotten
  rows INTEGER NOT NULL,              -- how many rows were remembered until then
  asked_by TEXT CHECK (asked_by IN ('command', 'debugger')), -- where it was asked for
  user TEXT,                          -- who asked, as the system or the token names them
  host TEXT                           -- the machine on which it was done
) STRICT;
CREATE INDEX forgotten_by_scope ON forgotten (scope, id);
