//! Guards: what of a sync looks like an accident, and what is done then. They are applied in `coho-plan`.

/// What looks like an accident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guards {
    /// The most records that one run may remove.
    pub max_removed: Option<Limit>,
    /// The most records that one run may update.
    pub max_changed: Option<Limit>,
    /// The most records in which one run may clear the same field.
    pub max_nulled: Option<Limit>,
    /// The most records that Vitally may refuse in one run before it stops.
    pub max_rejected: Option<Limit>,
    /// What a model without any row does.
    pub empty_source: EmptySource,
    /// What rows without a key do to removals.
    pub keyless_rows: KeylessRows,
    /// What a guard does.
    pub on_guard: OnGuard,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            max_removed: Some(Limit { permille: 50, floor: 20 }),
            max_changed: None,
            max_nulled: None,
            max_rejected: None,
            empty_source: EmptySource::Stop,
            keyless_rows: KeylessRows::Stop,
            on_guard: OnGuard::Hold,
        }
    }
}

/// A share of the records that were delivered before, but never less than a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The share in thousandths.
    pub permille: u32,
    /// The number below which the share does not count.
    pub floor: u64,
}

impl Limit {
    /// The most that is allowed where `known` records were delivered before.
    pub fn allows(self, known: u64) -> u64 {
        self.floor.max(known.saturating_mul(u64::from(self.permille)) / 1_000)
    }
}

/// What a model without any row does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmptySource {
    /// Nothing is removed.
    Stop,
    /// It is taken for true.
    Allow,
}

/// What rows whose key cannot be read do to removals: any of them may be a row that seems to have left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeylessRows {
    /// Nothing is removed.
    Stop,
    /// What seems to have left is removed.
    Allow,
}

/// What a guard does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnGuard {
    /// It holds what it concerns; the rest is sent.
    Hold,
    /// Nothing of the sync is sent.
    Stop,
}
