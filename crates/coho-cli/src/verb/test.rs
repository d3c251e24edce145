//! `coho test`: whether mappings make of rows what the project's tests say.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use coho_core::case::{CaseEnding, CaseOutcome, CaseReport, Suite, SuiteReport, SuiteSubject};
use coho_core::problem::Problem;
use coho_core::sync::SyncId;
use coho_mapping::cases::Declared;
use coho_project::{Blessing, File, FileText, Project, bless, excerpt};
use coho_report::style::{Color, Style};
use coho_report::{exit, json, junit, text};

use crate::args::Global;
use crate::exit::{Exit, Known};
use crate::project::Loaded;
use crate::{print, project};

/// What was asked for.
pub(crate) struct Asked {
    /// Files or folders.
    pub(crate) files: Vec<PathBuf>,
    /// Whether what came is written into the files.
    pub(crate) bless: bool,
    /// Where the JUnit report goes.
    pub(crate) junit: Option<PathBuf>,
}

/// Runs tests, and tells how they ended.
pub(crate) fn test(global: &Global, asked: &Asked) -> anyhow::Result<Exit> {
    let mut loaded = project::open_offline(global)?;
    let mut reports = run(&loaded, &asked.files)?;
    if asked.bless && write_answers(&loaded, &reports)? {
        loaded = project::open_offline(global)?;
        reports = run(&loaded, &asked.files)?;
    }
    if let Some(path) = &asked.junit {
        std::fs::write(path, junit::junit(&reports))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let untested = if asked.files.is_empty() { untested(&loaded.project) } else { Vec::new() };
    if global.json {
        print::json(&json::cases(&reports, &untested))?;
    } else if reports.is_empty() {
        print::talk("there are no tests; add one as `tests/NAME.yaml`");
    } else {
        let color = if print::colours_out() { Color::Always } else { Color::Never };
        let style = Style { color, ..Style::default() };
        let show = |problem: &Problem| excerpt(problem, &loaded.files);
        print::out(&text::cases(&reports, &untested, &show, &style))?;
        if reports.iter().flat_map(|report| &report.cases).any(|case| blessing(case).is_some()) {
            print::talk("if the results are correct, `coho test --bless` writes them into the tests");
        }
    }
    Ok(Exit::Report(exit::cases(&reports)))
}

fn run(loaded: &Loaded, named: &[PathBuf]) -> anyhow::Result<Vec<SuiteReport>> {
    let project = &loaded.project;
    let run = |suite: &Suite| match &suite.subject {
        SuiteSubject::Template(template) => Ok(coho_mapping::cases::run_template(suite, template)),
        SuiteSubject::Sync(id) => {
            let sync = project.sync(id).ok_or_else(|| anyhow!("the project has no sync `{id}`"))?;
            let key = project.model(&sync.model).map_or(&[][..], |model| &model.key);
            let declared = Declared { types: project.declared_types(&sync.model), key, filters: None };
            Ok(coho_mapping::cases::run(suite, sync, &declared))
        }
    };
    select(loaded, named)?.into_iter().map(run).collect()
}

/// The test files that are named, or all.
fn select<'a>(loaded: &'a Loaded, named: &[PathBuf]) -> anyhow::Result<Vec<&'a Suite>> {
    let mut chosen = vec![named.is_empty(); loaded.project.tests.len()];
    for name in named {
        let mut any = false;
        for (suite, chosen) in loaded.project.tests.iter().zip(&mut chosen) {
            let is_meant = is_in(&loaded.root, &suite.file, name);
            *chosen |= is_meant;
            any |= is_meant;
        }
        if !any {
            let message = format!("there is no test file {}", name.display());
            let help = match loaded.project.tests.as_slice() {
                [] => "the project has no tests; add one as `tests/NAME.yaml`".to_owned(),
                suites => {
                    let files: Vec<&str> = suites.iter().map(|suite| &*suite.file).collect();
                    format!("the project has: {}", files.join(", "))
                }
            };
            return Err(Known { message, help: Some(help), code: exit::USAGE, source: None }.into());
        }
    }
    let suites = loaded.project.tests.iter().zip(chosen);
    Ok(suites.filter(|(_, chosen)| *chosen).map(|(suite, _)| suite).collect())
}

/// Whether a project's file is the one that was named, or in the folder that was named: from here, or from the project.
fn is_in(root: &Path, file: &str, named: &Path) -> bool {
    let full = root.join(file);
    let from_here = std::env::current_dir().map(|here| here.join(named));
    let candidates = [from_here.ok(), Some(root.join(named))];
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    candidates.into_iter().flatten().any(|path| real(&full).starts_with(real(&path)))
}

/// The syncs of which there is no test at all.
fn untested(project: &Project) -> Vec<SyncId> {
    let tested = |id: &SyncId| project.tests.iter().any(|suite| suite.subject.as_sync() == Some(id));
    project.syncs.iter().map(|sync| &sync.id).filter(|id| !tested(id)).cloned().collect()
}

/// Writes what failed tests gave into their files. Whether anything was written.
fn write_answers(loaded: &Loaded, reports: &[SuiteReport]) -> anyhow::Result<bool> {
    let mut any = false;
    for report in reports {
        let blessings: Vec<Blessing<'_>> = report.cases.iter().filter_map(blessing).collect();
        let file = loaded.files.iter().find(|file| *file.path == *report.file);
        let Some(File { text: FileText::Utf8(text), path }) = file.filter(|_| !blessings.is_empty()) else {
            continue;
        };
        let blessed = bless(text, &blessings);
        for name in &blessed.refused {
            print::talk(&format!("{path}: cannot write the result of `{name}` in place; write it by hand"));
        }
        if blessed.text != *text {
            let full = loaded.root.join(path);
            replace(&full, &blessed.text).with_context(|| format!("cannot write {}", full.display()))?;
            let count = (blessings.len() - blessed.refused.len()) as u64;
            print::talk(&format!("{path}: {} written", print::counted(count, "answer")));
            any = true;
        }
    }
    Ok(any)
}

fn blessing(case: &CaseReport) -> Option<Blessing<'_>> {
    let answer: &CaseOutcome = match &case.ending {
        CaseEnding::Failed { got, .. } => got,
        CaseEnding::Passed | CaseEnding::Broken(_) => return None,
    };
    Some(Blessing { name: &case.name, at: &case.expected_at, answer })
}

/// Replaces a file at once, so that nobody ever sees half of it.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let path = path.canonicalize()?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut new, text.as_bytes())?;
    if let Ok(old) = std::fs::metadata(&path) {
        std::fs::set_permissions(new.path(), old.permissions())?;
    }
    new.persist(path)?;
    Ok(())
}
