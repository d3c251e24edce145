//! `coho check --live`: asks how a workspace behaves, with throw-away records, and writes the answers to the project.

use coho_core::failure::Failure as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use coho_core::json::Json;
use coho_core::object::Object;
use coho_engine::live::{Learned, Left, LiveError, LiveReport, file};
use serde_json::json;

use crate::args::Global;
use crate::exit::{Exit, Known};
use crate::{engine, failure, print, project, signal};

/// Checks a workspace.
pub(crate) async fn live(global: &Global, destination: &str, yes: bool) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let destination = engine.destination_named(Some(destination))?;
    let id = uuid::Uuid::new_v4().simple().to_string();
    let name = format!("coho-check-{}", id.get(..8).unwrap_or(&id));
    print::talk(&announced(destination, &name));
    if !yes && !print::confirmed("Continue?")? {
        print::talk("canceled: nothing was sent");
        return Ok(Exit::Done);
    }
    let (stop, _listening) = signal::stop_when_asked(
        "stopping after removing the test records; press Ctrl-C again to stop at once and leave them",
    );
    let report = engine.check_live(destination, &name, &stop).await?;
    tell(&report, &loaded.root, global)
}

/// What will be there for a moment.
fn announced(destination: &str, name: &str) -> String {
    format!(
        "this creates, changes and deletes these records in the workspace of `{destination}`:\n  \
           organization  {name}\n  \
           accounts      {name}, {name}-2\n  \
           users         {name}, {name}-2, with the address {name}@example.com\n  \
           each of them  {name}-missing, if Vitally lets a PUT create records\n\
         This takes about 60 calls. Vitally may keep listing the traits coho_check, coho_check_nested and \
         vitally.custom.cohoCheck."
    )
}

/// Tells what was learned and what was left, and writes the file of a check that came to its end.
fn tell(report: &LiveReport, root: &Path, global: &Global) -> anyhow::Result<Exit> {
    let path = file::path(&report.destination);
    let is_whole = report.cut_short.is_none();
    if is_whole {
        write(&root.join(&path), &file::text(report))?;
    }
    if global.json {
        print::json(&document(report, is_whole.then_some(path.as_str())))?;
    } else {
        print::out(&table(&report.learned))?;
        if is_whole {
            print::talk(&format!("wrote {path}; Coho uses it from now on"));
        }
    }
    for left in &report.left {
        print::talk(&still_there(left));
    }
    match &report.cut_short {
        // Where a document was asked for, it has the error already.
        Some(error) if global.json => Ok(Exit::Report(failure::code(&ended(error, error.help())))),
        Some(error) => Err(ended(error, error.help())),
        None if report.left.is_empty() => Ok(Exit::Done),
        None => Ok(Exit::Report(1)),
    }
}

fn still_there(left: &Left) -> String {
    let what = format!("the {} `{}`", left.object, left.external_id);
    match &left.id {
        Some(id) => {
            format!("still in Vitally: {what}, id {}: {}; please delete it there", id.as_str(), left.why)
        }
        None => format!("may still be in Vitally: {what}: {}; please check there", left.why),
    }
}

fn ended(error: &LiveError, help: Option<String>) -> anyhow::Error {
    use coho_core::code::Family;
    let code = match error.code().entry().map(|entry| entry.family) {
        _ if matches!(error, LiveError::Interrupted) => 130,
        Some(Family::Halt) => 6,
        Some(Family::Record | Family::Unclear) => 5,
        Some(Family::Project | Family::Mapping | Family::Row | Family::Guard) | None => 1,
    };
    Known { message: format!("{error} [{}]", error.code()), help, code, source: None }.into()
}

/// Whole or not at all.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let context = || format!("cannot write {}", path.display());
    std::fs::create_dir_all(folder).with_context(context)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(context)?;
    file.write_all(text.as_bytes()).with_context(context)?;
    file.persist(path).with_context(context)?;
    Ok(())
}

/// A line for each question and answer, with the objects of which it holds.
fn table(learned: &[Learned]) -> String {
    let mut lines: Vec<(&str, Vec<&str>, &str)> = Vec::new();
    for learned in learned {
        let (question, object) = (learned.question.text(), learned.object.map(Object::name));
        match lines.last_mut() {
            Some((before, objects, answer)) if *before == question && *answer == learned.answer => {
                objects.extend(object);
            }
            Some(_) | None => lines.push((question, Vec::from_iter(object), &learned.answer)),
        }
    }
    let lines: Vec<_> = lines.into_iter().map(|(one, two, three)| (one, two.join(", "), three)).collect();
    let widest = |lengths: Vec<usize>| lengths.into_iter().max().unwrap_or_default();
    let first = widest(lines.iter().map(|(question, _, _)| question.len()).collect());
    let second = widest(lines.iter().map(|(_, objects, _)| objects.len()).collect());
    let line = |(question, objects, answer): &(&str, String, &str)| {
        format!("{question:first$}  {objects:second$}  {answer}\n")
    };
    lines.iter().map(line).collect()
}

/// `{version, kind: "live-check", destination, url, checked_at, answers: [{question, object, answer}], left: [{object,
/// external_id, id, why}], file, error}`; `object`, `id`, `file` and `error` only where there is one.
fn document(report: &LiveReport, file: Option<&str>) -> Json {
    let answer = |learned: &Learned| {
        let mut shown = json!({ "question": learned.question.key(), "answer": learned.answer });
        if let Some(object) = learned.object {
            shown["object"] = json!(object.name());
        }
        shown
    };
    let left = |left: &Left| {
        let mut shown =
            json!({ "object": left.object.name(), "external_id": left.external_id, "why": left.why });
        if let Some(id) = &left.id {
            shown["id"] = json!(id.as_str());
        }
        shown
    };
    let mut document = json!({
        "version": 1,
        "kind": "live-check",
        "destination": report.destination,
        "url": report.url,
        "checked_at": report.at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        "answers": report.learned.iter().map(answer).collect::<Vec<_>>(),
        "left": report.left.iter().map(left).collect::<Vec<_>>(),
    });
    if let Some(file) = file {
        document["file"] = json!(file);
    }
    if let Some(error) = &report.cut_short {
        document["error"] = json!({ "code": error.code().as_str(), "message": error.to_string() });
    }
    document
}
