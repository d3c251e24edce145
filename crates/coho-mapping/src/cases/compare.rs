//! What came against what is expected: each difference by itself.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use coho_core::case::{CaseOutcome, Expected, ExpectedProblem, Mismatch};
use coho_core::object::{Bag, FieldKind, Object};
use coho_core::path::FieldPath;
use coho_core::problem::Problem;
use coho_core::value::Value;

/// All differences, in the order of their paths; empty if there is none. A record has an object, a template's value none.
pub(super) fn compare(object: Option<Object>, expected: &Expected, got: &CaseOutcome) -> Vec<Mismatch> {
    match (expected, got) {
        (Expected::Record(expected), CaseOutcome::Record(got)) => records(object, expected, got),
        (Expected::Value(expected), CaseOutcome::Value(got)) => values(expected, got),
        // A project's tests name records for syncs and values for templates, so that the two never meet.
        (
            Expected::Record(expected) | Expected::Value(expected),
            CaseOutcome::Record(got) | CaseOutcome::Value(got),
        ) => {
            vec![Mismatch::Value { expected: expected.clone(), got: got.clone() }]
        }
        (Expected::Record(_) | Expected::Value(_), CaseOutcome::Problems(problems)) => {
            problems_apart(&[], problems)
        }
        (Expected::Problems(wanted), CaseOutcome::Problems(problems)) => problems_apart(wanted, problems),
        (Expected::Problems(wanted), CaseOutcome::Record(_) | CaseOutcome::Value(_)) => {
            problems_apart(wanted, &[])
        }
    }
}

fn values(expected: &Value, got: &Value) -> Vec<Mismatch> {
    if expected == got || same_moment(expected, got) {
        return Vec::new();
    }
    vec![Mismatch::Value { expected: expected.clone(), got: got.clone() }]
}

fn records(object: Option<Object>, expected: &Value, got: &Value) -> Vec<Mismatch> {
    let (mut expected, mut got) = (flat(expected), flat(got));
    let paths: BTreeSet<FieldPath> = expected.keys().chain(got.keys()).cloned().collect();
    let mut mismatches = Vec::new();
    for path in paths {
        let (expected, got) = (expected.remove(&path), got.remove(&path));
        let same = match (&expected, &got) {
            (Some(expected), Some(got)) => same(object, &path, expected, got),
            (None, _) | (_, None) => false,
        };
        if !same {
            mismatches.push(Mismatch::Field { path, expected, got });
        }
    }
    mismatches
}

/// Where custom values may stand.
const BAGS: [Bag; 2] = [Bag::Traits, Bag::Properties];

/// A record by paths. `traits: { plan: pro }` and `traits.plan: pro` are the same, as in a sync.
fn flat(record: &Value) -> BTreeMap<FieldPath, Value> {
    let Value::Object(members) = record else { return BTreeMap::new() };
    let mut fields = BTreeMap::new();
    for (name, value) in members {
        match (BAGS.into_iter().find(|bag| bag.name() == name), value) {
            (Some(bag), Value::Object(members)) => {
                fields.extend(members.iter().map(|(key, value)| (bag.path(key.as_str()), value.clone())));
            }
            (Some(_) | None, value) => drop(fields.insert(FieldPath::new(name), value.clone())),
        }
    }
    fields
}

fn same(object: Option<Object>, path: &FieldPath, expected: &Value, got: &Value) -> bool {
    if expected == got || same_moment(expected, got) {
        return true;
    }
    // References are a set.
    let (Value::Array(expected), Value::Array(got)) = (expected, got) else { return false };
    let kind = path.as_field().and_then(|name| object?.field(name)).map(|field| field.kind);
    matches!(kind, Some(FieldKind::References(_))) && texts(expected) == texts(got)
}

/// One moment has many texts.
fn same_moment(expected: &Value, got: &Value) -> bool {
    let (Value::Text(text), Value::Timestamp(moment)) = (expected, got) else { return false };
    DateTime::parse_from_rfc3339(text).is_ok_and(|text| text.timestamp_millis() == moment.timestamp_millis())
}

fn texts(values: &[Value]) -> BTreeSet<String> {
    values.iter().map(ToString::to_string).collect()
}

/// What was waited for and did not come, then what came unasked. Each that is waited for takes one that came; those that
/// name a field choose first.
fn problems_apart(wanted: &[ExpectedProblem], got: &[Problem]) -> Vec<Mismatch> {
    let mut left: Vec<&Problem> = got.iter().collect();
    let mut missing = Vec::new();
    let (exact, open): (Vec<&ExpectedProblem>, Vec<&ExpectedProblem>) =
        wanted.iter().partition(|wanted| wanted.field.is_some());
    for wanted in exact.into_iter().chain(open) {
        match left.iter().position(|problem| wanted.is(problem)) {
            Some(at) => drop(left.remove(at)),
            None => missing.push(Mismatch::Missing(wanted.clone())),
        }
    }
    let unexpected = left.into_iter().map(|problem| Mismatch::Unexpected(problem.clone()));
    missing.into_iter().chain(unexpected).collect()
}

#[cfg(test)]
mod tests {
    use coho_core::code::Code;
    use coho_core::json::parse;

    use super::*;

    fn apart(expected: &str, got: &str) -> Vec<Mismatch> {
        records(Some(Object::User), &parse(expected).unwrap(), &parse(got).unwrap())
    }

    #[test]
    fn numbers_are_equal_by_value_and_references_as_a_set() {
        let expected = r#"{"accountIds":["b","a"],"traits.seats":4.0}"#;
        assert_eq!(apart(expected, r#"{"accountIds":["a","b"],"traits":{"seats":4}}"#), []);
        assert_eq!(apart(r#"{"traits":{"tags":["b","a"]}}"#, r#"{"traits":{"tags":["a","b"]}}"#).len(), 1);
    }

    #[test]
    fn null_and_absent_differ() {
        assert_eq!(apart(r#"{"email":null}"#, "{}").len(), 1);
        assert_eq!(apart("{}", r#"{"email":null}"#).len(), 1);
        assert_eq!(apart(r#"{"email":null}"#, r#"{"email":null}"#), []);
    }

    #[test]
    fn one_problem_answers_one_that_is_waited_for() {
        let problem = |field: &str| Problem::new(Code::CAST_FAILED, "x").field(&FieldPath::new(field));
        let any = ExpectedProblem { code: Code::CAST_FAILED, field: None };
        let of_name = ExpectedProblem { code: Code::CAST_FAILED, field: Some(FieldPath::new("name")) };
        let got = [problem("name"), problem("email")];
        assert_eq!(problems_apart(&[any.clone(), of_name], &got), []);
        assert_eq!(
            problems_apart(std::slice::from_ref(&any), &got),
            [Mismatch::Unexpected(problem("email"))]
        );
        assert_eq!(problems_apart(std::slice::from_ref(&any), &[]), [Mismatch::Missing(any)]);
    }
}
