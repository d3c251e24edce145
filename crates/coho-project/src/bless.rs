//! Blessing: what came is written into a test file as what is expected. All else in the file stays as it is.

use coho_core::case::{Case, CaseOutcome, Expected, ExpectedProblem};
use coho_core::place::Place;
use coho_core::problem::Problem;
use coho_core::value::Value;

use crate::read::test;
use crate::yaml::{Extent, FlowOrBlock, block, extent, fits, flow};

/// What a case of a test file is to expect.
#[derive(Clone, Debug)]
pub struct Blessing<'a> {
    /// The case's name.
    pub name: &'a str,
    /// Where its `record`, `value` or `problems` stands.
    pub at: &'a Place,
    /// What came.
    pub answer: &'a CaseOutcome,
}

/// A test file after it was blessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blessed {
    /// The file's text.
    pub text: String,
    /// The cases that could not be written, by name. They are as they were.
    pub refused: Vec<String>,
}

/// Writes answers into the text of a test file, each in place of the `record`, `value` or `problems` of its case.
///
/// The rest of the file keeps its layout and comments; comments within what is replaced go with it. Each answer is read
/// back, and what does not read back as the same is not written.
pub fn bless(text: &str, blessings: &[Blessing<'_>]) -> Blessed {
    let mut ordered: Vec<&Blessing<'_>> = blessings.iter().collect();
    // From the end on, so that the places before it still hold.
    ordered.sort_by_key(|blessing| std::cmp::Reverse((blessing.at.line, blessing.at.column)));
    let mut blessed = Blessed { text: text.to_owned(), refused: Vec::new() };
    for blessing in ordered {
        let written = written(&blessed.text, blessing).filter(|text| reads_back(text, blessing));
        match written {
            Some(text) => blessed.text = text,
            None => blessed.refused.push(blessing.name.to_owned()),
        }
    }
    blessed.refused.reverse();
    blessed
}

fn written(text: &str, blessing: &Blessing<'_>) -> Option<String> {
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Extent { range, surroundings, value: style } = extent(bare, blessing.at)?;
    let (key, value) = match blessing.answer {
        CaseOutcome::Record(record) => ("record", record.clone()),
        CaseOutcome::Value(value) => ("value", value.clone()),
        CaseOutcome::Problems(problems) => ("problems", Value::Array(problems.iter().map(named).collect())),
    };
    let column = blessing.at.column.saturating_sub(1) as usize;
    let one_line = style == FlowOrBlock::Flow && fits(&value, column);
    let entry = if surroundings == FlowOrBlock::Flow || one_line {
        format!("{key}: {}", flow(&value))
    } else {
        format!("{key}:{}", block(&value, column))
    };
    let before = text.len() - bare.len();
    let (head, tail) = (text.get(..before + range.start)?, bare.get(range.end..)?);
    let (comment, rest) = tail.split_at(tail.find('\n').unwrap_or(tail.len()));
    Some(match entry.split_once('\n').filter(|_| comment.trim_start().starts_with('#')) {
        // The comment of one line stays with the key.
        Some((first, lines)) => [head, first, comment, "\n", lines, rest].concat(),
        None => [head, &entry, tail].concat(),
    })
}

/// A problem as a test file names it.
fn named(problem: &Problem) -> Value {
    let code = Value::text(problem.code.as_str());
    match &problem.field {
        Some(field) => Value::Object(vec![
            ("field".to_owned(), Value::text(field.to_string())),
            ("code".to_owned(), code),
        ]),
        None => code,
    }
}

fn reads_back(text: &str, blessing: &Blessing<'_>) -> bool {
    let mut problems = Vec::new();
    let suite = test::read(&blessing.at.file, text, None, &mut problems);
    let case = suite.as_ref().and_then(|suite| suite.cases.iter().find(|case| case.name == blessing.name));
    case.is_some_and(|case| expects(case, blessing.answer))
}

fn expects(case: &Case, answer: &CaseOutcome) -> bool {
    match (&case.expected, answer) {
        (Expected::Record(expected), CaseOutcome::Record(got))
        | (Expected::Value(expected), CaseOutcome::Value(got)) => expected == got,
        (Expected::Problems(wanted), CaseOutcome::Problems(problems)) => {
            let named =
                |problem: &Problem| ExpectedProblem { code: problem.code, field: problem.field.clone() };
            *wanted == problems.iter().map(named).collect::<Vec<_>>()
        }
        (Expected::Record(_) | Expected::Value(_) | Expected::Problems(_), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use coho_core::json::parse;

    use super::*;

    /// Blesses every case of a file with one record.
    fn blessed(text: &str, record: &str) -> Blessed {
        let suite = test::read(&"tests/a.yaml".into(), text, None, &mut Vec::new()).unwrap();
        let answer = CaseOutcome::Record(parse(record).unwrap());
        let blessings: Vec<_> = suite
            .cases
            .iter()
            .map(|case| Blessing { name: &case.name, at: &case.expected_at, answer: &answer })
            .collect();
        bless(text, &blessings)
    }

    #[test]
    fn layout_and_comments_around_stay() {
        let text = "\u{feff}sync: a\r\ntests:\r\n- record: # old\r\n    externalId: ü\r\n  # between\r\n  name: x # why\r\n  row: {}\r\n";
        let expected = "\u{feff}sync: a\r\ntests:\r\n- record:\n    externalId: \"7\"\r\n  # between\r\n  name: x # why\r\n  row: {}\r\n";
        assert_eq!(blessed(text, r#"{"externalId":"7"}"#).text, expected);
    }

    #[test]
    fn braces_stay_braces_until_the_line_is_too_long() {
        let text = "sync: a\ntests:\n  - name: x\n    row: {}\n    record: {} # note\n";
        assert_eq!(
            blessed(text, r#"{"externalId":"7"}"#).text,
            text.replace("record: {}", "record: { externalId: \"7\" }")
        );
        let long = "y".repeat(90);
        assert_eq!(
            blessed(text, &format!(r#"{{"externalId":"{long}"}}"#)).text,
            text.replace("record: {} # note", &format!("record: # note\n      externalId: {long}"))
        );
    }

    #[test]
    fn several_cases_of_one_file_are_written() {
        let text = "sync: a\ntests: [{ name: x, row: {}, record: {} }, { problems: [no-owner], name: y, row: {} }]\n";
        let expected = "sync: a\ntests: [{ name: x, row: {}, record: { externalId: a } }, { record: { externalId: a }, name: y, row: {} }]\n";
        assert_eq!(
            blessed(text, r#"{"externalId":"a"}"#),
            Blessed { text: expected.into(), refused: Vec::new() }
        );
    }

    #[test]
    fn an_empty_value_is_filled() {
        let text = "template: x\ntests:\n  - name: x\n    value:\n    row: {}\n";
        let suite = test::read(&"tests/a.yaml".into(), text, None, &mut Vec::new()).unwrap();
        let answer = CaseOutcome::Value(Value::text("a: b"));
        let blessing = Blessing { name: "x", at: &suite.cases[0].expected_at, answer: &answer };
        assert_eq!(bless(text, &[blessing]).text, text.replace("value:", "value: \"a: b\""));
    }

    #[test]
    fn what_would_not_read_back_is_refused() {
        let text = "sync: a\ntests:\n  - name: x\n    row: {}\n    record: {}\n";
        let refused = Blessed { text: text.to_owned(), refused: vec!["x".to_owned()] };
        assert_eq!(blessed(text, r#"{"externalId":"${HOME}"}"#), refused);
    }
}
