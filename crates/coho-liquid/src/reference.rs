//! The reference of templates, written from the tables of filters and tags.

use std::fmt::Write;

use super::budget::Budget;
use super::filters::{EXAMPLE, Filter, TABLE};
use super::tags;

/// The names of all filters, in the order of the alphabet.
pub fn filter_names() -> Vec<&'static str> {
    let mut names: Vec<_> =
        TABLE.iter().flat_map(|(_, filters)| filters.iter()).map(|filter| filter.name).collect();
    names.sort_unstable();
    names
}

/// The reference of tags and filters, with an example for each: the first part of `docs/reference/liquid.md`.
pub fn reference() -> String {
    let mut out = String::from(HEAD);
    let budget = Budget::default();
    let limits = format!(
        "A template has at most {} bytes and {} levels of blocks or brackets. Rendering a row takes at most {} steps, {} bytes of \
         text and {} bytes of values on the way. Exceeding a limit is a problem of the template or of the row, never a crash.\n\n",
        budget.source, budget.nesting, budget.steps, budget.output, budget.values
    );
    out.push_str(&limits);
    tag_section(&mut out);
    filter_section(&mut out);
    out
}

const HEAD: &str = "# Templates\n\n\
    <!-- Generated from the tables in coho-liquid; do not edit. -->\n\n\
    A template is Liquid in LiquidJS's dialect, strict where LiquidJS is lenient. A lone `{{ … }}`, with at most white space \
    around it, returns a value with its type: a number, a boolean, null, an array or an object. Anything else returns text.\n\n\
    `row['column']`, `row.column` and the column's bare name are the row's values (`record` is the same as `row`); `sync` and `run` \
    describe the sync and the run. Whole numbers and decimals keep every digit, also in arithmetic.\n\n\
    A template cannot read what does not exist: a missing column is an error when the project is checked, a missing member of a \
    JSON value is a problem of its row. To allow for a missing value, use `default` as the first filter, or a condition.\n\n## Limits\n\n";

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let written = writeln!(out, "{text}");
    debug_assert!(written.is_ok(), "a string takes all text");
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ⏎ ")
}

fn tag_section(out: &mut String) {
    out.push_str("## Tags\n\n| tag | does | example | gives |\n|---|---|---|---|\n");
    for tag in tags::TABLE {
        let (template, text) = tag.example;
        let (form, template, text) = (cell(tag.form), cell(template), cell(text));
        line(out, format_args!("| `{form}` | {} | `{template}` | `{text}` |", cell(tag.says)));
    }
    out.push_str(
        "\nThe snippet of the example, `templates/badge.liquid`, is `[{{ plan }}]`. `include`, `layout` and `block` are not \
         supported: use `render`, which shows what a snippet reads.\n\n",
    );
}

fn filter_section(out: &mut String) {
    out.push_str("## Filters\n\nThe examples' row:\n\n```json\n");
    line(out, format_args!("{EXAMPLE}\n```"));
    for (title, filters) in TABLE {
        line(out, format_args!("\n### {title}\n\n| filter | from → to | does | example | gives |"));
        out.push_str("|---|---|---|---|---|\n");
        for filter in *filters {
            let (template, json) = filter.example;
            let (form, template, json) = (form(filter), cell(template), cell(json));
            let (input, gives, says) = (filter.input, filter.gives, cell(filter.says));
            line(out, format_args!("| `{form}` | {input} → {gives} | {says} | `{template}` | `{json}` |"));
        }
    }
}

/// `slice: start integer, [length integer]`.
fn form(filter: &Filter) -> String {
    let arg = |arg: &super::filters::Arg| {
        let text = format!("{} {}", arg.name, arg.kind.name());
        if arg.needed { text } else { format!("[{text}]") }
    };
    let mut args: Vec<String> = filter.takes.iter().map(arg).collect();
    args.extend(filter.more.iter().map(|more| format!("[{} {} …]", more.name, more.kind.name())));
    args.extend(filter.named.iter().map(|name| format!("[{name}: any]")));
    if args.is_empty() { filter.name.to_owned() } else { format!("{}: {}", filter.name, args.join(", ")) }
}

#[cfg(test)]
mod tests {
    use coho_core::snippet::{Snippet, Snippets};

    use crate::{CompileScope, Context, compile};

    use super::*;

    #[test]
    fn each_filter_does_what_its_example_says() {
        let values = coho_core::json::parse(EXAMPLE).unwrap();
        let mut wrong = Vec::new();
        for (_, filters) in TABLE {
            for Filter { name, example: (template, json), .. } in *filters {
                let compiled =
                    compile(template, &CompileScope::free()).map_err(|problems| format!("{problems:?}"));
                let found = compiled.and_then(|compiled| {
                    compiled.render(&Context::free(&values)).map_err(|problem| problem.to_string())
                });
                let found = found.map_or_else(|error| error, |value| value.to_string());
                if found != *json {
                    wrong.push(format!("{name}: {template} gives {found}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn each_tag_does_what_its_example_says() {
        let values = coho_core::json::parse(EXAMPLE).unwrap();
        for tag in tags::TABLE {
            let badge = Snippet { text: tags::BADGE.to_owned(), file: "templates/badge.liquid".into() };
            let snippets: Snippets = [("badge".to_owned(), badge)].into_iter().collect();
            let template = compile(tag.example.0, &CompileScope::free().snippets(&snippets)).unwrap();
            assert_eq!(template.render_text(&Context::free(&values)).unwrap(), tag.example.1, "{}", tag.name);
        }
    }

    #[test]
    fn the_reference_names_every_filter() {
        let text = reference();
        for filter in crate::filters::all() {
            assert!(text.contains(&format!("| `{}", filter.name)), "{}", filter.name);
        }
        assert!(text.lines().all(|line| !line.starts_with('|') || line.ends_with('|')));
    }
}
