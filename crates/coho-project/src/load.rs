//! From files to a project, or to everything that is wrong with them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coho_core::case::{Suite, SuiteSubject};
use coho_core::code::Code;
use coho_core::model::{Model, Relation};
use coho_core::place::Place;
use coho_core::problem::Problem;
use coho_core::secret::Masker;
use coho_core::snippet::{Snippet, Snippets};
use coho_core::sync::{Sync, SyncId};

use crate::across;
use crate::conform::conform;
use crate::file::{File, FileText, Kind, kind, stem};
use crate::folders;
use crate::interpolate::Scope;
use crate::keys::project::PROJECT;
use crate::keys::texts;
use crate::names::unknown_name;
use crate::project::{Project, SourceSpec, Workspace};
use crate::read::alerts;
use crate::read::model::{self, ReadModel};
use crate::read::project::{self, Declaration, Declared};
use crate::read::sync::{self, ReadSync, Surroundings};
use crate::read::test;
use crate::read::workspace;
use crate::schedule::ScheduleSpec;
use crate::sequences;
use crate::yaml::parse;

/// The file without which there is no project.
const ROOT: &str = "coho.yaml";

/// Checks a project's files.
///
/// `environment` resolves `${NAME}` by `NAME`, and `file:PATH` by the whole text `file:PATH`. `target` is the target that
/// the user named; without one, the project's own default holds. Files that are no part of a project (see
/// [`crate::file::belongs`]) are passed over.
///
/// The error holds all problems of all files, by file and line; there is at least one.
pub fn load(
    files: &[File],
    environment: &dyn Fn(&str) -> Option<String>,
    target: Option<&str>,
) -> Result<Project, Vec<Problem>> {
    Loader { files, references: References::Resolve, problems: Vec::new(), warnings: Vec::new() }
        .load(environment, target)
}

/// Checks a project's files where nothing is to be read or sent: references need not resolve.
///
/// Sources and destinations whose references stay open are not in the [`Project`]; all the rest is as in [`load`].
pub fn load_offline(files: &[File], target: Option<&str>) -> Result<Project, Vec<Problem>> {
    Loader { files, references: References::LeaveOpen, problems: Vec::new(), warnings: Vec::new() }
        .load(&|_| None, target)
}

/// What a reference that does not resolve is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum References {
    /// A problem, where something uses it.
    Resolve,
    /// Nothing to speak of.
    LeaveOpen,
}

/// The snippets among a project's files: those of `templates/`, by their paths below it without `.liquid`.
pub fn snippets(files: &[File]) -> Snippets {
    let snippet = |file: &File| {
        let FileText::Utf8(text) = &file.text else { return None };
        let name = file.path.strip_prefix("templates/")?.strip_suffix(".liquid")?.to_owned();
        // An editor's line break at the end of the file is no part of what is rendered.
        let text =
            text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
        Some((name, Snippet { text: text.to_owned(), file: file.path.as_str().into() }))
    };
    files.iter().filter(|file| kind(&file.path) == Some(Kind::Snippet)).filter_map(snippet).collect()
}

fn sort(problems: &mut [Problem]) {
    problems.sort_by(|a, b| {
        let key = |problem: &Problem| {
            problem.place.as_ref().map(|place| (place.file.clone(), place.line, place.column))
        };
        key(a).cmp(&key(b))
    });
}

/// The schedules by sync.
fn schedules(syncs: &[ReadSync]) -> BTreeMap<SyncId, ScheduleSpec> {
    let of = |read: &ReadSync| Some((read.id.as_ref()?.0.clone(), read.schedule.spec.clone()?));
    syncs.iter().filter_map(of).collect()
}

struct Loader<'a> {
    files: &'a [File],
    references: References,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl<'a> Loader<'a> {
    fn load(
        mut self,
        environment: &dyn Fn(&str) -> Option<String>,
        target: Option<&str>,
    ) -> Result<Project, Vec<Problem>> {
        let project = self.project(environment, target);
        let masker = crate::secrets::masker(self.files, environment);
        let mut problems = self.problems;
        sort(&mut problems);
        project.filter(|_| problems.is_empty()).map(|project| Project { masker, ..project }).ok_or(problems)
    }

    fn project(
        &mut self,
        environment: &dyn Fn(&str) -> Option<String>,
        target: Option<&str>,
    ) -> Option<Project> {
        let declared = self.declared(environment, target);
        folders::check(self.files, &mut self.problems, &mut self.warnings);
        let models = self.models();
        if let Some(declared) = &declared {
            for model in models.values() {
                self.check_source(model, declared);
                self.check_dbt(model, declared);
            }
        }
        let syncs = self.syncs(declared.as_ref(), &models);
        let tests = self.tests(&syncs);
        self.finish(declared?, models.into_values().collect(), syncs, tests)
    }

    /// `coho.yaml`. `None` if it is missing or no YAML at all.
    fn declared(
        &mut self,
        environment: &dyn Fn(&str) -> Option<String>,
        target: Option<&str>,
    ) -> Option<Declared> {
        let Some(file) = self.files.iter().find(|file| file.path == ROOT) else {
            self.problems.push(
                Problem::new(Code::NO_PROJECT, "there is no `coho.yaml`")
                    .at(&Place::file(ROOT))
                    .help("run `coho init`, or name the folder with --project"),
            );
            return None;
        };
        let source = self.text(file)?;
        let mut root = parse(&Arc::from(ROOT), source, &mut self.problems)?;
        self.warnings.extend(crate::secrets::literal(&root));
        let scope = Scope { environment, source };
        let mut open = Vec::new();
        let apart = project::resolve(&mut root, &scope, &mut open);
        self.tell_open(open);
        conform(&root, &PROJECT, &mut self.problems);
        self.problems.extend(crate::secrets::not_encoded(&root));
        Some(project::read(&root, apart, target, &mut self.problems))
    }

    /// Tells of references that do not resolve, if that is to be told.
    fn tell_open(&mut self, open: Vec<Problem>) {
        let left = |problem: &Problem| matches!(problem.code, Code::UNSET_VARIABLE | Code::FILE_UNREADABLE);
        let told =
            open.into_iter().filter(|problem| self.references == References::Resolve || !left(problem));
        self.problems.extend(told);
    }

    /// The text of a file that can be read.
    fn text(&mut self, file: &'a File) -> Option<&'a str> {
        let (code, message, line, help) = match &file.text {
            FileText::Utf8(text) => return Some(text),
            FileText::NotUtf8 { line } => {
                (Code::NOT_UTF8, "this line is not UTF-8 text".to_owned(), *line, "save the file as UTF-8")
            }
            FileText::Long => (
                Code::FILE_UNREADABLE,
                "the file is longer than 4 MiB".to_owned(),
                0,
                "project files are for settings; put rows in a file or table that a model reads",
            ),
            FileText::Unreadable(why) => (
                Code::FILE_UNREADABLE,
                format!("cannot read the file: {why}"),
                0,
                "check that it exists and that you have permission to read it",
            ),
        };
        let place = Place { line, ..Place::file(file.path.as_str()) };
        self.problems.push(Problem::new(code, message).at(&place).help(help));
        None
    }

    /// All models by name, the ones that could not be read included.
    fn models(&mut self) -> BTreeMap<&'a str, ReadModel> {
        let mut models = BTreeMap::new();
        let mut first: BTreeMap<&str, &str> = BTreeMap::new();
        for (file, kind) in self.of(&[Kind::Model, Kind::SqlModel]) {
            let name = stem(&file.path);
            let path: Arc<str> = Arc::from(file.path.as_str());
            if !texts::is_name(name) {
                let message = format!("a model cannot be named `{}`", coho_core::value::preview(name));
                self.problems.push(
                    Problem::new(Code::WRONG_VALUE, message)
                        .at(&Place::file(path.clone()))
                        .help(format!("rename the file to {}", texts::NAME.what)),
                );
            }
            if let Some(other) = first.insert(name, &file.path) {
                self.problems.push(
                    Problem::new(Code::DUPLICATE_ID, format!("two models are named `{name}`"))
                        .at(&Place::file(path.clone()))
                        .help(format!(
                            "rename this file or `{other}`; a model is named after its file, without the extension"
                        )),
                );
            }
            let model = match (self.text(file), kind) {
                (None, _) => ReadModel::default(),
                (Some(text), Kind::SqlModel) => model::from_sql(name, &path, text, &mut self.problems),
                (
                    Some(text),
                    Kind::Project | Kind::Model | Kind::Sync | Kind::Test | Kind::Workspace | Kind::Snippet,
                ) => model::from_yaml(name, &path, text, &mut self.problems),
            };
            models.insert(name, model);
        }
        models
    }

    fn of(&self, kinds: &[Kind]) -> Vec<(&'a File, Kind)> {
        let mut files: Vec<_> = self
            .files
            .iter()
            .filter_map(|file| kind(&file.path).filter(|kind| kinds.contains(kind)).map(|kind| (file, kind)))
            .collect();
        files.sort_by(|a, b| a.0.path.cmp(&b.0.path));
        files
    }

    fn check_dbt(&mut self, read: &ReadModel, declared: &Declared) {
        if let Some(Relation::Dbt(dbt)) = read.model.as_ref().map(|model| &model.relation)
            && !declared.has_dbt
        {
            let problem =
                Problem::new(Code::MISSING_KEY, "`coho.yaml` does not say where dbt's artifacts are");
            let help = "add the folder to which dbt writes: `dbt: { target: ../shop/target }`";
            self.problems.push(problem.at(&dbt.place).help(help));
        }
    }

    fn check_source(&mut self, read: &ReadModel, declared: &Declared) {
        let Some((name, place)) = &read.source else { return };
        let Some(source) = declared.sources.get(name) else {
            let known = declared.sources.keys().map(String::as_str);
            self.problems.push(unknown_name("source", name, known).at(place));
            return;
        };
        let (Some(spec), Some(model)) = (&source.spec, &read.model) else { return };
        let (fits, help) = match (spec, &model.relation) {
            (SourceSpec::Files { .. } | SourceSpec::Storage { .. }, Relation::File { .. })
            | (
                SourceSpec::Postgres { .. }
                | SourceSpec::Mysql { .. }
                | SourceSpec::Sqlite { .. }
                | SourceSpec::Adbc { .. },
                Relation::Sql(_) | Relation::Table(_) | Relation::Dbt(_),
            ) => {
                return;
            }
            (
                SourceSpec::Files { .. } | SourceSpec::Storage { .. },
                Relation::Sql(_) | Relation::Table(_) | Relation::Dbt(_),
            ) => ("`file` only", "write `file: …`"),
            (
                SourceSpec::Postgres { .. }
                | SourceSpec::Mysql { .. }
                | SourceSpec::Sqlite { .. }
                | SourceSpec::Adbc { .. },
                Relation::File { .. },
            ) => ("`sql`, `table` and `dbt` only", "write `table: …`, or use a source of type files"),
        };
        let message = format!("source `{name}` has type {}, which takes {fits}", spec.kind());
        self.problems.push(Problem::new(Code::WRONG_VALUE, message).at(&read.relation_place).help(help));
    }

    fn syncs(&mut self, declared: Option<&Declared>, models: &BTreeMap<&str, ReadModel>) -> Vec<ReadSync> {
        let names: Vec<&str> = models.keys().copied().collect();
        let surroundings = Surroundings { declared, models: &names };
        let mut ids: BTreeMap<SyncId, Place> = BTreeMap::new();
        let mut syncs = Vec::new();
        for (file, _) in self.of(&[Kind::Sync]) {
            let Some(text) = self.text(file) else { continue };
            let path: Arc<str> = Arc::from(file.path.as_str());
            let read = sync::read(&path, text, &surroundings, &mut self.problems);
            if let Some((id, place)) = &read.id {
                if let Some(other) = ids.get(id) {
                    let problem = Problem::new(Code::DUPLICATE_ID, format!("two syncs have the id `{id}`"));
                    self.problems.push(problem.at(place).help(format!("the other one is in {}", other.file)));
                } else {
                    ids.insert(id.clone(), place.clone());
                }
            }
            syncs.push(read);
        }
        syncs
    }

    fn tests(&mut self, syncs: &[ReadSync]) -> Vec<Suite> {
        // If the id of one is not known, it may be the one that is meant.
        let ids: Option<Vec<&str>> =
            syncs.iter().map(|sync| sync.id.as_ref().map(|(id, _)| id.as_str())).collect();
        let mut tests = Vec::new();
        for (file, _) in self.of(&[Kind::Test]) {
            let Some(text) = self.text(file) else { continue };
            tests.extend(test::read(
                &Arc::from(file.path.as_str()),
                text,
                ids.as_deref(),
                &mut self.problems,
            ));
        }
        tests
    }

    /// The project's snippets; a file that cannot be read is a problem.
    fn snippets(&mut self) -> Snippets {
        for (file, _) in self.of(&[Kind::Snippet]) {
            self.text(file);
        }
        snippets(self.files)
    }

    /// What was found out of workspaces, by the names of the files, which are those of destinations.
    fn workspaces(&mut self) -> BTreeMap<String, Workspace> {
        let mut workspaces = BTreeMap::new();
        for (file, _) in self.of(&[Kind::Workspace]) {
            let Some(text) = self.text(file) else { continue };
            let workspace = workspace::read(&Arc::from(file.path.as_str()), text, &mut self.problems);
            workspaces.insert(stem(&file.path).to_owned(), workspace);
        }
        workspaces
    }

    fn finish(
        &mut self,
        declared: Declared,
        models: Vec<ReadModel>,
        syncs: Vec<ReadSync>,
        mut tests: Vec<Suite>,
    ) -> Option<Project> {
        let read: BTreeSet<&str> =
            models.iter().filter_map(|model| model.source.as_ref()).map(|(name, _)| name.as_str()).collect();
        let target = declared.target.as_ref().and_then(|target| target.destination.as_deref());
        let sent_to: BTreeSet<&str> =
            syncs.iter().filter_map(|sync| sync.destination.as_deref()).chain(target).collect();
        across::renamed(&syncs, &mut self.problems);
        across::tokens(&declared.lacking, &syncs, &mut self.problems);
        sequences::check(&syncs, &mut self.problems);
        let sources = self.used(declared.sources, &read);
        let destinations = self.used(declared.destinations, &sent_to);
        let workspaces = self.workspaces();
        self.unexplained(&models, &syncs);
        let schedules = schedules(&syncs);
        self.warnings.extend(sequences::never(&schedules));
        let models: Vec<Model> = models.into_iter().filter_map(|read| read.model).collect();
        let told = |read: &ReadSync| {
            let (id, _) = read.id.clone()?;
            Some((id, read.alerts.0.clone(), read.alerts.1.clone()))
        };
        let alerts = alerts::join(declared.alerts, syncs.iter().filter_map(told).collect());
        let mut syncs: Vec<Sync> = syncs.into_iter().filter_map(|read| read.sync).collect();
        self.give_snippets(&mut syncs, &mut tests);
        let mut warnings = std::mem::take(&mut self.warnings);
        warnings.extend(across::shared_fields(&syncs));
        self.problems.extend(across::masked(&models, &syncs));
        sort(&mut warnings);
        syncs.sort_by(|a, b| (a.object, &a.id).cmp(&(b.object, &b.id)));
        self.problems.is_empty().then(|| Project {
            name: declared.name,
            target: declared.target.map(|target| target.name),
            sources,
            destinations,
            workspaces,
            dbt: declared.dbt,
            ledger: declared.ledger,
            alerts,
            webhooks: declared.webhooks,
            history: declared.history,
            models,
            syncs,
            schedules,
            tests,
            masker: Masker::default(),
            warnings,
        })
    }

    /// What templates of fields and of tests may render.
    fn give_snippets(&mut self, syncs: &mut [Sync], tests: &mut [Suite]) {
        let snippets = self.snippets();
        for field in syncs.iter_mut().flat_map(|sync| &mut sync.fields) {
            field.from.give_snippets(&snippets);
        }
        for suite in tests {
            if let SuiteSubject::Template(template) = &mut suite.subject {
                template.snippets = snippets.clone();
            }
        }
    }

    /// No file may drop out in silence, even if a reader should forget to say why.
    fn unexplained(&mut self, models: &[ReadModel], syncs: &[ReadSync]) {
        if !self.problems.is_empty() {
            return;
        }
        let models =
            models.iter().filter(|read| read.model.is_none()).map(|read| read.relation_place.clone());
        let syncs = syncs.iter().filter(|read| read.sync.is_none()).map(|read| match &read.id {
            Some((_, place)) => place.clone(),
            None => Place::file(ROOT),
        });
        self.problems.extend(
            models.chain(syncs).map(|place| Problem::new(Code::WRONG_VALUE, "cannot read this").at(&place)),
        );
    }

    /// The declarations that are used, whose references must resolve, and those of the others that do.
    fn used<T>(
        &mut self,
        all: BTreeMap<String, Declaration<T>>,
        names: &BTreeSet<&str>,
    ) -> BTreeMap<String, T> {
        let mut used = BTreeMap::new();
        for (name, declaration) in all {
            let is_used = names.contains(name.as_str());
            if !is_used && !declaration.unresolved.is_empty() {
                continue;
            }
            self.tell_open(declaration.unresolved);
            if let Some(spec) = declaration.spec {
                used.insert(name, spec);
            }
        }
        used
    }
}
