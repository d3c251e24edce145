//! What documents say that tests carry out.

use std::path::Path;

/// A file below `docs/`.
pub(crate) fn document(path: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    std::fs::read_to_string(folder.join(path)).unwrap()
}

/// The first block of this language below a heading of the guide for orchestrators.
pub(crate) fn recipe(heading: &str, language: &str) -> String {
    let text = document("guides/orchestrators.md");
    let below = text.split(&format!("\n## {heading}\n")).nth(1).unwrap();
    let block = below.split(&format!("```{language}\n")).nth(1).unwrap();
    block.split("\n```").next().unwrap().to_owned() + "\n"
}
