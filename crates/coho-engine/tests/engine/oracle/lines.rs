//! What Vitally holds as lines, one a record: those of the sheet, to be held against the simulator's.

use super::{Record, Sheet};

/// One record.
pub(crate) fn line(
    object: &str,
    id: &str,
    name: &str,
    email: &str,
    traits: &[String],
    links: &[String],
) -> String {
    format!("{object} {id} {name} <{email}> {} in {}", traits.join(" "), links.join(" "))
}

impl Sheet {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines_with(|_| false)
    }

    /// Whether this is what Vitally may hold if calls failed: which links a POST takes away depends on which try of it arrives,
    /// since one that finds the record is followed by a PUT, which takes none.
    pub(crate) fn allows(&self, held: &[String]) -> bool {
        held == self.lines_with(|line| held.contains(line))
    }

    /// All lines; those of records of which a POST took links as they were with them, where `stays` says so of the line.
    fn lines_with(&self, stays: impl Fn(&String) -> bool) -> Vec<String> {
        let told = |((object, id), record): (&(&str, String), &Record), links: Vec<String>| {
            let traits = record.fields.iter().filter(|(name, _)| **name != "name");
            let traits: Vec<_> = traits.map(|(name, value)| format!("{name}={value}")).collect();
            line(object, id, &record.fields["name"], &record.email, &traits, &links)
        };
        let one = |entry: (&(&'static str, String), &Record)| {
            let (left, all) = (&entry.1.links, entry.1.links.union(&entry.1.taken).cloned().collect());
            Some(told(entry, all))
                .filter(&stays)
                .unwrap_or_else(|| told(entry, left.iter().cloned().collect()))
        };
        let mut lines: Vec<_> = self.records.iter().map(one).collect();
        lines.extend(self.orders.values().map(|total| format!("event total={total}")));
        lines.sort();
        lines
    }
}
