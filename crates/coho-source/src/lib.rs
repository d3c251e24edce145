//! Reading a model: PostgreSQL, SQLite and files as exact rows.
