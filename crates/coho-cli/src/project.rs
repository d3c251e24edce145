//! Finding a project, reading its files and its environment, and saying what is wrong with them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use coho_core::code::Code;
use coho_core::problem::Problem;
use coho_core::secret::Masker;
use coho_project::{
    File, FileText, Project, belongs, excerpt, is_astray, load, load_offline, masker, no_syncs,
};

use crate::args::Global;
use crate::exit::Known;
use crate::failure::Refused;
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
    open_with(global, print::conceal)
}

/// The same for who works beside the command: what is concealed stays what the command conceals.
#[cfg_attr(not(feature = "otel"), expect(dead_code, reason = "only telemetry works beside the command"))]
pub(crate) fn reopen(global: &Global) -> anyhow::Result<Loaded> {
    open_with(global, drop)
}

fn open_with(global: &Global, conceal: impl FnOnce(Masker)) -> anyhow::Result<Loaded> {
    let root = root(global.project.as_deref())?;
    let files = read(&root)?;
    let environment = environment(global.env_file.as_deref())?;
    let resolve = |name: &str| resolve(name, &environment, &root);
    // Before anything is said of the files: what is wrong with them may show what is in them.
    conceal(masker(&files, &resolve));
    let project = load(&files, &resolve, global.target.as_deref());
    match project {
        Ok(project) => Ok(Loaded { project, root, files }),
        Err(problems) => Err(report(&problems, &files)),
    }
}

/// Loads the project that the flags name where nothing is read or sent: no variable needs to be set.
pub(crate) fn open_offline(global: &Global) -> anyhow::Result<Loaded> {
    let root = root(global.project.as_deref())?;
    let files = read(&root)?;
    print::conceal(masker(&files, &|name| std::env::var(name).ok()));
    match load_offline(&files, global.target.as_deref()) {
        Ok(project) => Ok(Loaded { project, root, files }),
        Err(problems) => Err(report(&problems, &files)),
    }
}

/// The files of a project's folder as they are now.
pub(crate) fn files_in(root: &Path) -> anyhow::Result<Vec<File>> {
    read(root)
}

/// The error that ends the command with these problems.
pub(crate) fn report(problems: &[Problem], files: &[File]) -> anyhow::Error {
    report_all(problems, &[], files)
}

/// The same, with warnings before them.
pub(crate) fn report_all(problems: &[Problem], warnings: &[Problem], files: &[File]) -> anyhow::Error {
    Refused { problems: problems.to_vec(), warnings: warnings.to_vec(), files: files.to_vec() }.into()
}

/// The project has syncs, or the command ends: it would do nothing, and say that all is well.
pub(crate) fn has_syncs(loaded: &Loaded) -> anyhow::Result<()> {
    if loaded.project.syncs.is_empty() {
        return Err(report_all(&[no_syncs(&loaded.files)], &[], &loaded.files));
    }
    Ok(())
}

/// Prints warnings on stderr, each with its line.
pub(crate) fn warn(warnings: &[Problem], files: &[File]) {
    for warning in warnings {
        print::talk(&format!("warning: {}", excerpt(warning, files)));
    }
}

/// Warnings as a document of the form of [`crate::failure`].
pub(crate) fn warnings_as_json(warnings: &[Problem]) -> serde_json::Value {
    let warnings: Vec<_> = warnings.iter().map(coho_report::json::problem).collect();
    serde_json::json!({ "version": 1, "kind": "problems", "exit_code": 0, "problems": [], "warnings": warnings })
}

fn root(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir().context("cannot determine the current folder")?;
    let (start, above) = match named {
        Some(named) => (folder(&here.join(named)), 1),
        None => (here, usize::MAX),
    };
    let found = start.ancestors().take(above).find(|folder| folder.join("coho.yaml").exists());
    let near = || start.ancestors().take(above).find_map(misnamed);
    found.map(Path::to_owned).ok_or_else(|| {
        let problem = Problem::new(Code::NO_PROJECT, "there is no coho.yaml in this folder or above it");
        let message = match named {
            Some(folder) => format!("there is no coho.yaml in {} [{}]", folder.display(), problem.code),
            None => problem.to_string(),
        };
        let help = near().map_or_else(
            || "run `coho init` to create a project, or name its folder with --project".to_owned(),
            |near| format!("rename `{}` to `coho.yaml`", near.display()),
        );
        Known { message, help: Some(help), code: 3, source: None }.into()
    })
}

/// A file in a folder that is called almost like a project's.
fn misnamed(folder: &Path) -> Option<PathBuf> {
    let names = ["coho.yml", "Coho.yaml", "Coho.yml"];
    names.iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

/// The files of the project that a template belongs to, if there is one: its snippets are among them.
pub(crate) fn files_around(global: &Global) -> anyhow::Result<Vec<File>> {
    match root(global.project.as_deref()) {
        Ok(root) => read(&root),
        Err(error) if global.project.is_some() => Err(error),
        Err(_) => Ok(Vec::new()),
    }
}

/// The folder that is meant: a `coho.yaml` stands for the folder in which it is.
fn folder(named: &Path) -> PathBuf {
    let is_file = named.file_name().is_some_and(|name| name == "coho.yaml") && named.is_file();
    named.parent().filter(|_| is_file).unwrap_or(named).to_owned()
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
        help: Some("give this user access to the folder".to_owned()),
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
            let is_read = ["models", "syncs", "tests", "workspaces", "templates"].contains(&name.as_str());
            if !top || is_read || is_astray(&format!("{name}/any.yaml")) {
                walk(root, &path, files)?;
            }
        } else if is_astray(&name) {
            files.push(File::text(name, ""));
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
        help: Some("pass a text file with NAME=value lines to --env-file".to_owned()),
        code: 3,
        source: Some(source.into()),
    };
    let text = crate::bounded::text(path, coho_project::LONGEST).map_err(unreadable)?;
    let text = text.trim_start_matches('\u{feff}');
    text.lines().enumerate().filter_map(|(at, line)| variable(path, at + 1, line).transpose()).collect()
}

/// `NAME=value`, with or without `export` and quotes; `#` begins a comment, in a line of its own or after a value in quotes.
fn variable(path: &Path, number: usize, line: &str) -> anyhow::Result<Option<(String, String)>> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let line = line.strip_prefix("export ").unwrap_or(line);
    let Some((name, value)) = line.split_once('=').filter(|(name, _)| !name.trim().is_empty()) else {
        let message = format!("{}:{number}: expected NAME=value", path.display());
        return Err(Known { message, help: None, code: 3, source: None }.into());
    };
    let value = value.trim();
    let unquoted = ['"', '\''].into_iter().find_map(|quote| unquoted(value, quote));
    Ok(Some((name.trim().to_owned(), unquoted.unwrap_or(value).to_owned())))
}

/// What is between the quotes, behind which there may be a comment.
fn unquoted(value: &str, quote: char) -> Option<&str> {
    let inner = value.strip_prefix(quote)?;
    inner.strip_suffix(quote).or_else(|| {
        let (inner, rest) = inner.split_once(quote)?;
        let comment = rest.trim_start();
        (rest.len() > comment.len() && comment.starts_with('#')).then_some(inner)
    })
}
