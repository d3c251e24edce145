//! The digest of a mapping: all that it says, and the types of the columns that it reads.

use coho_core::digest::{Digest, ENCODING, Hasher};
use coho_core::row::Columns;
use coho_core::sync::{Associations, Blanks, By, Expression, FieldSpec, Matching};

use coho_liquid::Filters;

use crate::specification::Specification;

/// Places in files don't count, nor does the order of fields or columns. The filters are those that its templates call besides the
/// dialect's.
pub(crate) fn digest(
    specification: &Specification<'_>,
    columns: &Columns,
    reads: &[usize],
    filters: Option<&Filters>,
) -> Digest {
    let mut hasher = Hasher::new();
    hasher.part(&[ENCODING]);
    hasher.part(specification.object.name().as_bytes());
    hasher.part(specification.matching.target().map_or("", |column| column.name.as_str()).as_bytes());
    let mut fields: Vec<String> = specification.fields.iter().map(describe).collect();
    fields.sort_unstable();
    for field in fields {
        hasher.part(field.as_bytes());
    }
    let read = columns.iter().enumerate().filter(|(at, _)| reads.contains(at));
    let mut types: Vec<String> =
        read.map(|(_, column)| format!("{}:{}", column.name, column.kind.name())).collect();
    types.sort_unstable();
    for kind in types {
        hasher.part(kind.as_bytes());
    }
    for said in besides(specification) {
        hasher.part(said.as_bytes());
    }
    if let Some(filters) = filters {
        hasher.part(format!("filters {}", filters.revised()).as_bytes());
    }
    hasher.finish()
}

/// What older mappings could not say. Where it is not said there is no part, so that their digests stay as they are: a ledger
/// must not take an upgrade for a change.
fn besides(specification: &Specification<'_>) -> Vec<String> {
    let matching = match specification.matching {
        Matching::ExternalId(_) => None,
        Matching::Email { email, .. } => Some(format!("email {}", email.name)),
        Matching::Message(Some(_)) => Some("message of a column".to_owned()),
        Matching::Message(None) => Some("message of the key".to_owned()),
    };
    let associations = match specification.associations {
        Associations::Add => None,
        Associations::Exact => Some("associations exact".to_owned()),
    };
    matching.into_iter().chain(associations).collect()
}

fn describe(field: &FieldSpec) -> String {
    format!("{}\u{0}{}\u{0}{}", field.to, field.null.name(), expression(&field.from))
}

fn expression(from: &Expression) -> String {
    let all = |items: Vec<String>| items.join("\u{1}");
    match from {
        Expression::Column { column, cast } => {
            format!("column {} {}", column.name, cast.map_or("", coho_core::sync::Cast::name))
        }
        Expression::Static(value) => format!("static {value}"),
        Expression::Lookup { column, object, by, split } => {
            // What older mappings could not say is said only where it is meant.
            let by = if *by == By::ExternalId { String::new() } else { format!(" {}", by.name()) };
            let split = split.as_ref().map(|text| format!(" split {text}")).unwrap_or_default();
            format!("lookup {} {object}{by}{split}", column.name)
        }
        Expression::Template { template, cast } => {
            let cast = cast.map_or("", coho_core::sync::Cast::name);
            let snippets = coho_liquid::rendered(&template.text, &template.snippets);
            let snippets = snippets.iter().map(|(name, snippet)| format!("\u{3}{name}\u{3}{}", snippet.text));
            let text = format!("template {} {cast} {}", template.undefined.name(), template.text);
            let blanks = match template.blanks {
                Blanks::Kept => "",
                Blanks::Null => "\u{3}blanks are null",
            };
            snippets.fold(text, |text, snippet| text + &snippet) + blanks
        }
        Expression::Object(members) => {
            let members = members.iter().map(|(name, from)| format!("{name}\u{2}{}", expression(from)));
            format!("object [{}]", all(members.collect()))
        }
        Expression::Array(items) => format!("array [{}]", all(items.iter().map(expression).collect())),
    }
}
