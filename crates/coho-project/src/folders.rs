//! Folders that are called almost like those of a project: nothing in them is read, which nobody means.

use std::collections::BTreeMap;

use coho_core::code::Code;
use coho_core::place::Place;
use coho_core::problem::{Problem, nearest};

use crate::file::{File, Kind, kind};

/// The folders in which people write files, with the kinds of these.
const FOLDERS: [(&str, &[Kind]); 3] =
    [("models", &[Kind::Model, Kind::SqlModel]), ("syncs", &[Kind::Sync]), ("tests", &[Kind::Test])];

/// Whether a file is in a folder that is called almost as one of a project is, and would belong to the project if it were
/// called so: `sync/accounts.yaml`. Such files may be handed to [`crate::load`] without their content, which tells of them.
pub fn is_astray(path: &str) -> bool {
    astray(path).is_some()
}

/// The folder of a file that is astray, and what it should be called.
fn astray(path: &str) -> Option<(&str, &'static str)> {
    let (folder, rest) = path.split_once('/')?;
    let right = nearest(folder, FOLDERS.map(|(name, _)| name)).filter(|right| *right != folder)?;
    let is_known = FOLDERS.iter().any(|(name, _)| *name == folder) || folder == "workspaces";
    (!is_known && kind(&format!("{right}/{rest}")).is_some()).then_some((folder, right))
}

/// A problem for each folder that is called wrongly, with the name of the folder that it should be.
fn all(files: &[File]) -> Vec<(&'static str, Problem)> {
    let folders: BTreeMap<&str, &'static str> = files.iter().filter_map(|file| astray(&file.path)).collect();
    let problem = |(folder, right): (&str, &'static str)| {
        let message =
            format!("Coho does not read the folder `{folder}`: {right} belong in a folder named `{right}`");
        let problem = Problem::new(Code::NO_SYNCS, message).at(&Place::file(folder));
        (right, Problem { code: code(right), ..problem }.help(format!("rename it to `{right}`")))
    };
    folders.into_iter().map(problem).collect()
}

fn code(folder: &str) -> Code {
    if folder == "syncs" { Code::NO_SYNCS } else { Code::FILE_UNREADABLE }
}

/// Folders that are called wrongly: problems where the project has no models otherwise, else warnings.
pub(crate) fn check(files: &[File], problems: &mut Vec<Problem>, warnings: &mut Vec<Problem>) {
    for (right, problem) in all(files) {
        if right == "models" && !has(files, right) { problems.push(problem) } else { warnings.push(problem) }
    }
}

fn has(files: &[File], folder: &str) -> bool {
    let kinds = FOLDERS.iter().find(|(name, _)| *name == folder).map_or(&[][..], |(_, kinds)| kinds);
    files.iter().filter_map(|file| kind(&file.path)).any(|kind| kinds.contains(&kind))
}

/// What to say where something is to be done with all syncs of a project, and it has none.
pub fn no_syncs(files: &[File]) -> Problem {
    let astray = all(files).into_iter().find(|(right, _)| *right == "syncs");
    match astray {
        Some((_, problem)) => problem,
        None => Problem::new(Code::NO_SYNCS, "the project has no syncs: `syncs/` has no files")
            .help("add `syncs/NAME.yaml`; `coho init DIR` creates a project with examples"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_are_called_almost_right_are_found() {
        for path in
            ["sync/a.yaml", "Syncs/a.yml", "model/a.sql", "MODELS/b/a.yaml", "test/a.yaml", "synchs/a.yaml"]
        {
            assert!(is_astray(path), "{path}");
        }
        for path in
            ["syncs/a.yaml", "data/a.yaml", "sync/a.txt", "src/a.yaml", "workspaces/a.yaml", "sync.yaml"]
        {
            assert!(!is_astray(path), "{path}");
        }
    }
}
