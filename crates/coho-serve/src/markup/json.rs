//! JSON in colours, large objects folded. Texts stay texts: nothing in them is markup.

use coho_core::json::Json;
use coho_report::words::counted;
use maud::{Markup, html};

/// The most bytes of a document that are shown in colours; the rest is shown as it is, cut.
const MOST: usize = 200_000;

/// The longest value that is shown whole in a table, in bytes.
const LONGEST: usize = 2_000;

/// So many members of a nested object or list are shown before it is folded.
const FOLDED: usize = 12;

/// A document that may be JSON.
pub(crate) fn document(text: &str) -> Markup {
    if text.is_empty() {
        return html! { p .empty { "empty" } };
    }
    if text.len() > MOST {
        let cut: String = text.chars().take(MOST).collect();
        return html! { pre .json tabindex="0" { (cut) } p .faint { "cut: " (text.len()) " bytes" } };
    }
    let value = serde_json::from_str::<Json>(text).ok();
    html! {
        pre .json tabindex="0" {
            @if let Some(value) = &value { (value_at(value, 0)) } @else { (text) }
        }
    }
}

/// A value on one line, for tables.
pub(crate) fn inline(value: &Json) -> Markup {
    let text = value.to_string();
    if text.len() > LONGEST {
        let cut: String = text.chars().take(LONGEST).collect();
        return html! { code .v { (cut) "…" } " " span .faint { (counted(text.len() as u64, "byte")) } };
    }
    match value {
        Json::Array(_) | Json::Object(_) => html! { code .v { (text) } },
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => scalar(value),
    }
}

fn scalar(value: &Json) -> Markup {
    match value {
        Json::Null => html! { span .jn { "null" } },
        Json::Bool(flag) => html! { span .jb { (flag) } },
        Json::Number(number) => html! { span .jd { (number.to_string()) } },
        Json::String(text) => html! { span .js { (Json::String(text.clone()).to_string()) } },
        Json::Array(_) | Json::Object(_) => html! {},
    }
}

fn value_at(value: &Json, depth: usize) -> Markup {
    match value {
        Json::Array(items) if items.is_empty() => html! { "[]" },
        Json::Object(members) if members.is_empty() => html! { "{}" },
        Json::Array(items) => {
            let lines: Vec<_> = items.iter().map(|item| html! { (value_at(item, depth + 1)) }).collect();
            nested(&lines, "[", "]", depth)
        }
        Json::Object(members) => {
            let line = |(name, value): (&String, &Json)| {
                let name = Json::String(name.clone()).to_string();
                html! { span .jk { (name) } ": " (value_at(value, depth + 1)) }
            };
            let lines: Vec<_> = members.iter().map(line).collect();
            nested(&lines, "{", "}", depth)
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => scalar(value),
    }
}

fn nested(lines: &[Markup], open: &str, close: &str, depth: usize) -> Markup {
    let (margin, end) = ("  ".repeat(depth + 1), "  ".repeat(depth));
    let body = html! {
        @for (at, line) in lines.iter().enumerate() {
            "\n" (margin) (line) @if at + 1 < lines.len() { "," }
        }
        "\n" (end) (close)
    };
    if depth > 0 && lines.len() > FOLDED {
        html! { details { summary { (open) " … " (lines.len()) " " (close) } (body) } }
    } else {
        html! { (open) (body) }
    }
}
