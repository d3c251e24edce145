//! The stock filters of `liquid-lib` that agree with the dialect: through the interface they give what the built-in ones give.

use coho_core::value::Value;
use coho_liquid::{CompileScope, Context, Filters, TemplateSettings, compile};
use liquid_lib::stdlib::{
    Append, Downcase, Lstrip, Prepend, Remove, RemoveFirst, Replace, ReplaceFirst, Rstrip, Strip, StripHtml,
    StripNewlines, Upcase,
};

/// Each stock filter with its arguments; it stands beside the built-in one as `stock_…`.
const CALLS: [(&str, &[&str]); 13] = [
    ("append", &[": 'b'", ": row.other"]),
    ("downcase", &[""]),
    ("lstrip", &[""]),
    ("prepend", &[": 'b'", ": row.other"]),
    ("remove", &[": 'a'", ": row.other"]),
    ("remove_first", &[": 'a'", ": row.other"]),
    ("replace", &[": 'a', 'xy'", ": row.other, row.value"]),
    ("replace_first", &[": 'a', 'xy'", ": row.other, row.value"]),
    ("rstrip", &[""]),
    ("strip", &[""]),
    ("strip_html", &[""]),
    ("strip_newlines", &[""]),
    ("upcase", &[""]),
];

const VALUES: [&str; 16] = [
    "\"\"",
    "\"a\"",
    "\" A b \\n\"",
    "\"ab ab\\r\\n ab\"",
    "\"<b>x</b> <!-- y --> &amp;\"",
    "\"Straße ÆØÅ\"",
    "\"😀 a\"",
    "null",
    "true",
    "false",
    "0",
    "-7",
    "9007199254740993",
    "1.5",
    "\"<script>a</script>b\"",
    "\"\\t tab \"",
];

/// No empty text: where one is looked for, the built-in filters do as LiquidJS does.
const OTHERS: [&str; 6] = ["\"a\"", "0", "\"b \"", "1.5", "true", "\"\\n\""];

fn stock() -> Filters {
    let add = |filters: Filters, filter: Box<dyn liquid_core::ParseFilter>| {
        let name = format!("stock_{}", filter.reflection().name());
        filters.with_name(&name, filter).unwrap()
    };
    let all: [Box<dyn liquid_core::ParseFilter>; 13] = [
        Append.into(),
        Downcase.into(),
        Lstrip.into(),
        Prepend.into(),
        Remove.into(),
        RemoveFirst.into(),
        Replace.into(),
        ReplaceFirst.into(),
        Rstrip.into(),
        Strip.into(),
        StripHtml.into(),
        StripNewlines.into(),
        Upcase.into(),
    ];
    all.into_iter().fold(Filters::new(), add)
}

#[test]
fn thirteen_stock_filters_give_what_the_built_in_ones_give() {
    let filters = stock();
    let scope = CompileScope::free().settings(TemplateSettings::lenient()).filters(&filters);
    let render = |name: &str, arguments: &str, row: &Value| {
        let source = format!("{{{{ row.value | {name}{arguments} }}}}");
        compile(&source, &scope).unwrap().render(&Context::row_object(row)).map_err(|problem| problem.code)
    };
    let mut compared = 0;
    for (name, calls) in CALLS {
        for arguments in calls {
            for (at, value) in VALUES.iter().enumerate() {
                let other = OTHERS[at % OTHERS.len()];
                let row =
                    coho_core::json::parse(&format!("{{\"value\":{value},\"other\":{other}}}")).unwrap();
                let (ours, theirs) =
                    (render(name, arguments, &row), render(&format!("stock_{name}"), arguments, &row));
                assert_eq!(ours, theirs, "{name}{arguments} of {value} with {other}");
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 19 * VALUES.len());
}
