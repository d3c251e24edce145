//! Whatever a file holds, loading ends with a project or with problems that have a place in one of the files.

use coho_project::{File, FileText, excerpt, load, starter};
use proptest::prelude::*;

/// What the starter has no sync of: an event, a user by the address, records through the Analytics API.
const OTHERS: [(&str, &str); 3] = [
    (
        "syncs/logins.yaml",
        "id: logins\nrenamed_from: [visits]\nmodel: users\nobject: event\nmatch: { messageId: id }\nfields:\n  event: { static: In }\n  \
         timestamp: joined_on\n  userId: id\n  properties: { object: { role: role } }\nfirst_run: { since: 2026-01-01 }\nremember: 90d\nrun: { for: 1h }\n",
    ),
    (
        "syncs/people.yaml",
        "id: people\nmodel: users\nobject: user\nmatch: { email: email, externalId: id }\nfields:\n  email: email\n  accountIds: { column: account_id, \
         lookup: account.externalId }\nassociations: exact\nfirst_run: adopt\nschedule: { cron: \"0 7 * * 1-5\", zone: Europe/Berlin }\n",
    ),
    (
        "syncs/many.yaml",
        "id: many\nmodel: accounts\nobject: account\napi: analytics\nmode: upsert\nmatch: { externalId: id }\nfields: { name: name }\nguards: { max_rejected: 5% }\nschedule: { after: [people, logins], stop_on: never }\n",
    ),
];

/// The project: which files of it are damaged, and how many syncs it has.
const DAMAGED: std::ops::Range<usize> = 2..15;
const SYNCS: usize = 7;

/// A project in which the syncs are: the sandbox of the starter has both tokens.
fn files() -> Vec<File> {
    let files = starter().iter().copied().take(12).chain(OTHERS);
    files.map(|(path, text)| File::text(path, text)).collect()
}

#[test]
fn the_project_is_valid_until_it_is_damaged() {
    let project = load(&files(), &|_| None, None).unwrap();
    assert_eq!((files().len(), project.syncs.len()), (DAMAGED.end, SYNCS));
}

/// The project with one piece of one file replaced.
fn mutated(which: usize, from: usize, length: usize, by: &str) -> Vec<File> {
    let mut files = files();
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
    fn a_damaged_project_never_panics(which in DAMAGED, from in 0_usize..2_000, length in 0_usize..12, by in "[a-z{}\\[\\]:,&*!|>'\"%@`#?$ \t\n-]{0,6}") {
        let files = mutated(which, from, length, &by);
        let loaded = load(&files, &|_| None, None);
        if let Ok(project) = &loaded {
            prop_assert_eq!((project.models.len(), project.syncs.len()), (4, SYNCS));
        }
        if let Err(problems) = loaded {
            prop_assert!(!problems.is_empty());
            prop_assert!(!problems.iter().any(|problem| problem.message == "cannot read this"));
            for problem in problems {
                let place = problem.place.clone().expect("every problem has a place");
                let lines = files.iter().find(|file| *file.path == *place.file).map(|file| match &file.text {
                    FileText::Utf8(text) => text.lines().count() + 1,
                    FileText::NotUtf8 { .. } | FileText::Long | FileText::Unreadable(_) => 0,
                });
                prop_assert!(lines.is_some_and(|lines| place.line as usize <= lines), "{place}: {problem}");
                prop_assert!(!excerpt(&problem, &files).is_empty());
            }
        }
    }

    #[test]
    fn damaged_bytes_of_any_file_never_panic(which in DAMAGED, seed in any::<u64>()) {
        let mut files = files();
        if let FileText::Utf8(text) = &files[which].text {
            files[which].text = FileText::from_bytes(coho_testkit::mutated(text.as_bytes(), seed));
        }
        if let Err(problems) = load(&files, &|_| None, None) {
            prop_assert!(!problems.is_empty());
            prop_assert!(problems.iter().all(|problem| problem.message != "cannot read this"));
        }
    }

    #[test]
    fn any_text_loads_or_has_problems(text in "\\PC{0,80}") {
        let files = [File::text("coho.yaml", text.clone()), File::text("models/a.sql", text.clone()), File::text("syncs/a.yaml", text)];
        prop_assert!(load(&files, &|_| None, None).is_err());
    }
}
