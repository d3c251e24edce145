//! Comparisons, and what `and`, `or` make of them.

use std::cmp::Ordering;

use super::{Missing, Rendering};
use crate::ast::{Comparison, Expr, Junction};
use crate::dates;
use crate::fault::Fault;
use crate::filters::{equal, size_of};
use crate::number::{Number, order};
use crate::scene::Scene;
use crate::text;
use crate::value::{Val, item};

impl<'a> Rendering<'a> {
    /// `a and b or c` is `a and (b or c)`: what decides first ends it.
    pub(super) fn logic(
        &mut self,
        first: &'a Expr,
        rest: &'a [(Junction, Expr)],
        missing: Missing,
    ) -> Result<bool, Fault> {
        let mut holds = self.is_true(first, missing)?;
        for (junction, next) in rest {
            match (junction, holds) {
                (Junction::And, false) => return Ok(false),
                (Junction::Or, true) => return Ok(true),
                (Junction::And, true) | (Junction::Or, false) => holds = self.is_true(next, missing)?,
            }
        }
        Ok(holds)
    }
}

/// One side of a comparison.
#[derive(Debug)]
pub(super) struct Side<'a> {
    pub(super) value: Val<'a>,
    pub(super) standing: Standing,
}

/// What a side of a comparison is. Only values have a place in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Value,
    /// `nil`, `blank` or `empty`.
    Word,
    /// Nothing is there; its value is nil.
    Absent,
}

pub(super) fn compare(
    left: &Side<'_>,
    comparison: Comparison,
    right: &Side<'_>,
    scene: &Scene<'_>,
) -> Result<bool, Fault> {
    let ordered = |wanted: fn(Ordering) -> bool| {
        let both = left.standing == Standing::Value && right.standing == Standing::Value;
        Ok(both && ordering(&left.value, &right.value)?.is_some_and(wanted))
    };
    match comparison {
        Comparison::Equal => equal(&left.value, &right.value, scene),
        Comparison::Unequal => equal(&left.value, &right.value, scene).map(|same| !same),
        Comparison::Less => ordered(Ordering::is_lt),
        Comparison::LessOrEqual => ordered(Ordering::is_le),
        Comparison::Greater => ordered(Ordering::is_gt),
        Comparison::GreaterOrEqual => ordered(Ordering::is_ge),
        Comparison::Contains if right.standing == Standing::Absent => Ok(false),
        Comparison::Contains => contains(&left.value, &right.value, scene),
    }
}

/// The order of two values, as in JavaScript: two texts by their characters, anything else by number. `None` where one is a text
/// that spells no number, for that is neither smaller nor larger.
fn ordering(left: &Val<'_>, right: &Val<'_>) -> Result<Option<Ordering>, Fault> {
    match (left, right) {
        (Val::Text(left), Val::Text(right)) => return Ok(Some(left.cmp(right))),
        (Val::Moment(_), Val::Nil) | (Val::Nil, Val::Moment(_)) => return Ok(None),
        (Val::Moment(moment), other) => {
            if let Some(other) = dates::moment(other, None) {
                return Ok(Some(moment.utc().cmp(&other)));
            }
        }
        (other, Val::Moment(moment)) => {
            if let Some(other) = dates::moment(other, None) {
                return Ok(Some(other.cmp(&moment.utc())));
            }
        }
        _ => {
            if let Some(ordering) = order(left, right) {
                return Ok(Some(ordering));
            }
            if is_scalar(left) && is_scalar(right) {
                let both = numeric(left)?.zip(numeric(right)?);
                return Ok(both.map(|(left, right)| left.compare(right)));
            }
        }
    }
    let message = format!("cannot compare {} and {}", left.kind(), right.kind());
    Err(Fault::failed(message).help("compare the parts that are numbers or texts"))
}

/// Whether a value can be a number in a comparison.
fn is_scalar(value: &Val<'_>) -> bool {
    match value {
        Val::Nil | Val::Bool(_) | Val::Int(_) | Val::Float(_) | Val::Digits(_) | Val::Text(_) => true,
        Val::Moment(_) | Val::Range(..) | Val::List(_) | Val::Map(_) | Val::Blank | Val::Empty => false,
    }
}

/// The number that a value is in a comparison; `None` for a text that spells none. Blank texts are 0.
fn numeric(value: &Val<'_>) -> Result<Option<Number>, Fault> {
    match value {
        Val::Text(text) if !text.trim().is_empty() => Number::from_text(text),
        other => Number::of(other).map(Some),
    }
}

fn contains(list: &Val<'_>, wanted: &Val<'_>, scene: &Scene<'_>) -> Result<bool, Fault> {
    match list {
        Val::Text(_) if wanted.is_nil() => Ok(false),
        Val::Text(list) => {
            scene.meter.bytes(list.len())?;
            Ok(list.contains(&*text::text(wanted, &scene.meter)?))
        }
        Val::List(_) | Val::Range(..) => {
            for at in 0..size_of(list) {
                let Some(item) = item(list, at) else { break };
                if equal(&item, wanted, scene)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        // As in LiquidJS, the words are empty texts here.
        Val::Blank | Val::Empty => contains(&Val::text(""), wanted, scene),
        Val::Nil
        | Val::Bool(_)
        | Val::Int(_)
        | Val::Float(_)
        | Val::Digits(_)
        | Val::Moment(_)
        | Val::Map(_) => Ok(false),
    }
}
