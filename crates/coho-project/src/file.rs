//! A project's files as the caller hands them in, and what each path means.

/// A file of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The path relative to the project, with `/` between its parts.
    pub path: String,
    /// What it holds.
    pub text: FileText,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileText {
    /// Text.
    Utf8(String),
    /// Something else.
    NotUtf8 {
        /// The line of the first byte that is no text, from 1.
        line: u32,
    },
    /// More than [`LONGEST`] bytes, of which nothing is kept.
    Long,
    /// Nobody knows: it could not be read, for this reason.
    Unreadable(String),
}

/// The most bytes of a project's file. People write these; what is longer is data that lies in the wrong place, and would take
/// gigabytes of memory to be checked as YAML.
pub const LONGEST: usize = 4 * 1024 * 1024;

impl FileText {
    /// What the bytes of a file hold.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        if bytes.len() > LONGEST {
            return Self::Long;
        }
        match String::from_utf8(bytes) {
            Ok(text) => Self::Utf8(text),
            Err(error) => {
                let valid = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
                let breaks = valid.filter(|byte| **byte == b'\n').count();
                Self::NotUtf8 { line: u32::try_from(breaks + 1).unwrap_or(u32::MAX) }
            }
        }
    }
}

impl File {
    /// A file that holds text.
    pub fn text(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: FileText::Utf8(text.into()) }
    }
}

/// What a file is to a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Project,
    Model,
    SqlModel,
    Sync,
    Test,
    Workspace,
    Snippet,
}

/// Whether the file of this path is one that [`crate::load`] reads: `coho.yaml`, `models/**.yaml` or `.sql`,
/// `syncs/**.yaml`, `tests/**.yaml`, `workspaces/*.yaml`, `templates/**.liquid`. Others need not be handed in.
pub fn belongs(path: &str) -> bool {
    kind(path).is_some()
}

pub(crate) fn kind(path: &str) -> Option<Kind> {
    if path == "coho.yaml" {
        return Some(Kind::Project);
    }
    let (folder, rest) = path.split_once('/')?;
    let name = rest.rsplit('/').next().unwrap_or(rest);
    let (stem, ending) = name.rsplit_once('.')?;
    if stem.is_empty() || stem.starts_with('.') {
        return None;
    }
    match (folder, ending) {
        ("models", "yaml" | "yml") => Some(Kind::Model),
        ("models", "sql") => Some(Kind::SqlModel),
        ("syncs", "yaml" | "yml") => Some(Kind::Sync),
        ("tests", "yaml" | "yml") => Some(Kind::Test),
        ("workspaces", "yaml") => Some(Kind::Workspace),
        ("templates", "liquid") => Some(Kind::Snippet),
        _ => None,
    }
}

/// A file's name without folders and ending.
pub(crate) fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_a_project_belong_to_it() {
        for path in [
            "coho.yaml",
            "models/a.yaml",
            "models/b/c.sql",
            "syncs/d.yml",
            "tests/e.yaml",
            "workspaces/f.yaml",
        ] {
            assert!(belongs(path), "{path}");
        }
        for path in ["other.yaml", "models/a.csv", "data/a.yaml", "syncs/.swap.yaml", "a/coho.yaml", "models"]
        {
            assert!(!belongs(path), "{path}");
        }
    }

    #[test]
    fn the_line_of_the_first_wrong_byte_is_told() {
        let text = FileText::from_bytes(b"a: 1\nb: \xff\n".to_vec());
        assert!(matches!(text, FileText::NotUtf8 { line: 2 }), "{text:?}");
    }
}
