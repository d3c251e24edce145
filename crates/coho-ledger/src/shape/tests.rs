//! Every text comes back as it was.

use proptest::prelude::*;
use rusqlite::Connection;

use super::known::{CallTexts, PackedText, Shapes};
use super::scan::{Kind, tokens};
use super::*;

/// A ledger's table of shapes.
fn ledger() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    let step = include_str!("../schema/steps/13-shapes.sql");
    connection.execute_batch(step.split_inclusive(") STRICT;").next().unwrap()).unwrap();
    connection
}

const KINDS: [Kind; 3] = [Kind::Flat, Kind::Differences, Kind::Body];

fn outline(connection: &Connection, text: &str) -> Option<String> {
    let id: i64 = text.strip_prefix(PACKED)?.split_once(END)?.0.parse().ok()?;
    connection.query_row("SELECT text FROM shapes WHERE id = ?1", [id], |row| row.get(0)).ok()
}

/// The text as it is kept and comes back.
fn kept(connection: &Connection, shapes: &mut Shapes, kind: Kind, text: &str) -> (String, Option<String>) {
    let packed = shapes.text(connection, kind, text, 1).unwrap();
    let kept = packed.map_or_else(|| text.to_owned(), |packed| packed.text);
    let back = filled(kept.clone(), outline(connection, &kept).as_deref());
    (kept, back)
}

#[test]
fn an_outline_is_kept_once_and_values_beside_it() {
    let connection = ledger();
    let mut shapes = Shapes::default();
    let of =
        |name: &str, seats: &str| format!(r#"{{"name":"{name}","traits":{{"seats":{seats},"plan":null}}}}"#);
    for (name, seats) in [("Acme", "42"), ("", "1e400"), ("Ä \\\"quoted\\\" \\u0041", "-0.10")] {
        let text = of(name, seats);
        let (kept, back) = kept(&connection, &mut shapes, Kind::Body, &text);
        assert_eq!(kept, format!("\u{1c}1\u{1f}{name}\u{1f}\u{1e}{seats}\u{1f}\u{1a}\u{1f}"));
        assert_eq!(back, Some(text));
    }
    let outline: String = connection.query_row("SELECT text FROM shapes", [], |row| row.get(0)).unwrap();
    let shown = outline.replace('\u{1f}', "▪");
    assert_eq!(shown, r#"{"name":▪Ā,"traits":{"seats":▪ā,"plan":▪Ă}}"#);
}

#[test]
fn what_has_no_outline_of_use_is_kept_as_it_is() {
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(10 << 20));
    let middle = format!(r#"{{"name":"{}"}}"#, "x".repeat(2_000));
    let deep = format!(r#"{{"name":{}1{}}}"#, "[".repeat(9_000), "]".repeat(9_000));
    for text in [
        "",
        "{}",
        "[]",
        "[1]",
        "null",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1}x",
        "{\"a\":1,}",
        "{\"a\":\"\u{1f}\"}",
        "{\"a\":\"\\\u{1f}\"}",
        "{\"a\":[\"\u{1}\"]}",
        "{\"a\":\t1}",
        "{\"a\":\"b",
        "{\"a\":[1",
        "{\"a\":]}",
        "\u{1c}1\u{1f}x",
        r#"{"ada@acme.example":1}"#,
        "<html>",
        &long,
        &middle,
        &deep,
    ] {
        let connection = ledger();
        for kind in KINDS {
            let (kept, _) = kept(&connection, &mut Shapes::default(), kind, text);
            assert!(kept == text, "{kind:?} {}", text.get(..text.len().min(80)).unwrap_or_default());
        }
    }
}

#[test]
fn names_within_values_are_values() {
    let connection = ledger();
    let mut shapes = Shapes::default();
    for (kind, text) in [
        (Kind::Flat, r#"{"traits.owners":{"Ada":1}}"#),
        (Kind::Differences, r#"{"traits.owners":{"before":{"Ada":1},"after":{"Ada":2}}}"#),
        (Kind::Body, r#"{"traits":{"owners":{"Ada":1}},"more":{"Ada":1},"list":[{"Ada":1}]}"#),
    ] {
        assert_eq!(kept(&connection, &mut shapes, kind, text).1.as_deref(), Some(text));
    }
    let outlines: String =
        connection.query_row("SELECT group_concat(text) FROM shapes", [], |row| row.get(0)).unwrap();
    assert!(!outlines.contains("Ada") && outlines.contains("owners"), "{outlines}");
}

/// What is read of a call: its values, and each text.
fn call(
    connection: &Connection,
    shapes: &mut Shapes,
    fields: &str,
    texts: CallTexts<'_>,
) -> Option<(String, [Option<String>; 3])> {
    let packed = shapes.text(connection, Kind::Differences, fields, 1).unwrap();
    let status = packed.as_ref().map(|packed| packed.text.clone()).unwrap_or_default();
    let base = PackedText::status_values(packed, 7, "acc-1").unwrap();
    let packed = shapes.call(connection, Some(&base), texts, 1).unwrap()?;
    let values: Vec<&str> =
        ["acc-1"].into_iter().chain(values_of(&status)).chain(packed.own.split_terminator(END)).collect();
    let outline = |part: &str| {
        let sql = format!("SELECT {part} FROM shapes WHERE id = ?1");
        connection.query_row(&sql, [packed.shape], |row| row.get::<_, Option<String>>(0)).unwrap()
    };
    let texts = ["request", "response_headers", "response"]
        .map(|part| outline(part).map(|outline| fill(&outline, &values).unwrap()));
    Some((packed.own.clone(), texts))
}

#[test]
fn a_call_keeps_what_its_status_and_its_other_texts_do_not_have() {
    let connection = ledger();
    let mut shapes = Shapes::default();
    let fields = r#"{"name":{"after":"Acme"},"traits.seats":{"before":1,"after":42}}"#;
    let request = r#"{"externalId":"acc-1","name":"Acme","traits":{"seats":42}}"#;
    let headers = r#"{"date":"Sat, 28 Nov 2026 18:00:00 GMT"}"#;
    let response = r#"{"id":"v-1","externalId":"acc-1","name":"Acme","createdAt":"2026-11-28T18:00:00.000Z","updatedAt":"2026-11-28T18:00:00.000Z","traits":{"seats":42}}"#;
    let texts = CallTexts { request: Some(request), headers: Some(headers), response: Some(response) };
    for _ in 0..3 {
        let (own, back) = call(&connection, &mut shapes, fields, texts).unwrap();
        assert_eq!(own.replace('\u{1f}', "|"), "Sat, 28 Nov 2026 18:00:00 GMT|v-1|2026-11-28T18:00:00.000Z|");
        assert_eq!(back.each_ref().map(Option::as_deref), [Some(request), Some(headers), Some(response)]);
    }
    // One that does not repeat what was sent fits another shape.
    let other = response.replace("42", "43");
    let texts = CallTexts { response: Some(&other), ..texts };
    let (own, back) = call(&connection, &mut shapes, fields, texts).unwrap();
    assert!(own.ends_with("\u{1e}43\u{1f}"), "{own}");
    assert_eq!(back[2].as_deref(), Some(other.as_str()));
}

#[test]
fn calls_that_differ_in_what_they_repeat_share_few_shapes() {
    let connection = ledger();
    let mut shapes = Shapes::default();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for pattern in 0_u32..256 {
        let member = |at: usize, sent: bool| {
            let value = if !sent && pattern & (1 << at) == 0 { "other" } else { "same" };
            format!("\"{}\":\"{value} {at}\"", names[at])
        };
        let body = |sent| format!("{{{}}}", (0..8).map(|at| member(at, sent)).collect::<Vec<_>>().join(","));
        let (request, response) = (body(true), body(false));
        let texts = CallTexts { request: Some(&request), headers: None, response: Some(&response) };
        let (_, back) = call(&connection, &mut shapes, "{}", texts).unwrap();
        assert_eq!(back, [Some(request), None, Some(response)]);
    }
    let number: i64 = connection.query_row("SELECT count(*) FROM shapes", [], |row| row.get(0)).unwrap();
    assert!((1..=9).contains(&number), "{number}");
}

#[test]
fn shapes_have_a_bound_and_what_is_beyond_it_is_kept_as_it_is() {
    let connection = ledger();
    let mut shapes = Shapes::default();
    let mut number_after = |times: usize| -> i64 {
        for number in (0..2_100).flat_map(|number| std::iter::repeat_n(number, times)) {
            let text = format!("{{\"field-{number}\":true}}");
            assert_eq!(kept(&connection, &mut shapes, Kind::Flat, &text).1, Some(text));
        }
        connection.query_row("SELECT count(*) FROM shapes", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(number_after(1), 200, "most outlines were seen once");
    assert_eq!(number_after(1), 2_000);
    // Who reads them anew knows them all.
    let mut others = Shapes::default();
    others.know(&connection, 1).unwrap();
    assert_eq!(kept(&connection, &mut others, Kind::Flat, "{\"field-7\":1}").0, "\u{1c}8\u{1f}\u{1e}1\u{1f}");
}

/// Texts that look like JSON, and do not always hold to it.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just(",".to_owned()),
        Just(":".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just(" ".to_owned()),
        Just("\"traits\":{".to_owned()),
        Just("\"a\":".to_owned()),
        Just("\"after\":".to_owned()),
        Just("\"x\\\"y\"".to_owned()),
        Just("-0.10e400".to_owned()),
        Just("null".to_owned()),
        ".{0,3}",
        "[\u{0}-\u{1f}]",
    ];
    prop_oneof![
        proptest::collection::vec(piece, 0..24).prop_map(|pieces| format!("{{{}}}", pieces.concat())),
        proptest::collection::vec(
            (
                "[a-e]{1,2}",
                "(\"[^\\x00-\\x1f\"\\\\]{0,6}\"|-?[0-9]{1,30}|null|\\[1,\"b\"\\]|\\{\"c\":\\{\\}\\})"
            ),
            1..6
        )
        .prop_map(|members| {
            let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        }),
    ]
}

proptest! {
    #[test]
    fn any_text_comes_back(texts in proptest::collection::vec(texts(), 1..4)) {
        let connection = ledger();
        let mut shapes = Shapes::default();
        for text in &texts {
            for kind in KINDS {
                let (kept, back) = kept(&connection, &mut shapes, kind, text);
                prop_assert_eq!(back.as_ref(), Some(text), "{:?}", kept);
            }
        }
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        let of = |at: usize| texts.get(at).copied();
        let texts = CallTexts { request: of(0), headers: of(1), response: of(2) };
        if let Some((_, back)) = call(&connection, &mut shapes, texts.request.unwrap_or_default(), texts) {
            for (text, back) in [texts.request, texts.headers, texts.response].into_iter().zip(back) {
                let is_kept = text.is_some_and(|text| tokens(text, Kind::Body).is_some());
                prop_assert_eq!(back.as_deref(), text.filter(|_| is_kept));
            }
        }
    }
}
