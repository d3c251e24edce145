CREATE TABLE alerts (
  -- The alerts that are open or about to be, and those whose end was not delivered to everybody.
  subject TEXT NOT NULL,              -- what it is about: sync DESTINATION/ID, destination NAME, source NAME, ledger
  watched TEXT NOT NULL,              -- what is watched: failed, credentials, rejected, invalid, held, duration, volume, freshness, disk
  level TEXT CHECK (level IN ('warning', 'critical')), -- how bad it is; null where it is well, or not yet bad for long enough
  streak INTEGER NOT NULL,            -- in how many runs in a row it was bad
  since INTEGER NOT NULL,             -- since when it is bad, or well
  brief TEXT NOT NULL,                -- a few words
  what TEXT NOT NULL,                 -- what was found, one sentence
  rows INTEGER,                       -- how many rows, where rows are counted
  examples TEXT NOT NULL,             -- the keys of a few of them, as a JSON list
  remedy TEXT,                        -- what to do about it
  run TEXT,                           -- the run that found it
  PRIMARY KEY (subject, watched)
) STRICT, WITHOUT ROWID;

CREATE TABLE told (
  -- What each recipient was told of an alert last. What differs from the alert is told by the next message.
  subject TEXT NOT NULL,              -- what the alert is about
  watched TEXT NOT NULL,              -- what is watched
  recipient TEXT NOT NULL,            -- the recipient's name in coho.yaml
  level TEXT CHECK (level IN ('warning', 'critical')), -- how bad it is to the recipient's knowledge; null for well
  at INTEGER NOT NULL,                -- when it was told
  message TEXT NOT NULL,              -- the message that told it
  opened_by TEXT NOT NULL,            -- the message with which the alert opened for the recipient
  opened_at INTEGER NOT NULL,         -- since when the alert had been bad, as it was told
  before TEXT,                        -- what the recipient was told before, as a JSON object: it holds again if the message cannot be delivered
  PRIMARY KEY (subject, watched, recipient)
) STRICT, WITHOUT ROWID;

CREATE INDEX told_by_message ON told (message);

CREATE TABLE mutes (
  -- Syncs of which nobody is told for a while.
  sync TEXT PRIMARY KEY,              -- the sync's id
  until INTEGER NOT NULL,             -- until when
  why TEXT NOT NULL,                  -- why
  since INTEGER NOT NULL              -- since when
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
  -- Messages to recipients: written together with the end of the run that they tell of, and sent afterwards.
  number INTEGER PRIMARY KEY,         -- counts them: each recipient gets its messages in this order
  id TEXT NOT NULL UNIQUE,            -- the message's id, the same however often it is sent
  recipient TEXT NOT NULL,            -- the recipient's name in coho.yaml
  body TEXT NOT NULL,                 -- the message, as JSON
  state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'failed')), -- whether it was delivered, or given up
  created_at INTEGER NOT NULL,        -- when it was written
  due_at INTEGER NOT NULL,            -- when it is tried next
  attempts INTEGER NOT NULL DEFAULT 0, -- how often it was tried
  claim TEXT,                         -- who is sending it
  claimed_until INTEGER,              -- until when nobody else may
  error TEXT,                         -- why the last attempt failed
  receipt TEXT,                       -- what the channel needs to go on with the same thread or incident
  done_at INTEGER                     -- when it was delivered or given up
) STRICT;

CREATE INDEX outbox_waiting ON outbox (recipient, number) WHERE state = 'waiting';
