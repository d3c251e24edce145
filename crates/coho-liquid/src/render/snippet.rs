//! `render`: a snippet sees what it is given, and what it costs is charged to the template's own budget.

use super::{Flow, Missing, Rendering, loops};
use crate::ast::{Part, Render};
use crate::context::Context;
use crate::fault::Fault;
use crate::filters::enumerated;
use crate::value::Val;
use coho_core::value::Value;

/// The free values of a snippet: none.
static NOTHING: Value = Value::Null;

impl<'a> Rendering<'a> {
    pub(super) fn snippet(&mut self, render: &'a Render, out: &mut String) -> Result<(), Fault> {
        let Some(part) = self.parts.get(render.part) else { return Ok(()) };
        let mut given = Vec::with_capacity(render.given.len());
        for (slot, value) in &render.given {
            given.push((*slot, self.expression(value, Missing::Allowed)?));
        }
        let items = match &render.each {
            None => None,
            Some((slot, list)) => {
                let list = self.expression(list, Missing::Refused)?.unwrap_or(Val::Nil);
                Some((*slot, enumerated(&list, &self.scene)?))
            }
        };
        let mut inner = self.inside(part);
        for (slot, value) in given {
            if let (Some(slot), Some(value)) = (slot, value) {
                inner.set(slot, value);
            }
        }
        let done = match items {
            None => inner.nodes(&part.nodes, out).map(drop),
            Some((slot, items)) => inner.each_item(render, part, slot, items, out),
        };
        self.scene.meter = inner.scene.meter;
        done.map_err(|fault| fault.inside(render.part))
    }

    /// A rendering of the snippet's own, with what is left of the budget.
    fn inside(&self, part: &'a Part) -> Self {
        let context = Context::free(&NOTHING);
        let mut inner = Self::bare(&part.source, self.scope, self.scene.clone(), &context);
        inner.parts = self.parts;
        inner.watch = self.watch;
        inner.slots = vec![None; part.slots.len()];
        inner
    }

    fn each_item(
        &mut self,
        render: &'a Render,
        part: &'a Part,
        slot: Option<usize>,
        items: Vec<Val<'a>>,
        out: &mut String,
    ) -> Result<(), Fault> {
        let length = items.len();
        for (index, item) in items.into_iter().enumerate() {
            self.scene.meter.steps(1)?;
            self.loops = vec![loops::Frame::of_render(index, length, &render.name)];
            if let Some(slot) = slot {
                self.set(slot, item);
            }
            if self.nodes(&part.nodes, out)? == Flow::Break {
                break;
            }
        }
        Ok(())
    }
}
