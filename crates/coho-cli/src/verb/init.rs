//! `coho init`: a project that runs, and what runs it elsewhere.

use std::path::Path;

use anyhow::Context;
use coho_project::{ReadyMade, Surroundings};
use serde_json::json;

use crate::args::{Global, With};
use crate::exit::{Exit, Known};
use crate::{print, project};

/// Writes the starter project, where there is none, and what was asked for with it. Nothing that is there already is touched.
pub(crate) fn init(global: &Global, folder: &Path, with: &[With]) -> anyhow::Result<Exit> {
    let is_new = with.is_empty() || !folder.join("coho.yaml").exists();
    let started = if is_new { start(global, folder)? } else { Vec::new() };
    let added = if with.is_empty() { Vec::new() } else { add(global, folder, with)? };
    if global.json {
        let written: Vec<_> = started.into_iter().chain(added).collect();
        let folder = folder.display().to_string();
        print::json(&json!({ "version": 1, "kind": "init", "folder": folder, "written": written }))?;
    }
    if is_new {
        print::talk(&next_steps(folder));
    }
    Ok(Exit::Done)
}

/// A line on stdout, where text is wanted.
fn say(global: &Global, line: &str) -> anyhow::Result<()> {
    if global.json { Ok(()) } else { print::out(&format!("{line}\n")) }
}

/// Writes the files of `--with` that are not there yet, and says which.
fn add(global: &Global, folder: &Path, with: &[With]) -> anyhow::Result<Vec<&'static str>> {
    let within = Global { project: Some(folder.to_owned()), ..global.clone() };
    let project = project::open_offline(&within)?.project;
    let syncs: Vec<_> = project.syncs.iter().map(|sync| sync.id.as_str()).collect();
    let whole = folder.canonicalize().with_context(|| format!("cannot find {}", folder.display()))?;
    let coho = std::env::current_exe().context("cannot determine where this program is")?;
    let (whole, coho) = (whole.display().to_string(), coho.display().to_string());
    let surroundings = Surroundings { folder: &whole, coho: &coho, syncs: &syncs };
    let mut written = Vec::new();
    for (path, text) in with.iter().flat_map(|kind| ready_made(*kind).files(&surroundings)) {
        let file = folder.join(path);
        if file.exists() {
            say(global, &format!("{path} already exists: not changed"))?;
        } else {
            write(&file, &text)?;
            written.push(path);
            say(global, &format!("wrote {path}"))?;
        }
    }
    Ok(written)
}

fn ready_made(with: With) -> ReadyMade {
    match with {
        With::Github => ReadyMade::Github,
        With::Systemd => ReadyMade::Systemd,
        With::Container => ReadyMade::Container,
        With::Cron => ReadyMade::Cron,
        With::Airflow => ReadyMade::Airflow,
        With::Dagster => ReadyMade::Dagster,
        With::Prefect => ReadyMade::Prefect,
    }
}

/// Writes the starter project, and says which files it has.
fn start(global: &Global, folder: &Path) -> anyhow::Result<Vec<&'static str>> {
    let files = coho_project::starter();
    let there: Vec<_> =
        files.iter().map(|(path, _)| *path).filter(|path| folder.join(path).exists()).collect();
    if !there.is_empty() {
        return Err(taken(folder, &there).into());
    }
    for (path, text) in files {
        write(&folder.join(path), text)?;
    }
    say(global, &format!("created a project in {} ({} files)", place(folder), files.len()))?;
    Ok(files.iter().map(|(path, _)| *path).collect())
}

fn place(folder: &Path) -> String {
    if folder == Path::new(".") { "this folder".to_owned() } else { folder.display().to_string() }
}

fn taken(folder: &Path, there: &[&str]) -> Known {
    let more = match there.len() {
        0..=3 => String::new(),
        count => format!(" and {} more", count - 3),
    };
    let names = there.iter().take(3).copied().collect::<Vec<_>>().join(", ");
    let message = format!("{} already has {names}{more}; nothing was written", place(folder));
    Known {
        message,
        help: Some("name an empty folder: `coho init my-project`".to_owned()),
        code: 2,
        source: None,
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create the folder {}", folder.display()))?;
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn next_steps(folder: &Path) -> String {
    let enter = if folder == Path::new(".") { String::new() } else { format!("  cd {}\n", typed(folder)) };
    format!(
        "\nnext:\n{enter}  coho simulator &     # a simulated Vitally\n  coho check           # says what is wrong\n  \
         coho plan            # shows what would be sent\n  coho run             # sends it"
    )
}

/// A path as one types it in a shell.
fn typed(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,@%=:".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
