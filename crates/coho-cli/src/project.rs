//! Finding a project, reading its files and its environment, and saying what is wrong with them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use coho_core::code::Code;
use coho_core::problem::Problem;
use coho_project::{File, FileText, Project, belongs, excerpt, load, load_offline};

use crate::args::Global;
use crate::exit::Known;
use crate::print;

/// A project that was loaded, with its files for messages.
pub(crate) struct Loaded {
    /// The project.
    pub(crate) project: Project,
    /// Its folder.
    pub(crate) root: PathBuf,
    /// Its files.
    pub(crate) files: Vec<File>,
}

/// Loads the project that the flags name. Its problems are printed, all of them, and end the command with 3.
pub(crate) fn open(global: &Global) -> anyhow::Result<Loaded> {
    let root = root(global.project.as_deref())?;
    let files = read(&root)?;
    let environment = environment(global.env_file.as_deref())?;
    let project = load(&files, &|name| resolve(name, &environment, &root), global.target.as_deref());
    match project {
        Ok(project) => Ok(Loaded { project, root, files }),
        Err(problems) => Err(report(&problems, &files, global)),
    }
}

/// Loads the project that the flags name where nothing is read or sent: no variable needs to be set.
pub(crate) fn open_offline(global: &Global) -> anyhow::Result<Loaded> {
    let root = root(global.project.as_deref())?;
    let files = read(&root)?;
    match load_offline(&files, global.target.as_deref()) {
        Ok(project) => Ok(Loaded { project, root, files }),
        Err(problems) => Err(report(&problems, &files, global)),
    }
}

/// Prints problems, as text on stderr or as JSON on stdout, and gives the error that ends the command.
pub(crate) fn report(problems: &[Problem], files: &[File], global: &Global) -> anyhow::Error {
    report_all(problems, &[], files, global)
}

/// The same, with warnings before them.
pub(crate) fn report_all(
    problems: &[Problem],
    warnings: &[Problem],
    files: &[File],
    global: &Global,
) -> anyhow::Error {
    if global.json {
        drop(print::json(&problems_as_json(problems, warnings)));
    } else {
        warn(warnings, files);
        for problem in problems {
            print::talk(&excerpt(problem, files));
        }
    }
    let count = problems.len();
    let message = if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") };
    let code = if problems.iter().any(is_halt) { 6 } else { 3 };
    Known { message, help: None, code, source: None }.into()
}

/// Prints warnings on stderr, each with its line.
pub(crate) fn warn(warnings: &[Problem], files: &[File]) {
    for warning in warnings {
        print::talk(&format!("warning: {}", excerpt(warning, files)));
    }
}

/// Problems and warnings as a document.
pub(crate) fn problems_as_json(problems: &[Problem], warnings: &[Problem]) -> serde_json::Value {
    let list = |problems: &[Problem]| -> Vec<_> { problems.iter().map(coho_report::json::problem).collect() };
    serde_json::json!({
        "version": 1, "kind": "problems", "problems": list(problems), "warnings": list(warnings)
    })
}

/// Whether a problem is of the world, not of the project.
fn is_halt(problem: &Problem) -> bool {
    problem.code.entry().is_some_and(|entry| entry.family == coho_core::code::Family::Halt)
}

fn root(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir().context("finding out the current folder")?;
    let (start, above) = match named {
        Some(folder) => (here.join(folder), 1),
        None => (here, usize::MAX),
    };
    let found = start.ancestors().take(above).find(|folder| folder.join("coho.yaml").exists());
    found.map(Path::to_owned).ok_or_else(|| {
        let problem = Problem::new(Code::NO_PROJECT, "there is no coho.yaml here or above");
        let message = match named {
            Some(folder) => format!("there is no coho.yaml in {} [{}]", folder.display(), problem.code),
            None => problem.to_string(),
        };
        let help = "run `coho init` to begin a project, or name its folder with --project".to_owned();
        Known { message, help: Some(help), code: 3, source: None }.into()
    })
}

fn read(root: &Path) -> anyhow::Result<Vec<File>> {
    let mut files = Vec::new();
    walk(root, Path::new(""), &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<File>) -> anyhow::Result<()> {
    let full = root.join(folder);
    let unreadable = |source: std::io::Error| Known {
        message: format!("cannot read the folder {}", full.display()),
        help: Some("give this user access to it".to_owned()),
        code: 3,
        source: Some(source.into()),
    };
    for entry in std::fs::read_dir(&full).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = folder.join(entry.file_name());
        let top = folder.as_os_str().is_empty();
        let name = path.to_string_lossy().replace('\\', "/");
        if entry.path().is_dir() && belongs(&name) {
            files.push(File { path: name, text: FileText::Unreadable("it is a folder".to_owned()) });
        } else if entry.path().is_dir() {
            if !top || ["models", "syncs", "tests", "workspaces"].contains(&name.as_str()) {
                walk(root, &path, files)?;
            }
        } else if belongs(&name) {
            let text = match crate::bounded::bytes(&entry.path(), coho_project::LONGEST) {
                Ok(bytes) => FileText::from_bytes(bytes),
                Err(error) => FileText::Unreadable(error.to_string()),
            };
            files.push(File { path: name, text });
        }
    }
    Ok(())
}

/// What `${NAME}` and `file:PATH` stand for. The environment wins over the file.
fn resolve(name: &str, from_file: &BTreeMap<String, String>, root: &Path) -> Option<String> {
    if let Some(path) = name.strip_prefix("file:") {
        let text = crate::bounded::text(&root.join(path), coho_project::LONGEST).ok()?;
        return Some(text.trim_end_matches(['\r', '\n']).to_owned());
    }
    std::env::var(name).ok().or_else(|| from_file.get(name).cloned())
}

fn environment(file: Option<&Path>) -> anyhow::Result<BTreeMap<String, String>> {
    let Some(path) = file else { return Ok(BTreeMap::new()) };
    let unreadable = |source: std::io::Error| Known {
        message: format!("cannot read the environment file {}", path.display()),
        help: Some("name a text file of NAME=value lines with --env-file".to_owned()),
        code: 3,
        source: Some(source.into()),
    };
    let text = crate::bounded::text(path, coho_project::LONGEST).map_err(unreadable)?;
    text.lines().enumerate().filter_map(|(at, line)| variable(path, at + 1, line).transpose()).collect()
}

/// `NAME=value`, with or without `export` and quotes; `#` begins a comment line.
fn variable(path: &Path, number: usize, line: &str) -> anyhow::Result<Option<(String, String)>> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let line = line.strip_prefix("export ").unwrap_or(line);
    let Some((name, value)) = line.split_once('=') else {
        let message = format!("{}:{number}: expected NAME=value", path.display());
        return Err(Known { message, help: None, code: 3, source: None }.into());
    };
    let value = value.trim();
    let unquoted = ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote)));
    Ok(Some((name.trim().to_owned(), unquoted.unwrap_or(value).to_owned())))
}
