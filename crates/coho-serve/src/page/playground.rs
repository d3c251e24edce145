//! The playground: a template or a whole mapping on sample rows, with typed results as one types.

use std::time::Duration;

use coho_core::case::CaseOutcome;
use coho_core::json::{Json, to_serde};
use coho_core::problem::Problem;
use coho_mapping::cases::Answered;
use coho_project::File;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use super::Context;
use super::told::Told;
use crate::fields::{Fields, field};
use crate::markup::{json, parts};
use crate::playground::{Attempt, Budget, Rows, kind, sample, text_of, try_it};
use crate::shown::{Formed, Hand};
use crate::site::Site;
use crate::target::Target;

/// The longest that rows are tried.
const TIME: Duration = Duration::from_secs(2);

/// What the template is before anything is typed.
const EXAMPLE: &str = "{{ row.name | capitalize }}";

/// The rows before any are typed.
const EXAMPLE_ROWS: &str = "{\"name\":\"ann\"}\n";

/// The playground.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlaygroundPage {
    /// `template` or `mapping`.
    kind: String,
    /// The sync whose file is typed.
    #[serde(skip_serializing_if = "Option::is_none")]
    sync: Option<String>,
    /// The model whose rows are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// The template, or the sync's file.
    text: String,
    /// The rows, as JSON.
    rows: String,
    /// The types of columns, as a JSON object.
    types: String,
    syncs: Vec<String>,
    models: Vec<String>,
    /// The names of columns that can be completed.
    columns: Vec<String>,
    /// The names of filters that can be completed.
    filters: Vec<String>,
    /// Why rows could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// What is wrong with the template, the mapping or the rows.
    problems: Vec<Told>,
    results: Vec<Outcome>,
    /// Whether time was over before the last row.
    stopped: bool,
    /// A test file that expects what came.
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<String>,
}

/// What came of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Outcome {
    /// `record`, `value`, `problems` or `broken`.
    came: String,
    /// The type of a template's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    of_type: Option<String>,
    /// The record or the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Json>,
    problems: Vec<Told>,
}

/// The playground before anything is tried: with the file of a sync where the address names one.
pub(crate) fn make(context: &Context<'_>) -> PlaygroundPage {
    let page = PlaygroundPage::blank(context.site);
    match context.asked.filter("sync") {
        Some(sync) => page.with_file_of(context.site, sync),
        None => PlaygroundPage { text: EXAMPLE.to_owned(), rows: EXAMPLE_ROWS.to_owned(), ..page },
    }
    .tried(context.site)
}

/// What came of a form.
pub(crate) fn answer(site: &Site, fields: &Fields, handle: &Handle) -> PlaygroundPage {
    let text = |name: &str| fields.get(name).cloned().unwrap_or_default().replace("\r\n", "\n");
    let mut page = PlaygroundPage {
        sync: field(fields, "sync").map(str::to_owned),
        model: field(fields, "model").map(str::to_owned),
        text: text("text"),
        rows: text("rows"),
        types: text("types"),
        ..PlaygroundPage::blank(site)
    };
    if field(fields, "kind") == Some("mapping") {
        "mapping".clone_into(&mut page.kind);
    }
    if let (Some(_), Some(sync)) = (field(fields, "take"), page.sync.clone()) {
        page = page.with_file_of(site, &sync);
    }
    if let (Some(_), Some(model)) = (field(fields, "read"), page.model.clone()) {
        page.read(site, &model, handle);
    }
    page.tried(site)
}

impl PlaygroundPage {
    fn blank(site: &Site) -> Self {
        let (mut syncs, mut models) = (Vec::new(), Vec::new());
        if let Ok(opened) = (site.open)() {
            syncs = opened.project.syncs.iter().map(|sync| sync.id.as_str().to_owned()).collect();
            models = opened.project.models.iter().map(|model| model.name.clone()).collect();
        }
        let filters = coho_liquid::filter_names().into_iter().map(str::to_owned).collect();
        Self { kind: "template".to_owned(), syncs, models, filters, ..Self::default() }
    }

    fn with_file_of(self, site: &Site, sync: &str) -> Self {
        let Ok(opened) = (site.open)() else { return self };
        let text = text_of(&opened, sync).unwrap_or_default();
        let model =
            opened.project.syncs.iter().find(|one| one.id.as_str() == sync).map(|one| one.model.clone());
        let (kind, sync) = ("mapping".to_owned(), Some(sync.to_owned()));
        Self { kind, sync, text, model: model.or(self.model.clone()), ..self }
    }

    fn read(&mut self, site: &Site, model: &str, handle: &Handle) {
        match sample(site, model, handle) {
            Ok(rows) => {
                self.rows = rows.rows_text();
                self.types = rows.types_text();
            }
            Err(refused) => self.error = Some(refused.message),
        }
    }

    /// Tries what is typed.
    fn tried(mut self, site: &Site) -> Self {
        let rows = match Rows::parse(&self.rows, &self.types) {
            Ok(rows) => rows,
            Err(problem) => return Self { problems: vec![Told::of(&problem, &[])], ..self },
        };
        self.columns = rows.columns();
        let attempt = match (self.kind.as_str(), &self.sync) {
            ("mapping", Some(sync)) => Attempt::Mapping { sync: sync.clone(), text: self.text.clone() },
            ("mapping", None) => return self,
            _ => Attempt::Template(self.text.clone()),
        };
        let budget = Budget::new(TIME);
        let tried = try_it(site, &attempt, &rows, &|| budget.has_more());
        self.stopped = budget.is_over.get();
        self.problems = Told::all(&tried.problems, &tried.files);
        self.results = tried.answers.iter().map(|one| Outcome::of(one, &tried.files)).collect();
        self.test = tried.test.filter(|_| !self.stopped);
        self
    }
}

impl Outcome {
    fn of(answered: &Answered, files: &[File]) -> Self {
        let told = |problems: &[Problem]| Told::all(problems, files);
        let (value, of_type, problems) = match answered {
            Ok(CaseOutcome::Record(record)) => (Some(to_serde(record)), None, Vec::new()),
            Ok(CaseOutcome::Value(value)) => {
                (Some(to_serde(value)), Some(value.kind().to_string()), Vec::new())
            }
            Ok(CaseOutcome::Problems(problems)) | Err(problems) => (None, None, told(problems)),
        };
        Self { came: kind(answered).to_owned(), of_type, value, problems }
    }

    fn show(&self, number: usize) -> Markup {
        html! {
            li .row {
                header {
                    span .faint { "row " (number) }
                    @match self.came.as_str() {
                        "problems" => { span .state.bad { "invalid" } }
                        "broken" => { span .state.warn { "no such row" } }
                        _ => {}
                    }
                    @if let Some(of_type) = &self.of_type { span .state.plain { (of_type) } }
                }
                @match &self.value {
                    Some(value @ (Json::Object(_) | Json::Array(_))) => { (json::document(&value.to_string())) }
                    Some(value) => { p .v { (json::inline(value)) } }
                    None => {}
                }
                @for problem in &self.problems { (problem.show("bad")) }
            }
        }
    }
}

impl Formed for PlaygroundPage {
    fn title(&self) -> String {
        "Playground".to_owned()
    }

    fn main(&self, hand: &Hand) -> Markup {
        html! {
            h1 { "Playground" }
            p .faint { "Try a template or a sync’s file on a few rows. Nothing is sent or kept." }
            form #try .try method="post" action=(Target::Playground.path()) data-try {
                (hand.field())
                // What the Enter key presses: the first button of a form.
                button .visually-hidden tabindex="-1" aria-hidden="true" { "Try it" }
                div .sides {
                    (self.typed())
                    (self.given())
                }
                button .main { "Try it" }
            }
            section #results aria-live="polite" aria-labelledby="came" { (self.came()) }
        }
    }
}

impl PlaygroundPage {
    fn typed(&self) -> Markup {
        let is_mapping = self.kind == "mapping";
        html! {
            section {
                p .bar {
                    label { input type="radio" name="kind" value="template" checked[!is_mapping]; " a template" }
                    label { input type="radio" name="kind" value="mapping" checked[is_mapping]; " the mapping of" }
                    select name="sync" aria-label="Sync" { (options(&self.syncs, self.sync.as_deref())) }
                    button name="take" value="yes" { "Take its file" }
                }
                label .visually-hidden for="text" { "The template, or the file of the sync" }
                textarea #text name="text" rows="14" spellcheck="false" autocapitalize="off" data-complete { "\n" (self.text) }
                (self.names())
            }
        }
    }

    fn given(&self) -> Markup {
        html! {
            section {
                p .bar {
                    label for="model" { "Rows of" }
                    select #model name="model" { (options(&self.models, self.model.as_deref())) }
                    button name="read" value="yes" { "Read some" }
                }
                label .visually-hidden for="rows" { "Rows as JSON, one object per line" }
                textarea #rows name="rows" rows="9" spellcheck="false" autocapitalize="off" { "\n" (self.rows) }
                label .small .faint for="types" { "Types of columns, if the values do not show them" }
                textarea #types name="types" rows="2" spellcheck="false" autocapitalize="off"
                    placeholder="{\"joined_on\": \"timestamp\"}" { "\n" (self.types) }
            }
        }
    }

    /// What can be typed, for those who read it and for the script that completes it.
    fn names(&self) -> Markup {
        html! {
            details .small {
                summary { "Columns and filters" }
                p { "Columns: " span #columns .mono { (self.columns.join(" ")) } }
                p { "Filters: " span #filters .mono { (self.filters.join(" ")) } }
            }
        }
    }

    fn came(&self) -> Markup {
        html! {
            h2 #came { "Result" }
            @if let Some(error) = &self.error { pre .problem.bad tabindex="0" { (error) } }
            @for problem in &self.problems { (problem.show("bad")) }
            @if self.kind == "mapping" && self.sync.is_none() { (parts::empty("Choose the sync whose file it is.")) }
            ol .rows { @for (at, result) in self.results.iter().enumerate() { (result.show(at + 1)) } }
            @if self.stopped { p .alert.warn { "It took too long: the remaining rows were not tried." } }
            @if let Some(test) = &self.test {
                details {
                    summary { "Make a test of it" }
                    p .faint { "Write it to " code { "tests/NAME.yaml" } "; " code { "coho test" } " runs it. In tests it is always the year 2000." }
                    pre .json tabindex="0" { (test) }
                }
            }
        }
    }
}

fn options(names: &[String], chosen: Option<&str>) -> Markup {
    html! {
        @for name in names { option value=(name) selected[chosen == Some(name)] { (name) } }
    }
}
