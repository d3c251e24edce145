//! What a template may cost: the limits, and the one place where costs are charged.

use std::cell::Cell;

use coho_core::code::Code;

use super::fault::Fault;

/// The limits of one template. All can be set; the defaults end any template within a tenth of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The longest template, in bytes.
    pub source: usize,
    /// The deepest nesting of blocks, and of brackets in an expression; never more than 100.
    pub nesting: usize,
    /// Steps of one rendering: a node, a filter and each item that is touched is one.
    pub steps: u64,
    /// Bytes of the rendered text.
    pub output: usize,
    /// Bytes of all values that are made on the way.
    pub values: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { source: 64 * 1024, nesting: 50, steps: 200_000, output: 1 << 20, values: 8 << 20 }
    }
}

/// More than this is refused, whatever is set: values are walked recursively.
pub(crate) const DEEPEST_VALUE: u8 = 130;
/// The same for templates.
pub(crate) const DEEPEST_TEMPLATE: usize = 100;

/// What one rendering has used.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    steps: Cell<u64>,
    values: Cell<usize>,
    output: Cell<usize>,
}

impl Meter {
    pub(crate) fn new(budget: Budget) -> Self {
        Self {
            steps: Cell::new(budget.steps),
            values: Cell::new(budget.values),
            output: Cell::new(budget.output),
        }
    }

    /// Charges steps before they are made.
    pub(crate) fn steps(&self, count: usize) -> Result<(), Fault> {
        let left = self.steps.get().checked_sub(count as u64);
        self.steps.set(left.ok_or_else(|| spent("takes more steps"))?);
        Ok(())
    }

    /// Charges the bytes of a value before it is made.
    pub(crate) fn bytes(&self, count: usize) -> Result<(), Fault> {
        let left = self.values.get().checked_sub(count);
        self.values.set(left.ok_or_else(|| spent("makes larger values"))?);
        Ok(())
    }

    /// Charges a list of this many items.
    pub(crate) fn items(&self, count: usize) -> Result<(), Fault> {
        self.steps(count)?;
        self.bytes(count.saturating_mul(40))
    }

    /// Charges rendered text.
    pub(crate) fn output(&self, count: usize) -> Result<(), Fault> {
        let left = self.output.get().checked_sub(count);
        self.output.set(left.ok_or_else(|| spent("renders more text"))?);
        Ok(())
    }
}

fn spent(what: &str) -> Fault {
    Fault::new(Code::TEMPLATE_BUDGET, format!("the template {what} than the limit for one row"))
}
