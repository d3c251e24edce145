//! The project as its files say it now: syncs with the way of each column to its field, models, and what is wrong.

use coho_core::model::{Model, Relation};
use coho_core::sync::{Expression, FieldSpec, Matching, Sync};
use coho_mapping::{Mapping, Specification};
use coho_project::{File, Project};
use coho_report::words::counted;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::told::Told;
use super::{Context, act};
use crate::shown::{Formed, Hand};
use crate::target::{PageAction, Target};

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProjectPage {
    name: String,
    /// What keeps syncs from running.
    problems: Vec<Told>,
    /// What is allowed, and may not be meant.
    warnings: Vec<Told>,
    syncs: Vec<SyncPart>,
    models: Vec<ModelPart>,
}

/// A sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SyncPart {
    id: String,
    file: String,
    model: String,
    object: String,
    mode: String,
    api: String,
    destination: String,
    removed: String,
    /// The columns by which a row finds its record.
    matching: Vec<String>,
    fields: Vec<Way>,
}

/// The way to a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Way {
    field: String,
    /// The columns that it comes from, where they are named one by one.
    columns: Vec<String>,
    /// What is done on the way: a cast, a template, a constant.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

/// A model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ModelPart {
    name: String,
    file: String,
    source: String,
    key: Vec<String>,
    reads: String,
    syncs: Vec<String>,
}

/// The project as its files say it now.
pub(crate) fn make(context: &Context<'_>) -> ProjectPage {
    match (context.site.open)() {
        Err(broken) => ProjectPage {
            name: context.site.project.clone(),
            problems: Told::all(&broken.problems, &broken.files),
            warnings: Vec::new(),
            syncs: Vec::new(),
            models: Vec::new(),
        },
        Ok(opened) => whole(&opened.project, &opened.files),
    }
}

fn whole(project: &Project, files: &[File]) -> ProjectPage {
    let problems: Vec<_> =
        project.syncs.iter().flat_map(|sync| Mapping::template_problems(&Specification::of(sync))).collect();
    let mut warnings = project.warnings.clone();
    warnings
        .extend(project.syncs.iter().flat_map(|sync| Mapping::template_warnings(&Specification::of(sync))));
    ProjectPage {
        name: project.name.clone(),
        problems: Told::all(&problems, files),
        warnings: Told::all(&warnings, files),
        syncs: project.syncs.iter().map(part).collect(),
        models: project.models.iter().map(|one| model(one, project)).collect(),
    }
}

fn part(sync: &Sync) -> SyncPart {
    SyncPart {
        id: sync.id.as_str().to_owned(),
        file: sync.place.file.to_string(),
        model: sync.model.clone(),
        object: sync.object.name().to_owned(),
        mode: sync.mode.name().to_owned(),
        api: sync.api.name().to_owned(),
        destination: sync.destination.clone(),
        removed: sync.removal.name().to_owned(),
        matching: matching(&sync.matching),
        fields: sync.fields.iter().map(way).collect(),
    }
}

fn matching(matching: &Matching) -> Vec<String> {
    let columns = matching.email().into_iter().chain(matching.target());
    columns.map(|column| column.name.clone()).collect()
}

fn way(field: &FieldSpec) -> Way {
    let mut columns = Vec::new();
    let by = by(&field.from, &mut columns);
    columns.sort();
    columns.dedup();
    Way { field: field.to.to_string(), columns, by: (!by.is_empty()).then_some(by) }
}

/// What is done on the way, and the columns that are named.
fn by(expression: &Expression, columns: &mut Vec<String>) -> String {
    match expression {
        Expression::Column { column, cast } => {
            columns.push(column.name.clone());
            cast.map(|cast| format!("as {}", cast.name())).unwrap_or_default()
        }
        Expression::Static(value) => format!("always {}", value.preview()),
        Expression::Lookup { column, object, by, .. } => {
            columns.push(column.name.clone());
            format!("looked up as {}.{}", object.name(), by.name())
        }
        Expression::Template { template, cast } => {
            let cast = cast.map(|cast| format!(", as {}", cast.name())).unwrap_or_default();
            format!("template {}{cast}", template.text.trim())
        }
        Expression::Object(members) => {
            let names: Vec<_> = members.iter().map(|(name, member)| inner(name, member, columns)).collect();
            format!("object of {}", names.join(", "))
        }
        Expression::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| inner("item", item, columns)).collect();
            format!("list of {}", counted(items.len() as u64, "item"))
        }
    }
}

fn inner(name: &str, member: &Expression, columns: &mut Vec<String>) -> String {
    let by = by(member, columns);
    if by.is_empty() { name.to_owned() } else { format!("{name} ({by})") }
}

fn model(model: &Model, project: &Project) -> ModelPart {
    let of_model = project.syncs.iter().filter(|sync| sync.model == model.name);
    ModelPart {
        name: model.name.clone(),
        file: model.place.file.to_string(),
        source: model.source.clone(),
        key: model.key.clone(),
        reads: match &model.relation {
            Relation::Sql(sql) => sql.text.clone(),
            Relation::Table(table) => format!("the table {table}"),
            Relation::File { path, .. } => format!("the file {path}"),
            Relation::Dbt(dbt) => format!("the dbt model {}", dbt.name),
        },
        syncs: of_model.map(|sync| sync.id.as_str().to_owned()).collect(),
    }
}

impl Formed for ProjectPage {
    fn title(&self) -> String {
        format!("Project {}", self.name)
    }

    fn main(&self, hand: &Hand) -> Markup {
        html! {
            h1 { (self.name) }
            section aria-labelledby="check" {
                h2 #check { "Check" }
                @if self.problems.is_empty() && self.warnings.is_empty() {
                    p { span .state.good { "OK" } " The files are OK. " code { "coho check" } " asks sources and destinations too." }
                }
                @for problem in &self.problems { (problem.show("bad")) }
                @for warning in &self.warnings { (warning.show("warn")) }
            }
            @if !self.syncs.is_empty() {
                section aria-labelledby="syncs" {
                    h2 #syncs { "Syncs" }
                    @for sync in &self.syncs { (sync.show(hand)) }
                }
                section aria-labelledby="models" {
                    h2 #models { "Models" }
                    @for model in &self.models { (model.show()) }
                }
            }
        }
    }
}

impl SyncPart {
    fn show(&self, hand: &Hand) -> Markup {
        html! {
            article .sync id={ "sync-" (self.id) } {
                h3 { a href=(Target::Runs.with(&[("sync", Some(&self.id))])) { (self.id) } }
                p .faint {
                    "model " a href={ "#model-" (self.model) } { (self.model) } " → " (self.object) " in " (self.destination)
                    " · " (self.mode) " through " (self.api) " · removed rows: " (self.removed) " · " span .mono { (self.file) }
                }
                (act::ways(hand, ("sync", &self.id), &PageAction::ALL))
                div .wide { table .diff {
                    thead { tr { th { "Column" } th { "Field" } th { "By" } } }
                    tbody {
                        @if !self.matching.is_empty() {
                            tr { td { (self.matching.join(", ")) } th scope="row" .mono { "match" } td .faint { "finds the record" } }
                        }
                        @for way in &self.fields { (way.show()) }
                    }
                } }
            }
        }
    }
}

impl Way {
    fn show(&self) -> Markup {
        html! {
            tr {
                td { @if self.columns.is_empty() { span .faint { "–" } } @else { (self.columns.join(", ")) } }
                th scope="row" .mono { (self.field) }
                td .v { @if let Some(by) = &self.by { (by) } }
            }
        }
    }
}

impl ModelPart {
    fn show(&self) -> Markup {
        html! {
            article .sync id={ "model-" (self.name) } {
                h3 { (self.name) }
                p .faint {
                    "from " (self.source) " · key " span .mono { (self.key.join(", ")) } " · " span .mono { (self.file) }
                    @if self.syncs.is_empty() { " · read by no sync" } @else { " · read by " (self.syncs.join(", ")) }
                }
                @if self.reads.contains('\n') || self.reads.len() > 60 { pre .json tabindex="0" { (self.reads) } }
                @else { p .mono { (self.reads) } }
            }
        }
    }
}
