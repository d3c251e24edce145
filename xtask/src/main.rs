//! Coho's own tools.
fn main() {}
