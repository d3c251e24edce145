//! The `liquid` crate's interface for filters: what implements [`liquid_core::ParseFilter`] is a filter of Coho's templates.
//!
//! The engine stays Coho's. A filter borrows values through [`view`], asks for its arguments through [`runtime`], and what it
//! gives comes back, charged to the template's budget, through [`back`].

mod view;
mod runtime;
mod back;

use std::sync::Arc;

use liquid_core::model::{State, Value};
use liquid_core::parser::FilterArguments;
use liquid_core::runtime::{Expression, Variable};
use liquid_core::{Filter, ParseFilter};

use super::added::{Argument, FilterError, Filters, Parse};
use super::ast::{Evaluates, Expr, Literal, Run};
use super::fault::Fault;
use super::value::Val;

impl Filters {
    /// The same with a filter that is written for the `liquid` crate, under its own name.
    pub fn with(self, filter: impl Into<Box<dyn ParseFilter>>) -> Result<Self, FilterError> {
        let filter = filter.into();
        let name = filter.reflection().name().to_owned();
        self.with_name(&name, filter)
    }

    /// The same under another name than its own.
    pub fn with_name(self, name: &str, filter: impl Into<Box<dyn ParseFilter>>) -> Result<Self, FilterError> {
        self.insert(name, Arc::new(Written(filter.into())))
    }
}

/// A filter that is written for the `liquid` crate.
struct Written(Box<dyn ParseFilter>);

impl Parse for Written {
    fn parse(&self, arguments: &[Argument<'_>]) -> Result<Box<dyn Run>, String> {
        let expression = |(at, argument): (usize, &Argument<'_>)| match argument.literal {
            Some(literal) => Expression::Literal(spelt(literal)),
            None => Expression::Variable(Variable::with_literal(i64::try_from(at).unwrap_or(i64::MAX))),
        };
        let (mut positional, mut keyword) = (Vec::new(), Vec::new());
        for (at, argument) in arguments.iter().enumerate() {
            match argument.name {
                Some(name) => keyword.push((name, expression((at, argument)))),
                None => positional.push(expression((at, argument))),
            }
        }
        let arguments = FilterArguments {
            positional: Box::new(positional.into_iter()),
            keyword: Box::new(keyword.into_iter()),
        };
        match self.0.parse(arguments) {
            Ok(filter) => Ok(Box::new(Called(filter))),
            Err(error) => Err(told(&error)),
        }
    }
}

/// One call of it.
#[derive(Debug)]
struct Called(Box<dyn Filter>);

impl Run for Called {
    fn run<'a>(
        &self,
        input: Val<'a>,
        arguments: &'a [Expr],
        caller: &mut dyn Evaluates<'a>,
    ) -> Result<Val<'a>, Fault> {
        let input = view::lend(input, caller.meter())?;
        let runtime = runtime::Arguments::new(arguments, caller);
        let given = self.0.evaluate(&input, &runtime);
        if let Some(fault) = runtime.fault() {
            return Err(fault);
        }
        let value = given.map_err(|error| Fault::failed(told(&error)))?;
        back::own(value, caller.meter())
    }
}

/// A literal as the `liquid` crate would read it.
fn spelt(literal: &Literal) -> Value {
    match literal {
        Literal::Nil => Value::Nil,
        Literal::Bool(flag) => Value::scalar(*flag),
        Literal::Int(number) => Value::scalar(*number),
        Literal::Digits(digits) => match view::float(digits) {
            Some(number) => Value::scalar(number),
            None => Value::scalar(digits.clone()),
        },
        Literal::Text(text) => Value::scalar(text.clone()),
        Literal::Blank => Value::State(State::Blank),
        Literal::Empty => Value::State(State::Empty),
    }
}

/// What an error says, as far as it is no data: its first line, and the argument and cause that it names there. Whatever else the
/// crate adds may quote the row.
fn told(error: &liquid_core::Error) -> String {
    let shown = error.to_string();
    let mut lines = shown.lines();
    let first = lines.next().unwrap_or_default();
    let mut message = first.strip_prefix("liquid: ").unwrap_or(first).to_owned();
    if lines.next() != Some("  with:") {
        return message;
    }
    for line in lines {
        if let Some(argument) = line.strip_prefix("    argument=") {
            message.extend([" `", argument, "`"]);
        } else if let Some(cause) = line.strip_prefix("    cause=") {
            message.extend([": ", cause]);
        } else {
            break;
        }
    }
    message
}
