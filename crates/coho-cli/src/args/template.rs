//! What can be typed for single templates.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What is done with a template.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum TemplateAction {
    /// Render it with a row, or answer one request per line.
    Render(TemplateRender),
    /// Check it.
    Check(TemplateCheck),
}

/// A template, and what it is rendered with.
#[derive(Clone, Debug, Args)]
pub(crate) struct TemplateRender {
    /// The template.
    pub(crate) template: Option<String>,
    /// A file with the template; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "template")]
    pub(crate) file: Option<PathBuf>,
    /// The row, as a JSON object; the template reads it as `row.NAME`, `row['NAME']` or `NAME`.
    #[arg(long, value_name = "JSON")]
    pub(crate) row: Option<String>,
    /// A file with the row.
    #[arg(long, value_name = "FILE", conflicts_with = "row")]
    pub(crate) row_file: Option<PathBuf>,
    /// Other values, as a JSON object; the template reads them by name.
    #[arg(long, value_name = "JSON")]
    pub(crate) data: Option<String>,
    /// A file with other values.
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    pub(crate) data_file: Option<PathBuf>,
    /// Always render to text; without this, a lone `{{ … }}` keeps its type.
    #[arg(long)]
    pub(crate) text: bool,
    /// What to do with undefined names.
    #[arg(long, value_enum, default_value_t = Undefined::Error)]
    pub(crate) undefined: Undefined,
    /// Read one request per line from standard input and write one answer per line:
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
    /// A file with the template; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "template")]
    pub(crate) file: Option<PathBuf>,
    /// The columns that exist; without them, any name may be a column.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
}

/// What to do with undefined names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Undefined {
    /// They are errors.
    Error,
    /// They are empty, as in LiquidJS.
    Empty,
}
