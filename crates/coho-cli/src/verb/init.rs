//! `coho init`: a project that runs, and what runs it elsewhere.

use std::path::Path;

use anyhow::Context;
use coho_project::{ReadyMade, Surroundings};

use crate::args::{Global, With};
use crate::exit::{Exit, Known};
use crate::{print, project};

/// Writes the starter project, where there is none, and what was asked for with it. Nothing that is there already is touched.
pub(crate) fn init(global: &Global, folder: &Path, with: &[With]) -> anyhow::Result<Exit> {
    let is_new = with.is_empty() || !folder.join("coho.yaml").exists();
    if is_new {
        start(folder)?;
    }
    if !with.is_empty() {
        add(global, folder, with)?;
    }
    if is_new {
        print::talk(&next_steps(folder));
    }
    Ok(Exit::Done)
}

/// Writes the files of `--with` that are not there yet.
fn add(global: &Global, folder: &Path, with: &[With]) -> anyhow::Result<()> {
    let global = Global { project: Some(folder.to_owned()), ..global.clone() };
    let project = project::open_offline(&global)?.project;
    let syncs: Vec<_> = project.syncs.iter().map(|sync| sync.id.as_str()).collect();
    let whole = folder.canonicalize().with_context(|| format!("cannot find {}", folder.display()))?;
    let coho = std::env::current_exe().context("cannot determine where this program is")?;
    let (whole, coho) = (whole.display().to_string(), coho.display().to_string());
    let surroundings = Surroundings { folder: &whole, coho: &coho, syncs: &syncs };
    for (path, text) in with.iter().flat_map(|kind| ready_made(*kind).files(&surroundings)) {
        let file = folder.join(path);
        if file.exists() {
            print::out(&format!("{path} already exists: not changed\n"))?;
        } else {
            write(&file, &text)?;
            print::out(&format!("wrote {path}\n"))?;
        }
    }
    Ok(())
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

fn start(folder: &Path) -> anyhow::Result<()> {
    let files = coho_project::starter();
    let there: Vec<_> =
        files.iter().map(|(path, _)| *path).filter(|path| folder.join(path).exists()).collect();
    if !there.is_empty() {
        return Err(taken(folder, &there).into());
    }
    for (path, text) in files {
        write(&folder.join(path), text)?;
    }
    print::out(&format!("created a project in {} ({} files)\n", place(folder), files.len()))
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
    let enter = if folder == Path::new(".") { String::new() } else { format!("  cd {}\n", folder.display()) };
    format!(
        "\nnext:\n{enter}  coho simulator &     # a simulated Vitally\n  coho check           # says what is wrong\n  \
         coho plan            # shows what would be sent\n  coho run             # sends it"
    )
}
