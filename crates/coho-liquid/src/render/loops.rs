//! `for` and `tablerow`: items are taken one by one, and each is a step.

use std::borrow::Cow;

use super::{Flow, Missing, Rendering};
use crate::ast::{Expr, Loop, Offset, Order, Table};
use crate::budget::Meter;
use crate::fault::Fault;
use crate::filters::size_of;
use crate::number::Number;
use crate::scene::Scene;
use crate::value::{Val, item};

/// Where a loop is: `forloop`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    index: usize,
    length: usize,
    name: &'a str,
    /// Whether it is the loop of a `render`, which those in the snippet do not see as their parent.
    outside: bool,
}

/// Where a table is: `tablerowloop`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    index: usize,
    length: usize,
    columns: usize,
}

/// The items of a loop that are rendered, by their places.
struct Window {
    from: usize,
    to: usize,
}

impl<'a> Rendering<'a> {
    pub(super) fn repeat(&mut self, repeat: &'a Loop, out: &mut String) -> Result<Flow, Fault> {
        let items = self.expression(&repeat.items, Missing::Refused)?.unwrap_or(Val::Nil);
        let count = count(&items);
        let window = self.window(repeat, count).map_err(|fault| fault.at(repeat.span))?;
        if count == 0 && repeat.table.is_none() {
            return self.otherwise(repeat.otherwise.as_ref(), out);
        }
        if window.from < window.to {
            self.take(repeat.mark);
        }
        let outside = self.slots.get_mut(repeat.slot).and_then(Option::take);
        self.bound.push((repeat.slot, outside));
        let flow = match &repeat.table {
            None => self.bodies(repeat, &items, &window, out),
            Some(table) => self.table(repeat, table, &items, &window, out),
        };
        if let (Some((_, outside)), Some(place)) = (self.bound.pop(), self.slots.get_mut(repeat.slot)) {
            *place = outside;
        }
        flow
    }

    fn bodies(
        &mut self,
        repeat: &'a Loop,
        items: &Val<'a>,
        window: &Window,
        out: &mut String,
    ) -> Result<Flow, Fault> {
        let length = window.to - window.from;
        self.loops.push(Frame { index: 0, length, name: &repeat.name, outside: false });
        for index in 0..length {
            self.scene.meter.steps(1)?;
            if let Some(frame) = self.loops.last_mut() {
                frame.index = index;
            }
            self.bind(repeat, items, window, index)?;
            if self.nodes(&repeat.body, out)? == Flow::Break {
                break;
            }
        }
        self.loops.pop();
        Ok(Flow::On)
    }

    fn bind(&mut self, repeat: &Loop, items: &Val<'a>, window: &Window, index: usize) -> Result<(), Fault> {
        let at = match repeat.order {
            Order::Forward => window.from + index,
            Order::Reversed => window.to - 1 - index,
        };
        let value = nth(items, at, &self.scene)?.unwrap_or(Val::Nil);
        self.set(repeat.slot, value);
        Ok(())
    }

    /// As LiquidJS writes it: without line breaks, and `break` ends a cell, and after the table the loop around it.
    fn table(
        &mut self,
        repeat: &'a Loop,
        table: &'a Table,
        items: &Val<'a>,
        window: &Window,
        out: &mut String,
    ) -> Result<Flow, Fault> {
        let length = window.to.saturating_sub(window.from);
        let columns = self
            .bound(table.columns.as_ref())?
            .map(index)
            .filter(|columns| *columns > 0)
            .unwrap_or(length.max(1));
        let mut flow = Flow::On;
        self.tables.push(Cell { index: 0, length, columns });
        for index in 0..length {
            self.scene.meter.steps(1)?;
            let (row, column) = (index / columns + 1, index % columns + 1);
            if let Some(cell) = self.tables.last_mut() {
                cell.index = index;
            }
            self.bind(repeat, items, window, index)?;
            if column == 1 {
                let close = if row == 1 { "" } else { "</tr>" };
                self.push(&format!("{close}<tr class=\"row{row}\">"), out)?;
            }
            self.push(&format!("<td class=\"col{column}\">"), out)?;
            if self.nodes(&repeat.body, out)? == Flow::Break {
                flow = Flow::Break;
            }
            self.push("</td>", out)?;
        }
        self.tables.pop();
        if length > 0 {
            self.push("</tr>", out)?;
        }
        Ok(flow)
    }

    fn window(&mut self, repeat: &'a Loop, count: usize) -> Result<Window, Fault> {
        let size = i64::try_from(count).unwrap_or(i64::MAX);
        let offset = match &repeat.offset {
            None => 0,
            Some(Offset::At(offset)) => self.bound(Some(offset))?.unwrap_or(0),
            Some(Offset::Continue) => {
                let known = self.continues.iter().find(|(name, _)| *name == repeat.name);
                known.map_or(0, |(_, at)| *at)
            }
        };
        let from = from_end(offset, size);
        let limit = self.bound(repeat.limit.as_ref())?.unwrap_or(i64::MAX);
        // As in JavaScript's `slice`, what is negative counts from the end: of all items, or of those that are left.
        let to = match &repeat.table {
            None => from.saturating_add(from_end(limit, size - from)),
            Some(_) => from_end(offset.saturating_add(limit), size),
        };
        let window = Window { from: index(from), to: index(to.max(from)) };
        let rendered = i64::try_from(window.to - window.from).unwrap_or(i64::MAX);
        let next = offset.saturating_add(rendered);
        match self.continues.iter_mut().find(|(name, _)| *name == repeat.name) {
            Some((_, at)) => *at = next,
            None => self.continues.push((&repeat.name, next)),
        }
        Ok(window)
    }

    /// A limit or an offset. What is not there is none, nil is 0.
    fn bound(&mut self, expr: Option<&'a Expr>) -> Result<Option<i64>, Fault> {
        let Some(expr) = expr else { return Ok(None) };
        let number = match self.expression(expr, Missing::Refused)? {
            None => return Ok(None),
            Some(Val::Text(text)) => Number::from_text(&text)?,
            Some(value @ (Val::Nil | Val::Int(_) | Val::Float(_) | Val::Digits(_))) => {
                Some(Number::of(&value)?)
            }
            Some(_) => None,
        };
        let number = number.and_then(Number::truncated);
        number.map(Some).ok_or_else(|| Fault::failed("`limit` and `offset` must be whole numbers"))
    }
}

/// A place in a list of this size; what is negative counts from its end.
fn from_end(at: i64, size: i64) -> i64 {
    if at < 0 { size.saturating_add(at).max(0) } else { at.min(size) }
}

fn index(at: i64) -> usize {
    usize::try_from(at).unwrap_or(0)
}

/// How many items a loop has.
fn count(items: &Val<'_>) -> usize {
    match items {
        Val::List(_) | Val::Range(..) | Val::Map(_) => size_of(items),
        Val::Text(text) => usize::from(!text.is_empty()),
        Val::Nil
        | Val::Bool(_)
        | Val::Int(_)
        | Val::Float(_)
        | Val::Digits(_)
        | Val::Moment(_)
        | Val::Blank
        | Val::Empty => 0,
    }
}

/// An item of what a loop goes through: an object has pairs of name and value, a text is one item.
pub(super) fn nth<'a>(items: &Val<'a>, at: usize, scene: &Scene<'a>) -> Result<Option<Val<'a>>, Fault> {
    match items {
        Val::Map(members) => members
            .get(at)
            .map(|(name, value)| Val::list(vec![Val::Text(name.clone()), value.clone()], &scene.meter))
            .transpose(),
        Val::Text(text) if at == 0 && !text.is_empty() => Ok(Some(items.clone())),
        other => Ok(item(other, at)),
    }
}

/// The end of a range: what is no number is 0.
pub(super) fn whole(value: &Val<'_>) -> Result<i64, Fault> {
    if let Val::Int(number) = value {
        return Ok(*number);
    }
    Number::of(value)?
        .truncated()
        .ok_or_else(|| Fault::failed("a range must go from one whole number to another"))
}

/// `forloop`, or a part of it.
pub(super) fn position<'a>(
    loops: &[Frame<'a>],
    names: impl Iterator<Item = &'a str>,
    scene: &Scene<'a>,
) -> Result<Val<'a>, Fault> {
    let mut level = loops.len().checked_sub(1);
    for name in names {
        let Some(frame) = level.and_then(|level| loops.get(level)) else { return Ok(Val::Nil) };
        match name {
            "parentloop" => {
                let parent = level.and_then(|level| level.checked_sub(1));
                level = parent.filter(|parent| loops.get(*parent).is_some_and(|frame| !frame.outside));
            }
            name => return Ok(frame.part(name)),
        }
    }
    let Some(frame) = level.and_then(|level| loops.get(level)) else { return Ok(Val::Nil) };
    let part = |name: &'static str| (Cow::Borrowed(name), frame.part(name));
    Val::map(PARTS.into_iter().map(part).collect(), &scene.meter)
}

const PARTS: [&str; 8] = ["name", "length", "index", "index0", "rindex", "rindex0", "first", "last"];

impl<'a> Frame<'a> {
    /// The loop of a `render`.
    pub(super) fn of_render(index: usize, length: usize, name: &'a str) -> Self {
        Self { index, length, name, outside: true }
    }

    fn part(&self, name: &str) -> Val<'a> {
        match name {
            "index" => number(self.index + 1),
            "index0" => number(self.index),
            "rindex" => number(self.length - self.index),
            "rindex0" => number(self.length - self.index - 1),
            "first" => Val::Bool(self.index == 0),
            "last" => Val::Bool(self.index + 1 == self.length),
            "length" => number(self.length),
            "name" => Val::Text(Cow::Borrowed(self.name)),
            _ => Val::Nil,
        }
    }
}

impl Cell {
    pub(super) fn to_val<'a>(self, meter: &Meter) -> Result<Val<'a>, Fault> {
        let (column, row) = (self.index % self.columns, self.index / self.columns);
        let parts: [(&str, Val<'a>); 13] = [
            ("length", number(self.length)),
            ("index", number(self.index + 1)),
            ("index0", number(self.index)),
            ("rindex", number(self.length - self.index)),
            ("rindex0", number(self.length - self.index - 1)),
            ("first", Val::Bool(self.index == 0)),
            ("last", Val::Bool(self.index + 1 == self.length)),
            ("col", number(column + 1)),
            ("col0", number(column)),
            ("col_first", Val::Bool(column == 0)),
            ("col_last", Val::Bool(column + 1 == self.columns)),
            ("row", number(row + 1)),
            ("row0", number(row)),
        ];
        Val::map(parts.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect(), meter)
    }
}

fn number(number: usize) -> Val<'static> {
    Val::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
