//! Names of files with wildcards: `*` is any characters within a name, `?` is one, and `**` is any number of folders.
//!
//! A wildcard at the start of a name stands for none that begins with `.` or `_`: Spark and its like keep notes there.

use std::collections::BTreeSet;

/// A name with wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    parts: Vec<String>,
}

impl Pattern {
    /// The pattern, if there is a wildcard in it.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let parts = name.split('/').filter(|part| *part != ".").map(str::to_owned).collect();
        has_wildcard(name).then_some(Self { parts })
    }

    /// The folder in which all names that match are.
    pub(super) fn folder(&self) -> String {
        let folders = self.parts.len().saturating_sub(1);
        let fixed = self.parts.iter().take(folders).take_while(|part| !has_wildcard(part));
        fixed.map(String::as_str).collect::<Vec<_>>().join("/")
    }

    /// How many folders below that folder names that match can be; `None` for any number.
    pub(super) fn depth(&self) -> Option<usize> {
        let fixed = self.folder();
        let folders = if fixed.is_empty() { 0 } else { fixed.split('/').count() };
        let is_open = self.parts.iter().any(|part| part == "**");
        (!is_open).then(|| self.parts.len().saturating_sub(folders + 1))
    }

    /// Whether a name matches.
    pub(super) fn matches(&self, name: &str) -> bool {
        let names: Vec<&str> = name.split('/').collect();
        all_match(&self.parts, &names)
    }
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// The folders that are tables of Delta Lake, which keeps there which files count.
#[derive(Default)]
pub(super) struct DeltaTables(BTreeSet<String>);

impl DeltaTables {
    /// Looks at the name of a file or a folder.
    pub(super) fn see(&mut self, name: &str) {
        let mut at = 0;
        for part in name.split('/') {
            if part == "_delta_log" {
                self.0.insert(name.get(..at).unwrap_or_default().to_owned());
            }
            at += part.len() + 1;
        }
    }

    /// Whether a file lies in one of them.
    pub(super) fn have(&self, name: &str) -> bool {
        self.0.iter().any(|table| name.starts_with(table.as_str()))
    }
}

/// Whether a name is one that wildcards leave out.
pub(super) fn is_note(name: &str) -> bool {
    name.starts_with(['.', '_'])
}

fn all_match(parts: &[String], names: &[&str]) -> bool {
    match (parts, names) {
        ([], []) => true,
        ([part, rest @ ..], _) if part == "**" => {
            all_match(rest, names)
                || matches!(names, [name, others @ ..] if !is_note(name) && all_match(parts, others))
        }
        ([part, rest @ ..], [name, others @ ..]) => {
            let hides = is_note(name) && part.starts_with(['*', '?']);
            !hides && one_matches(part.as_bytes(), name) && all_match(rest, others)
        }
        ([], [_, ..]) | ([_, ..], []) => false,
    }
}

/// Whether one name matches; goes back to the last `*` only, which is enough.
fn one_matches(pattern: &[u8], name: &str) -> bool {
    let mut rest = name.chars();
    let mut at = 0;
    let mut back: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        let before = rest.clone();
        match (pattern.get(at), rest.next()) {
            (Some(b'*'), _) => {
                rest = before;
                at += 1;
                back = Some((at, rest.clone()));
                continue;
            }
            (None, None) => return true,
            (Some(b'?'), Some(_)) => {
                at += 1;
                continue;
            }
            (Some(_), Some(letter)) => {
                let mut bytes = [0; 4];
                let bytes = letter.encode_utf8(&mut bytes).as_bytes();
                if pattern.get(at..).is_some_and(|pattern| pattern.starts_with(bytes)) {
                    at += bytes.len();
                    continue;
                }
            }
            (Some(_), None) | (None, Some(_)) => {}
        }
        let Some((star, mut after)) = back.take() else { return false };
        if after.next().is_none() {
            return false;
        }
        (at, rest) = (star, after.clone());
        back = Some((star, after));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(name)
    }

    #[test]
    fn wildcards_stay_within_a_name() {
        assert!(matches("*.csv", "a.csv") && matches("a/*.csv", "a/b.csv") && matches("a-?.csv", "a-é.csv"));
        assert!(matches("é*b*.csv", "éabab.csv") && matches("*a*a*", "xaya"));
        assert!(
            !matches("*.csv", "a/b.csv") && !matches("*.csv", "a.csv.gz") && !matches("a-?.csv", "a-.csv")
        );
        assert!(!matches("*.csv", "a.CSV"));
    }

    #[test]
    fn two_stars_are_folders() {
        for name in ["a.csv", "x/a.csv", "x/y/a.csv"] {
            assert!(matches("**/*.csv", name), "{name}");
        }
        assert!(matches("x/**/a.csv", "x/a.csv") && !matches("x/**/a.csv", "y/a.csv"));
    }

    #[test]
    fn notes_of_programs_are_left_out() {
        for name in ["_SUCCESS", ".a.csv.crc", "_temporary/a.csv", ".spark/a.csv"] {
            assert!(!matches("**/*", name), "{name}");
        }
        assert!(matches("_x/*.csv", "_x/a.csv"));
    }

    #[test]
    fn a_table_is_more_than_its_files() {
        let mut tables = DeltaTables::default();
        tables.see("crm/customers/_delta_log/00.json");
        tables.see("crm/users/a.csv");
        assert!(tables.have("crm/customers/a.parquet") && tables.have("crm/customers/day=1/a.parquet"));
        assert!(!tables.have("crm/users/a.csv"));
        tables.see("_delta_log");
        assert!(tables.have("crm/users/a.csv"));
    }

    #[test]
    fn only_what_can_match_is_listed() {
        let of = |pattern| Pattern::parse(pattern).map(|pattern| (pattern.folder(), pattern.depth()));
        assert_eq!(of("*.csv"), Some((String::new(), Some(0))));
        assert_eq!(of("crm/2026/*.csv"), Some(("crm/2026".to_owned(), Some(0))));
        assert_eq!(of("crm/*/a.csv"), Some(("crm".to_owned(), Some(1))));
        assert_eq!(of("crm/**/*.csv"), Some(("crm".to_owned(), None)));
        assert_eq!(of("crm/a.csv"), None);
    }
}
