CREATE TABLE comparisons (
  -- Syncs whose rows were compared in their source: on which basis, and in how many buckets.
  scope INTEGER PRIMARY KEY REFERENCES scopes (id), -- the sync
  basis BLOB NOT NULL,                -- stands for Coho's version, the statements, and the columns by names and types: what was summed up on another basis is of no use
  bits INTEGER NOT NULL,              -- how many bits of a key's digest are the number of its bucket
  expected INTEGER NOT NULL,          -- about how many rows had changed when they were compared last
  at INTEGER NOT NULL                 -- when that was
) STRICT;

CREATE TABLE buckets (
  -- What a source's sums stand for: rows that the source sums up like this are those rows, as Coho digests them.
  scope INTEGER NOT NULL REFERENCES comparisons (scope), -- the sync
  bucket INTEGER NOT NULL,            -- the number of the bucket; one without rows is left out
  rows INTEGER NOT NULL,              -- how many rows it has
  source BLOB NOT NULL,               -- the sum of their fingerprints, as the source computes them
  seen BLOB NOT NULL,                 -- the sum of the digests of the same rows with their keys, as Coho computes them
  PRIMARY KEY (scope, bucket)
) STRICT, WITHOUT ROWID;
