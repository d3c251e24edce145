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
        files: &["src/evaluate*.rs", "src/evaluate/*.rs", "src/guards.rs", "src/passes/*.rs"],
        tested_by: &["coho-plan", "coho-engine"],
    },
    Room {
        package: "coho-vitally",
        files: &["src/exchange/*.rs", "src/wire/*.rs", "src/client/limiter/*.rs"],
        tested_by: &["coho-vitally"],
    },
    Room { package: "coho-engine", files: &["src/conclude.rs"], tested_by: &["coho-engine"] },
    Room {
        package: "coho-ledger",
        files: &["src/intent.rs", "src/settle.rs", "src/lease.rs", "src/schema.rs", "src/open.rs"],
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
    use super::*;

    #[test]
    fn files_go_to_the_tests_that_reach_them() {
        let files = ["crates/coho-vitally/src/wire/reading.rs", "crates/coho-engine/src/conclude.rs"];
        let rooms = Room::of(&files.map(str::to_owned)).unwrap();
        let names: Vec<_> = rooms.iter().map(|(room, files)| (room.package, files.len())).collect();
        assert_eq!(names, [("coho-vitally", 1), ("coho-engine", 1)]);
        assert!(Room::of(&["README.md".to_owned()]).is_err());
    }
}
