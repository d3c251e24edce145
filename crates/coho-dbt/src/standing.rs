//! Whether a sync may read a model, after what became of it and of the tests on it in dbt's last command.

use chrono::TimeDelta;
use coho_core::code::Code;
use coho_core::problem::Problem;
use coho_core::time::Time;
use coho_core::value::preview;

use crate::manifest::{FoundModel, Manifest};
use crate::results::RunResults;

/// How many failures a message names.
const NAMED: usize = 3;

/// Commands that leave results and build nothing.
const BUILD_NOTHING: [&str; 6] = ["compile", "generate", "docs", "show", "list", "parse"];

/// How old results may be.
#[derive(Clone, Copy, Debug)]
pub struct AgeLimit {
    /// The oldest that counts; `None` for any age.
    pub max_age: Option<TimeDelta>,
    /// The present time.
    pub now: Time,
}

/// What dbt's last command says of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// All is well.
    Passed(Passed),
    /// It says nothing that counts: a sync goes on, with this warning.
    Unknown(Problem),
    /// A sync must not read the model.
    Refused(Problem),
}

/// What passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// When the command ended, where it says.
    pub at: Option<Time>,
    /// Whether the command built the model, or only tested it.
    pub built: bool,
    /// How many tests on it passed or warned.
    pub tests: usize,
}

/// How one node ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Passed,
    Failed,
    /// This version of dbt says something that this version of Coho does not know.
    Other,
}

/// What dbt's last command says of a model. `results` is `None` where there is no `run_results.json`.
pub fn standing(
    manifest: &Manifest,
    model: &FoundModel,
    results: Option<&RunResults>,
    limit: &AgeLimit,
) -> Standing {
    let name = preview(&model.name);
    let Some(results) = results else { return without_results(&name, limit) };
    let command = command(results);
    let builds = !results.command.as_deref().is_some_and(|command| BUILD_NOTHING.contains(&command));
    let endings = if builds { endings(manifest, model, results) } else { Vec::new() };
    let failed: Vec<String> =
        endings.iter().filter(|one| one.ending == Ending::Failed).map(One::shown).collect();
    if !failed.is_empty() {
        let message = format!("{command} failed for the model `{name}`: {}", enumerated(&failed));
        let problem = Problem::new(Code::DBT_FAILED, message);
        return Standing::Refused(with_help(problem));
    }
    if let Some(problem) = too_old(&command, results, limit) {
        return Standing::Refused(problem);
    }
    if !builds {
        let message = format!("{command} does not build or test models, so the state of `{name}` is unknown");
        return Standing::Unknown(with_help(Problem::new(Code::DBT_UNKNOWN, message)));
    }
    let others: Vec<String> =
        endings.iter().filter(|one| one.ending == Ending::Other).map(One::shown).collect();
    if !others.is_empty() {
        let message = format!("Coho does not know how {command} ended for `{name}`: {}", enumerated(&others));
        let help = "see what dbt says of it; a newer Coho may know this status";
        return Standing::Unknown(Problem::new(Code::DBT_UNKNOWN, message).help(help));
    }
    if endings.is_empty() {
        let message = format!("{command} did not build or test the model `{name}`");
        return Standing::Unknown(with_help(Problem::new(Code::DBT_UNKNOWN, message)));
    }
    let tests = endings.iter().filter(|one| one.test.is_some()).count();
    Standing::Passed(Passed { at: results.at, built: tests < endings.len(), tests })
}

/// How the model, or a test on it, ended.
struct One<'a> {
    test: Option<&'a str>,
    status: &'a str,
    ending: Ending,
}

impl One<'_> {
    /// `test unique_id (fail)`. dbt's own message is left out: it may quote values of rows.
    fn shown(&self) -> String {
        let what = self.test.map_or_else(|| "the model".to_owned(), |test| format!("test {}", preview(test)));
        format!("{what} ({})", preview(self.status))
    }
}

fn endings<'a>(manifest: &'a Manifest, model: &'a FoundModel, results: &'a RunResults) -> Vec<One<'a>> {
    let one = |id: &str, test: Option<&'a str>| {
        let status = results.statuses.get(id)?.as_str();
        Some(One { test, status, ending: ending(status) })
    };
    let tests = manifest.tests(&model.unique_id).iter();
    let own = one(&model.unique_id, None).into_iter();
    own.chain(tests.filter_map(|(id, name)| one(id, Some(name)))).collect()
}

/// Core's statuses (<https://docs.getdbt.com/reference/artifacts/run-results-json>, read 2026-11-28), and those by which Fusion
/// says that nothing was to do.
fn ending(status: &str) -> Ending {
    match status.to_ascii_lowercase().as_str() {
        "success" | "pass" | "warn" | "no-op" | "reused" => Ending::Passed,
        "error" | "fail" | "runtime error" | "skipped" | "partial success" => Ending::Failed,
        _ => Ending::Other,
    }
}

/// The words that begin a sentence on what the results are of.
fn command(results: &RunResults) -> String {
    let command = results.command.as_deref().map(|command| {
        let command = if command == "generate" { "docs generate" } else { command };
        format!(", `dbt {}`,", preview(command))
    });
    format!("dbt's last command{}", command.unwrap_or_default())
}

fn without_results(name: &str, limit: &AgeLimit) -> Standing {
    let message = format!("dbt left no run_results.json, so the state of `{name}` is unknown");
    match limit.max_age {
        // Whoever asks for fresh data does not want data of which nobody knows.
        Some(_) => {
            let problem = Problem::new(Code::DBT_STALE, message);
            Standing::Refused(problem.help("run `dbt build`, and then the sync again"))
        }
        None => Standing::Unknown(with_help(Problem::new(Code::DBT_UNKNOWN, message))),
    }
}

fn too_old(command: &str, results: &RunResults, limit: &AgeLimit) -> Option<Problem> {
    let max_age = limit.max_age?;
    let message = match results.at {
        Some(at) if limit.now - at <= max_age => return None,
        Some(at) => format!(
            "{command} ended on {}, which is longer ago than `max_age: {}`",
            at.format("%Y-%m-%d %H:%M:%SZ"),
            age(max_age)
        ),
        None => format!("{command} has no end time, so Coho cannot check `max_age`"),
    };
    let help = "run `dbt build`, and then the sync again; or raise `max_age` in coho.yaml";
    Some(Problem::new(Code::DBT_STALE, message).help(help))
}

/// An age as a project would write it.
fn age(age: TimeDelta) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let millis = age.num_milliseconds();
    let unit = units.into_iter().find(|(unit, _)| millis > 0 && millis % unit == 0);
    unit.map_or_else(|| format!("{millis}ms"), |(unit, name)| format!("{}{name}", millis / unit))
}

fn with_help(problem: Problem) -> Problem {
    let help = problem.code.help();
    Problem { help, ..problem }
}

fn enumerated(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ") + &more
}

#[cfg(test)]
mod tests;
