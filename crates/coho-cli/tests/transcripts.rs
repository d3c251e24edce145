//! Transcripts: each `fixtures/*/*.txt` is what a user does, its `.snap` what the terminal shows of it.
//!
//! `guides` are what the guides quote, `mistakes` what can go wrong, each with its message; `verbs` are what goes right; `b2b`, at the
//! root, is the main job on a company's database. `tests/stage/script.rs` says what a script may hold.

#[path = "stage/redact.rs"]
mod redact;
#[path = "stage/script.rs"]
mod script;
#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;
#[path = "stage/vitally.rs"]
mod vitally;

use std::path::Path;

fn transcript(path: &Path) -> datatest_stable::Result<()> {
    let Some(text) = script::play(path)? else { return Ok(()) };
    let case = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a fixture without a name")?;
    let topic = path.parent().ok_or("a fixture without a topic")?;
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(stage::manifest().join(topic));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(case, text));
    Ok(())
}

datatest_stable::harness! {
    { test = transcript, root = "fixtures/guides", pattern = r"\.txt$" },
    { test = transcript, root = "fixtures/mistakes", pattern = r"\.txt$" },
    { test = transcript, root = "fixtures/verbs", pattern = r"\.txt$" },
    { test = transcript, root = "../../fixtures/b2b", pattern = r"\.txt$" },
}
