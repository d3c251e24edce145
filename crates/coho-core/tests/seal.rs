//! Sealing: which drafts become operations, what an operation then sends, and the texts for those that do not.

use std::collections::BTreeSet;

use coho_core::code::Code;
use coho_core::decide::{Change, Reason};
use coho_core::digest::Digest;
use coho_core::fields::{FieldValue, Rendered, Rendering, Sent, diff_fields};
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::operation::{Action, Draft, FoundBy, Known, Operation, seal, seal_assumed};
use coho_core::path::FieldPath;
use coho_core::problem::Problem;
use coho_core::row_state::{DeliveryState, Origin, Pending, RowState, Seen, Verb};
use coho_core::sync::{Associations, Mode, NullPolicy};
use coho_core::target::{ExternalId, VitallyId};
use coho_core::time::Time;
use coho_core::value::Value;

#[expect(clippy::expect_used, reason = "the tests only name external ids that are some")]
fn id(text: &str) -> ExternalId {
    ExternalId::parse(text).expect("an external id")
}

fn set(value: Value) -> Rendering {
    Rendering::Set(FieldValue::Value(value))
}

fn accounts(ids: &[&str]) -> Rendering {
    Rendering::Set(FieldValue::References(Object::Account, ids.iter().map(|text| id(text)).collect()))
}

fn rendered(fields: &[(&str, Rendering)]) -> Rendered {
    let fields = fields.iter().map(|(path, rendering)| (FieldPath::new(path), rendering.clone()));
    Rendered {
        target: id("u-7"),
        fields: fields.collect(),
        absent_traits: None,
        associations: Associations::Add,
    }
}

fn sent(fields: &[(&str, Value)]) -> Sent {
    fields.iter().map(|(path, value)| (FieldPath::new(path), value.clone())).collect()
}

fn delivered(fields: &[(&str, Value)]) -> RowState {
    RowState {
        target: id("u-7"),
        delivery: DeliveryState::Delivered {
            sent: sent(fields),
            n: 3,
            id: Some(VitallyId::new("v-7")),
            origin: Origin::Created,
        },
        pending: Pending::None,
        seen: None,
        version: 9,
    }
}

/// What a test varies of a draft.
struct Case<'a> {
    object: Object,
    mode: Mode,
    reason: Reason,
    row_state: Option<&'a RowState>,
}

const ACCOUNT: Case<'_> =
    Case { object: Object::Account, mode: Mode::Upsert, reason: Reason::NewRecord, row_state: None };
const USER: Case<'_> = Case { object: Object::User, ..ACCOUNT };

impl Case<'_> {
    fn seal(&self, fields: &[(&str, Rendering)]) -> Result<Operation, Vec<Problem>> {
        let rendered = rendered(fields);
        let known =
            self.row_state.and_then(|row_state| row_state.delivery.sent()).cloned().unwrap_or_default();
        seal(Draft {
            key: &Key::new("7"),
            object: self.object,
            mode: self.mode,
            found_by: FoundBy::ExternalId,
            field_diff: diff_fields(&rendered, &known),
            rendered: &rendered,
            row_state: self.row_state,
            change: Change::Update,
            reason: self.reason,
            seen: Seen { row: Digest::of(b"row"), mapping: Digest::of(b"mapping") },
        })
    }

    fn problems(&self, fields: &[(&str, Rendering)]) -> Vec<String> {
        let problems = self.seal(fields).err().unwrap_or_default();
        problems.iter().map(ToString::to_string).collect()
    }

    /// What an update would send: `path: before → after`.
    fn sends(&self, fields: &[(&str, Rendering)]) -> Result<Vec<String>, Vec<Problem>> {
        let Action::Write { changed, .. } = self.seal(fields)?.action else { return Ok(Vec::new()) };
        let shown = changed.iter().map(|difference| {
            let before = difference.before.as_ref().map_or("-".to_owned(), ToString::to_string);
            format!("{}: {before} → {}", difference.path, difference.after)
        });
        Ok(shown.collect())
    }
}

#[test]
fn what_is_assumed_is_what_a_first_write_would_leave() {
    let null = Rendering::Null;
    let fields = [
        ("accountIds", accounts(&["acme", "foo"])),
        ("name", set(Value::text("Ada"))),
        ("traits.seats", set(Value::Int(5))),
        ("traits.cleared", null(NullPolicy::Clear)),
        ("traits.followed", null(NullPolicy::Follow)),
        ("traits.omitted", null(NullPolicy::Omit)),
    ];
    let whole = rendered(&fields);
    let assumed = seal_assumed(Object::User, Mode::Upsert, &whole).unwrap();
    let written = USER.seal(&fields).unwrap().would_send();
    let written: Vec<_> = written.iter().collect();
    assert_eq!(assumed.iter().map(|(path, value)| (*path, &**value)).collect::<Vec<_>>(), written);

    let refused =
        [("accountIds", accounts(&[])), ("traits.a", set(Value::Array(vec![Value::Array(vec![])])))];
    let problems = seal_assumed(Object::User, Mode::Upsert, &rendered(&refused)).unwrap_err();
    assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), USER.problems(&refused));
    assert_eq!(problems.len(), 2);
}

#[test]
fn user_without_owners_gets_the_text_that_users_know() {
    let owners = "Must specify at least one of: accountIds or organizationIDs [no-owner]";
    assert_eq!(USER.problems(&[("name", set(Value::text("Ada")))]), [owners]);
    assert_eq!(USER.problems(&[("accountIds", accounts(&[]))]), [owners]);
    assert_eq!(USER.problems(&[("accountIds", Rendering::Null(NullPolicy::Follow))]), [owners]);
}

#[test]
fn user_with_one_kind_of_owner_is_enough() {
    assert_eq!(USER.problems(&[("accountIds", accounts(&["acme"]))]), [""; 0]);
    let organization = FieldValue::References(Object::Organization, BTreeSet::from([id("holding")]));
    assert_eq!(USER.problems(&[("organizationIds", Rendering::Set(organization))]), [""; 0]);
}

#[test]
fn required_name_must_not_be_null_where_a_record_may_be_created() {
    let text = "name: Required field: the value is null [null-required]";
    let fields = [("name", Rendering::Null(NullPolicy::Follow))];
    for mode in [Mode::Upsert, Mode::Insert] {
        assert_eq!(Case { mode, ..ACCOUNT }.problems(&fields), [text]);
        assert_eq!(Case { mode, ..ACCOUNT }.problems(&[]), [text]);
    }
}

#[test]
fn required_name_that_was_sent_before_must_not_become_null_either() {
    let row_state = delivered(&[("name", Value::text("Acme"))]);
    let case = Case { row_state: Some(&row_state), reason: Reason::RowChanged, ..ACCOUNT };
    let text = "name: Required field: the value is null [null-required]";
    assert_eq!(case.problems(&[("name", Rendering::Null(NullPolicy::Follow))]), [text]);
}

#[test]
fn update_never_creates_and_needs_no_name() {
    let case = Case { mode: Mode::Update, ..ACCOUNT };
    assert_eq!(case.problems(&[("traits.seats", set(Value::Int(1)))]), [""; 0]);
}

#[test]
fn nested_traits_are_problems_of_their_own_code() {
    let member = |value| Value::Object(vec![("a".to_owned(), value)]);
    let fields = [
        ("name", set(Value::text("Acme"))),
        ("traits.flat", set(Value::Array(vec![Value::Int(1), Value::Null]))),
        ("traits.list", set(Value::Array(vec![member(Value::Null)]))),
        ("traits.object", set(member(Value::Int(1)))),
    ];
    let expected = [
        "traits.list: a trait cannot hold this array [nested-trait]",
        "traits.object: a trait cannot hold this object [nested-trait]",
    ];
    assert_eq!(ACCOUNT.problems(&fields), expected);
}

#[test]
fn values_that_do_not_fit_their_fields_are_found_all_at_once() {
    let fields = [
        ("accountIds", accounts(&["acme"])),
        ("email", set(Value::Int(1))),
        ("joinDate", set(Value::text("2026-11-24"))),
        ("organizationIds", accounts(&["acme"])),
        ("shoeSize", set(Value::Int(43))),
        ("unsubscribedFromConversations", set(Value::text("no"))),
        ("traits.owner", accounts(&["acme"])),
    ];
    let expected = [
        "email: expected text, found integer [value-type]",
        "joinDate: expected timestamp, found text [value-type]",
        "organizationIds: expected organizations, found array [value-type]",
        "shoeSize: user has no field `shoeSize` [value-type]",
        "unsubscribedFromConversations: expected boolean, found text [value-type]",
        "traits.owner: a trait cannot refer [value-type]",
    ];
    assert_eq!(USER.problems(&fields), expected);
}

#[test]
fn several_rules_that_are_broken_are_told_together() {
    let problems = USER.seal(&[("email", set(Value::Bool(true)))]).unwrap_err();
    let codes: Vec<_> = problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::NO_OWNER, Code::VALUE_TYPE]);
}

#[test]
fn new_record_sends_all_that_was_rendered() {
    let fields = [("name", set(Value::text("Acme"))), ("traits.seats", set(Value::Int(40)))];
    assert_eq!(ACCOUNT.sends(&fields), Ok(vec!["name: - → \"Acme\"".into(), "traits.seats: - → 40".into()]));
    let operation = ACCOUNT.seal(&fields).unwrap();
    assert_eq!((operation.known, operation.version), (Known::New, 0));
}

#[test]
fn update_with_differences_sends_only_these() {
    let row_state = delivered(&[("name", Value::text("Acme")), ("traits.seats", Value::Int(40))]);
    let case = Case { row_state: Some(&row_state), reason: Reason::RowChanged, ..ACCOUNT };
    let fields = [("name", set(Value::text("Acme"))), ("traits.seats", set(Value::Int(45)))];
    assert_eq!(case.sends(&fields), Ok(vec!["traits.seats: 40 → 45".into()]));
    let operation = case.seal(&fields).unwrap();
    let there = Known::There { id: Some(VitallyId::new("v-7")), origin: Origin::Created };
    assert_eq!((operation.known.clone(), operation.version), (there, 9));
    let remembered = sent(&[("name", Value::text("Acme")), ("traits.seats", Value::Int(45))]);
    assert_eq!(operation.would_send(), remembered);
}

#[test]
fn resend_sends_everything_though_nothing_differs() {
    let row_state = delivered(&[("name", Value::text("Acme")), ("traits.seats", Value::Int(40))]);
    let case = Case { row_state: Some(&row_state), reason: Reason::Resend, ..ACCOUNT };
    let fields = [("name", set(Value::text("Acme"))), ("traits.seats", set(Value::Int(40)))];
    let expected = vec!["name: \"Acme\" → \"Acme\"".into(), "traits.seats: 40 → 40".into()];
    assert_eq!(case.sends(&fields), Ok(expected));
}

#[test]
fn resend_sends_everything_though_only_one_field_differs() {
    let row_state = delivered(&[("name", Value::text("Acme")), ("traits.seats", Value::Int(40))]);
    let case = Case { row_state: Some(&row_state), reason: Reason::Resend, ..ACCOUNT };
    let fields = [("name", set(Value::text("Acme"))), ("traits.seats", set(Value::Int(45)))];
    let expected = vec!["name: \"Acme\" → \"Acme\"".into(), "traits.seats: 40 → 45".into()];
    assert_eq!(case.sends(&fields), Ok(expected));
}

/// The earlier write may have brought any value, so that what was acknowledged before it says nothing.
#[test]
fn write_over_an_open_intent_sends_everything() {
    let row_state = RowState {
        pending: Pending::Open {
            operation: Digest::of(b"earlier"),
            would_send: sent(&[("name", Value::text("Acme")), ("traits.seats", Value::Int(45))]),
            verb: Verb::Write,
            since: Time::UNIX_EPOCH,
        },
        ..delivered(&[("name", Value::text("Acme")), ("traits.seats", Value::Int(40))])
    };
    let case = Case { row_state: Some(&row_state), reason: Reason::OutcomeUnknown, ..ACCOUNT };
    let fields = [("name", set(Value::text("Acme Ltd"))), ("traits.seats", set(Value::Int(40)))];
    let expected = vec!["name: \"Acme\" → \"Acme Ltd\"".into(), "traits.seats: 40 → 40".into()];
    assert_eq!(case.sends(&fields), Ok(expected));
}

#[test]
fn operation_names_each_record_that_it_refers_to_once() {
    let fields = [("accountIds", accounts(&["globex", "acme"]))];
    let operation = USER.seal(&fields).unwrap();
    assert_eq!(operation.references(), [(Object::Account, id("acme")), (Object::Account, id("globex"))]);
}

#[test]
fn digest_tells_operations_on_one_key_apart() {
    let seats = |seats| ACCOUNT.seal(&[("name", set(Value::text("Acme"))), ("traits.seats", set(seats))]);
    let digest = |value| seats(value).unwrap().digest();
    assert_eq!(digest(Value::Int(40)), digest(Value::Int(40)));
    assert_ne!(digest(Value::Int(40)), digest(Value::Int(45)));
    assert_ne!(digest(Value::Int(40)), digest(Value::text("40")));
}

#[test]
fn what_an_omitted_null_leaves_belongs_to_the_whole_record_and_not_to_the_update() {
    let row_state =
        delivered(&[("name", Value::text("Ada")), ("accountIds", Value::Array(vec![Value::text("a")]))]);
    let case = Case { row_state: Some(&row_state), reason: Reason::RowChanged, ..USER };
    let omitted = Rendering::Null(NullPolicy::Omit);
    let fields = [("accountIds", omitted.clone()), ("name", omitted), ("email", set(Value::text("a@b.c")))];
    assert_eq!(case.sends(&fields), Ok(vec!["email: - → \"a@b.c\"".to_owned()]));
    let resend = Case { reason: Reason::Resend, ..case };
    assert_eq!(resend.sends(&fields), Ok(vec!["email: - → \"a@b.c\"".to_owned()]));
    let Ok(Operation { action: Action::Write { complete, .. }, .. }) = case.seal(&fields) else {
        panic!("the record has an account");
    };
    let accounts = FieldValue::References(Object::Account, [id("a")].into());
    assert_eq!(complete.get(&FieldPath::new("accountIds")), Some(&accounts));
    assert_eq!(complete.get(&FieldPath::new("name")), Some(&FieldValue::Value(Value::text("Ada"))));
}
