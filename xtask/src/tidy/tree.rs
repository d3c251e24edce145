//! Every file of the project, in memory, sorted by path: what the checks read, and what their tests make up.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Folders that are not ours: version control and what programs make.
const SKIPPED: [&str; 4] = [".git", "target", "node_modules", ".coho"];

/// The project's files.
pub(crate) struct Tree {
    files: Vec<File>,
}

/// One file.
pub(crate) struct File {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    /// Empty if it is not UTF-8.
    pub(crate) text: String,
}

impl Tree {
    /// Reads the folder and all below it.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut files = Vec::new();
        walk(root, "", &mut files)?;
        files.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(Self { files })
    }

    /// A tree of these paths and texts.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File { path: (*path).to_owned(), text: (*text).to_owned() };
        let mut files: Vec<_> = files.iter().map(file).collect();
        files.sort_by(|left, right| left.path.cmp(&right.path));
        Self { files }
    }

    /// All files.
    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    /// The Rust files.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files().filter(|file| file.has_extension("rs"))
    }

    /// The files under a folder; `""` is the root.
    pub(crate) fn under(&self, folder: &str) -> impl Iterator<Item = &File> {
        self.files().filter(move |file| inside(&file.path, folder).is_some())
    }

    /// The text of a file, if it is there.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        let at = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        self.files.get(at).map(|file| file.text.as_str())
    }

    /// Whether a file or folder is there.
    pub(crate) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        path.is_empty() || self.text(path).is_some() || self.under(path).next().is_some()
    }
}

impl File {
    /// Its lines with their numbers, from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line))
    }

    /// Whether its name ends with this after a dot.
    pub(crate) fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    /// Whether it lies in a folder of this name.
    pub(crate) fn is_in(&self, folder: &str) -> bool {
        self.path.split('/').rev().skip(1).any(|part| part == folder)
    }

    /// Of a snapshot, the path of its test, from the header: `source: crates/a/tests/b.rs`.
    pub(crate) fn source(&self) -> Option<&str> {
        let header = self.text.strip_prefix("---\n")?;
        header.lines().take_while(|line| *line != "---").find_map(|line| line.strip_prefix("source: "))
    }
}

/// The rest of the path if it lies under the folder.
pub(crate) fn inside<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    if folder.is_empty() {
        return Some(path);
    }
    path.strip_prefix(folder)?.strip_prefix('/')
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<File>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("reading {}", folder.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        if !entry.file_type()?.is_dir() {
            let bytes = fs::read(entry.path()).with_context(|| format!("reading {path}"))?;
            files.push(File { path, text: String::from_utf8(bytes).unwrap_or_default() });
        } else if !SKIPPED.contains(&name.as_str()) {
            walk(&entry.path(), &path, files)?;
        }
    }
    Ok(())
}
