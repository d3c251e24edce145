//! `coho schema`, `coho completions` and the pages of the reference documentation.

use clap::{Command, CommandFactory};
use coho_project::SchemaKind;

use crate::args::{Cli, Page, SchemaName};
use crate::exit::Exit;
use crate::print;

/// Prints a JSON Schema.
pub(crate) fn schema(name: SchemaName) -> anyhow::Result<Exit> {
    let schema = match name {
        SchemaName::Project => coho_project::schema(SchemaKind::Project),
        SchemaName::Model => coho_project::schema(SchemaKind::Model),
        SchemaName::Sync => coho_project::schema(SchemaKind::Sync),
        SchemaName::Test => coho_project::schema(SchemaKind::Test),
        SchemaName::RunResults => coho_report::json::results_schema(),
    };
    print::json(&schema)?;
    Ok(Exit::Done)
}

/// Prints completions.
pub(crate) fn completions(shell: clap_complete::Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "coho", &mut script);
    print::raw(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

/// Prints a page of the reference.
pub(crate) fn page(page: Page) -> anyhow::Result<Exit> {
    match page {
        Page::ErrorCodes => print::raw(&error_codes())?,
        Page::Configuration => print::raw(&coho_project::reference())?,
        Page::Cli => print::raw(&command_line())?,
        Page::Liquid => print::raw(&coho_liquid::reference())?,
        Page::Ledger => print::raw(&coho_ledger::schema::schema_reference()?)?,
        Page::SchemaProject => return schema(SchemaName::Project),
        Page::SchemaModel => return schema(SchemaName::Model),
        Page::SchemaSync => return schema(SchemaName::Sync),
        Page::SchemaTest => return schema(SchemaName::Test),
        Page::SchemaRunResults => return schema(SchemaName::RunResults),
    }
    Ok(Exit::Done)
}

fn error_codes() -> String {
    let mut page =
        "# Error codes\n\nEach problem has a stable code; it never changes its meaning.\n".to_owned();
    let mut family = None;
    for entry in coho_core::code::ALL {
        if family != Some(entry.family) {
            family = Some(entry.family);
            put(&mut page, format_args!("\n## {}\n\n", entry.family.name()));
            page.push_str("| code | what happened | what to do |\n|---|---|---|\n");
        }
        put(&mut page, format_args!("| `{}` | {} | {} |\n", entry.code, entry.meaning, entry.remedy));
    }
    page
}

fn command_line() -> String {
    let mut page = "# Command line\n".to_owned();
    let mut command = Cli::command().term_width(100);
    command.build();
    section(&mut page, &mut command.clone(), "coho", 2);
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        section(&mut page, &mut verb.clone(), &format!("coho {}", verb.get_name()), 2);
    }
    page
}

fn section(page: &mut String, command: &mut Command, name: &str, level: usize) {
    let help = command.render_long_help().to_string();
    let help = help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    put(page, format_args!("\n{} `{name}`\n\n```text\n{}\n```\n", "#".repeat(level), help.trim_end()));
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.push_str(&text.to_string());
}
