//! What a plan's table was given, as far as passes go by it: what nobody inserted need not be looked for in a million rows.

/// What some pass looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// An operation.
    Operation = 1,
    /// A removal.
    Removal = 2,
    /// A row that became another record.
    Move = 4,
    /// A record that a row leaves.
    Departure = 8,
}

/// What was inserted so far. Nothing is ever taken out again.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    kinds: u8,
    /// The record of the last row that has one.
    last: String,
    /// Whether a row's record did not come behind that of the row before.
    out_of_order: bool,
}

impl Contents {
    pub(super) fn add(&mut self, kind: Kind) {
        self.kinds |= kind as u8;
    }

    /// The record of a row.
    pub(super) fn record(&mut self, target: &str) {
        if !self.out_of_order {
            // No record has an empty id.
            self.out_of_order = self.last.as_str() >= target;
            target.clone_into(&mut self.last);
        }
    }

    /// Whether anything of this kind was inserted.
    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.kinds & kind as u8 != 0
    }

    /// Whether two rows may have the same record. Where records ascend, as they do where they are called by the primary key, none
    /// do.
    pub(crate) fn may_share(&self) -> bool {
        self.out_of_order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_share(targets: &[&str]) -> bool {
        let mut contents = Contents::default();
        for target in targets {
            contents.record(target);
        }
        contents.may_share()
    }

    #[test]
    fn records_that_ascend_are_not_shared() {
        assert!(!may_share(&[]) && !may_share(&["a", "b", "ba", "c"]));
        assert!(may_share(&["a", "a"]) && may_share(&["b", "a", "c"]) && may_share(&["a", "c", "b", "d"]));
    }

    #[test]
    fn only_what_was_inserted_is_there() {
        let mut contents = Contents::default();
        contents.add(Kind::Move);
        let has =
            [Kind::Operation, Kind::Removal, Kind::Move, Kind::Departure].map(|kind| contents.has(kind));
        assert_eq!(has, [false, false, true, false]);
    }
}
