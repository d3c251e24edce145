//! What became of users' mapping tests as JUnit XML, which CI servers show.
//!
//! The form is the one that Jenkins, GitLab and most others read: `testsuites`, `testsuite`, `testcase` with `failure` or
//! `error`. A file of tests is a suite; a test that could not be run is an error.

use coho_core::case::{CaseEnding, CaseReport, SuiteReport, Tally};
use coho_core::problem::Problem;
use coho_core::sync::SyncId;

use crate::mismatch::line;

/// The document, with a line feed at its end.
pub fn junit(reports: &[SuiteReport]) -> String {
    let tally = Tally::of(reports.iter().flat_map(|report| &report.cases));
    let suites: String = reports.iter().map(suite).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"coho test\" {}>\n{suites}</testsuites>\n",
        counts(tally)
    )
}

fn counts(tally: Tally) -> String {
    format!("tests=\"{}\" failures=\"{}\" errors=\"{}\"", tally.all(), tally.failed, tally.broken)
}

fn suite(report: &SuiteReport) -> String {
    let name = escaped(&report.file);
    let cases: String = report.cases.iter().map(|case| one(report, case)).collect();
    format!("  <testsuite name=\"{name}\" {}>\n{cases}  </testsuite>\n", counts(Tally::of(&report.cases)))
}

fn one(report: &SuiteReport, case: &CaseReport) -> String {
    let head = format!(
        "    <testcase name=\"{}\" classname=\"{}\" file=\"{}\" line=\"{}\"",
        escaped(&case.name),
        escaped(report.subject.as_sync().map_or("template", SyncId::as_str)),
        escaped(&report.file),
        case.place.line
    );
    let (element, lines) = match &case.ending {
        CaseEnding::Passed => return format!("{head}/>\n"),
        CaseEnding::Failed { mismatches, .. } => ("failure", mismatches.iter().map(line).collect()),
        CaseEnding::Broken(problems) if problems.is_empty() => ("error", told(&report.problems)),
        CaseEnding::Broken(problems) => ("error", told(problems)),
    };
    let first = lines.first().map(String::as_str).unwrap_or_default();
    format!(
        "{head}>\n      <{element} message=\"{}\">{}</{element}>\n    </testcase>\n",
        escaped(first),
        escaped(&lines.join("\n"))
    )
}

fn told(problems: &[Problem]) -> Vec<String> {
    let told = |problem: &Problem| match &problem.place {
        Some(place) => format!("{place}: {problem}"),
        None => problem.to_string(),
    };
    problems.iter().map(told).collect()
}

/// A text in XML 1.0, in an attribute or between tags. Characters that XML has no form for become `\u{fffd}`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            '\r' => escaped.push_str("&#13;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ if letter.is_control() => escaped.push('\u{fffd}'),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_its_element_or_attribute() {
        assert_eq!(escaped("a<b>&\"'\n\u{1b}]]>"), "a&lt;b&gt;&amp;&quot;&apos;&#10;\u{fffd}]]&gt;");
    }
}
