//! Trying a template or a mapping on rows: by the evaluators of `coho template`, `coho preview` and `coho test`, and without
//! keeping anything of it.

mod declared;
mod rows;
mod test;

use std::cell::Cell;
use std::time::Duration;

use coho_core::case::{CaseOutcome, Suite, SuiteSubject};
use coho_core::place::Place;
use coho_core::problem::Problem;
use coho_core::sync::{Blanks, SyncId, TemplateText, UndefinedPolicy};
use coho_engine::context::{Engine, EngineError};
use coho_engine::plan::PlanError;
use coho_engine::stop::Stop;
use coho_mapping::Facts;
use coho_mapping::cases::{Answered, answers, template_answers};
use coho_project::{File, FileText, Project, load_offline, snippets};
use tokio::runtime::Handle;

use self::declared::declared;
pub(crate) use self::rows::Rows;
use crate::actions::Refused;
use crate::site::{OpenedProject, Site};

/// How a template is called in messages.
const TEMPLATE: &str = "template";

/// So many rows of a model are read.
const SAMPLE: u64 = 10;

/// The longest that a source is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// A template.
    Template(String),
    /// The file of a sync with this id, as it would be.
    Mapping { sync: String, text: String },
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Tried {
    /// What is wrong with the template, the mapping or the rows.
    pub(crate) problems: Vec<Problem>,
    /// The files that problems are in.
    pub(crate) files: Vec<File>,
    /// What came of each row.
    pub(crate) answers: Vec<Answered>,
    /// A test that expects it.
    pub(crate) test: Option<String>,
}

/// Tries it, as long as there is time.
pub(crate) fn try_it(site: &Site, subject: &Attempt, rows: &Rows, more: &dyn Fn() -> bool) -> Tried {
    let files = match (site.open)() {
        Ok(OpenedProject { files, .. }) => files,
        Err(broken) => broken.files,
    };
    match subject {
        Attempt::Template(text) => template(site, text, rows, files, more),
        Attempt::Mapping { sync, text } => mapping(site, (sync, text), rows, files, more),
    }
}

fn template(site: &Site, text: &str, rows: &Rows, mut files: Vec<File>, more: &dyn Fn() -> bool) -> Tried {
    let template = TemplateText {
        text: text.to_owned(),
        place: Place { line: 1, column: 1, ..Place::file(TEMPLATE) },
        indent: 0,
        undefined: UndefinedPolicy::default(),
        snippets: snippets(&files),
        blanks: Blanks::default(),
    };
    let cases = suite(SuiteSubject::Template(template.clone()), rows);
    let facts = Facts { now: Some(site.clock.now()), ..Facts::default() };
    let found = template_answers(&cases, &template, &facts, more);
    let paste = test::of_template(text, rows, &files);
    files.push(File::text(TEMPLATE, text));
    tried(found, files, paste)
}

fn mapping(
    site: &Site,
    (id, text): (&str, &str),
    rows: &Rows,
    files: Vec<File>,
    more: &dyn Fn() -> bool,
) -> Tried {
    let Some(path) = path_of(site, id) else {
        let problem =
            Problem::new(coho_core::code::Code::UNKNOWN_NAME, format!("the project has no sync `{id}`"));
        return Tried { problems: vec![problem], ..Tried::default() };
    };
    let files = with_file(files, &path, text);
    let (target, loaded) = loaded(site, &files);
    let project = match loaded {
        Ok(project) => project,
        Err(problems) => return Tried { problems, files, ..Tried::default() },
    };
    let Some(sync) = project.syncs.iter().find(|sync| *sync.place.file == *path) else {
        return Tried { files, ..Tried::default() };
    };
    let engine = Engine::new(site.setup(&project));
    let facts = engine.facts_of_preview(sync);
    let cases = suite(SuiteSubject::Sync(sync.id.clone()), rows);
    let found = answers(&cases, sync, &declared(&project, sync), &facts, more);
    let paste = test::of_sync(sync, rows, &files, target.as_deref());
    tried(found, files, paste)
}

/// The project of these files, for the target that was chosen.
fn loaded(site: &Site, files: &[File]) -> (Option<String>, Result<Project, Vec<Problem>>) {
    let target = (site.open)().ok().and_then(|opened| opened.project.target);
    let project = load_offline(files, target.as_deref());
    (target, project)
}

fn tried(answered: Result<Vec<Answered>, Vec<Problem>>, files: Vec<File>, test: Option<String>) -> Tried {
    match answered {
        Ok(answers) => Tried { problems: Vec::new(), files, answers, test },
        Err(problems) => Tried { problems, files, ..Tried::default() },
    }
}

fn suite(subject: SuiteSubject, rows: &Rows) -> Suite {
    Suite { file: "rows".into(), subject, columns: rows.types.clone(), cases: rows.cases() }
}

/// The file of a sync.
fn path_of(site: &Site, id: &str) -> Option<String> {
    let opened = (site.open)().ok()?;
    opened.project.sync(&SyncId::new(id)).map(|sync| sync.place.file.to_string())
}

/// The text of a sync's file as it is.
pub(crate) fn text_of(opened: &OpenedProject, id: &str) -> Option<String> {
    let sync = opened.project.sync(&SyncId::new(id))?;
    let file = opened.files.iter().find(|file| *file.path == *sync.place.file)?;
    match &file.text {
        FileText::Utf8(text) => Some(text.clone()),
        FileText::NotUtf8 { .. } | FileText::Long | FileText::Unreadable(_) => None,
    }
}

/// The files with this one as it is typed. Tests are left out: they say nothing of it.
fn with_file(mut files: Vec<File>, path: &str, text: &str) -> Vec<File> {
    files.retain(|file| file.path != path && !file.path.starts_with("tests/"));
    files.push(File::text(path, text));
    files
}

/// The first rows of a model, read on a thread that may block.
pub(crate) fn sample(site: &Site, model: &str, handle: &Handle) -> Result<Rows, Refused> {
    let refused = |message: String| Refused { message, help: None };
    let opened = (site.open)().map_err(|_| refused("the project’s files are wrong".to_owned()))?;
    let model =
        opened.project.model(model).ok_or_else(|| refused(format!("the project has no model `{model}`")))?;
    let engine = Engine::new(site.setup(&opened.project));
    let late = Stop::new();
    let read = async {
        let until = late.until().within(PATIENCE);
        until.first(engine.sample(model, SAMPLE)).await
    };
    match handle.block_on(read) {
        Some(Ok(sample)) => Ok(Rows::of(&sample)),
        Some(Err(EngineError::Plan(PlanError::Problems { problems, .. }))) => {
            let told = problems.iter().map(|problem| coho_project::excerpt(problem, &opened.files));
            Err(refused(told.collect::<String>().trim_end().to_owned()))
        }
        Some(Err(error)) => Err(Refused::from(&error)),
        None => Err(refused(format!("the source did not answer within {} s", PATIENCE.as_secs()))),
    }
}

/// Whether there is time for one more, for so long from now on; and whether there was none at last.
pub(crate) struct Budget {
    until: std::time::Instant,
    pub(crate) is_over: Cell<bool>,
}

impl Budget {
    pub(crate) fn new(time: Duration) -> Self {
        Self { until: std::time::Instant::now() + time, is_over: Cell::new(false) }
    }

    pub(crate) fn has_more(&self) -> bool {
        self.is_over.set(std::time::Instant::now() >= self.until);
        !self.is_over.get()
    }
}

/// What came of a row, in a word.
pub(crate) fn kind(answered: &Answered) -> &'static str {
    match answered {
        Ok(CaseOutcome::Record(_)) => "record",
        Ok(CaseOutcome::Value(_)) => "value",
        Ok(CaseOutcome::Problems(_)) => "problems",
        Err(_) => "broken",
    }
}
