//! What can be typed for single templates.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What is done with a template.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum TemplateAction {
    /// Renders it with a row, or answers a request a line.
    Render(TemplateRender),
    /// Says what is wrong with it.
    Check(TemplateCheck),
}

/// A template, and what it is rendered with.
#[derive(Clone, Debug, Args)]
pub(crate) struct TemplateRender {
    /// The template.
    pub(crate) template: Option<String>,
    /// A file that holds the template; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "template")]
    pub(crate) file: Option<PathBuf>,
    /// The row, as a JSON object: `row.NAME`, `row['NAME']` and `NAME` are its members.
    #[arg(long, value_name = "JSON")]
    pub(crate) row: Option<String>,
    /// A file that holds the row.
    #[arg(long, value_name = "FILE", conflicts_with = "row")]
    pub(crate) row_file: Option<PathBuf>,
    /// Free values, as a JSON object: its members are the template's names.
    #[arg(long, value_name = "JSON")]
    pub(crate) data: Option<String>,
    /// A file that holds free values.
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    pub(crate) data_file: Option<PathBuf>,
    /// Renders to text whatever the template is; a lone `{{ … }}` keeps its type without this.
    #[arg(long)]
    pub(crate) text: bool,
    /// What becomes of a name that is not there.
    #[arg(long, value_enum, default_value_t = Undefined::Error)]
    pub(crate) undefined: Undefined,
    /// Reads a request a line from standard input and writes an answer a line:
    /// {"template": …, "data": {…} | "row": {…}, "mode": "typed" | "text", "undefined": "error" | "empty"} gives
    /// {"value": …} or {"error": {"code", "message", "line", "column"}}.
    #[arg(long, conflicts_with_all = ["template", "file", "row", "row_file", "data", "data_file", "text"])]
    pub(crate) ndjson: bool,
}

/// A template that is checked.
#[derive(Clone, Debug, Args)]
pub(crate) struct TemplateCheck {
    /// The template.
    pub(crate) template: Option<String>,
    /// A file that holds the template; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "template")]
    pub(crate) file: Option<PathBuf>,
    /// The columns that there are; without them any name may be one.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
}

/// What becomes of a name that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Undefined {
    /// It is an error.
    Error,
    /// It is nothing, as in LiquidJS.
    Empty,
}
