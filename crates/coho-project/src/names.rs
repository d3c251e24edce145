//! Problems with names that refer to something.

use coho_core::code::Code;
use coho_core::problem::{Problem, nearest};
use coho_core::value::preview;

/// Something is named that the project does not define: a source, destination, target or model.
pub(crate) fn unknown_name<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Problem {
    let problem = Problem::new(Code::UNKNOWN_NAME, format!("the project has no {what} `{}`", preview(name)));
    let list: Vec<&str> = known.clone().collect();
    match (nearest(name, known), list.as_slice()) {
        (Some(near), _) => problem.help(format!("did you mean `{near}`?")),
        (None, []) => problem.help(format!("the project has no {what}; add one")),
        (None, list) => problem.help(format!("the project has: {}", list.join(", "))),
    }
}
