//! Projects as text: `fixtures/invalid/*.txt` in, every problem as a user reads it out; `fixtures/valid/*.txt` in, what the
//! project says out (`*.snap` beside each).
//!
//! `tests/fixtures/script.rs` says what a fixture may hold.

#[path = "fixtures/script.rs"]
mod script;
#[path = "fixtures/summary.rs"]
mod summary;

use std::path::Path;

use coho_project::{excerpt, load};
use script::Script;

fn invalid(path: &Path) -> datatest_stable::Result<()> {
    let script = Script::read(&std::fs::read_to_string(path)?)?;
    let problems = load(&script.files, &|name| script.resolve(name), script.target.as_deref())
        .err()
        .ok_or("the project is valid")?;
    let text: Vec<String> = problems.iter().map(|problem| excerpt(problem, &script.files)).collect();
    snapshot(path, "invalid", &text.join("\n"))
}

fn valid(path: &Path) -> datatest_stable::Result<()> {
    let script = Script::read(&std::fs::read_to_string(path)?)?;
    match load(&script.files, &|name| script.resolve(name), script.target.as_deref()) {
        Ok(project) => {
            let text = summary::summary(&project);
            let debug = format!("{project:?}");
            if script.secrets().any(|secret| debug.contains(secret) || text.contains(secret)) {
                return Err("a secret can be seen".into());
            }
            snapshot(path, "valid", &text)
        }
        Err(problems) => {
            Err(problems.iter().map(|problem| excerpt(problem, &script.files)).collect::<String>().into())
        }
    }
}

fn snapshot(path: &Path, folder: &str, text: &str) -> datatest_stable::Result<()> {
    let case = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a fixture without a name")?;
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(case, text));
    Ok(())
}

datatest_stable::harness! {
    { test = invalid, root = "fixtures/invalid", pattern = r"\.txt$" },
    { test = valid, root = "fixtures/valid", pattern = r"\.txt$" },
}
