//! What a filter sees of the rendering around it: its arguments, each evaluated when it is asked for, and nothing else.
//!
//! A filter that read the row by itself would hide which columns a template reads, and one that set names would make the order of
//! filters count.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;

use liquid_core::error::{Error, Result};
use liquid_core::model::{KString, KStringCow, KStringRef, ScalarCow, Value, ValueCow, ValueView};
use liquid_core::runtime::{PartialStore, Registers, Renderable, Runtime};

use super::view;
use crate::ast::{Evaluates, Expr};
use crate::fault::Fault;
use crate::value::Val;

const ONLY_ARGUMENTS: &str = "a filter can use only its input and its arguments";

/// The arguments of one call.
pub(super) struct Arguments<'r, 'a> {
    expressions: &'a [Expr],
    caller: RefCell<&'r mut dyn Evaluates<'a>>,
    values: Vec<OnceCell<Val<'a>>>,
    /// What went wrong in an argument: it has a place, which the crate's errors have not.
    fault: RefCell<Option<Fault>>,
    /// State that lasts for one call, so that the same row always gives the same value.
    registers: OnceCell<Registers>,
}

impl<'r, 'a> Arguments<'r, 'a> {
    pub(super) fn new(expressions: &'a [Expr], caller: &'r mut dyn Evaluates<'a>) -> Self {
        Self {
            expressions,
            caller: RefCell::new(caller),
            values: vec![OnceCell::new(); expressions.len()],
            fault: RefCell::new(None),
            registers: OnceCell::new(),
        }
    }

    /// What went wrong in an argument, whatever the filter made of it.
    pub(super) fn fault(self) -> Option<Fault> {
        self.fault.into_inner()
    }

    /// The argument that a path means; the paths of `super::Written` are their numbers.
    fn argument(&self, path: &[ScalarCow<'_>]) -> Option<&Val<'a>> {
        let [number] = path else { return None };
        if number.type_name() != "whole number" {
            return None;
        }
        let at = usize::try_from(number.to_integer()?).ok()?;
        let cell = self.values.get(at)?;
        if let Some(value) = cell.get() {
            return Some(value);
        }
        let value = self.evaluate(self.expressions.get(at)?);
        match value {
            Ok(value) => Some(cell.get_or_init(|| value)),
            Err(fault) => {
                self.fault.borrow_mut().get_or_insert(fault);
                None
            }
        }
    }

    fn evaluate(&self, expression: &'a Expr) -> std::result::Result<Val<'a>, Fault> {
        let mut caller = self.caller.borrow_mut();
        let value = caller.argument(expression)?;
        view::lend(value, caller.meter())
    }

    fn refuse(&self) {
        self.fault.borrow_mut().get_or_insert_with(|| Fault::failed(ONLY_ARGUMENTS));
    }
}

impl Runtime for Arguments<'_, '_> {
    fn partials(&self) -> &dyn PartialStore {
        &NoPartials
    }

    fn name(&self) -> Option<KStringRef<'_>> {
        None
    }

    fn roots(&self) -> BTreeSet<KStringCow<'_>> {
        BTreeSet::new()
    }

    fn try_get(&self, path: &[ScalarCow<'_>]) -> Option<ValueCow<'_>> {
        self.argument(path).map(|value| ValueCow::Borrowed(value))
    }

    fn get(&self, path: &[ScalarCow<'_>]) -> Result<ValueCow<'_>> {
        self.try_get(path).ok_or_else(|| Error::with_msg(ONLY_ARGUMENTS))
    }

    fn set_global(&self, _: KString, _: Value) -> Option<Value> {
        self.refuse();
        None
    }

    fn set_index(&self, _: KString, _: Value) -> Option<Value> {
        self.refuse();
        None
    }

    fn get_index<'v>(&'v self, _: &str) -> Option<ValueCow<'v>> {
        None
    }

    fn registers(&self) -> &Registers {
        self.registers.get_or_init(Registers::default)
    }
}

/// Filters render no snippets.
#[derive(Debug)]
struct NoPartials;

impl PartialStore for NoPartials {
    fn contains(&self, _: &str) -> bool {
        false
    }

    fn names(&self) -> Vec<&str> {
        Vec::new()
    }

    fn try_get(&self, _: &str) -> Option<Arc<dyn Renderable>> {
        None
    }

    fn get(&self, _: &str) -> Result<Arc<dyn Renderable>> {
        Err(Error::with_msg("a filter cannot render snippets"))
    }
}
