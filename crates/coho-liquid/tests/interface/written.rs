//! Filters as a program writes them for the `liquid` crate.

use liquid_core::model::{KString, ValueCow};
use liquid_core::parser::{FilterArguments, ParameterReflection};
use liquid_core::{
    Display_filter, Error, Expression, Filter, FilterParameters, FilterReflection, FromFilterParameters,
    ParseFilter, Result, Runtime, Value, ValueView,
};

use coho_liquid::Filters;

/// All of them.
pub(crate) fn filters() -> Filters {
    let plain = Filters::new().with(Health).and_then(|filters| filters.with(Echo));
    let plain = plain.and_then(|filters| filters.with(First)).and_then(|filters| filters.with(Fail));
    let odd = plain.and_then(|filters| filters.with(Peek)).and_then(|filters| filters.with(Grow));
    let odd = odd.and_then(|filters| filters.with(Sum)).and_then(|filters| filters.with(Forever));
    odd.and_then(|filters| filters.with(Add)).unwrap()
}

/// `{{ row.used | health: row.seats, good: 0.8 }}`
#[derive(Debug, FilterParameters)]
struct HealthParameters {
    #[parameter(description = "How many seats there are.", arg_type = "float")]
    seats: Expression,
    #[parameter(description = "The share from which it is healthy.", arg_type = "float", mode = "keyword")]
    good: Option<Expression>,
}

#[derive(Clone, ParseFilter, FilterReflection)]
#[filter(
    name = "health",
    description = "How well the seats are used.",
    parameters(HealthParameters),
    parsed(HealthFilter)
)]
pub(crate) struct Health;

#[derive(Debug, FromFilterParameters, Display_filter)]
#[name = "health"]
struct HealthFilter {
    #[parameters]
    parameters: HealthParameters,
}

impl Filter for HealthFilter {
    fn evaluate(&self, input: &dyn ValueView, runtime: &dyn Runtime) -> Result<Value> {
        let parameters = self.parameters.evaluate(runtime)?;
        let used = input.as_scalar().and_then(|used| used.to_float());
        let used = used.ok_or_else(|| Error::with_msg("Expected a number of seats in use"))?;
        let healthy = used / parameters.seats >= parameters.good.unwrap_or(0.8);
        Ok(Value::scalar(if healthy { "healthy" } else { "at risk" }))
    }
}

/// A filter without arguments.
macro_rules! filter {
    ($parse:ident, $filter:ident, $name:literal, |$input:ident, $runtime:ident| $body:expr) => {
        #[derive(Clone, ParseFilter, FilterReflection)]
        #[filter(name = $name, description = "For tests.", parsed($filter))]
        pub(crate) struct $parse;

        #[derive(Debug, Default, Display_filter)]
        #[name = $name]
        struct $filter;

        impl Filter for $filter {
            fn evaluate(&self, $input: &dyn ValueView, $runtime: &dyn Runtime) -> Result<Value> {
                $body
            }
        }
    };
}

filter!(Echo, EchoFilter, "echo", |input, _runtime| Ok(input.to_value()));

filter!(Fail, FailFilter, "fail", |input, _runtime| {
    Err(Error::with_msg("Invalid argument")
        .context("argument", "mode")
        .context("cause", "Text expected")
        .context("input", input.to_kstr().into_owned()))
});

filter!(Peek, PeekFilter, "peek", |_input, runtime| {
    let path = [liquid_core::model::ScalarCow::new("row")];
    runtime.get(&path).map(ValueCow::into_owned)
});

filter!(Grow, GrowFilter, "grow", |input, _runtime| {
    let count = input.as_scalar().and_then(|count| count.to_integer()).unwrap_or_default();
    Ok(Value::scalar("x".repeat(usize::try_from(count).unwrap_or_default())))
});

filter!(Forever, ForeverFilter, "forever", |_input, _runtime| {
    Ok((0..1_000).fold(Value::Nil, |inner, _| Value::array([inner])))
});

filter!(Sum, SumFilter, "sum_all", |input, _runtime| {
    fn sum(value: &dyn ValueView) -> i64 {
        let items = value.as_array().map(|items| items.values().map(sum).sum());
        items.or_else(|| value.as_scalar().and_then(|number| number.to_integer())).unwrap_or_default()
    }
    Ok(Value::scalar(sum(input).to_string()))
});

/// `{{ x | first_of: a, b }}`: the first that is not nil.
#[derive(Debug, FilterParameters)]
struct FirstParameters {
    #[parameter(description = "The first.")]
    first: Expression,
    #[parameter(description = "The second.")]
    second: Option<Expression>,
}

#[derive(Clone, ParseFilter, FilterReflection)]
#[filter(
    name = "first_of",
    description = "The first that there is.",
    parameters(FirstParameters),
    parsed(FirstFilter)
)]
pub(crate) struct First;

#[derive(Debug, FromFilterParameters, Display_filter)]
#[name = "first_of"]
struct FirstFilter {
    #[parameters]
    parameters: FirstParameters,
}

impl Filter for FirstFilter {
    fn evaluate(&self, _input: &dyn ValueView, runtime: &dyn Runtime) -> Result<Value> {
        let first = self.parameters.first.evaluate(runtime)?;
        let second = self.parameters.second.as_ref().filter(|_| first.is_nil());
        second.map_or(Ok(first.to_value()), |second| second.evaluate(runtime).map(ValueCow::into_owned))
    }
}

/// `{{ 1 | add: 2, 3, … }}`, written without derives.
#[derive(Clone, Debug)]
pub(crate) struct Add;

impl FilterReflection for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn description(&self) -> &'static str {
        "The sum of all."
    }

    fn positional_parameters(&self) -> &'static [ParameterReflection] {
        &[]
    }

    fn keyword_parameters(&self) -> &'static [ParameterReflection] {
        &[]
    }
}

impl ParseFilter for Add {
    fn parse(&self, arguments: FilterArguments<'_>) -> Result<Box<dyn Filter>> {
        Ok(Box::new(AddFilter(arguments.positional.collect())))
    }

    fn reflection(&self) -> &dyn FilterReflection {
        self
    }
}

#[derive(Debug)]
struct AddFilter(Vec<Expression>);

impl std::fmt::Display for AddFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("add")
    }
}

impl Filter for AddFilter {
    fn evaluate(&self, input: &dyn ValueView, runtime: &dyn Runtime) -> Result<Value> {
        let number = |value: &dyn ValueView| {
            value.as_scalar().and_then(|number| number.to_float()).unwrap_or(f64::NAN)
        };
        let mut sum = number(input);
        for argument in &self.0 {
            sum += number(argument.evaluate(runtime)?.as_view());
        }
        if sum.is_nan() {
            return Err(Error::with_msg(KString::from_static("Expected numbers")));
        }
        Ok(Value::scalar(sum))
    }
}
