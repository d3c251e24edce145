//! What became of users' mapping tests: what failed and why, how many passed, what no test reached.

use coho_core::case::{
    BranchCoverage, CaseEnding, CaseReport, Coverage, Covered, FieldCoverage, Reach, SuiteSubject,
};
use coho_core::case::{SuiteReport, Tally, coverage};
use coho_core::problem::Problem;
use coho_core::sync::SyncId;

use crate::mismatch::line;
use crate::style::{Style, Tone};
use crate::words::{counted, number, tame, wrap};

/// What `coho test` prints.
///
/// `untested` are syncs of which there is no test at all; `show` gives a problem with its place, and ends with a line feed.
pub fn cases(
    reports: &[SuiteReport],
    untested: &[SyncId],
    show: &dyn Fn(&Problem) -> String,
    style: &Style,
) -> String {
    let mut text: String = reports.iter().map(|report| suite(report, show, style)).collect();
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&summary(reports, style));
    for coverage in coverage(reports) {
        text.push_str(&reached(&coverage, style));
    }
    if !untested.is_empty() {
        let names: Vec<&str> = untested.iter().map(SyncId::as_str).collect();
        text.push_str(&wrap(&format!("syncs without tests: {}", names.join(", ")), 0, style.width));
    }
    text
}

fn suite(report: &SuiteReport, show: &dyn Fn(&Problem) -> String, style: &Style) -> String {
    if !report.problems.is_empty() {
        let count = report.cases.len() as u64;
        let verdict = style.paint(Tone::Bad, "broken");
        let file = tame(&report.file);
        let subject = match &report.subject {
            SuiteSubject::Sync(sync) => format!("the sync `{sync}`"),
            SuiteSubject::Template(_) => "a template".to_owned(),
        };
        let head = format!("{file} {verdict}: {} of {subject} not run\n", counted(count, "test"));
        return [head, shown(&report.problems, show)].concat();
    }
    report.cases.iter().map(|case| one(case, show, style)).collect()
}

fn one(case: &CaseReport, show: &dyn Fn(&Problem) -> String, style: &Style) -> String {
    let head = |verdict: &str| {
        let at = format!("{}:{}", tame(&case.place.file), case.place.line);
        format!("{at} {}: {}\n", style.paint(Tone::Bad, verdict), tame(&case.name))
    };
    match &case.ending {
        CaseEnding::Passed => String::new(),
        CaseEnding::Failed { mismatches, .. } => {
            let lines = mismatches.iter().map(|mismatch| format!("  {}\n", line(mismatch)));
            head("failed") + &lines.collect::<String>()
        }
        CaseEnding::Broken(problems) => head("broken") + &shown(problems, show),
    }
}

/// Problems, indented.
fn shown(problems: &[Problem], show: &dyn Fn(&Problem) -> String) -> String {
    let text: String = problems.iter().map(show).collect();
    text.lines().flat_map(|line| ["  ", line, "\n"]).collect()
}

fn summary(reports: &[SuiteReport], style: &Style) -> String {
    let tally = Tally::of(reports.iter().flat_map(|report| &report.cases));
    let part = |count: usize, word: &str, tone: Tone| {
        let text = format!("{} {word}", number(count as u64));
        style.paint(if count == 0 { Tone::Plain } else { tone }, &text)
    };
    let mut parts = vec![part(tally.passed, "passed", Tone::Good), part(tally.failed, "failed", Tone::Bad)];
    if tally.broken > 0 {
        parts.push(part(tally.broken, "broken", Tone::Bad));
    }
    format!("{}\n", parts.join(", "))
}

fn reached(coverage: &Coverage, style: &Style) -> String {
    let set = Aspect::of(&coverage.fields, |field| field.set);
    let null = Aspect::of(&coverage.fields, |field| field.null);
    let failed = Aspect::of(&coverage.fields, |field| field.failed);
    let shares = [(&set, "fields set"), (&null, "seen null"), (&failed, "casts seen failing")];
    let shares = shares.into_iter().filter(|(aspect, _)| aspect.possible > 0);
    let mut shares: Vec<String> =
        shares.map(|(aspect, words)| format!("{} {words}", aspect.share())).collect();
    let (of, words) = match &coverage.of {
        Covered::Sync(sync) => (sync.as_str(), "branches of templates reached"),
        Covered::Template(file) => (&*tame(file), "branches reached"),
    };
    shares.extend(branches_share(&coverage.branches).map(|share| format!("{share} {words}")));
    let mut text = wrap(&format!("coverage of {of}: {}", shares.join(", ")), 0, style.width);
    let missed = [("never set", set), ("never null", null), ("casts that never failed", failed)];
    for (words, aspect) in missed.into_iter().filter(|(_, aspect)| !aspect.missed.is_empty()) {
        text.push_str(&wrap(&format!("{words}: {}", aspect.missed.join(", ")), 2, style.width));
    }
    text + &branches_missed(&coverage.branches)
}

fn branches_share(branches: &[BranchCoverage]) -> Option<String> {
    let reached = branches.iter().filter(|branch| branch.reached).count();
    (!branches.is_empty()).then(|| format!("{reached} of {}", branches.len()))
}

/// Each on a line of its own, for an editor to go to.
fn branches_missed(branches: &[BranchCoverage]) -> String {
    let missed = branches.iter().filter(|branch| !branch.reached).map(|branch| {
        format!("  {}: never reached: {}\n", tame(&branch.place.to_string()), tame(&branch.label))
    });
    missed.collect()
}

/// One thing that cases can reach of fields.
struct Aspect<'a> {
    possible: usize,
    missed: Vec<&'a str>,
}

impl<'a> Aspect<'a> {
    fn of(fields: &'a [FieldCoverage], reach: fn(&FieldCoverage) -> Reach) -> Self {
        let missed = fields.iter().filter(|field| reach(field) == Reach::Missed);
        Self {
            possible: fields.iter().filter(|field| reach(field) != Reach::Impossible).count(),
            missed: missed.map(|field| field.field.as_str()).collect(),
        }
    }

    fn share(&self) -> String {
        format!("{} of {}", self.possible - self.missed.len(), self.possible)
    }
}
