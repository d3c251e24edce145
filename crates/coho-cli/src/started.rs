//! What started a run of the command line: who, where, with which arguments, and what the project's files are.

use std::path::Path;
use std::process::{Command, Stdio};

use coho_core::digest::Hasher;
use coho_core::started::{Commit, Started, StartedBy};
use coho_project::{File, FileText};

use crate::engine;

/// What is known of the command that runs.
pub(crate) fn by_command(files: &[File], root: &Path) -> Started {
    let user = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    Started {
        by: Some(StartedBy::Command),
        user: user.filter(|name| !name.is_empty()),
        host: Some(engine::host()),
        arguments: Some(typed(std::env::args().skip(1))),
        scheduled: None,
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        project: Some(digest(files)),
        commit: commit(root),
    }
}

/// Arguments as a person would type them.
pub(crate) fn typed(arguments: impl Iterator<Item = String>) -> String {
    let is_plain = |argument: &str| {
        !argument.is_empty() && argument.chars().all(|c| c.is_alphanumeric() || "-_./=,:@%+".contains(c))
    };
    let quoted = arguments.map(|argument| {
        if is_plain(&argument) { argument } else { format!("'{}'", argument.replace('\'', "'\\''")) }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// The digest of the project's files, whatever the order in which they were read. The environment is not in it.
fn digest(files: &[File]) -> String {
    let mut files: Vec<&File> = files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut hasher = Hasher::new();
    for file in files {
        let text = match &file.text {
            FileText::Utf8(text) => text.as_str(),
            FileText::NotUtf8 { .. } | FileText::Long | FileText::Unreadable(_) => "",
        };
        hasher.part(file.path.as_bytes());
        hasher.part(text.as_bytes());
    }
    hasher.finish().to_string()
}

/// The commit of the repository that the project is in, if it is in one and Git is there to tell. Git runs no program for it
/// that the repository names, and takes no lock.
fn commit(root: &Path) -> Option<Commit> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C"])
            .arg(root)
            .args(arguments)
            .env("GIT_OPTIONAL_LOCKS", "0")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let id = git(&["rev-parse", "--verify", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=normal", "--", "."])?;
    Some(Commit { id, is_dirty: !changed.is_empty() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: FileText::Utf8(text.to_owned()) }
    }

    #[test]
    fn arguments_are_quoted_where_a_shell_needs_it() {
        let typed = ["run", "--key", "acme, 7", "it's"].map(str::to_owned);
        assert_eq!(super::typed(typed.into_iter()), r"run --key 'acme, 7' 'it'\''s'");
    }

    #[test]
    fn the_digest_changes_with_a_file_and_not_with_the_order() {
        let (one, two) = (file("coho.yaml", "a"), file("syncs/a.yaml", "b"));
        let digest_of =
            |files: &[&File]| digest(&files.iter().map(|file| (*file).clone()).collect::<Vec<_>>());
        assert_eq!(digest_of(&[&one, &two]), digest_of(&[&two, &one]));
        assert_ne!(digest_of(&[&one, &two]), digest_of(&[&one, &file("syncs/a.yaml", "c")]));
        assert_ne!(digest_of(&[&one, &two]), digest_of(&[&one, &file("syncs/b.yaml", "b")]));
    }

    #[test]
    fn a_commit_is_told_where_there_is_one_and_whether_files_differ() {
        let folder = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            let identity = ["-c", "user.name=a", "-c", "user.email=a@b.test", "-c", "commit.gpgsign=false"];
            let run =
                Command::new("git").arg("-C").arg(folder.path()).args(identity).args(arguments).output();
            run.is_ok_and(|output| output.status.success())
        };
        if !git(&["init", "--quiet"]) {
            eprintln!(
                "skipped: there is no git (a_commit_is_told_where_there_is_one_and_whether_files_differ)"
            );
            return;
        }
        assert_eq!(commit(folder.path()), None, "nothing is committed yet");
        std::fs::write(folder.path().join("coho.yaml"), "a").unwrap();
        assert!(git(&["add", "."]) && git(&["commit", "--quiet", "-m", "a"]));
        let clean = commit(folder.path()).unwrap();
        assert!(clean.id.len() >= 40 && !clean.is_dirty);
        std::fs::write(folder.path().join("coho.yaml"), "b").unwrap();
        assert_eq!(commit(folder.path()), Some(Commit { is_dirty: true, ..clean }));
    }
}
