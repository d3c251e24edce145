//! What a mapping promises of targets, and of the digest that ledgers remember.

use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::place::Place;
use coho_core::row::{Cell, Column, ColumnType, Columns, RowBuf};
use coho_core::snippet::{Snippet, Snippets};
use coho_core::sync::{
    Associations, Blanks, By, Cast, ColumnRef, Expression, FieldSpec, FieldTarget, Matching, NullPolicy,
    SyncId, TemplateText, UndefinedPolicy,
};
use coho_core::value::Value;
use coho_mapping::record::record;
use coho_mapping::{Facts, Mapping, Specification};
use proptest::prelude::*;

type Failure = Box<dyn std::error::Error>;

fn column(name: &str) -> ColumnRef {
    ColumnRef { name: name.to_owned(), place: Place::default() }
}

fn field(to: &str, from: Expression, null: NullPolicy) -> FieldSpec {
    FieldSpec { to: FieldTarget::Path(FieldPath::new(to)), from, null, place: Place::default() }
}

fn compiled(
    object: Object,
    matching: &Matching,
    associations: Associations,
    fields: &[FieldSpec],
) -> Result<Mapping, Failure> {
    let column = |name: &str, kind| Column { name: name.to_owned(), kind };
    let columns = Columns::new(vec![
        column("id", ColumnType::Int),
        column("seats", ColumnType::Text),
        column("account", ColumnType::Text),
        column("at", ColumnType::Timestamp),
    ])?;
    let sync = SyncId::new("law");
    let specification = Specification { sync: &sync, object, matching, associations, fields, filters: None };
    Mapping::compile(&specification, &columns).map_err(|problems| format!("{problems:?}").into())
}

fn user_fields() -> Vec<FieldSpec> {
    let template = TemplateText {
        text: "{{ row.seats }}".to_owned(),
        place: Place::default(),
        indent: 0,
        undefined: UndefinedPolicy::Error,
        snippets: Snippets::default(),
        blanks: Blanks::default(),
    };
    let seats = Expression::Column { column: column("seats"), cast: Some(Cast::Number) };
    let account = Expression::Lookup {
        column: column("account"),
        object: Object::Account,
        by: By::ExternalId,
        split: None,
    };
    vec![
        field("traits.seats", seats, NullPolicy::Follow),
        field("traits.label", Expression::Template { template, cast: None }, NullPolicy::Omit),
        field("accountIds", account, NullPolicy::Clear),
    ]
}

fn event(matching: &Matching) -> Result<Mapping, Failure> {
    let named = |name| Expression::Column { column: column(name), cast: None };
    let fields = [
        field("event", Expression::Static(Value::text("Order placed")), NullPolicy::Follow),
        field("timestamp", named("at"), NullPolicy::Follow),
        field("accountId", named("account"), NullPolicy::Follow),
        field("properties.seats", named("seats"), NullPolicy::Clear),
    ];
    compiled(Object::Event, matching, Associations::Add, &fields)
}

/// What a template renders by name is a part of what the mapping says; snippets that it does not render are not.
#[test]
fn the_text_of_a_snippet_is_in_the_digest() {
    let digest = |badge: &str, other: &str| {
        let snippet = |(name, text): (&str, &str)| {
            (name.to_owned(), Snippet { text: text.to_owned(), file: name.into() })
        };
        let snippets: Snippets = [("badge", badge), ("other", other)].map(snippet).into_iter().collect();
        let text = "{% render 'badge', x: row.seats %}".to_owned();
        let template = TemplateText {
            text,
            place: Place::default(),
            indent: 0,
            undefined: UndefinedPolicy::Error,
            snippets,
            blanks: Blanks::default(),
        };
        let label = field("traits.label", Expression::Template { template, cast: None }, NullPolicy::Omit);
        let matching = Matching::ExternalId(column("id"));
        let fields = user_fields().into_iter().chain([label]).collect::<Vec<_>>();
        compiled(Object::User, &matching, Associations::Add, &fields).unwrap().digest()
    };
    assert_eq!(digest("{{ x }}", "a"), digest("{{ x }}", "b"));
    assert_ne!(digest("{{ x }}", "a"), digest("[{{ x }}]", "a"));
}

/// Ledgers hold these: another digest would render every row anew.
#[test]
fn digests_never_change_between_releases() {
    let id = Matching::ExternalId(column("id"));
    let users = compiled(Object::User, &id, Associations::Add, &user_fields()).unwrap();
    assert_eq!(users.digest().to_string(), "af4bdd1ff18a504dbcc0fc0ab5e33ed6");
    let seats = Expression::Column { column: column("seats"), cast: None };
    let all = FieldSpec {
        to: FieldTarget::AllTraits,
        from: Expression::Object(vec![("a".to_owned(), seats)]),
        null: NullPolicy::Follow,
        place: Place::default(),
    };
    let organizations = compiled(Object::Organization, &id, Associations::Add, &[all]).unwrap();
    assert_eq!(organizations.digest().to_string(), "baacce34ef8900aeb0371cf2977141e1");
}

#[test]
fn all_that_finds_or_links_a_record_counts() {
    let by = |matching, associations| {
        compiled(Object::User, &matching, associations, &user_fields()).unwrap().digest()
    };
    let email = |email| Matching::Email { email: column(email), external_id: column("id") };
    let mut digests = vec![
        by(Matching::ExternalId(column("id")), Associations::Add),
        by(Matching::ExternalId(column("id")), Associations::Exact),
        by(Matching::ExternalId(column("account")), Associations::Add),
        by(email("account"), Associations::Add),
        by(email("seats"), Associations::Add),
        by(Matching::Message(Some(column("id"))), Associations::Add),
        by(Matching::Message(None), Associations::Add),
    ];
    let all = digests.len();
    digests.sort_unstable_by_key(ToString::to_string);
    digests.dedup();
    assert_eq!(digests.len(), all);
}

#[test]
fn the_columns_that_find_a_record_are_read() {
    let email = Matching::Email { email: column("account"), external_id: column("id") };
    let mapping = compiled(Object::User, &email, Associations::Add, &[]).unwrap();
    assert_eq!(mapping.reads(), [2, 0]);
    assert_eq!(event(&Matching::Message(Some(column("id")))).unwrap().reads(), [2, 3, 0, 1]);
}

#[test]
fn the_moment_of_an_event_is_its_timestamp() {
    let mapping = event(&Matching::Message(Some(column("id")))).unwrap();
    let moment = |at| {
        let row = RowBuf::from_cells([Cell::Int(1), Cell::Null, Cell::Text("acme"), at]);
        Mapping::moment(&mapping.render(&row).unwrap()).map(|moment| moment.timestamp_micros())
    };
    assert_eq!(moment(Cell::Timestamp(1_764_000_000_123_456)), Some(1_764_000_000_123_456));
    assert_eq!(moment(Cell::Null), None);
}

#[test]
fn the_record_of_an_event_begins_with_its_id_and_its_name() {
    let mapping = event(&Matching::Message(Some(column("id")))).unwrap();
    let row = RowBuf::from_cells([Cell::Int(1), Cell::Text("4"), Cell::Text("acme"), Cell::Timestamp(0)]);
    assert_eq!(
        record(Object::Event, &mapping.render(&row).unwrap()).to_string(),
        r#"{"messageId":"1","event":"Order placed","timestamp":"1970-01-01T00:00:00.000Z","accountId":"acme","properties":{"seats":"4"}}"#
    );
    // Nothing of an event is cleared, so that a null does not show, whatever its policy.
    let row = RowBuf::from_cells([Cell::Int(1), Cell::Null, Cell::Null, Cell::Null]);
    assert_eq!(
        record(Object::Event, &mapping.render(&row).unwrap()).to_string(),
        r#"{"messageId":"1","event":"Order placed"}"#
    );
}

#[test]
fn only_a_match_by_email_has_an_address() {
    let email = Matching::Email { email: column("account"), external_id: column("id") };
    let mapping = compiled(Object::User, &email, Associations::Add, &[]).unwrap();
    let row = RowBuf::from_cells([Cell::Int(1), Cell::Null, Cell::Text("ada@alder.example"), Cell::Null]);
    assert_eq!(mapping.email(&row), Ok("ada@alder.example".to_owned()));
    let by_id = compiled(Object::User, &Matching::ExternalId(column("id")), Associations::Add, &[]).unwrap();
    assert!(by_id.email(&row).is_err());
}

#[test]
fn what_is_no_longer_among_an_events_properties_is_not_cleared() {
    let text = "{{ | json_construct: 'seats', row.seats }}".to_owned();
    let template = TemplateText {
        text,
        place: Place::default(),
        indent: 0,
        undefined: UndefinedPolicy::Error,
        snippets: Snippets::default(),
        blanks: Blanks::default(),
    };
    let all = FieldSpec {
        to: FieldTarget::AllTraits,
        from: Expression::Template { template, cast: None },
        null: NullPolicy::Clear,
        place: Place::default(),
    };
    let row = RowBuf::from_cells([Cell::Int(1), Cell::Text("4"), Cell::Null, Cell::Null]);
    let absent = |object, matching: &Matching| {
        let mapping = compiled(object, matching, Associations::Add, std::slice::from_ref(&all)).unwrap();
        mapping.render(&row).unwrap().absent_traits
    };
    assert_eq!(absent(Object::Event, &Matching::Message(Some(column("id")))), None);
    assert_eq!(absent(Object::User, &Matching::ExternalId(column("id"))), Some(NullPolicy::Clear));
}

#[test]
fn what_the_clock_changes_in_an_event_is_known_without_its_key() {
    let text = "{{ 'now' | date: '%s' }}".to_owned();
    let template = TemplateText {
        text,
        place: Place::default(),
        indent: 0,
        undefined: UndefinedPolicy::Error,
        snippets: Snippets::default(),
        blanks: Blanks::default(),
    };
    let fields = [
        field("event", Expression::Static(Value::text("Order placed")), NullPolicy::Follow),
        field("properties.now", Expression::Template { template, cast: None }, NullPolicy::Follow),
    ];
    let mapping = compiled(Object::Event, &Matching::Message(None), Associations::Add, &fields).unwrap();
    let row = RowBuf::from_cells([Cell::Int(1), Cell::Null, Cell::Null, Cell::Null]);
    let facts = Facts::of_tests(Value::Object(Vec::new()));
    let rendered = mapping.render_row(&Key::new("1"), &row, &facts).unwrap();
    let volatile = mapping.volatile(&row, &rendered, &facts);
    assert_eq!(volatile, [FieldPath::new("properties.now")].into());
}

#[test]
fn without_a_key_no_id_is_made_up() {
    let row = RowBuf::from_cells([Cell::Int(1), Cell::Null, Cell::Text("acme"), Cell::Null]);
    let problems = event(&Matching::Message(None)).unwrap().render(&row).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "Message ID: it is derived from the row's primary key, which is missing [null-target]"
    );
}

proptest! {
    #[test]
    fn an_event_rendered_twice_is_one_message(key in ".{1,40}", id in any::<i64>(), seats in ".*", at in any::<i32>()) {
        let row = RowBuf::from_cells([
            Cell::Int(id), Cell::Text(&seats), Cell::Text("acme"), Cell::Timestamp(i64::from(at)),
        ]);
        for matching in [Matching::Message(None), Matching::Message(Some(column("id")))] {
            let mapping = event(&matching).unwrap();
            let key = Key::new(key.as_str());
            let render = |key: &Key, row: &RowBuf| mapping.render_row(key, row, &Facts::default()).unwrap();
            prop_assert_eq!(render(&key, &row), render(&key, &row));
            // A row that changed is the same event.
            let changed = RowBuf::from_cells([Cell::Int(id), Cell::Null, Cell::Text("bolt"), Cell::Null]);
            prop_assert_eq!(render(&key, &row).target, render(&key, &changed).target);
        }
    }

    #[test]
    fn different_keys_are_different_messages(one in ".{0,40}", other in ".{0,40}") {
        prop_assume!(one != other);
        let mapping = event(&Matching::Message(None)).unwrap();
        let row = RowBuf::from_cells([Cell::Int(1), Cell::Null, Cell::Text("acme"), Cell::Null]);
        let target = |key: &str| mapping.target(Some(&Key::new(key)), &row).unwrap();
        prop_assert_ne!(target(&one), target(&other));
    }
}

/// `text` mapped with one added filter of a revision.
#[cfg(feature = "liquid")]
fn digest_with_filter(text: &str, revision: &str) -> Result<coho_core::digest::Digest, Failure> {
    let filters = coho_mapping::Filters::new().with_name("mine", liquid_lib::stdlib::Upcase)?;
    let filters = filters.revision(revision);
    let columns = Columns::new(vec![Column { name: "id".to_owned(), kind: ColumnType::Int }])?;
    let template = TemplateText {
        text: text.to_owned(),
        place: Place::default(),
        indent: 0,
        undefined: UndefinedPolicy::Error,
        snippets: Snippets::default(),
        blanks: Blanks::default(),
    };
    let fields = [field("traits.t", Expression::Template { template, cast: None }, NullPolicy::Follow)];
    let matching = Matching::ExternalId(column("id"));
    let specification = Specification {
        sync: &SyncId::new("law"),
        object: Object::Account,
        matching: &matching,
        associations: Associations::Add,
        fields: &fields,
        filters: Some(&filters),
    };
    let mapping = Mapping::compile(&specification, &columns).map_err(|problems| format!("{problems:?}"))?;
    Ok(mapping.digest())
}

#[cfg(feature = "liquid")]
#[test]
fn another_revision_of_filters_is_another_mapping_where_one_is_called() -> Result<(), Failure> {
    let (calls, calls_none) = ("{{ row.id | mine }}", "{{ row.id | upcase }}");
    assert_ne!(digest_with_filter(calls, "1")?, digest_with_filter(calls, "2")?);
    assert_eq!(digest_with_filter(calls, "1")?, digest_with_filter(calls, "1")?);
    assert_eq!(digest_with_filter(calls_none, "1")?, digest_with_filter(calls_none, "2")?);
    Ok(())
}
