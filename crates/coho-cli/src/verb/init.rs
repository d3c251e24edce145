//! `coho init`: a project that runs.

use std::path::Path;

use anyhow::Context;

use crate::exit::{Exit, Known};
use crate::print;

/// Writes the starter project. Nothing that is there already is touched.
pub(crate) fn init(folder: &Path) -> anyhow::Result<Exit> {
    let files = coho_project::starter();
    let there: Vec<_> =
        files.iter().map(|(path, _)| *path).filter(|path| folder.join(path).exists()).collect();
    if !there.is_empty() {
        return Err(taken(folder, &there).into());
    }
    for (path, text) in files {
        write(&folder.join(path), text)?;
    }
    print::out(&format!("a project in {}: {} files\n", place(folder), files.len()))?;
    print::talk(&next_steps(folder));
    Ok(Exit::Done)
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
    let message = format!("{} has {names}{more} already; nothing was written", place(folder));
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
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn next_steps(folder: &Path) -> String {
    let enter = if folder == Path::new(".") { String::new() } else { format!("  cd {}\n", folder.display()) };
    format!(
        "\nnext:\n{enter}  coho simulator &     # a Vitally to try it on\n  coho check           # says what is wrong\n  \
         coho plan            # shows what would be sent\n  coho run             # sends it"
    )
}
