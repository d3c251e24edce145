//! What goes wrong with single calls: answers that never come, refusals, and answers of success that show none.

use coho_simulator::{CutShort, FaultAnswer, ScriptedFault, Trouble};
use proptest::prelude::*;

/// Bodies with status 200 that show no success, whatever was written: nothing, a page of some proxy, an empty list, an error,
/// and a record that nobody asked for.
const NO_SUCCESS: [&str; 5] = [
    "",
    "<html>Welcome</html>",
    "[]",
    r#"{"error":"busy"}"#,
    r#"{"id":"00000000-0000-4000-8000-00000000ffff","externalId":"somebody-else","name":"Somebody"}"#,
];

fn status(status: u16) -> Trouble {
    Trouble::Answer(FaultAnswer::status(status))
}

/// Answers with status 200 and this body: whether what was asked for was done or not.
fn fine(body: &str) -> [Trouble; 2] {
    let answer = FaultAnswer { body: Some(body.to_owned()), ..FaultAnswer::status(200) };
    [Trouble::Answer(answer.clone()), Trouble::AnswerAfterCommit(answer)]
}

/// Faults of writes to these objects, by their plurals.
pub(crate) fn of_writes(objects: &[&str]) -> Vec<ScriptedFault> {
    let unclear = [Trouble::DropAfterCommit, Trouble::DropBefore, Trouble::NotJson, status(500), status(400)];
    let posts: Vec<_> = unclear.into_iter().chain(NO_SUCCESS.into_iter().flat_map(fine)).collect();
    // A failed PUT or DELETE is repeated after a wait; a refused one is not.
    let refused = [status(400), status(401)];
    let puts: Vec<_> = refused.iter().cloned().chain(NO_SUCCESS.into_iter().flat_map(fine)).collect();
    // A DELETE may be answered with a record, or without a body.
    let deletes: Vec<_> =
        refused.into_iter().chain(NO_SUCCESS[1..4].iter().copied().flat_map(fine)).collect();
    let mut all = Vec::new();
    for object in objects {
        let (one, many) = (format!("/resources/{object}/*"), format!("/resources/{object}"));
        all.extend(posts.iter().map(|trouble| ScriptedFault::once(trouble.clone()).on("POST", &many)));
        all.extend(puts.iter().map(|trouble| ScriptedFault::once(trouble.clone()).on("PUT", &one)));
        all.extend(deletes.iter().map(|trouble| ScriptedFault::once(trouble.clone()).on("DELETE", &one)));
    }
    all
}

/// Faults of looks: no record, no list, and no answer. An empty list is one, and says that nobody is there.
pub(crate) fn of_looks() -> Vec<ScriptedFault> {
    let bodies = ["", "<html>Welcome</html>", r#"{"error":"busy"}"#, "{}", r#"{"results":[{}]}"#];
    let answers = bodies.into_iter().map(|body| fine(body)[0].clone());
    answers
        .chain([status(500), status(400)])
        .map(|trouble| ScriptedFault::once(trouble).on("GET", "/resources/*"))
        .collect()
}

/// Pages of lists that do not say where the list goes on: nobody can find the rest, and nobody may take it for the end.
pub(crate) fn of_lists() -> Vec<ScriptedFault> {
    let cuts = [CutShort::WithoutNext, CutShort::InCircle].map(Trouble::CutList);
    cuts.map(|trouble| ScriptedFault::once(trouble).on("GET", "/resources/accounts")).to_vec()
}

/// Faults of batches for the Analytics API.
pub(crate) fn of_batches() -> Vec<ScriptedFault> {
    let answers = NO_SUCCESS.into_iter().flat_map(fine).chain([status(400), status(401)]);
    answers.map(|trouble| ScriptedFault::once(trouble).on("POST", "/analytics/v1/batch")).collect()
}

/// One or two of these, each after some calls that pass.
pub(crate) fn some(all: Vec<ScriptedFault>) -> impl Strategy<Value = Vec<ScriptedFault>> {
    let fault = (prop::sample::select(all), 0..3_u32).prop_map(|(fault, skip)| fault.after(skip));
    prop::collection::vec(fault, 1..3)
}
