//! Templates that want to run away, take all memory, or abort: each is a problem.

use coho_core::code::Code;
use coho_core::problem::Problem;
use coho_core::value::Value;
use coho_liquid::{CompileScope, Context, TemplateSettings, compile};

fn outcome(source: &str) -> Result<Value, Problem> {
    let template = compile(source, &CompileScope::free().settings(TemplateSettings::lenient()));
    let template = template.map_err(|problems| problems.into_iter().next().ok_or("a problem"));
    match template {
        Ok(template) => template.render(&Context::free(&Value::Null)),
        Err(Ok(problem)) => Err(problem),
        Err(Err(_)) => Ok(Value::Null),
    }
}

fn code(source: &str) -> Code {
    let problem = outcome(source).err();
    let shown = source.get(..source.len().min(60)).unwrap_or_default();
    assert!(problem.is_some(), "{shown} is no problem");
    problem.map_or(Code::WRONG_VALUE, |problem| {
        assert!(problem.message.len() < 200, "{}", problem.message);
        assert!(problem.place.is_some(), "{shown}");
        problem.code
    })
}

#[test]
fn endless_loops_use_up_their_steps() {
    for source in [
        "{% for i in (1..1000000000) %}{% endfor %}",
        "{% for i in (-9223372036854775808..9223372036854775807) %}{{ i }}{% endfor %}",
        "{% for i in (1..100000) %}{% for j in (1..100000) %}{% endfor %}{% endfor %}",
        "{% tablerow i in (1..1000000000) cols: 0 %}{% endtablerow %}",
        "{{ (1..1000000000) | where_exp: 'i', 'i > 5' }}",
        "{{ (1..1000000000) | sort | last }}",
        "{{ (1..1000000000) }}",
        "a{{ (1..1000000000) }}",
        "{{ (1..1000000000) | json }}",
        "{{ (1..1000000000) | sum }}",
        "{{ (1..1000000000) == (1..1000000000) }}",
        "{% if (1..1000000000) contains 'x' %}{% endif %}",
    ] {
        assert_eq!(code(source), Code::TEMPLATE_BUDGET, "{source}");
    }
}

#[test]
fn growing_values_use_up_their_bytes() {
    let repeated = |step: &str| format!("{{% assign s = 'xxxxxxxx' %}}{}{{{{ s | size }}}}", step.repeat(40));
    for source in [
        repeated("{% assign s = s | append: s %}"),
        repeated("{% assign s = s | prepend: s %}"),
        repeated("{% capture s %}{{ s }}{{ s }}{% endcapture %}"),
        repeated("{% assign s = s | replace: 'x', s %}"),
        repeated("{% assign s = s | split: '' | join: s %}"),
        repeated("{% assign s = s | concat: s %}").replace("'xxxxxxxx'", "(1..9)"),
        repeated("{% assign s = | json_array: s, s %}") + "{{ s | json }}",
        repeated("{% assign s = | json_construct: 'a', s, 'b', s %}") + "{{ s }}",
        repeated("{% assign s = | json_array: s, s %}") + "{% if s == s %}{% endif %}",
    ] {
        assert_eq!(code(&source), Code::TEMPLATE_BUDGET, "{source}");
    }
}

#[test]
fn values_cannot_be_nested_without_end() {
    let source =
        "{% assign a = 1 %}{% for i in (1..100000) %}{% assign a = | json_array: a %}{% endfor %}{{ a }}";
    assert_eq!(code(source), Code::TEMPLATE_FAILED);
    let source = "{% assign s = '[' %}{% for i in (1..12) %}{% assign s = s | append: s %}{% endfor %}{{ s | parse_json }}";
    assert_eq!(code(source), Code::TEMPLATE_FAILED);
}

#[test]
fn nesting_is_bounded() {
    for source in [
        "{% if a %}".repeat(5_000),
        format!("{}{}", "{% for i in a %}".repeat(60), "{% endfor %}".repeat(60)),
        format!("{{{{ a{} }}}}", "[a".repeat(20_000)),
        format!("{{{{ {}1 }}}}", "(".repeat(30_000)),
        format!("{{{{ {} a }}}}", "not ".repeat(10_000)),
        "{% liquid liquid ".to_owned() + &"liquid ".repeat(5_000) + "echo 1 %}",
        "{% case a %}{% when 1 %}".repeat(1_000),
    ] {
        assert_eq!(code(&source), Code::TEMPLATE_LIMIT);
    }
}

#[test]
fn what_is_nested_as_deep_as_allowed_is_rendered() {
    let source = format!("{}x{}", "{% if true %}".repeat(50), "{% endif %}".repeat(50));
    assert_eq!(outcome(&source).unwrap(), Value::text("x"));
    let source = format!("{{{{ a{}{} }}}}", "[a".repeat(50), "]".repeat(50));
    assert!(outcome(&source).unwrap().is_null());
    let deep = "{% assign a = 1 %}{% for i in (1..129) %}{% assign a = | json_array: a %}{% endfor %}";
    assert_eq!(
        outcome(&format!("{deep}{{{{ a | json | size }}}}{{% if a == a %}}{{{{ a }}}}{{% endif %}}"))
            .unwrap(),
        Value::text("2591")
    );
}

#[test]
fn long_templates_are_refused_without_being_read() {
    assert_eq!(code(&"[".repeat(100 << 20)), Code::TEMPLATE_LIMIT);
    assert_eq!(code(&"{{ a | b | c }}".repeat(1 << 16)), Code::TEMPLATE_LIMIT);
}

#[test]
fn what_crashes_others_is_a_problem_or_a_value() {
    for source in [
        "{{ 99999999999999999999 }}",
        "{{ -9223372036854775808 | divided_by: -1 }}",
        "{{ -9223372036854775808 | abs }}",
        "{{ -9223372036854775808 | modulo: -1 }}",
        "{{ 9223372036854775807 | plus: 1 | times: 9223372036854775807 }}",
        "{% comment %}{% %}{{ {% endcomment %}",
        "{{ 'x' | date: '%' }}",
        "{{ 0 | date: '%Q %- %99999999999Y %:::z' }}",
        "{{ 99999999999999 | date: '%Y' }}",
        "{{ -99999999999999 | date: '%Y' }}",
        "{{ 0 | date: '%Y', 99999999999 }}",
        "{{ 'abc' | slice: -9223372036854775808, 9223372036854775807 }}",
        "{{ 'abc' | truncate: -9223372036854775808 }}",
        "{{ '😀😀' | slice: 1, 2 }}",
        "{{ 1.5 | round: 99999999999999 }}",
        "{{ 1.5 | round: -99999999999999 }}",
        "{{ 1e400 }}",
        "{{ 8210266876799 | date: '%c', 'Asia/Tokyo' }}",
        "{{ -8334601228800 | date: '%c', 'America/New_York' }}",
        "{{ '9999-12-31T23:59:59Z' | date: '%c', -1439 }}",
        "{{ 'b,a,2,1' | split: ',' | push: 1 | push: nil | push: 0.5 | concat: (1..60) | reverse | sort }}",
        "{{ a[-9223372036854775808] }}",
        "{% tablerow i in (1..2) cols: -5 %}{% endtablerow %}",
        "{% for i in (1..3) limit: -5 offset: -5 %}{% endfor %}",
        "{% for i in a %}{% if b %}{% liquid endfor %}{% endif %}{% endfor %}",
        "{% for i in a %}{% if b %}{% liquid\n if c\n endfor %}{% endfor %}",
        "{%",
        "{{",
        "{% raw %}",
        "{%-%}",
        "{{-}}",
        "{% liquid",
    ] {
        // Either is right: that it comes back is what counts.
        assert!(outcome(source).is_ok() || !code(source).as_str().is_empty());
    }
}

#[test]
fn no_problem_shows_more_than_a_preview() {
    let secret = "s3cret ".repeat(100);
    let row = Value::Object(vec![("a".to_owned(), Value::text(secret.clone()))]);
    for source in [
        "{{ row.a | date: '%Y' }}",
        "{{ row.a | cast: 'number' }}",
        "{{ row.a | to_integer }}",
        "{{ row.a | parse_json }}",
        "{{ row.a | base64_decode }}",
        "{{ row.a | keys }}",
        "{{ 'x' | slice: row.a }}",
        "{{ 'x' | cast: row.a }}",
        "{{ '2024-01-01' | date: '%Y', row.a }}",
        "{{ row.a | only: 'x' }}",
        "{% for i in (1..2) limit: row.a %}{% endfor %}",
        "{{ row[row.a] }}",
    ] {
        let template = compile(source, &CompileScope::free()).unwrap();
        let problem = template.render(&Context::row_object(&row)).unwrap_err();
        let text = format!("{problem} {}", problem.help.clone().unwrap_or_default());
        assert!(text.matches("s3cret").count() <= 5, "{text}");
    }
}
