//! Templates over serde's data: values of any type in, values of any type out.

use coho_core::json::{self, JsonError};
use coho_core::problem::Problem;
use coho_core::value::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::Context;
use super::scope::CompileScope;
use super::template::{Template, compile};

/// Why a template gives nothing for some data.
#[derive(Debug)]
pub enum EvaluateError {
    /// The data cannot be written as JSON.
    Input(serde_json::Error),
    /// The data holds what a template cannot have, such as a number without an end.
    Value(JsonError),
    /// The template fails for this data.
    Template(Problem),
    /// What the template gives is not of the type that was asked for.
    Output(serde_json::Error),
}

impl std::fmt::Display for EvaluateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Input(_) | Self::Value(_) => f.write_str("cannot read the data as JSON"),
            Self::Template(problem) => problem.fmt(f),
            Self::Output(_) => f.write_str("the template's value has a different type"),
        }
    }
}

impl std::error::Error for EvaluateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Input(error) | Self::Output(error) => Some(error),
            Self::Value(error) => Some(error),
            Self::Template(_) => None,
        }
    }
}

impl Template {
    /// Compiles a template for data of any names; [`compile`] also takes columns, settings and limits.
    pub fn compile(source: &str) -> Result<Self, Vec<Problem>> {
        compile(source, &CompileScope::free())
    }

    /// The template's value for this data: a lone `{{ … }}` keeps its type, anything else is text.
    pub fn evaluate<T: DeserializeOwned>(&self, data: &impl Serialize) -> Result<T, EvaluateError> {
        let value = self.render(&Context::free(&read(data)?)).map_err(EvaluateError::Template)?;
        serde_json::from_value(json::to_serde(&value)).map_err(EvaluateError::Output)
    }

    /// The template's text for this data.
    pub fn text(&self, data: &impl Serialize) -> Result<String, EvaluateError> {
        self.render_text(&Context::free(&read(data)?)).map_err(EvaluateError::Template)
    }
}

fn read(data: &impl Serialize) -> Result<Value, EvaluateError> {
    json::from_serde(serde_json::to_value(data).map_err(EvaluateError::Input)?).map_err(EvaluateError::Value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize)]
    struct User<'a> {
        name: &'a str,
        tags: Vec<&'a str>,
    }

    #[test]
    fn data_of_any_type_goes_in_and_comes_out() {
        let user = User { name: "Ann", tags: vec!["b", "a"] };
        let template = Template::compile("{{ tags | sort }}").unwrap();
        assert_eq!(template.evaluate::<Vec<String>>(&user).unwrap(), ["a", "b"]);
        assert_eq!(Template::compile("{{ name }}!").unwrap().text(&user).unwrap(), "Ann!");
        assert!(matches!(template.evaluate::<u8>(&user), Err(EvaluateError::Output(_))));
        let missing = Template::compile("{{ nam }}").unwrap();
        let error = missing.text(&user).unwrap_err();
        assert!(matches!(&error, EvaluateError::Template(problem) if problem.place.is_some()), "{error}");
    }
}
