//! Prints `docs/reference/liquid.md`: `cargo run -p coho-liquid --example reference`.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().lock().write_all(coho_liquid::reference().as_bytes())
}
