//! Filters of numbers. Texts that spell numbers count as such; anything else counts as 0.

use super::super::fault::Fault;
use super::super::number::{Number, Operation, Rounding};
use super::super::scene::Scene;
use super::super::value::Val;
use super::arg::{Kind, may, need};
use super::{Args, Filter, Input};

const N: &[super::arg::Arg] = &[need("number", Kind::Number)];

pub(super) const FILTERS: &[Filter] = &[
    Filter::new("abs", abs)
        .types("number", "number")
        .says("Returns the absolute value.")
        .example("{{ -3.7 | abs }}", "3.7"),
    Filter::new("at_least", at_least)
        .takes(N)
        .types("number", "number")
        .says("Returns the larger of the two numbers.")
        .example("{{ row.seats | at_least: 20 }}", "20"),
    Filter::new("at_most", at_most)
        .takes(N)
        .types("number", "number")
        .says("Returns the smaller of the two numbers.")
        .example("{{ row.seats | at_most: 10 }}", "10"),
    Filter::new("ceil", ceil)
        .types("number", "integer")
        .says("Rounds up to a whole number.")
        .example("{{ row.score | ceil }}", "8"),
    Filter::new("divided_by", divided_by)
        .takes(&[need("divisor", Kind::Number), may("whole", Kind::Flag)])
        .types("number", "number")
        .says("Divides the number; with `true`, rounds the quotient down to a whole number.")
        .example("{{ row.seats | divided_by: 5 }}", "2.4"),
    Filter::new("floor", floor)
        .types("number", "integer")
        .says("Rounds down to a whole number.")
        .example("{{ row.score | floor }}", "7"),
    Filter::new("minus", minus)
        .takes(N)
        .types("number", "number")
        .says("Subtracts a number, exactly.")
        .example("{{ 10.1 | minus: 2.2 }}", "7.9"),
    Filter::new("modulo", modulo)
        .takes(N)
        .types("number", "number")
        .says("Returns the remainder of a division, with the sign of the divisor.")
        .example("{{ row.seats | modulo: 5 }}", "2"),
    Filter::new("plus", plus)
        .takes(N)
        .types("number", "number")
        .says("Adds a number, exactly.")
        .example("{{ 0.1 | plus: 0.2 }}", "0.3"),
    Filter::new("round", round)
        .takes(&[may("places", Kind::Any)])
        .types("number", "number")
        .says("Rounds to a whole number, or to the given number of decimal places; halves round away from zero.")
        .example("{{ row.score | round: 1 }}", "7.3"),
    Filter::new("times", times)
        .takes(N)
        .types("number", "number")
        .says("Multiplies by a number, exactly.")
        .example("{{ row.seats | times: 2.5 }}", "30"),
    Filter::new("to_integer", to_integer)
        .types("text or number", "number")
        .says("Converts text to a number and keeps its fraction, as LiquidJS does; `cast: 'integer'` accepts only whole numbers.")
        .example("{{ row.score | to_integer }}", "7.25"),
];

fn calculate<'a>(value: &Val<'a>, args: &Args<'a>, operation: Operation) -> Result<Val<'a>, Fault> {
    let argument = args.values.first().unwrap_or(&Val::Nil);
    if let (Val::Int(left), Val::Int(right)) = (value, argument)
        && let Some(whole) = whole(*left, *right, operation)
    {
        return Ok(Val::Int(whole));
    }
    Ok(Number::of(value)?.calculate(operation, Number::of(argument)?)?.into_val())
}

/// The common case: both are whole, and so is the result.
fn whole(left: i64, right: i64, operation: Operation) -> Option<i64> {
    match operation {
        Operation::Plus => left.checked_add(right),
        Operation::Minus => left.checked_sub(right),
        Operation::Times => left.checked_mul(right),
        Operation::DividedBy | Operation::Modulo => None,
    }
}

fn plus<'a>(value: Val<'a>, args: &Args<'a>, _: &Scene<'a>) -> Result<Val<'a>, Fault> {
    calculate(&value, args, Operation::Plus)
}

fn minus<'a>(value: Val<'a>, args: &Args<'a>, _: &Scene<'a>) -> Result<Val<'a>, Fault> {
    calculate(&value, args, Operation::Minus)
}

fn times<'a>(value: Val<'a>, args: &Args<'a>, _: &Scene<'a>) -> Result<Val<'a>, Fault> {
    calculate(&value, args, Operation::Times)
}

fn modulo<'a>(value: Val<'a>, args: &Args<'a>, _: &Scene<'a>) -> Result<Val<'a>, Fault> {
    calculate(&value, args, Operation::Modulo)
}

fn divided_by<'a>(value: Val<'a>, args: &Args<'a>, _: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let quotient = calculate(&value, args, Operation::DividedBy)?;
    match args.get(1) {
        None | Some(Val::Nil | Val::Bool(false)) => Ok(quotient),
        Some(Val::Bool(true)) => Ok(Number::of(&quotient)?.rounded(0, Rounding::Floor)?.into_val()),
        Some(_) => Err(Fault::failed("the second argument of `divided_by` must be `true` or `false`")),
    }
}

fn extreme<'a>(value: &Val<'a>, args: &Args<'a>, wanted: std::cmp::Ordering) -> Result<Val<'a>, Fault> {
    let (value, other) = (Number::of(value)?, Number::of(&args.value(0))?);
    let chosen = if other.compare(value) == wanted { other } else { value };
    Ok(chosen.into_val())
}

fn at_least<'a>(value: Val<'a>, args: &Args<'a>, _: &Scene<'a>) -> Result<Val<'a>, Fault> {
    extreme(&value, args, std::cmp::Ordering::Greater)
}

fn at_most<'a>(value: Val<'a>, args: &Args<'a>, _: &Scene<'a>) -> Result<Val<'a>, Fault> {
    extreme(&value, args, std::cmp::Ordering::Less)
}

fn abs<'a>(value: Val<'a>, _: &Args<'a>, _: &Scene<'a>) -> Result<Val<'a>, Fault> {
    Ok(Number::of(&value)?.absolute().into_val())
}

fn ceil<'a>(value: Val<'a>, _: &Args<'a>, _: &Scene<'a>) -> Result<Val<'a>, Fault> {
    Ok(Number::of(&value)?.rounded(0, Rounding::Ceiling)?.into_val())
}

fn floor<'a>(value: Val<'a>, _: &Args<'a>, _: &Scene<'a>) -> Result<Val<'a>, Fault> {
    Ok(Number::of(&value)?.rounded(0, Rounding::Floor)?.into_val())
}

fn round<'a>(value: Val<'a>, args: &Args<'a>, _: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let places = Number::of(&args.value(0))?.truncated().unwrap_or(0).clamp(-400, 400);
    let places = i32::try_from(places).unwrap_or(0);
    Ok(Number::of(&value)?.rounded(places, Rounding::Nearest)?.into_val())
}

fn to_integer<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    if args.input == Input::Undefined {
        return Err(Fault::failed("cannot read a missing value as a number"));
    }
    match &value {
        Val::Text(text) if text.trim().is_empty() => Ok(Val::Int(0)),
        Val::Text(text) => Number::from_text(text)?.map(Number::into_val).ok_or_else(|| unreadable(&value)),
        // As in JavaScript, a list is read as its text: that of one number is that number.
        Val::List(_) | Val::Range(..) => {
            let text = super::super::text::item_text(&value, &scene.meter)?;
            let read = if text.trim().is_empty() { Some(Number::ZERO) } else { Number::from_text(&text)? };
            read.map(Number::into_val).ok_or_else(|| unreadable(&value))
        }
        Val::Map(_) => Err(unreadable(&value)),
        _ => Ok(Number::of(&value)?.into_val()),
    }
}

fn unreadable(value: &Val<'_>) -> Fault {
    Fault::failed(format!("cannot read {} as a number", super::super::text::preview(value)))
}
