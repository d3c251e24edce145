//! The filters: one table, from which templates are checked, run and documented.
//!
//! Each module holds the filters of one kind of value and their entries. [`super::reference`] writes the table's document, and
//! a test runs each entry's example.

#![expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "all filters have one signature, so that they can stand in one table"
)]

mod arg;
mod items;
mod math;
mod string;
mod encode;
mod array;
mod select;
mod object;
mod date;
mod digest;
mod general;

use super::budget::Meter;
use super::fault::Fault;
use super::number::Number;
use super::scene::Scene;
use super::text;
use super::value::Val;

pub(crate) use arg::{Arg, Kind};
pub(crate) use general::equal;
pub(crate) use items::{character, enumerated, first_pair, part_of, size_of};
pub(crate) use select::{Each, listed};

/// A filter's entry in the table.
#[derive(Debug)]
pub(crate) struct Filter {
    pub(crate) name: &'static str,
    pub(crate) takes: &'static [Arg],
    /// What any number of further arguments are.
    pub(crate) more: Option<Arg>,
    /// The arguments that are given by name.
    pub(crate) named: &'static [&'static str],
    pub(crate) headless: bool,
    pub(crate) input: &'static str,
    pub(crate) gives: &'static str,
    pub(crate) says: &'static str,
    /// A template over [`EXAMPLE`] and the JSON of its typed value.
    pub(crate) example: (&'static str, &'static str),
    pub(crate) body: Body,
}

/// The values that examples are rendered with.
pub(crate) const EXAMPLE: &str = r#"{"row":{"name":"Ann Lee","plan":"pro","seats":12,"score":"7.25","tags":["b","a","b"],"created":"2024-03-05T10:11:12Z","address":{"city":"Bergen","zip":"5003"},"items":[{"sku":"A1","qty":2},{"sku":"B2","qty":5}],"json":"{\"a\":[1,2]}","nothing":null}}"#;

/// How a filter is run.
#[derive(Clone, Copy)]
pub(crate) enum Body {
    Plain(Run),
    /// Evaluates an expression for each item.
    Each(Each),
}

/// A filter's function.
pub(crate) type Run = for<'a> fn(Val<'a>, &Args<'a>, &Scene<'a>) -> Result<Val<'a>, Fault>;

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Each(_) => "Each",
        })
    }
}

impl Filter {
    /// A filter without arguments.
    const fn new(name: &'static str, run: Run) -> Self {
        Self::with(name, Body::Plain(run))
    }

    const fn with(name: &'static str, body: Body) -> Self {
        Self {
            name,
            takes: &[],
            more: None,
            named: &[],
            headless: false,
            input: "any",
            gives: "any",
            says: "",
            example: ("", ""),
            body,
        }
    }

    const fn takes(mut self, takes: &'static [Arg]) -> Self {
        self.takes = takes;
        self
    }

    const fn more(mut self, more: Arg) -> Self {
        self.more = Some(more);
        self
    }

    const fn named(mut self, named: &'static [&'static str]) -> Self {
        self.named = named;
        self
    }

    const fn headless(mut self) -> Self {
        self.headless = true;
        self
    }

    const fn types(mut self, input: &'static str, gives: &'static str) -> Self {
        self.input = input;
        self.gives = gives;
        self
    }

    const fn says(mut self, says: &'static str) -> Self {
        self.says = says;
        self
    }

    const fn example(mut self, template: &'static str, json: &'static str) -> Self {
        self.example = (template, json);
        self
    }

    /// The least and the most arguments by place.
    pub(crate) fn counts(&self) -> (usize, Option<usize>) {
        let least = self.takes.iter().filter(|arg| arg.needed).count();
        (least, if self.more.is_some() { None } else { Some(self.takes.len()) })
    }

    /// Whether it can give nil: where it says what it gives, only some filters pass nil on.
    pub(crate) fn may_give_nil(&self) -> bool {
        let always = matches!(
            self.gives,
            "text" | "integer" | "number" | "boolean" | "text or array" | "array" | "object"
        );
        !always || self.name.starts_with("date") || PASS_NIL.contains(&self.name)
    }

    /// The argument at a place.
    pub(crate) fn arg(&self, at: usize) -> Option<Arg> {
        self.takes.get(at).copied().or(self.more)
    }
}

/// Filters that give nil for nil, for nothing, or where they find nothing.
const PASS_NIL: [&str; 11] = [
    "array_to_sentence_string",
    "except",
    "find_index",
    "find_index_exp",
    "inspect",
    "iso8601",
    "json",
    "jsonify",
    "keys",
    "only",
    "truncate",
];

/// The table, by kind of value.
pub(crate) const TABLE: &[(&str, &[Filter])] = &[
    ("Text", string::FILTERS),
    ("Encodings", encode::FILTERS),
    ("Numbers", math::FILTERS),
    ("Dates", date::FILTERS),
    ("Arrays", array::FILTERS),
    ("Arrays of objects", select::FILTERS),
    ("Objects and JSON", object::FILTERS),
    ("Digests", digest::FILTERS),
    ("Any value", general::FILTERS),
];

/// The filter of this name.
pub(crate) fn find(name: &str) -> Option<&'static Filter> {
    all().find(|filter| filter.name == name)
}

/// All filters.
pub(crate) fn all() -> impl Iterator<Item = &'static Filter> {
    TABLE.iter().flat_map(|(_, filters)| filters.iter())
}

/// What stands before a filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Input {
    #[default]
    Value,
    /// A value that is not there; the filter is given nil.
    Undefined,
    /// Nothing, as in `{{ | json_construct: … }}`.
    Nothing,
}

/// The arguments of one call.
#[derive(Debug, Default)]
pub(crate) struct Args<'a> {
    pub(crate) values: Vec<Val<'a>>,
    /// Which of them are defined, by bit; an undefined argument counts as none where it may be left out.
    pub(crate) undefined: u64,
    /// What stands before the filter.
    pub(crate) input: Input,
    pub(crate) named: Vec<(&'static str, Val<'a>)>,
}

impl<'a> Args<'a> {
    /// The argument at this place, unless it is left out or undefined.
    pub(crate) fn get(&self, at: usize) -> Option<&Val<'a>> {
        let undefined = at < 64 && self.undefined & (1 << at) != 0;
        if undefined { None } else { self.values.get(at) }
    }

    /// The argument, or nil.
    pub(crate) fn value(&self, at: usize) -> Val<'a> {
        self.values.get(at).cloned().unwrap_or(Val::Nil)
    }

    /// The argument as text; nil is empty.
    pub(crate) fn text(&self, at: usize, meter: &Meter) -> Result<std::borrow::Cow<'a, str>, Fault> {
        text::into_text(self.value(at), meter)
    }

    /// The whole number of an argument that may be left out. Nil, and what is no whole number, is a fault.
    pub(crate) fn whole(&self, at: usize) -> Result<Option<i64>, Fault> {
        let Some(value) = self.values.get(at) else { return Ok(None) };
        let number = match value {
            Val::Int(number) => Some(*number),
            Val::Text(text) => Number::from_text(text)?.and_then(Number::whole),
            // A whole number beyond 64 bits is as far as there is.
            Val::Digits(_) => Number::of(value)?.clamped(),
            _ => None,
        };
        let unfit = || Fault::failed(format!("expected a whole number, found {}", text::preview(value)));
        number.map(Some).ok_or_else(unfit)
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.named.iter().any(|(known, value)| *known == name && value.is_true())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_gives_nil_does_not_give_it_for_nil() {
        let context = |data: &'static coho_core::value::Value| crate::Context::free(data);
        for filter in all().filter(|filter| !filter.may_give_nil() && matches!(filter.body, Body::Plain(_))) {
            let args = ["", ": '1'", ": '1', '2'"].get(filter.counts().0).copied().unwrap_or_default();
            for head in ["nil", "gone", "''", "list"] {
                let source = format!("{{{{ {head} | {}{args} }}}}", filter.name);
                let scope = crate::CompileScope::free().settings(crate::TemplateSettings::lenient());
                let Ok(template) = crate::compile(&source, &scope) else { continue };
                assert!(!template.may_give_null(), "{source}");
                if let Ok(value) = template.render(&context(&coho_core::value::Value::Null)) {
                    assert!(!value.is_null(), "{source}");
                }
            }
        }
    }

    #[test]
    fn each_name_stands_once_and_says_what_it_does() {
        let mut names: Vec<_> = all().map(|filter| filter.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        for filter in all() {
            assert!(filter.says.ends_with('.'), "{}", filter.name);
            assert!(filter.example.0.contains(filter.name), "{}", filter.name);
        }
    }
}
