//! What is remembered: memory, intents, runs, calls, references, claims, lease; and its comparison with the rows.
