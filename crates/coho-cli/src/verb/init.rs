//! `coho init`: a project that runs.

use std::path::Path;

use anyhow::{Context, bail};

use crate::exit::Exit;
use crate::print;

/// Writes the starter project. Nothing that is there already is touched.
pub(crate) fn init(folder: &Path) -> anyhow::Result<Exit> {
    let files = coho_project::starter();
    let there: Vec<_> = files.iter().map(|(path, _)| *path).filter(|path| folder.join(path).exists()).collect();
    if !there.is_empty() {
        bail!("{} has {} already; choose an empty folder", folder.display(), there.join(", "));
    }
    for (path, text) in files {
        write(&folder.join(path), text)?;
    }
    let name = folder.display();
    print::out(&format!("a project in {name}: {} files\n", files.len()))?;
    print::talk(&next_steps(folder));
    Ok(Exit::Done)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
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
