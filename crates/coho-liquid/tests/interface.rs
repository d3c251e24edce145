//! Filters that are written for the `liquid` crate are filters of these templates.

#![cfg(feature = "liquid")]
#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

#[path = "interface/written.rs"]
mod written;
#[path = "interface/stock.rs"]
mod stock;

use coho_core::code::Code;
use coho_core::problem::Problem;
use coho_core::value::Value;
use coho_liquid::{Budget, CompileScope, Context, FilterError, Filters, Template, TemplateSettings, compile};
use liquid_lib::stdlib::Append;

use written::{Echo, filters};

fn template(source: &str) -> Template {
    compile(source, &CompileScope::free().filters(&filters())).unwrap()
}

fn render(source: &str, row: &str) -> Result<Value, Problem> {
    let row = coho_core::json::parse(row).unwrap();
    template(source).render(&Context::row_object(&row))
}

fn refused(source: &str) -> Problem {
    compile(source, &CompileScope::free().filters(&filters())).unwrap_err().remove(0)
}

#[test]
fn a_filter_takes_its_input_and_its_arguments() {
    let row = r#"{"seats": 10, "used": 9, "limit": 0.5}"#;
    assert_eq!(render("{{ row.used | health: row.seats }}", row).unwrap(), Value::text("healthy"));
    assert_eq!(
        render("{{ row.used | health: row.seats, good: 0.95 }}", row).unwrap(),
        Value::text("at risk")
    );
    assert_eq!(render("{{ row.used | health: 100, good: row.limit }}", row).unwrap(), Value::text("at risk"));
    assert_eq!(render("{{ row.used | health: 10 | upcase }}!", row).unwrap(), Value::text("HEALTHY!"));
}

/// What goes through a filter comes back as it went in.
#[test]
fn values_are_the_same_both_ways() {
    let same = [
        "null",
        "true",
        "false",
        "0",
        "-1",
        "9007199254740993",
        "9223372036854775807",
        "-9223372036854775808",
        "\"\"",
        "\"a\\nb \u{1F600}\"",
        "[]",
        "[1,[null,\"x\"],{\"b\":1}]",
        "{}",
        "{\"a\":{\"b\":[false]}}",
        "\"2024-03-05\"",
    ];
    for json in same {
        let value = coho_core::json::parse(json).unwrap();
        assert_eq!(render("{{ row.v | echo }}", &format!("{{\"v\":{json}}}")).unwrap(), value, "{json}");
    }
    // What the crate has no type for is lent as its text.
    for digits in ["1.50", "18446744073709551615", "0.1000000000000000055511151231257827"] {
        let value = coho_core::json::parse(digits).unwrap();
        let row = format!("{{\"v\":{digits}}}");
        assert_eq!(render("{{ row.v | echo }}", &row).unwrap(), Value::text(digits));
        assert_eq!(render("{{ row.v | echo | cast: 'number' }}", &row).unwrap(), value);
    }
}

#[test]
fn members_come_back_by_name_and_ranges_as_lists() {
    let row = r#"{"v": {"b": 1, "a": 2, "c": [(1)]}}"#.replace("(1)", "1");
    let value = render("{{ row.v | echo }}", &row).unwrap();
    assert_eq!(value.to_string(), r#"{"a":2,"b":1,"c":[1]}"#);
    assert_eq!(render("{{ (2..4) | echo }}", "{}").unwrap().to_string(), "[2,3,4]");
    assert_eq!(
        render("{% assign r = (2..4) %}{{ 'a' | json_array: r | sum_all }}", "{}").unwrap(),
        Value::text("9")
    );
}

#[test]
fn moments_keep_their_instant_and_dates_their_day() {
    use coho_core::row::{Cell, Column, ColumnType, Columns, RowBuf};
    let column = |name: &str| Column { name: name.into(), kind: ColumnType::Mixed };
    let columns = Columns::new(vec![column("v")]).unwrap();
    let template = compile("{{ v | echo }}", &CompileScope::columns(&columns).filters(&filters())).unwrap();
    let through = |cell: Cell<'_>| template.render(&Context::row(&RowBuf::from_cells([cell]))).unwrap();
    for micros in [0, 1_709_633_472_123_456, -62_135_596_799_999_999, -1] {
        assert_eq!(through(Cell::Timestamp(micros)), Cell::Timestamp(micros).to_value());
        // What has no zone is UTC, as everywhere in templates.
        assert_eq!(through(Cell::LocalTimestamp(micros)), Cell::Timestamp(micros).to_value());
    }
    assert_eq!(through(Cell::Date(19_782)), Cell::Date(19_782).to_value());
    assert_eq!(through(Cell::Date(-1)), Cell::Date(-1).to_value());
    // The crate's years end at 9999.
    assert_eq!(through(Cell::Date(4_000_000)), Value::text("+12921-08-18"));
}

#[test]
fn arguments_are_evaluated_when_they_are_asked_for() {
    // The second argument is not there, and `first_of` never asks for it.
    assert_eq!(render("{{ 1 | first_of: 'a', row.gone }}", "{}").unwrap(), Value::text("a"));
    let problem = render("{{ 1 | first_of: row.gone, 'b' }}", "{}").unwrap_err();
    assert_eq!(problem.code, Code::UNDEFINED_VALUE);
    assert_eq!(problem.to_string(), "`row.gone` does not exist [undefined-value]");
    assert_eq!(problem.place.map(|place| (place.line, place.column)), Some((1, 18)));
}

#[test]
fn wrong_arguments_are_found_before_there_is_a_row() {
    for (source, says) in [
        (
            "\n{{ 1 | health }}",
            "`health`: Invalid number of arguments: expected at least 1 positional argument",
        ),
        (
            "\n{{ 1 | health: 1, 2 }}",
            "`health`: Invalid number of positional arguments: expected at most 1 positional argument",
        ),
        ("\n{{ 1 | health: 1, god: 2 }}", "`health`: Unexpected named argument `god`"),
    ] {
        let problem = refused(source);
        assert_eq!(problem.to_string(), format!("{says} [filter-arguments]"));
        assert_eq!(problem.place.map(|place| (place.line, place.column)), Some((2, 8)));
    }
    let problem = refused("{{ 1 | heath: 1 }}");
    assert_eq!(
        (problem.code, problem.help.as_deref()),
        (Code::UNKNOWN_FILTER, Some("did you mean `health`?"))
    );
    assert_eq!(refused("{{ | echo }}").code, Code::TEMPLATE_SYNTAX);
}

#[test]
fn what_fails_has_a_place_and_quotes_no_row() {
    let problem = render("a\n{{ row.name | fail }}", r#"{"name": "Ann"}"#).unwrap_err();
    assert_eq!(problem.to_string(), "`fail`: Invalid argument `mode`: Text expected [template-failed]");
    assert_eq!(problem.place.map(|place| (place.line, place.column)), Some((2, 15)));
    let problem = render("{{ 'x' | health: 1 }}", "{}").unwrap_err();
    assert_eq!(problem.to_string(), "`health`: Expected a number of seats in use [template-failed]");
    let problem = render("{{ 1 | peek }}", r#"{"name": "Ann"}"#).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "`peek`: a filter can use only its input and its arguments [template-failed]"
    );
}

#[test]
fn a_filter_spends_the_templates_budget() {
    let settings = TemplateSettings {
        budget: Budget { steps: 1_000, values: 10_000, ..Budget::default() },
        ..TemplateSettings::default()
    };
    let spent = |source: &str| {
        let template = compile(source, &CompileScope::free().settings(settings).filters(&filters())).unwrap();
        template
            .render(&Context::free(&Value::Null))
            .map(|value| value.to_string().len())
            .map_err(|problem| problem.code)
    };
    assert_eq!(spent("{{ 9000 | grow }}"), Ok(9_002));
    assert_eq!(spent("{{ 90000 | grow }}"), Err(Code::TEMPLATE_BUDGET));
    assert_eq!(spent("{% for i in (1..20) %}{{ 900 | grow }}{% endfor %}"), Err(Code::TEMPLATE_BUDGET));
    assert_eq!(spent("{{ (1..2000) | sum_all }}"), Err(Code::TEMPLATE_BUDGET));
    assert_eq!(spent("{{ 1 | forever }}"), Err(Code::TEMPLATE_FAILED));
}

#[test]
fn nothing_takes_the_name_of_another_filter() {
    let clash = Filters::new().with(Append).unwrap_err();
    assert_eq!(clash, FilterError::BuiltIn("append".to_owned()));
    assert_eq!(
        clash.to_string(),
        "`append` is a built-in filter; add yours under another name with `with_name`"
    );
    let twice = Filters::new().with(Echo).and_then(|filters| filters.with(Echo)).unwrap_err();
    assert_eq!(twice, FilterError::Twice("echo".to_owned()));
    for name in ["", "two words", "a|b", "1", "'a'", " a"] {
        let refused = Filters::new().with_name(name, Echo).unwrap_err();
        assert_eq!(refused, FilterError::Name(name.to_owned()));
    }
    assert_eq!(
        filters().names().collect::<Vec<_>>(),
        ["add", "echo", "fail", "first_of", "forever", "grow", "health", "peek", "sum_all"]
    );
}

#[test]
fn templates_with_added_filters_say_so() {
    let filters = filters();
    let scope = CompileScope::free().filters(&filters);
    assert!(template("{{ 1 | echo }}").calls_added() && template("{{ 1 | echo }}").may_give_null());
    assert!(!template("{{ 1 | plus: 1 }}").calls_added());
    // Nobody knows what such a filter makes of `'now'`.
    assert!(compile("{{ 'now' | echo }}", &scope).unwrap().is_volatile());
    assert!(!compile("{{ row.day | echo }}", &scope).unwrap().is_volatile());
}

#[test]
fn a_filter_by_hand_takes_any_number_of_arguments() {
    assert_eq!(render("{{ 1 | add: 2, 3.5, row.n }}", r#"{"n": 4}"#).unwrap().to_string(), "10.5");
}
