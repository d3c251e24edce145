//! PostgreSQL: how a server is reached, and objects in the tables of a schema.
//!
//! [`connect`] reads an address and sets up TLS, for sources as well as for ledgers. [`shelf`] keeps whole objects in a schema, for code that
//! blocks, as [`crate::Shelf`] keeps them in a bucket: [`session`] is its connection, [`sql`] has its statements, [`fault`] says why a call failed.

mod connect;
mod fault;
mod session;
mod shelf;
mod sql;

pub use connect::{ConnectFault, config, connector, server};
pub use fault::{PostgresFault, PostgresRefusal};
pub use shelf::{PostgresShelf, WriterMark};
