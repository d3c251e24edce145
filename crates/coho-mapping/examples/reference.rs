//! Prints `docs/reference/liquid.md`: `cargo run -p coho-mapping --example reference`.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().lock().write_all(coho_mapping::liquid::reference().as_bytes())
}
