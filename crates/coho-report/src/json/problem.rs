//! A problem as a document.

use coho_core::json::Json;
use coho_core::problem::Problem;
use serde_json::json;

use super::{VERSION, object};

/// One problem:
///
/// ```json
/// {
///   "version": 1,
///   "code": "unknown-column",
///   "message": "the model has no column `seets`",
///   "help": "did you mean `seats`?",
///   "field": "traits.seats",
///   "place": { "file": "syncs/accounts.yaml", "line": 9, "column": 12, "length": 5 }
/// }
/// ```
///
/// `help`, `field` and `place` are left out where they are not known; so are `line` and `column` of a whole file.
pub fn problem(problem: &Problem) -> Json {
    let mut document = json!({ "version": VERSION });
    if let (Some(document), Json::Object(members)) = (document.as_object_mut(), members(problem)) {
        document.extend(members);
    }
    document
}

pub(super) fn members(problem: &Problem) -> Json {
    let place = problem.place.as_ref().map(|place| {
        let known = |number: u32| (number > 0).then(|| number.into());
        object([
            ("file", Some((*place.file).into())),
            ("line", known(place.line)),
            ("column", known(place.column)),
            ("length", known(place.length)),
        ])
    });
    object([
        ("code", Some(problem.code.as_str().into())),
        ("message", Some(problem.message.as_str().into())),
        ("help", problem.help.as_deref().map(Json::from)),
        ("field", problem.field.as_ref().map(|field| field.to_string().into())),
        ("place", place),
    ])
}
