//! Whatever a file holds, loading ends with a project or with problems that have a place in one of the files.

use coho_project::{File, FileText, excerpt, load, starter};
use proptest::prelude::*;

/// The starter with one piece of one file replaced.
fn mutated(which: usize, from: usize, length: usize, by: &str) -> Vec<File> {
    let mut files: Vec<File> = starter().iter().map(|(path, text)| File::text(*path, *text)).collect();
    let which = which % files.len();
    if let FileText::Utf8(text) = &mut files[which].text {
        let characters: Vec<char> = text.chars().collect();
        let from = from % (characters.len() + 1);
        let until = (from + length).min(characters.len());
        *text = characters[..from]
            .iter()
            .copied()
            .chain(by.chars())
            .chain(characters[until..].iter().copied())
            .collect();
    }
    files
}

proptest! {
    #[test]
    fn a_damaged_project_never_panics(which in 2_usize..10, from in 0_usize..2_000, length in 0_usize..12, by in "[a-z{}\\[\\]:,&*!|>'\"%@`#?$ \t\n-]{0,6}") {
        let files = mutated(which, from, length, &by);
        let loaded = load(&files, &|_| None, None);
        if let Ok(project) = &loaded {
            prop_assert_eq!((project.models.len(), project.syncs.len()), (3, 3));
        }
        if let Err(problems) = loaded {
            prop_assert!(!problems.is_empty());
            prop_assert!(!problems.iter().any(|problem| problem.message == "this cannot be read"));
            for problem in problems {
                let place = problem.place.clone().expect("every problem has a place");
                let lines = files.iter().find(|file| *file.path == *place.file).map(|file| match &file.text {
                    FileText::Utf8(text) => text.lines().count() + 1,
                    FileText::NotUtf8 { .. } | FileText::Unreadable(_) => 0,
                });
                prop_assert!(lines.is_some_and(|lines| place.line as usize <= lines), "{place}: {problem}");
                prop_assert!(!excerpt(&problem, &files).is_empty());
            }
        }
    }

    #[test]
    fn any_text_loads_or_has_problems(text in "\\PC{0,80}") {
        let files = [File::text("coho.yaml", text.clone()), File::text("models/a.sql", text.clone()), File::text("syncs/a.yaml", text)];
        prop_assert!(load(&files, &|_| None, None).is_err());
    }
}
