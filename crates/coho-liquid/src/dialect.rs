//! Where Ruby's Liquid and LiquidJS differ: what Coho does, and why.

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) what: &'static str,
    pub(crate) ruby: &'static str,
    pub(crate) liquidjs: &'static str,
    pub(crate) coho: &'static str,
    pub(crate) why: &'static str,
}

const fn decision(
    what: &'static str,
    ruby: &'static str,
    liquidjs: &'static str,
    coho: &'static str,
    why: &'static str,
) -> Decision {
    Decision { what, ruby, liquidjs, coho, why }
}

const ANCHOR: &str = "existing templates were written for LiquidJS";
const LOSSY: &str = "LiquidJS's value is lossy";
const NONSENSE: &str = "LiquidJS's value says nothing";

/// The table.
pub(crate) const DECISIONS: &[Decision] = &[
    decision(
        "`{{ 5 \\| divided_by: 3 }}`",
        "`1`",
        "`1.6666666666666667`",
        "as LiquidJS; `divided_by: 3, true` gives `1`",
        ANCHOR,
    ),
    decision("`{{ 10.1 \\| minus: 2.2 }}`", "`7.9`", "`7.8999999999999995`", "as Ruby", LOSSY),
    decision("`{{ 10 \\| minus: 2.0 }}`", "`8.0`", "`8`", "as LiquidJS", ANCHOR),
    decision(
        "`{{ 5.666 \\| round: 1.2 }}`",
        "`5.7`",
        "`5.666`",
        "as Ruby: the places are a whole number",
        NONSENSE,
    ),
    decision("`{{ true \\| plus: 1 }}`", "`1`", "`2`", "as LiquidJS", ANCHOR),
    decision(
        "`nil == blank`",
        "true",
        "false",
        "as Ruby",
        "in LiquidJS a nil variable is blank, and the word `nil` is not",
    ),
    decision("white space before `.`", "allowed", "another value", "as Ruby", NONSENSE),
    decision("`('a'..5)`", "from 0", "empty", "as Ruby: what is no number is 0, as in arithmetic", NONSENSE),
    decision("blocks that hold white space only", "render nothing", "render it", "as LiquidJS", ANCHOR),
    decision("`{{ (1..3) }}`", "`1..3`", "`123`", "as LiquidJS; typed it is the array", ANCHOR),
    decision(
        "`{{ object }}` in a text",
        "`{\"a\"=>1}`",
        "`[object Object]`",
        "JSON, `{\"a\":1}`",
        "both say less",
    ),
    decision("`join` of arrays in arrays", "flattened", "with commas", "as LiquidJS", ANCHOR),
    decision(
        "`{{ array \\| concat: … }}` of arrays in arrays",
        "flattened",
        "kept",
        "as LiquidJS",
        "the value keeps its shape",
    ),
    decision("`size` of an object", "its members", "`0`", "as Ruby", NONSENSE),
    decision(
        "`size` of a text, `slice`, `truncate`",
        "characters",
        "UTF-16 units for `size`, characters for the others",
        "as LiquidJS",
        ANCHOR,
    ),
    decision("`first` of an object", "its first name and value", "nothing", "as Ruby", NONSENSE),
    decision(
        "`default` of an empty object",
        "the default",
        "the object",
        "as Ruby: empty texts and arrays are replaced too",
        NONSENSE,
    ),
    decision(
        "`compact: 'property'`, `uniq: 'property'`",
        "by the property",
        "the property is ignored",
        "as Ruby",
        NONSENSE,
    ),
    decision(
        "`where`, `find`, `has`, `reject` with `nil`",
        "as without a value",
        "where the property is nil",
        "as LiquidJS",
        ANCHOR,
    ),
    decision("the same over texts", "looks for a part of the text", "finds nothing", "as LiquidJS", ANCHOR),
    decision("the same over nil items", "stop", "skip them", "as LiquidJS", ANCHOR),
    decision(
        "`replace: '', 'x'`",
        "before, between and behind all characters",
        "between them",
        "as LiquidJS",
        ANCHOR,
    ),
    decision("`split: ' '`", "at any white space", "at spaces", "as LiquidJS", ANCHOR),
    decision("`truncate: 20, undefined`", "without an ending", "with `...`", "as LiquidJS", ANCHOR),
    decision("`escape` of `\"`", "`&quot;`", "`&#34;`", "as LiquidJS", ANCHOR),
    decision("`url_encode` of `!~*'()`", "encoded", "kept", "as LiquidJS", ANCHOR),
    decision("`base64_url_safe_*`", "there", "not there: the value passes", "as Ruby", NONSENSE),
    decision("`join: nil`", "without a separator", "with a space", "as LiquidJS", ANCHOR),
    decision("`case`: a branch with two equal values", "rendered twice", "once", "as LiquidJS", ANCHOR),
    decision(
        "`case`: `when` after `else`",
        "rendered where it is equal",
        "rendered with `else`",
        "as LiquidJS",
        ANCHOR,
    ),
    decision(
        "`cycle` with one name and other values",
        "one place for both",
        "a place each",
        "as LiquidJS",
        ANCHOR,
    ),
    decision("`forloop.parentloop`", "there", "not there", "as Ruby", NONSENSE),
    decision(
        "`tablerow`",
        "with line breaks",
        "without; `break` ends a cell, and then the loop around the table",
        "as LiquidJS",
        ANCHOR,
    ),
    decision(
        "`tablerow … cols: 2.6`",
        "two columns",
        "a column `1.4`",
        "two columns, written as LiquidJS does",
        NONSENSE,
    ),
    decision("`\\'` in a text", "no escape", "a quote", "as LiquidJS", ANCHOR),
    decision("`{{ a == b }}`, `{{ not a }}`, `{{ (1..5) }}`", "refused", "a value", "as LiquidJS", ANCHOR),
    decision(
        "a value that is not there",
        "empty",
        "empty",
        "refused; empty where the setting says so",
        "a mistyped name must not clear a trait",
    ),
    decision(
        "a date that cannot be read",
        "unchanged",
        "unchanged",
        "a problem; unchanged where undefined values are empty",
        "what is no date must not arrive as one",
    ),
    decision(
        "unknown filters and tags, wrong arguments",
        "refused",
        "unknown filters pass the value, arguments are not checked",
        "refused",
        "a template must be found broken before anything is sent",
    ),
    decision(
        "`row.text > 1`",
        "refused",
        "compared as numbers",
        "as LiquidJS; refused where the template writes both",
        ANCHOR,
    ),
    decision(
        "`sort` of texts and numbers; a list or an object in an order",
        "refused",
        "compared somehow",
        "refused",
        NONSENSE,
    ),
    decision("division by zero", "refused", "`Infinity`", "refused", "JSON has no such number"),
    decision(
        "`include`, `layout`, `block`",
        "there",
        "there",
        "refused",
        "what a part of a template reads must be seen where it is used: `render`",
    ),
];

/// Templates of a LiquidJS suite whose value differs on purpose.
pub const DIFFERENCES: &[(&str, &str)] = &[
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
];
