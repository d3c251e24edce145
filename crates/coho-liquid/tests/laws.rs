//! Laws of templates: nothing that is fed to them panics, and everything ends.

use coho_core::row::{Cell, Column, ColumnType, Columns, RowBuf};
use coho_core::value::Value;
use coho_liquid::{Budget, CompileScope, Context, Reads, TemplateSettings, compile};
use proptest::prelude::*;

fn columns() -> Columns {
    let column = |name: &str| Column { name: name.to_owned(), kind: ColumnType::Mixed };
    Columns::new(vec![column("a"), column("b c"), column("list")])
        .unwrap_or_else(|_| unreachable!("names differ"))
}

fn row() -> RowBuf {
    RowBuf::from_cells([Cell::Int(7), Cell::Text("Ann 😀"), Cell::Json(r#"[{"x":1.50,"y":null},2,"3"]"#)])
}

fn atom() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "a",
        "row.a",
        "row['b c']",
        "row.list",
        "row.list[0].x",
        "row",
        "i",
        "x",
        "forloop.index",
        "1",
        "-2.5",
        "'t'",
        "\"now\"",
        "nil",
        "true",
        "empty",
        "blank",
        "(1..3)",
        "(a..x)",
        "row[x]",
        "['a']",
        "sync",
        "run.id",
    ])
    .prop_map(str::to_owned)
}

fn expression() -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec!["==", "!=", "<", ">=", "contains", "and", "or"]);
    (atom(), operator, atom(), any::<bool>()).prop_map(|(left, operator, right, plain)| {
        if plain { left } else { format!("{left} {operator} {right}") }
    })
}

fn chain() -> impl Strategy<Value = String> {
    let filter = prop::sample::select(vec![
        "upcase",
        "size",
        "first",
        "last",
        "sort",
        "reverse",
        "json",
        "parse_json",
        "keys",
        "compact",
        "uniq",
        "date: '%Y'",
        "append: x",
        "split: ''",
        "join: ','",
        "plus: a",
        "divided_by: x",
        "times: 1.5",
        "round: 2",
        "map: 'x'",
        "where: 'x', 1",
        "sum: 'x'",
        "slice: -2, 5",
        "truncate: 3",
        "replace: 'a', x",
        "default: a",
        "json_construct: a",
        "json_array: x, i",
        "cast: 'number'",
        "concat: row.list",
        "where_exp: 'i', 'i.x > 1'",
        "strip_html",
        "url_decode",
        "base64_decode",
    ]);
    (expression(), prop::collection::vec(filter, 0..4)).prop_map(|(head, filters)| {
        filters.into_iter().fold(head, |chain, filter| format!("{chain} | {filter}"))
    })
}

fn template() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-z \n{}%]{0,6}",
        chain().prop_map(|chain| format!("{{{{- {chain} }}}}")),
        chain().prop_map(|chain| format!("{{% assign x = {chain} -%}}")),
        Just("{% break %}".to_owned()),
        Just("{% cycle 'a', x %}".to_owned()),
        Just("{% increment x %}".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let body = prop::collection::vec(inner, 0..4).prop_map(|parts| parts.concat());
        prop_oneof![
            (expression(), body.clone())
                .prop_map(|(test, body)| format!("{{% if {test} %}}{body}{{% else %}}{body}{{% endif %}}")),
            (atom(), body.clone())
                .prop_map(|(list, body)| format!("{{% for i in {list} limit: 3 %}}{body}{{% endfor %}}")),
            (atom(), body.clone()).prop_map(|(test, body)| format!(
                "{{% case {test} %}}{{% when a, 't' %}}{body}{{% endcase %}}"
            )),
            body.clone().prop_map(|body| format!("{{% capture x %}}{body}{{% endcapture %}}{{{{ x }}}}")),
            body.prop_map(|body| format!("{{% ifchanged %}}{body}{{% endifchanged %}}")),
        ]
    })
}

fn scopes() -> [CompileScope; 2] {
    let budget = Budget { steps: 5_000, values: 1 << 16, output: 1 << 14, ..Budget::default() };
    let columns = columns();
    let lenient = TemplateSettings { budget, ..TemplateSettings::lenient() };
    let strict = TemplateSettings { budget, ..TemplateSettings::default() };
    [CompileScope::columns(&columns).settings(lenient), CompileScope::columns(&columns).settings(strict)]
}

proptest! {
    #[test]
    fn any_text_is_a_template_or_problems_with_places(source in ".{0,80}|[{}%|.'\"a-c \\[\\]()#-]{0,60}") {
        for scope in scopes() {
            match compile(&source, &scope) {
                Ok(template) => drop(template.render(&Context::row(&row()))),
                Err(problems) => {
                    prop_assert!(!problems.is_empty());
                    for problem in problems {
                        let place = problem.place.unwrap_or_default();
                        let line = source.split('\n').nth(place.line.saturating_sub(1) as usize);
                        prop_assert!(line.is_some_and(|line| place.column as usize <= line.chars().count() + 1), "{place}");
                    }
                }
            }
        }
    }

    #[test]
    fn templates_end_within_their_budget(source in template()) {
        for scope in scopes() {
            if let Ok(template) = compile(&source, &scope)
                && let Ok(text) = template.render_text(&Context::row(&row()))
            {
                prop_assert!(text.len() <= 1 << 14);
            }
        }
    }

    #[test]
    fn a_column_that_is_not_read_does_not_matter(source in template()) {
        let [_, strict] = scopes();
        let Ok(template) = compile(&source, &strict) else { return Ok(()) };
        let Reads::Columns(reads) = template.columns() else { return Ok(()) };
        if template.is_volatile() {
            return Ok(());
        }
        let other = RowBuf::from_cells(
            row().cells().enumerate().map(|(at, cell)| if reads.contains(&at) { cell } else { Cell::Text("other") }),
        );
        prop_assert_eq!(template.render(&Context::row(&row())).ok(), template.render(&Context::row(&other)).ok());
    }

    #[test]
    fn whole_numbers_and_decimals_pass_unchanged(number in any::<i64>(), digits in "-?[1-9][0-9]{0,30}\\.[0-9]{1,10}") {
        let [_, strict] = scopes();
        let template = compile("{{ row['a'] }}", &strict).map_err(|problems| TestCaseError::fail(format!("{problems:?}")))?;
        let row = RowBuf::from_cells([Cell::Int(number)]);
        prop_assert_eq!(template.render(&Context::row(&row)).ok(), Some(Value::Int(number)));
        let row = RowBuf::from_cells([Cell::Decimal(&digits)]);
        let shown = template.render(&Context::row(&row)).map(|value| value.to_string()).ok();
        prop_assert_eq!(shown, Some(digits));
    }
}
