//! What several files say together, and each of them cannot know alone: ids that were given up, tokens that a sync needs, and
//! fields that two syncs write.

use std::collections::BTreeMap;

use coho_core::code::Code;
use coho_core::model::Model;
use coho_core::object::{FieldKind, Object};
use coho_core::path::FieldPath;
use coho_core::place::Place;
use coho_core::problem::Problem;
use coho_core::sync::{Associations, Expression, FieldSpec, FieldTarget, Sync, SyncId};

use crate::keys::project::VITALLY;
use crate::read::project::{Lacking, Token};
use crate::read::sync::ReadSync;

/// An id that a sync had before is nobody's now, and no two syncs had it.
pub(crate) fn renamed(syncs: &[ReadSync], problems: &mut Vec<Problem>) {
    let ids: BTreeMap<&SyncId, &Place> =
        syncs.iter().filter_map(|sync| sync.id.as_ref()).map(|(id, at)| (id, at)).collect();
    let mut first: BTreeMap<&SyncId, &Place> = BTreeMap::new();
    for sync in syncs {
        let own = sync.id.as_ref().map(|(id, _)| id);
        for (id, at) in &sync.renamed_from {
            let (message, help) = match (ids.get(id), first.get(id)) {
                (Some(_), _) if own == Some(id) => {
                    (format!("`{id}` is this sync's own id"), "remove it from `renamed_from`".to_owned())
                }
                (Some(other), _) => (
                    format!("a sync `{id}` still exists, so its state cannot be taken over"),
                    format!("remove it from `renamed_from`, or remove {}", other.file),
                ),
                (None, Some(other)) if other.file == at.file => {
                    (format!("`renamed_from` names `{id}` twice"), "keep one of them".to_owned())
                }
                (None, Some(other)) => (
                    format!("two syncs claim the old id `{id}`, but only one can take over its state"),
                    format!("keep one of them; the other is in {}, line {}", other.file, other.line),
                ),
                (None, None) => {
                    first.insert(id, at);
                    continue;
                }
            };
            problems.push(Problem::new(Code::DUPLICATE_ID, message).at(at).help(help));
        }
    }
}

/// A destination has the tokens of the APIs that its syncs use.
pub(crate) fn tokens(
    destinations: &BTreeMap<String, Lacking>,
    syncs: &[ReadSync],
    problems: &mut Vec<Problem>,
) {
    let mut wanted: BTreeMap<(&str, Token), Vec<&str>> = BTreeMap::new();
    for sync in syncs {
        let (Some(destination), Some((id, _))) = (&sync.destination, &sync.id) else { continue };
        for token in &sync.tokens {
            wanted.entry((destination, *token)).or_default().push(id.as_str());
        }
    }
    for ((name, token), syncs) in wanted {
        if let Some(destination) = destinations.get(name)
            && destination.tokens.contains(&token)
        {
            problems.push(lacks(token, &syncs).at(&destination.at));
        }
    }
}

fn lacks(token: Token, syncs: &[&str]) -> Problem {
    let (api, found) = match token {
        Token::Rest => ("REST API", "Vitally REST API"),
        Token::Analytics => ("Analytics API", "Vitally Analytics API, Integrate via HTTPS API"),
    };
    let users = match syncs {
        [one] => format!("sync `{one}` uses"),
        [first, rest @ ..] => format!("sync `{first}` and {} more use", rest.len()),
        [] => "a sync uses".to_owned(),
    };
    let example = VITALLY.key(token.key()).map_or("", |key| key.example);
    Problem::new(Code::MISSING_KEY, format!("`{}` is missing, but {users} the {api}", token.key()))
        .help(format!("add `{example}`; Vitally shows it under Settings, Integrations, {found}"))
}

/// Columns that cannot be masked: what names a row, or its record, is shown wherever the row is.
pub(crate) fn masked(models: &[Model], syncs: &[Sync]) -> Vec<Problem> {
    let names_rows = |model: &Model| {
        let found = model.masked.iter().find(|column| model.key.contains(column))?;
        let message = format!("`mask` names the column `{found}`, which is the primary key");
        Some((
            message,
            model.place.clone(),
            "identify rows by a column without personal data, such as a number",
        ))
    };
    let names_records = |sync: &Sync| {
        let model = models.iter().find(|model| model.name == sync.model)?;
        let target = sync.matching.target().filter(|column| model.masked.contains(&column.name))?;
        let message =
            format!("model `{}` masks the column `{}`, which this sync matches by", model.name, target.name);
        Some((message, target.place.clone(), "take external ids from a column without personal data"))
    };
    let found = models.iter().filter_map(names_rows).chain(syncs.iter().filter_map(names_records));
    found
        .map(|(message, place, help)| Problem::new(Code::WRONG_VALUE, message).at(&place).help(help))
        .collect()
}

/// A sync, and its mapping of a field.
type Writer<'a> = (&'a Sync, &'a FieldSpec);

/// Where two syncs write one field of one object at one destination. Events are written once, so none is shared.
pub(crate) fn shared_fields(syncs: &[Sync]) -> Vec<Problem> {
    let mut writers: BTreeMap<(&str, Object, FieldPath), Vec<Writer<'_>>> = BTreeMap::new();
    for sync in syncs.iter().filter(|sync| sync.object != Object::Event) {
        for spec in &sync.fields {
            for path in paths(spec, sync.object) {
                writers.entry((&sync.destination, sync.object, path)).or_default().push((sync, spec));
            }
        }
    }
    let mut warnings = Vec::new();
    for ((_, object, path), writers) in writers {
        let [first, others @ ..] = writers.as_slice() else { continue };
        for other in others.iter().filter(|(other, _)| !agrees(object, &path, first.0, other)) {
            warnings.push(shared(object, &path, first.0, &first.1.place, &other.1.place));
        }
    }
    warnings
}

/// What a mapping sets, as far as the files show it.
fn paths(spec: &FieldSpec, object: Object) -> Vec<FieldPath> {
    match (&spec.to, &spec.from) {
        (FieldTarget::Path(path), _) => vec![path.clone()],
        (FieldTarget::AllTraits, Expression::Object(members)) => {
            members.iter().map(|(key, _)| object.bag().path(key.as_str())).collect()
        }
        (FieldTarget::AllTraits, _) => Vec::new(),
    }
}

/// Whether two syncs cannot contradict each other: links of both add up, and the address by which both find a user is one.
fn agrees(object: Object, path: &FieldPath, one: &Sync, other: &Sync) -> bool {
    let both = |holds: fn(&Sync) -> bool| holds(one) && holds(other);
    let Some(name) = path.as_field() else { return false };
    match object.field(name).map(|field| field.kind) {
        Some(FieldKind::References(_)) => both(|sync| sync.associations == Associations::Add),
        Some(
            FieldKind::Text
            | FieldKind::Bool
            | FieldKind::Timestamp
            | FieldKind::Reference(_)
            | FieldKind::ExternalId(_),
        )
        | None => name == "email" && both(|sync| sync.matching.email().is_some()),
    }
}

fn shared(object: Object, path: &FieldPath, first: &Sync, first_at: &Place, at: &Place) -> Problem {
    let message = format!(
        "`{path}` of {} is also mapped by sync `{}`: if both have a record, the last one to run wins",
        object.with_article(),
        first.id
    );
    Problem::new(Code::SHARED_FIELD, message).at(at).help(format!(
        "map it in only one of the syncs, unless they share no records; the other mapping is at {first_at}"
    ))
}

#[cfg(test)]
mod tests {
    use crate::{File, load, load_offline};

    fn project(destination: &str) -> [File; 3] {
        [
            File::text(
                "coho.yaml",
                format!(
                    "project: a\nsources: {{ files: {{ type: files, path: data }} }}\ndestinations: {{ v: {destination} }}\n"
                ),
            ),
            File::text("models/m.yaml", "{ source: files, file: m.csv, primary_key: id }"),
            File::text(
                "syncs/s.yaml",
                "id: s\nmodel: m\nto: v\nobject: event\nfields: { event: name, userId: user }\nfirst_run: send\n",
            ),
        ]
    }

    #[test]
    fn a_token_may_stay_unset_offline_but_not_unnamed() {
        let named = project("{ type: vitally, region: eu, analytics_token: '${TOKEN}' }");
        assert_eq!(load_offline(&named, None).unwrap().syncs.len(), 1);
        assert_eq!(load(&named, &|_| None, None).unwrap_err().len(), 1);
        let unnamed = project("{ type: vitally, region: eu }");
        let problems = load_offline(&unnamed, None).unwrap_err();
        let text = "`analytics_token` is missing, but sync `s` uses the Analytics API [missing-key]";
        assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [text]);
    }
}
