//! The `coho` command.
fn main() {}
