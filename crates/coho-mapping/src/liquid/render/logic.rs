//! Comparisons, and what `and`, `or` make of them.

use std::cmp::Ordering;

use super::{Missing, Rendering};
use crate::liquid::ast::{Comparison, Expr, Junction};
use crate::liquid::dates;
use crate::liquid::fault::Fault;
use crate::liquid::filters::{equal, size_of};
use crate::liquid::number::order;
use crate::liquid::scene::Scene;
use crate::liquid::text;
use crate::liquid::value::{Val, item};

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

pub(super) fn compare(
    left: &Val<'_>,
    comparison: Comparison,
    right: &Val<'_>,
    scene: &Scene<'_>,
) -> Result<bool, Fault> {
    let ordered = |wanted: fn(Ordering) -> bool| Ok(ordering(left, right)?.is_some_and(wanted));
    match comparison {
        Comparison::Equal => equal(left, right, scene),
        Comparison::Unequal => equal(left, right, scene).map(|same| !same),
        Comparison::Less => ordered(Ordering::is_lt),
        Comparison::LessOrEqual => ordered(Ordering::is_le),
        Comparison::Greater => ordered(Ordering::is_gt),
        Comparison::GreaterOrEqual => ordered(Ordering::is_ge),
        Comparison::Contains => contains(left, right, scene),
    }
}

/// The order of two values; `None` if one of them is nil, for nothing is smaller or larger than nil.
fn ordering(left: &Val<'_>, right: &Val<'_>) -> Result<Option<Ordering>, Fault> {
    match (left, right) {
        (Val::Nil, _) | (_, Val::Nil) => return Ok(None),
        (Val::Text(left), Val::Text(right)) => return Ok(Some(left.cmp(right))),
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
        }
    }
    let message = format!("{} and {} cannot be compared", left.kind(), right.kind());
    Err(Fault::failed(message).help("make a number of a text with `| plus: 0`"))
}

fn contains(list: &Val<'_>, wanted: &Val<'_>, scene: &Scene<'_>) -> Result<bool, Fault> {
    if wanted.is_nil() {
        return Ok(false);
    }
    match list {
        Val::Text(list) => {
            scene.meter.bytes(list.len())?;
            Ok(list.contains(&*text::text(wanted, &scene.meter)?))
        }
        Val::Map(members) => {
            scene.meter.steps(members.len() / 32)?;
            Ok(list.member(&text::text(wanted, &scene.meter)?).is_some())
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
        Val::Nil
        | Val::Bool(_)
        | Val::Int(_)
        | Val::Float(_)
        | Val::Digits(_)
        | Val::Moment(_)
        | Val::Blank
        | Val::Empty => Ok(false),
    }
}
