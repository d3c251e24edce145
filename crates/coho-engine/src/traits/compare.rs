//! Comparing a sync's mapping with the traits of the workspace that it sends to: names, types and options.
//!
//! Nothing here is a mistake for certain: Vitally takes a trait that nobody defined, and makes one of its name. So all of it
//! is warnings.

mod kind;

use coho_core::code::Code;
use coho_core::path::FieldPath;
use coho_core::place::Place;
use coho_core::problem::{Problem, nearest};
use coho_core::row::Columns;
use coho_core::sync::{Api, Expression, FieldTarget, Sync};
use coho_core::value::{Value, preview};

use self::kind::Kind;
use super::CustomField;

/// What the path of a trait begins with that was made in Vitally's settings
/// (<https://docs.vitally.io/en/articles/9880864-rest-api-custom-traits>, read 2026-11-24).
const CUSTOM: &str = "vitally.custom.";

/// How many options a message names.
const SHOWN: usize = 8;

/// One trait that a sync maps.
struct Mapped<'a> {
    key: &'a str,
    from: &'a Expression,
    place: &'a Place,
}

/// What does not fit between a sync's mapping and the traits of its workspace. Without columns, types of columns are not
/// known.
pub(crate) fn misfits(sync: &Sync, columns: Option<&Columns>, fields: &[CustomField]) -> Vec<Problem> {
    let mut found = Vec::new();
    for mapped in mapped(sync) {
        found.extend(name(&mapped, sync.api, fields));
        if let Some(field) = fields.iter().find(|field| field.path == mapped.key) {
            found.extend(kind(&mapped, columns, field));
            found.extend(option(&mapped, field));
        }
    }
    found
}

/// The traits whose names are written in the sync. What a template or a column makes is not known before a row is read.
fn mapped(sync: &Sync) -> Vec<Mapped<'_>> {
    let mut all = Vec::new();
    for spec in &sync.fields {
        let place = &spec.place;
        match (&spec.to, &spec.from) {
            (FieldTarget::Path(FieldPath::Trait(key)), from) => all.push(Mapped { key, from, place }),
            (FieldTarget::AllTraits, Expression::Object(members)) => {
                all.extend(members.iter().map(|(key, from)| Mapped { key, from, place }));
            }
            (FieldTarget::Path(FieldPath::Field(_) | FieldPath::Property(_)) | FieldTarget::AllTraits, _) => {
            }
        }
    }
    all
}

fn name(mapped: &Mapped<'_>, api: Api, fields: &[CustomField]) -> Option<Problem> {
    match mapped.key.strip_prefix(CUSTOM) {
        Some(_) => unknown(mapped, fields),
        None => beside(mapped, api, fields).or_else(|| split(mapped, fields)),
    }
}

/// A custom trait that the workspace does not have.
fn unknown(mapped: &Mapped<'_>, fields: &[CustomField]) -> Option<Problem> {
    if fields.iter().any(|field| field.path == mapped.key) {
        return None;
    }
    let own = mapped.key.strip_prefix(CUSTOM).unwrap_or(mapped.key);
    let known = || fields.iter().filter_map(|field| field.path.strip_prefix(CUSTOM));
    let same = || known().find(|known| folded(known) == folded(own));
    let help = match same().or_else(|| nearest(own, known())) {
        Some(near) => format!("did you mean `{CUSTOM}{near}`?"),
        None => "create it in Vitally's settings, or list the existing ones with `coho traits`".to_owned(),
    };
    let message = format!("the workspace has no custom trait `{}`", preview(mapped.key));
    Some(Problem::new(Code::TRAIT_NAME, message).at(mapped.place).help(help))
}

/// A plain trait that is called like a custom one.
fn beside(mapped: &Mapped<'_>, api: Api, fields: &[CustomField]) -> Option<Problem> {
    let is_called_so = |field: &&CustomField| {
        let key = folded(mapped.key);
        let own = field.path.strip_prefix(CUSTOM).map(folded);
        own.is_some_and(|own| own == key || folded(&field.label) == key)
    };
    let field = fields.iter().find(is_called_so)?;
    let (key, path) = (preview(mapped.key), preview(&field.path));
    let message =
        format!("`{key}` is not the path of the workspace's custom trait `{}`", preview(&field.label));
    let help = match api {
        Api::Rest => format!("write `{path}`, or choose a different name"),
        Api::Analytics => format!(
            "write `{path}` in a sync with `api: rest`, or choose a different name; Vitally does not document whether the Analytics API sets custom traits"
        ),
    };
    Some(Problem::new(Code::TRAIT_NAME, message).at(mapped.place).help(help))
}

/// A plain trait that is spelled almost like another: Vitally would have two.
fn split(mapped: &Mapped<'_>, fields: &[CustomField]) -> Option<Problem> {
    if fields.iter().any(|field| field.path == mapped.key) {
        return None;
    }
    let field = fields.iter().find(|field| folded(&field.path) == folded(mapped.key))?;
    let message = format!(
        "`{}` would create a second trait beside the workspace's trait `{}`",
        preview(mapped.key),
        preview(&field.path)
    );
    let help = format!("write `{}`, or choose a different name", preview(&field.path));
    Some(Problem::new(Code::TRAIT_NAME, message).at(mapped.place).help(help))
}

/// A name without what people vary: `is_vip`, `isVip` and `Is VIP` are one.
fn folded(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn kind(mapped: &Mapped<'_>, columns: Option<&Columns>, field: &CustomField) -> Option<Problem> {
    let wanted = Kind::of_trait(&field.kind)?;
    let (found, place) = Kind::of_expression(mapped.from, columns)?;
    if wanted.takes(found) {
        return None;
    }
    let message = format!(
        "`{}` has type {} in the workspace, but this value is {}",
        preview(mapped.key),
        preview(&field.kind),
        found.with_article()
    );
    let help = match wanted.cast() {
        Some(cast) => format!("cast it with `as: {cast}`, or change the trait's type in Vitally"),
        None => "make it a list in the model, or change the trait's type in Vitally".to_owned(),
    };
    let problem = Problem::new(Code::TRAIT_TYPE, message).at(place.unwrap_or(mapped.place));
    Some(problem.help(help))
}

fn option(mapped: &Mapped<'_>, field: &CustomField) -> Option<Problem> {
    let Expression::Static(value) = mapped.from else { return None };
    let values = if let Value::Array(items) = value { items.as_slice() } else { std::slice::from_ref(value) };
    if field.options.is_empty() {
        return None;
    }
    let is_option = |value: &Value| field.options.iter().any(|choice| choice.value == *value);
    let wrong = values.iter().find(|value| !value.is_null() && !is_option(value))?;
    let message = format!("{} is not one of the options of `{}`", wrong.preview(), preview(mapped.key));
    Some(Problem::new(Code::TRAIT_OPTION, message).at(mapped.place).help(instead(wrong, field)))
}

/// The option that was meant, or all of them.
fn instead(wrong: &Value, field: &CustomField) -> String {
    let text = wrong.scalar_text().unwrap_or_default();
    let called = field.options.iter().find(|choice| folded(&choice.label) == folded(&text));
    let texts: Vec<String> = field.options.iter().filter_map(|choice| choice.value.scalar_text()).collect();
    let near = || nearest(&text, texts.iter().map(String::as_str));
    match (called, near()) {
        (Some(choice), _) => {
            format!("write {}, which Vitally shows as {}", choice.value.preview(), choice.label)
        }
        (None, Some(near)) => format!("did you mean \"{}\"?", preview(near)),
        (None, None) => {
            let shown: Vec<String> =
                field.options.iter().take(SHOWN).map(|choice| choice.value.preview()).collect();
            let more = if field.options.len() > SHOWN { ", …" } else { "" };
            format!("the options are {}{more}", shown.join(", "))
        }
    }
}
