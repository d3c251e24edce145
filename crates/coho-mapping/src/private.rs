//! Which fields come from columns with personal data: what [`Private`] hides of records that syncs send.
//!
//! A template is taken to read a column where the column's name stands in it or in a snippet, or where it takes the row as a whole:
//! it is better to hide too much than too little.

use coho_core::model::Model;
use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::private::Private;
use coho_core::sync::{Expression, FieldTarget, Sync, TemplateText};

/// The field that an address which finds a user is sent as.
const EMAIL: &str = "email";

/// What is hidden of the records that these syncs send: fields of one name are one member of Vitally's records, whichever sync
/// sends them.
pub fn of<'a>(models: &[Model], syncs: impl IntoIterator<Item = &'a Sync>) -> Private {
    let mut names = Vec::new();
    for sync in syncs {
        let model = models.iter().find(|model| model.name == sync.model);
        let masked = model.map(|model| model.masked.as_slice()).unwrap_or_default();
        if !masked.is_empty() {
            names.extend(names_of(sync, masked));
        }
    }
    Private::new(names)
}

fn names_of(sync: &Sync, masked: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    if sync.matching.email().is_some_and(|column| masked.contains(&column.name)) {
        names.push(EMAIL.to_owned());
    }
    for field in &sync.fields {
        match (&field.to, &field.from) {
            (FieldTarget::Path(path), from) if reads(from, masked) => names.push(member(path).to_owned()),
            (FieldTarget::AllTraits, Expression::Object(members)) => {
                let hidden = members.iter().filter(|(_, from)| reads(from, masked));
                names.extend(hidden.map(|(name, _)| name.clone()));
            }
            (FieldTarget::AllTraits, from) if reads(from, masked) => names.push(bag(sync.object).to_owned()),
            (FieldTarget::Path(_) | FieldTarget::AllTraits, _) => {}
        }
    }
    names
}

fn member(path: &FieldPath) -> &str {
    match path {
        FieldPath::Field(name) | FieldPath::Trait(name) | FieldPath::Property(name) => name,
    }
}

fn bag(object: Object) -> &'static str {
    match object {
        Object::Event => "properties",
        Object::Organization | Object::Account | Object::User => "traits",
    }
}

fn reads(from: &Expression, masked: &[String]) -> bool {
    match from {
        Expression::Column { column, .. } | Expression::Lookup { column, .. } => {
            masked.contains(&column.name)
        }
        Expression::Static(_) => false,
        Expression::Template { template, .. } => template_reads(template, masked),
        Expression::Object(members) => members.iter().any(|(_, from)| reads(from, masked)),
        Expression::Array(items) => items.iter().any(|from| reads(from, masked)),
    }
}

fn template_reads(template: &TemplateText, masked: &[String]) -> bool {
    let scope = coho_liquid::CompileScope::free().snippets(&template.snippets);
    // What cannot be compiled is never rendered.
    let Ok(compiled) = coho_liquid::compile(&template.text, &scope) else { return false };
    let snippets = compiled.snippets().filter_map(|name| template.snippets.get(name));
    let texts = std::iter::once(&*template.text).chain(snippets.map(|snippet| &*snippet.text));
    let mut texts =
        texts.map(|text| takes_all(text) || masked.iter().any(|name| text.contains(name.as_str())));
    texts.any(|reads| reads)
}

/// Whether the row stands in a text as a whole, or with a name that is only known when it is rendered: `row | json`, `row[name]`.
fn takes_all(text: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    ["row", "record"].into_iter().any(|name| {
        let parts: Vec<&str> = text.split(name).collect();
        parts.iter().zip(parts.iter().skip(1)).any(|(before, after)| {
            let is_part = before.ends_with(is_word) || after.starts_with(is_word);
            !is_part && !after.starts_with("['") && !after.starts_with("[\"")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_taken_as_a_whole_is_noticed() {
        for text in
            ["{{ row | json }}", "{{ row[name] }}", "{% render 's', x: record %}", "{% for pair in row %}"]
        {
            assert!(takes_all(text), "{text}");
        }
        for text in ["{{ row.plan }}", "{{ row['plan'] }}", "{{ rows }}", "{{ borrow }}", "{{ plan }}"] {
            assert!(!takes_all(text), "{text}");
        }
    }
}
