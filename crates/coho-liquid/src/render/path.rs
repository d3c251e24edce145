//! Finds what a path names: along borrowed values as far as they go, so that only what is used is looked at.

use std::borrow::Cow;

use coho_core::code::Code;
use coho_core::row::{Cell, Columns};
use coho_core::value::Value;

use super::logic::{Side, Standing};
use super::{Missing, Rendering};
use crate::ast::{Expr, Global, Literal, Path, Segment};
use crate::context::Values;
use crate::fault::Fault;
use crate::filters::{character, first_pair, part_of, size_of};
use crate::settings::Undefined;
use crate::text;
use crate::value::{Val, item};

/// How far a path has come.
enum Spot<'a> {
    /// A row with columns.
    Row,
    /// One of Coho's values.
    Value(&'a Value),
    Val(Val<'a>),
}

impl<'a> Rendering<'a> {
    /// An expression's value; `None` is a value that is not there, where that is allowed.
    pub(crate) fn expression(&mut self, expr: &'a Expr, missing: Missing) -> Result<Option<Val<'a>>, Fault> {
        match expr {
            Expr::Literal(literal) => Ok(Some(literal.val())),
            Expr::Path(path) => self.path(path, missing),
            Expr::Range(ends, span) => {
                self.range(&ends.0, &ends.1, missing).map(Some).map_err(|fault| fault.at(*span))
            }
            Expr::Compare(sides, span) => {
                let (left, comparison, right) = &**sides;
                let left = self.side(left, missing)?;
                let right = self.side(right, missing)?;
                let holds = super::logic::compare(&left, *comparison, &right, &self.scene);
                holds.map(|holds| Some(Val::Bool(holds))).map_err(|fault| fault.at(*span))
            }
            Expr::Not(inner) => Ok(Some(Val::Bool(!self.is_true(inner, missing)?))),
            Expr::Logic(first, rest) => self.logic(first, rest, missing).map(|holds| Some(Val::Bool(holds))),
        }
    }

    pub(super) fn is_true(&mut self, expr: &'a Expr, missing: Missing) -> Result<bool, Fault> {
        Ok(self.expression(expr, missing)?.is_some_and(|value| value.is_true()))
    }

    fn path(&mut self, path: &'a Path, missing: Missing) -> Result<Option<Val<'a>>, Fault> {
        self.scene.meter.steps(1 + path.segments.len())?;
        let found = self.find(path).map_err(|fault| fault.at(path.span))?;
        if found.is_none() && missing == Missing::Refused && self.scope.settings.undefined == Undefined::Error
        {
            let message =
                format!("`{}` does not exist", coho_core::value::preview(path.span.of(self.source)));
            let fault = Fault::new(Code::UNDEFINED_VALUE, message).at(path.span);
            return Err(fault.help("give it a value with `default`, or test for it with `if`"));
        }
        Ok(found)
    }

    fn find(&mut self, path: &'a Path) -> Result<Option<Val<'a>>, Fault> {
        let assigned = path.root.slot.and_then(|slot| self.slots.get(slot)).and_then(Option::as_ref);
        let mut segments = path.segments.iter();
        let root = match (assigned, &path.root.global) {
            (Some(value), _) => {
                if let Val::Text(Cow::Owned(text)) = value {
                    self.scene.meter.bytes(text.len())?;
                }
                Some(Spot::Val(value.clone()))
            }
            (None, Global::Column(column)) => self.column(*column)?,
            (None, Global::Row) => Some(Spot::Row),
            (None, Global::Sync) => self.sync.map(Spot::Value),
            (None, Global::Run) => self.run.map(Spot::Value),
            (None, Global::ForLoop) if !self.loops.is_empty() => {
                let names = segments.by_ref().map(|segment| match segment {
                    Segment::Name(name) => name.as_str(),
                    Segment::Index(_) => "",
                });
                Some(Spot::Val(super::loops::position(&self.loops, names, &self.scene)?))
            }
            (None, Global::TableRowLoop) if !self.tables.is_empty() => {
                let cell = self.tables.last().map(|cell| cell.to_val(&self.scene.meter)).transpose()?;
                cell.map(Spot::Val)
            }
            (None, Global::ForLoop) => self.named("forloop")?,
            (None, Global::TableRowLoop) => self.named("tablerowloop")?,
            (None, Global::Named(name)) => self.named(name)?,
            (None, Global::Dynamic(name)) => {
                let name = self.expression(name, Missing::Refused)?.unwrap_or(Val::Nil);
                let name = text::into_text(name, &self.scene.meter)?;
                self.named(&name)?
            }
        };
        let Some(mut spot) = root else { return Ok(None) };
        for segment in segments {
            let next = match segment {
                Segment::Name(name) => self.step(spot, &Val::Text(Cow::Borrowed(name)))?,
                Segment::Index(expr) => {
                    let key = self.expression(expr, Missing::Refused)?.unwrap_or(Val::Nil);
                    self.step(spot, &key)?
                }
            };
            let Some(next) = next else { return Ok(None) };
            spot = next;
        }
        self.settle(spot).map(Some)
    }

    fn settle(&mut self, spot: Spot<'a>) -> Result<Val<'a>, Fault> {
        match spot {
            Spot::Val(value) => Ok(value),
            Spot::Value(value) => Val::borrow(value, &self.scene.meter),
            Spot::Row => self.whole_row(),
        }
    }

    fn whole_row(&mut self) -> Result<Val<'a>, Fault> {
        let scope = self.scope;
        let mut members = Vec::new();
        for (at, name) in scope.columns.iter().flat_map(Columns::names).enumerate() {
            let value = match self.column(at)? {
                Some(spot) => self.settle(spot)?,
                None => Val::Nil,
            };
            members.push((Cow::Borrowed(name), value));
        }
        Val::map(members, &self.scene.meter)
    }

    /// The value of a column; JSON is parsed once.
    fn column(&mut self, column: usize) -> Result<Option<Spot<'a>>, Fault> {
        match self.values {
            Values::Row(row) => {
                let cell = row.cell(column);
                if !matches!(cell, Cell::Json(_)) {
                    return Ok(Some(Spot::Val(Val::cell(cell, &self.scene.meter)?)));
                }
                if let Some((_, parsed)) = self.parsed.iter().find(|(known, _)| *known == column) {
                    return Ok(Some(Spot::Val(parsed.clone())));
                }
                let parsed = Val::cell(cell, &self.scene.meter)?;
                self.parsed.push((column, parsed.clone()));
                Ok(Some(Spot::Val(parsed)))
            }
            Values::Free { row: Some(Value::Object(members)), .. } => {
                Ok(members.get(column).map(|(_, value)| Spot::Value(value)))
            }
            Values::Free { .. } => Ok(None),
        }
    }

    /// A name that is found only now.
    fn named(&mut self, name: &str) -> Result<Option<Spot<'a>>, Fault> {
        match self.values {
            Values::Row(_) => {
                let column = self.scope.columns.as_ref().and_then(|columns| columns.index(name));
                match (column, name) {
                    (_, "row" | "record") => return Ok(Some(Spot::Row)),
                    (Some(column), _) => return self.column(column),
                    (None, _) => {}
                }
            }
            Values::Free { named, row } => {
                self.charge_members(named)?;
                self.charge_members(row)?;
                let found = named.and_then(|named| named.get(name));
                if let Some(value) = found.or_else(|| row.and_then(|row| row.get(name))) {
                    return Ok(Some(Spot::Value(value)));
                }
                if let (Some(row), "row" | "record") = (row, name) {
                    return Ok(Some(Spot::Value(row)));
                }
            }
        }
        let given = match name {
            "sync" => self.sync.map(Spot::Value),
            "run" => self.run.map(Spot::Value),
            "context" => return self.context(),
            _ => None,
        };
        let counter = || self.counters.iter().find(|(known, _)| *known == name);
        Ok(given.or_else(|| counter().map(|(_, count)| Spot::Val(Val::Int(*count)))))
    }

    /// What Hightouch's templates know of their sync, for those that were written for it.
    fn context(&mut self) -> Result<Option<Spot<'a>>, Fault> {
        let mut members = Vec::new();
        for (name, known) in [("sync_id", self.sync), ("sync_run_id", self.run)] {
            if let Some(id) = known.and_then(|known| known.get("id")) {
                members.push((Cow::Borrowed(name), Val::borrow(id, &self.scene.meter)?));
            }
        }
        if members.is_empty() {
            return Ok(None);
        }
        Ok(Some(Spot::Val(Val::map(members, &self.scene.meter)?)))
    }

    /// Names are found one after the other: in a large object that is work.
    fn charge_members(&self, value: Option<&Value>) -> Result<(), Fault> {
        match value {
            Some(Value::Object(members)) => self.scene.meter.steps(members.len() / 32),
            _ => Ok(()),
        }
    }

    fn step(&mut self, spot: Spot<'a>, key: &Val<'a>) -> Result<Option<Spot<'a>>, Fault> {
        match spot {
            Spot::Row => {
                let Val::Text(name) = key else { return Ok(None) };
                match self.scope.columns.as_ref().and_then(|columns| columns.index(name)) {
                    Some(column) => self.column(column),
                    None => Ok(None),
                }
            }
            Spot::Value(value) => self.step_value(value, key),
            Spot::Val(value) => Ok(self.step_val(&value, key)?.map(Spot::Val)),
        }
    }

    fn step_value(&mut self, value: &'a Value, key: &Val<'a>) -> Result<Option<Spot<'a>>, Fault> {
        match (value, key) {
            (Value::Null, _) => return Ok(Some(Spot::Val(Val::Nil))),
            (Value::Object(_), Val::Text(name)) => {
                self.charge_members(Some(value))?;
                if let Some(member) = value.get(name) {
                    return Ok(Some(Spot::Value(member)));
                }
            }
            (Value::Array(items), Val::Int(at)) => {
                return Ok(place(*at, items.len()).and_then(|at| items.get(at)).map(Spot::Value));
            }
            (Value::Array(items), Val::Text(name)) => {
                return Ok(match (&**name, items.as_slice()) {
                    ("size" | "length", _) => Some(Spot::Val(length(items.len()))),
                    ("first", [first, ..]) => Some(Spot::Value(first)),
                    ("last", [.., last]) => Some(Spot::Value(last)),
                    ("first" | "last", []) => Some(Spot::Val(Val::Nil)),
                    _ => None,
                });
            }
            _ => {}
        }
        let value = Val::borrow(value, &self.scene.meter)?;
        Ok(self.step_val(&value, key)?.map(Spot::Val))
    }

    fn step_val(&mut self, value: &Val<'a>, key: &Val<'a>) -> Result<Option<Val<'a>>, Fault> {
        if value.is_nil() {
            return Ok(Some(Val::Nil));
        }
        match (value, key) {
            (Val::Map(members), _) => {
                self.scene.meter.steps(members.len() / 32)?;
                let name = text::text(key, &self.scene.meter)?;
                if let Some(member) = value.member(&name) {
                    return Ok(Some(member.clone()));
                }
            }
            // As in JavaScript, a text's characters have places too, counted from its beginning alone.
            (Val::Text(text), Val::Int(at)) => {
                self.scene.meter.steps(text.len() / 32)?;
                return Ok(usize::try_from(*at).ok().and_then(|at| character(text, at)));
            }
            (_, Val::Int(at)) => return Ok(place(*at, size_of(value)).and_then(|at| item(value, at))),
            _ => {}
        }
        let Val::Text(name) = key else { return Ok(None) };
        match (&**name, value) {
            ("first", Val::Map(members)) => first_pair(members, &self.scene).map(Some),
            (name, value) => Ok(part_of(value, name)),
        }
    }

    /// One side of a comparison.
    fn side(&mut self, expr: &'a Expr, missing: Missing) -> Result<Side<'a>, Fault> {
        let word = matches!(expr, Expr::Literal(Literal::Nil | Literal::Blank | Literal::Empty));
        Ok(match self.expression(expr, missing)? {
            None => Side { value: Val::Nil, standing: Standing::Absent },
            Some(value) => Side { value, standing: if word { Standing::Word } else { Standing::Value } },
        })
    }

    fn range(&mut self, from: &'a Expr, to: &'a Expr, missing: Missing) -> Result<Val<'a>, Fault> {
        let from = self.expression(from, missing)?.unwrap_or(Val::Nil);
        let to = self.expression(to, missing)?.unwrap_or(Val::Nil);
        Ok(Val::Range(super::loops::whole(&from)?, super::loops::whole(&to)?))
    }
}

/// An item's place: negative ones count from the end.
fn place(at: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    usize::try_from(if at < 0 { at.checked_add(length)? } else { at }).ok()
}

fn length(length: usize) -> Val<'static> {
    Val::Int(i64::try_from(length).unwrap_or(i64::MAX))
}
