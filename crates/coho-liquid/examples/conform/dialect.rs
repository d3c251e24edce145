//! Where Ruby's Liquid and LiquidJS differ, whom Coho follows, and why: the table at the end of `docs/reference/liquid.md`.
//!
//! LiquidJS's side is recorded from LiquidJS itself, `cargo xtask conform --liquidjs`; what Coho gives is rendered. Ruby's side is
//! that of golden-liquid's cases and of Shopify's documentation.

use std::fmt::Write;

use coho_core::value::Value;
use coho_liquid::{CompileScope, Context, TemplateSettings, compile};

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Decision {
    /// The case.
    pub(crate) what: &'static str,
    /// A template over [`DATA`] that shows it.
    pub(crate) template: &'static str,
    /// What Ruby's Liquid gives.
    pub(crate) ruby: &'static str,
    /// Whom Coho follows.
    pub(crate) follows: Follows,
    /// The reason.
    pub(crate) why: &'static str,
}

/// Whom Coho follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follows {
    /// LiquidJS: the recorded value must be Coho's.
    LiquidJs,
    /// Ruby's Liquid, as LiquidJS gives something else.
    Ruby,
    /// Neither.
    Own,
}

const fn decision(
    follows: Follows,
    what: &'static str,
    template: &'static str,
    ruby: &'static str,
    why: &'static str,
) -> Decision {
    Decision { what, template, ruby, follows, why }
}

const ANCHOR: &str = "existing templates were written for LiquidJS";
const LOSSY: &str = "LiquidJS's value is lossy";
const NONSENSE: &str = "LiquidJS's value says nothing";
const NO_NUMBER: &str = "JSON has no such number";
const WORDS: &str = "in LiquidJS a nil variable is blank, and the word `nil` is not";
const BOTH_LESS: &str = "both say less than its JSON";
const EMPTIES: &str = "empty texts and arrays are replaced too";
const MISTAKE: &str = "it is a mistake in the template, which must be found";
const BROKEN: &str = "a template must be found broken before anything is sent";
const FAILS: &str = "LiquidJS fails";
const ZONE: &str = "LiquidJS gives it where its process runs in UTC";
const NO_DATE: &str =
    "what is not a date must not arrive as one; a problem, unless undefined values are empty";
const FORMS: &str = "PostgreSQL and ISO 8601 write them";
const ECHO: &str = "it is `{{ … }}` in another form";
const MINUTES: &str = "an offset has whole minutes";

/// The data of the table's templates.
pub(crate) const DATA: &str = r#"{"row": {"plan": "pro", "seats": 12, "tags": ["b", "a", "b"], "created": "2024-03-05T22:11:12Z", "address": {"city": "Bergen", "zip": "5003"}, "items": [{"sku": "A1", "qty": 2}, {"sku": "B2", "qty": null}], "nested": [[1, 2], [3]], "nums": [10, 9, 1], "object": {}, "emoji": "a😀b", "text": "10", "nothing": null, "mixed": [3, null, "b"]}}"#;

/// The table.
pub(crate) const DECISIONS: &[Decision] = &[
    decision(Follows::LiquidJs, "division", "{{ 5 | divided_by: 3 }}", "1", ANCHOR),
    decision(Follows::Ruby, "decimals are exact", "{{ 10.1 | minus: 2.2 }}", "7.9", LOSSY),
    decision(Follows::LiquidJs, "whole decimals", "{{ 10 | minus: 2.0 }}", "8.0", ANCHOR),
    decision(
        Follows::Ruby,
        "digits of a large number in a text",
        "{{ '1000000000000000000000' | times: 10 }}|",
        "10000000000000000000000|",
        LOSSY,
    ),
    decision(Follows::Ruby, "`round` to a part of a digit", "{{ 5.666 | round: 1.2 }}", "5.7", NONSENSE),
    decision(Follows::LiquidJs, "booleans in arithmetic", "{{ true | plus: 1 }}", "1", ANCHOR),
    decision(Follows::Ruby, "what is no number", "{{ 1 | divided_by: 0 }}", "refused", NO_NUMBER),
    decision(Follows::Own, "a text that is no number", "{{ 'x' | to_integer }}", "no such filter", NO_NUMBER),
    decision(
        Follows::Ruby,
        "words compared with words",
        "{% if nil == blank %}y{% else %}n{% endif %}",
        "y",
        WORDS,
    ),
    decision(
        Follows::Ruby,
        "nil and what is not there",
        "{% if row.nothing == row.gone %}y{% else %}n{% endif %}",
        "y",
        NONSENSE,
    ),
    decision(
        Follows::Own,
        "the JSON of the words `nil`, `blank`, `empty`",
        "{{ nil | json }}",
        "no such filter",
        NONSENSE,
    ),
    decision(
        Follows::Own,
        "the JSON of `forloop`",
        "{% for i in (1..1) %}{{ forloop | json }}{% endfor %}",
        "no such filter",
        NONSENSE,
    ),
    decision(Follows::Ruby, "white space before `.`", "{{ row .plan }}", "pro", NONSENSE),
    decision(
        Follows::Ruby,
        "the ends of a range that are no numbers",
        "{% for i in ('a'..2) %}{{ i }}{% endfor %}",
        "012",
        NONSENSE,
    ),
    decision(
        Follows::Ruby,
        "the ends of a range with fractions",
        "{% for i in (1.5..3) %}{{ i }},{% endfor %}",
        "1,2,3,",
        NONSENSE,
    ),
    decision(
        Follows::LiquidJs,
        "blocks that hold white space only",
        "{% if true %} {% endif %}|",
        "|",
        ANCHOR,
    ),
    decision(Follows::LiquidJs, "a range in a text", "{{ (1..3) }}|", "1..3|", ANCHOR),
    decision(
        Follows::Own,
        "an object in a text",
        "{{ row.address }}|",
        "{\"city\"=>\"Bergen\", \"zip\"=>\"5003\"}|",
        BOTH_LESS,
    ),
    decision(Follows::LiquidJs, "`join` of lists in lists", "{{ row.nested | join: '#' }}", "1#2#3", ANCHOR),
    decision(
        Follows::LiquidJs,
        "`concat` of lists in lists",
        "{{ row.nested | concat: row.tags | size }}",
        "6",
        ANCHOR,
    ),
    decision(Follows::Ruby, "`size` of an object", "{{ row.address | size }}", "2", NONSENSE),
    decision(Follows::LiquidJs, "`size` of a text: UTF-16 units", "{{ row.emoji | size }}", "3", ANCHOR),
    decision(
        Follows::LiquidJs,
        "`slice` and `truncate` of a text: characters",
        "{{ row.emoji | slice: 1, 2 }}",
        "😀b",
        ANCHOR,
    ),
    decision(
        Follows::Ruby,
        "characters are not cut in two",
        "{{ row.emoji | split: '' | size }}",
        "3",
        NONSENSE,
    ),
    decision(Follows::Ruby, "`first` of an object", "{{ row.address | first | size }}", "2", NONSENSE),
    decision(
        Follows::Ruby,
        "`default` of an empty object",
        "{{ row.object | default: 'none' }}",
        "none",
        EMPTIES,
    ),
    decision(
        Follows::Ruby,
        "`compact` and `uniq` by a property",
        "{{ row.items | compact: 'qty' | size }}",
        "1",
        NONSENSE,
    ),
    decision(
        Follows::LiquidJs,
        "`where`, `find`, `has`, `reject` with `nil`",
        "{{ row.items | where: 'qty', nil | map: 'sku' }}",
        "A1",
        ANCHOR,
    ),
    decision(Follows::LiquidJs, "the same over texts", "{{ row.tags | where: 'b' | size }}", "2", ANCHOR),
    decision(
        Follows::Ruby,
        "`map`, `where`, `has`, `reject`, `sum` by a property of numbers",
        "{{ row.mixed | map: 'sku' }}",
        "refused",
        MISTAKE,
    ),
    decision(Follows::Ruby, "`sort` of what has no order", "{{ row.mixed | sort }}", "refused", NONSENSE),
    decision(
        Follows::LiquidJs,
        "a text compared with a number",
        "{% if row.text > 9 %}y{% endif %}",
        "refused",
        ANCHOR,
    ),
    decision(
        Follows::Ruby,
        "a text compared with a number, both written in the template",
        "{% if '10' > 9 %}y{% endif %}",
        "refused",
        MISTAKE,
    ),
    decision(
        Follows::Ruby,
        "a list or an object in an order",
        "{% if row.tags > 1 %}y{% endif %}",
        "refused",
        NONSENSE,
    ),
    decision(
        Follows::LiquidJs,
        "`contains` of an object",
        "{% if row.address contains 'city' %}y{% else %}n{% endif %}",
        "y",
        ANCHOR,
    ),
    decision(
        Follows::LiquidJs,
        "`replace` of the empty text",
        "{{ 'ab' | replace: '', 'x' }}",
        "xaxbx",
        ANCHOR,
    ),
    decision(Follows::LiquidJs, "`split` at a space", "{{ 'a  b' | split: ' ' | size }}", "2", ANCHOR),
    decision(
        Follows::LiquidJs,
        "`truncate` with an ending that is not there",
        "{{ 'Ground control to Major Tom.' | truncate: 20, gone }}",
        "Ground control to Ma",
        ANCHOR,
    ),
    decision(
        Follows::LiquidJs,
        "`truncatewords` of so many words",
        "{{ 'one two' | truncatewords: 2 }}",
        "one two",
        ANCHOR,
    ),
    decision(Follows::LiquidJs, "`escape` of a quote", "{{ '\"' | escape }}", "&quot;", ANCHOR),
    decision(
        Follows::Ruby,
        "`escape_once` of other entities",
        "{{ '&eacute;' | escape_once }}",
        "&eacute;",
        NONSENSE,
    ),
    decision(Follows::LiquidJs, "`url_encode` of `!~*'()`", "{{ '!' | url_encode }}", "%21", ANCHOR),
    decision(
        Follows::Ruby,
        "`url_decode` of a `%` that begins nothing",
        "{{ '100%' | url_decode }}",
        "100%",
        FAILS,
    ),
    decision(
        Follows::Ruby,
        "`base64_url_safe_encode` and `_decode`",
        "{{ 'a' | base64_url_safe_encode }}",
        "YQ==",
        NONSENSE,
    ),
    decision(Follows::LiquidJs, "`join: nil`", "{{ row.tags | join: nil }}", "bab", ANCHOR),
    decision(
        Follows::Ruby,
        "a text for the start of `slice` of a list",
        "{{ row.tags | slice: '1' | size }}",
        "1",
        NONSENSE,
    ),
    decision(
        Follows::LiquidJs,
        "`assign` to the name of a loop's items",
        "{% for i in row.nums %}{% assign i = 'x' %}{{ i }} {% endfor %}{{ i }}",
        "10 9 1 x",
        ANCHOR,
    ),
    decision(
        Follows::Ruby,
        "`raw` that ends with white space control",
        "{% raw %}{{ a }} {%- endraw %}|",
        "{{ a }}|",
        FAILS,
    ),
    decision(Follows::Ruby, "what `comment` encloses", "{% comment %}{{ a {% endcomment %}|", "|", FAILS),
    decision(
        Follows::LiquidJs,
        "`case`: a branch with two equal values",
        "{% case 1 %}{% when 1, 1 %}x{% endcase %}",
        "xx",
        ANCHOR,
    ),
    decision(
        Follows::LiquidJs,
        "`case`: `when` after `else`",
        "{% case 1 %}{% else %}e{% when 1 %}w{% endcase %}",
        "w",
        ANCHOR,
    ),
    decision(
        Follows::LiquidJs,
        "`cycle` with one name and other values",
        "{% cycle 'g': 'a', 'b' %}{% cycle 'g': 'c', 'd' %}",
        "ad",
        ANCHOR,
    ),
    decision(Follows::Ruby, "`cycle` of 0 or false", "{% cycle 0, 'b' %}|", "0|", LOSSY),
    decision(
        Follows::LiquidJs,
        "a loop that is limited to nothing",
        "{% for i in row.tags limit: 0 %}{{ i }}{% else %}none{% endfor %}",
        "none",
        ANCHOR,
    ),
    decision(
        Follows::Ruby,
        "`forloop.parentloop`",
        "{% for i in (1..2) %}{% for j in (1..1) %}{{ forloop.parentloop.index }}{% endfor %}{% endfor %}",
        "12",
        NONSENSE,
    ),
    decision(Follows::Ruby, "`ifchanged`", "{% ifchanged %}x{% endifchanged %}", "x", FAILS),
    decision(
        Follows::LiquidJs,
        "`tablerow`",
        "{% tablerow i in (1..2) %}{{ i }}{% endtablerow %}",
        "<tr class=\"row1\">\\n<td class=\"col1\">1</td><td class=\"col2\">2</td></tr>\\n",
        ANCHOR,
    ),
    decision(
        Follows::Own,
        "`tablerow` with a part of a column",
        "{% tablerow i in (1..3) cols: 2.6 %}{{ i }}{% endtablerow %}",
        "two columns, with line breaks",
        NONSENSE,
    ),
    decision(Follows::LiquidJs, "`\\'` in a text", "{{ 'it\\'s' }}", "refused", ANCHOR),
    decision(Follows::Own, "`echo` alone keeps its type", "{% echo row.seats %}", "12, a text", ECHO),
    decision(Follows::LiquidJs, "comparisons as values", "{{ 1 == 1 }}", "refused", ANCHOR),
    decision(Follows::Ruby, "unknown filters and tags", "{{ row.plan | shout }}", "refused", BROKEN),
    decision(Follows::Ruby, "wrong arguments", "{{ row.created | date }}", "refused", BROKEN),
    decision(Follows::Ruby, "what follows a value and means nothing", "{{ 'a' 'b' }}", "refused", BROKEN),
    decision(Follows::Ruby, "members of a literal", "{{ 'abc'.size }}", "refused", BROKEN),
    decision(
        Follows::Ruby,
        "patterns of `date` that LiquidJS does not know: `%D %F %G %R %r %T %V %v`",
        "{{ row.created | date: '%F' }}",
        "2024-03-05",
        NONSENSE,
    ),
    decision(Follows::Ruby, "`%Z` without a zone", "{{ row.created | date: '%Z' }}", "UTC", ZONE),
    decision(
        Follows::Ruby,
        "fractions of a second finer than milliseconds",
        "{{ '2024-07-14T15:04:05.123456Z' | date: '%N' }}",
        "123456000",
        LOSSY,
    ),
    decision(
        Follows::Ruby,
        "a year below 100 before a time",
        "{{ '0042-03-05 10:11:12' | date: '%Y' }}",
        "0042",
        FORMS,
    ),
    decision(
        Follows::Own,
        "what is not a date, though JavaScript reads one",
        "{{ 'order 2024-07-14' | date: '%Y' }}",
        "2024",
        NO_DATE,
    ),
    decision(
        Follows::Ruby,
        "a day that is not there",
        "{{ '2024-02-30' | date: '%Y-%m-%d' }}",
        "2024-02-30",
        NO_DATE,
    ),
    decision(Follows::Own, "a date without a year", "{{ 'Mar 5' | date: '%Y' }}", "this year", NO_DATE),
    decision(Follows::Ruby, "a boolean or a list as a date", "{{ true | date: '%Y' }}", "true", NO_DATE),
    decision(Follows::Own, "a year of five digits", "{{ '+12026-01-01' | date: '%Y' }}", "12026", NO_DATE),
    decision(
        Follows::Own,
        "forms of dates that JavaScript does not read: PostgreSQL's zones, a comma before a fraction, `5th`",
        "{{ '2024-03-05T10:11:12+02' | date: '%H' }}",
        "10",
        FORMS,
    ),
    decision(
        Follows::Own,
        "zones before there were time zones",
        "{{ '0042-03-05T10:11:12Z' | date: '%z', 'Europe/Oslo' }}",
        "+0043",
        MINUTES,
    ),
];

/// What LiquidJS gives, for the templates of the table: pairs of a template and its answer.
const RECORDED: &str = include_str!("../../fixtures/liquidjs/dialect.json");

/// What Coho gives for a template of the table: JSON, a text, or `refused`.
fn shown(template: &str) -> String {
    let scope = CompileScope::free().settings(TemplateSettings::lenient());
    let data = coho_core::json::parse(DATA).unwrap_or(coho_core::value::Value::Null);
    let given =
        compile(template, &scope).ok().and_then(|compiled| compiled.render(&Context::free(&data)).ok());
    given.map_or_else(|| "refused".to_owned(), |value| value.to_string())
}

/// Templates of a LiquidJS suite whose value differs on purpose.
pub(crate) const DIFFERENCES: &[(&str, &str)] = &[
    ("{{ row.address }}", "as a text an object is JSON, not `[object Object]`"),
    ("{{ row.ratio | plus: 0.2 }}", "decimal numbers are added exactly: 0.3, not 0.30000000000000004"),
    ("{{ row.nested | concat }}", "a filter without its argument is refused"),
    (
        "{% for a in row.nested %}{% for b in a %}{{ forloop.parentloop.index }}.{{ b }} {% endfor %}{% endfor %}",
        "`forloop.parentloop` is there, as in Ruby",
    ),
    (
        "{% tablerow i in (1..4) cols:2.6 %}{{ i }} {{ tablerowloop.col_first }}{% endtablerow %}",
        "the whole part of `cols`, in LiquidJS's form",
    ),
    (
        "{{ a | uniq | join: '#' }}",
        "`uniq` keeps one of several equal objects, as in Ruby; LiquidJS keeps all that are not the same in memory",
    ),
];

/// What LiquidJS gives for a template of the table.
fn recorded(template: &str) -> String {
    let Ok(Value::Array(pairs)) = coho_core::json::parse(RECORDED) else { return String::new() };
    let answer = pairs.iter().find_map(|pair| {
        let Value::Array(pair) = pair else { return None };
        pair.first().filter(|first| first.as_text() == Some(template)).and(pair.get(1))
    });
    match answer {
        None => String::new(),
        Some(answer) if answer.get("error").is_some() => "fails".to_owned(),
        Some(answer) => answer
            .get("number")
            .map_or_else(|| answer.to_string(), |number| number.as_text().unwrap_or_default().to_owned()),
    }
}

/// The section of the reference.
pub(crate) fn section() -> String {
    let mut out = String::from(
        "## Where Ruby's Liquid and LiquidJS differ\n\nWhat LiquidJS 10.30.1 gives is recorded from it, what Coho gives is rendered; both as \
         values, with undefined values empty.\n\n| case | template | Ruby | LiquidJS | Coho | why |\n|---|---|---|---|---|---|\n",
    );
    for decision in DECISIONS {
        let follows = match decision.follows {
            Follows::LiquidJs => "as LiquidJS: ",
            Follows::Ruby => "as Ruby: ",
            Follows::Own => "",
        };
        let (template, ruby) = (cell(decision.template), cell(decision.ruby));
        let (liquidjs, coho) = (cell(&recorded(decision.template)), cell(&shown(decision.template)));
        line(
            &mut out,
            format_args!(
                "| {} | `{template}` | `{ruby}` | `{liquidjs}` | `{coho}` | {follows}{} |",
                decision.what, decision.why
            ),
        );
    }
    let rest = "\nThe data of these templates:\n\n```json\n";
    line(&mut out, format_args!("{rest}{DATA}\n```"));
    out.push_str(
        "\nOf a suite of LiquidJS's own values these differ on purpose:\n\n| template | why |\n|---|---|\n",
    );
    for (template, why) in DIFFERENCES {
        line(&mut out, format_args!("| `{}` | {why} |", cell(template)));
    }
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let written = writeln!(out, "{text}");
    debug_assert!(written.is_ok(), "a string takes all text");
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ⏎ ")
}
