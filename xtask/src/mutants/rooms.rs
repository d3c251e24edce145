//! Which files must be right, and whose tests reach them.

use anyhow::{Result, bail};

/// A crate, with its files where a fault harms most, and the crates whose tests reach it.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) package: &'static str,
    files: &'static [&'static str],
    pub(crate) tested_by: &'static [&'static str],
}

/// What is looked at where the command line names no file.
const ROOMS: [Room; 5] = [
    Room {
        package: "coho-core",
        files: &["src/decide.rs", "src/fields.rs"],
        tested_by: &["coho-core", "coho-engine"],
    },
    Room {
        package: "coho-plan",
        files: &[
            "src/evaluate.rs",
            "src/evaluate/*.rs",
            "src/guards.rs",
            "src/targets.rs",
            "src/departures.rs",
            "src/agreed.rs",
            "src/approved.rs",
        ],
        tested_by: &["coho-plan", "coho-engine"],
    },
    Room {
        package: "coho-vitally",
        files: &[
            "src/exchange.rs",
            "src/exchange/*.rs",
            "src/wire/*.rs",
            "src/lookup.rs",
            "src/list.rs",
            "src/client/limiter.rs",
            "src/client/limiter/*.rs",
        ],
        tested_by: &["coho-vitally"],
    },
    Room { package: "coho-engine", files: &["src/conclude.rs"], tested_by: &["coho-engine"] },
    Room {
        package: "coho-ledger",
        files: &["src/*.rs", "src/row_state/*.rs", "src/run/*.rs", "src/schema/*.rs"],
        tested_by: &["coho-ledger", "coho-engine"],
    },
];

impl Room {
    /// The rooms of these files, each with those of them that lie in it; all of them where none is named.
    pub(crate) fn of(files: &[String]) -> Result<Vec<(&'static Self, Vec<String>)>> {
        if files.is_empty() {
            return Ok(ROOMS.iter().map(|room| (room, room.all())).collect());
        }
        let mut found: Vec<(&Self, Vec<String>)> = Vec::new();
        for file in files {
            let Some(room) = ROOMS.iter().find(|room| file.starts_with(&room.folder())) else {
                bail!("`{file}` lies in none of the crates that are looked at");
            };
            match found.iter_mut().find(|(other, _)| other.package == room.package) {
                Some((_, files)) => files.push(file.clone()),
                None => found.push((room, vec![file.clone()])),
            }
        }
        Ok(found)
    }

    fn folder(&self) -> String {
        format!("crates/{}/", self.package)
    }

    fn all(&self) -> Vec<String> {
        self.files.iter().map(|file| format!("{}{file}", self.folder())).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::workspace::root;

    /// Whether a pattern, of which only the last part may hold a `*`, names a file.
    fn names_a_file(pattern: &str) -> bool {
        let (folder, name) = pattern.rsplit_once('/').unwrap();
        let (begins, ends) = name.split_once('*').unwrap_or((name, ""));
        let Ok(files) = fs::read_dir(root().join(folder)) else { return false };
        let mut files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        if name.contains('*') {
            files.any(|file| file.starts_with(begins) && file.ends_with(ends))
        } else {
            files.any(|file| file == name)
        }
    }

    #[test]
    fn every_pattern_names_a_file_and_every_crate_of_tests_is_there() {
        for room in &ROOMS {
            for pattern in room.all() {
                assert!(names_a_file(&pattern), "{pattern}");
            }
            for package in room.tested_by {
                assert!(root().join("crates").join(package).join("Cargo.toml").is_file(), "{package}");
            }
        }
        assert!(!names_a_file("crates/coho-plan/src/passes/*.rs"));
    }

    #[test]
    fn files_go_to_the_tests_that_reach_them() {
        let files = ["crates/coho-vitally/src/wire/reading.rs", "crates/coho-engine/src/conclude.rs"];
        let rooms = Room::of(&files.map(str::to_owned)).unwrap();
        let names: Vec<_> = rooms.iter().map(|(room, files)| (room.package, files.len())).collect();
        assert_eq!(names, [("coho-vitally", 1), ("coho-engine", 1)]);
        assert!(Room::of(&["README.md".to_owned()]).is_err());
    }
}
