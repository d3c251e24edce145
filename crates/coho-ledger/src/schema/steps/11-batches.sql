CREATE TABLE batches (
  -- Intents of whole batches of the Analytics API: what may be under way of many rows at once. One that its run did not settle becomes open intents in memory when the next run begins.
  id INTEGER PRIMARY KEY,             -- counts them
  scope INTEGER NOT NULL REFERENCES scopes (id), -- the sync
  since INTEGER NOT NULL,             -- when the intent was made durable
  writes TEXT NOT NULL                -- each write, as a JSON array: key, departure, target, verb, the operation's digest, what is remembered if it arrived, as JSON
) STRICT;
