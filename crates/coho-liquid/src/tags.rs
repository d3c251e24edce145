//! The tags: one table, from which unknown ones are told and the reference is written.

/// A tag's entry in the table.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) form: &'static str,
    pub(crate) says: &'static str,
    /// A template over the examples' values and its text.
    pub(crate) example: (&'static str, &'static str),
}

const fn entry(
    name: &'static str,
    form: &'static str,
    says: &'static str,
    example: (&'static str, &'static str),
) -> Entry {
    Entry { name, form, says, example }
}

/// The snippet of the example of `render`.
#[cfg(test)]
pub(crate) const BADGE: &str = "[{{ plan }}]";

/// The table.
pub(crate) const TABLE: &[Entry] = &[
    entry("#", "{% # … %}", "A comment. Each of its lines begins with `#`.", ("a{% # not shown %}b", "ab")),
    entry(
        "assign",
        "{% assign name = value %}",
        "Assigns a value, optionally with filters, to a name for the rest of the template.",
        ("{% assign n = row.seats | plus: 1 %}{{ n }}", "13"),
    ),
    entry(
        "break",
        "{% break %}",
        "Ends the loop, or outside of loops the template.",
        ("{% for i in (1..5) %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}", "12"),
    ),
    entry(
        "capture",
        "{% capture name %}…{% endcapture %}",
        "Assigns rendered text to a name.",
        ("{% capture n %}{{ row.plan }}!{% endcapture %}{{ n }}", "pro!"),
    ),
    entry(
        "case",
        "{% case value %}{% when a, b %}…{% else %}…{% endcase %}",
        "Renders each branch that has an equal value.",
        ("{% case row.plan %}{% when 'free', 'pro' %}known{% else %}new{% endcase %}", "known"),
    ),
    entry(
        "comment",
        "{% comment %}…{% endcomment %}",
        "Ignores its content.",
        ("a{% comment %}{{ b }}{% endcomment %}c", "ac"),
    ),
    entry(
        "continue",
        "{% continue %}",
        "Continues with the loop's next item.",
        ("{% for i in (1..3) %}{% if i == 2 %}{% continue %}{% endif %}{{ i }}{% endfor %}", "13"),
    ),
    entry(
        "cycle",
        "{% cycle 'group': a, b %}",
        "Renders the next of its values each time; the group is optional.",
        ("{% for i in (1..3) %}{% cycle 'a', 'b' %}{% endfor %}", "aba"),
    ),
    entry(
        "decrement",
        "{% decrement name %}",
        "Decreases a counter, which starts at 0, and renders it.",
        ("{% decrement n %}{% decrement n %}", "-1-2"),
    ),
    entry("doc", "{% doc %}…{% enddoc %}", "Like `comment`.", ("a{% doc %}b{% enddoc %}c", "ac")),
    entry(
        "echo",
        "{% echo value %}",
        "The same as `{{ value }}`, for use inside `liquid`.",
        ("{% echo row.plan | upcase %}", "PRO"),
    ),
    entry(
        "for",
        "{% for item in list limit: n offset: n reversed %}…{% else %}…{% endfor %}",
        "Renders its body for each item; `forloop` has `index`, `index0`, `rindex`, `rindex0`, `first`, `last`, `length`, `name`, `parentloop`.",
        ("{% for i in row.items %}{{ forloop.index }}:{{ i.sku }} {% endfor %}", "1:A1 2:B2 "),
    ),
    entry(
        "if",
        "{% if condition %}…{% elsif condition %}…{% else %}…{% endif %}",
        "Renders the first branch whose condition is neither nil nor false.",
        ("{% if row.seats > 10 %}big{% else %}small{% endif %}", "big"),
    ),
    entry(
        "ifchanged",
        "{% ifchanged %}…{% endifchanged %}",
        "Renders its body unless it is the same as the last time.",
        ("{% for i in row.tags %}{% ifchanged %}x{% endifchanged %}{% endfor %}", "x"),
    ),
    entry(
        "increment",
        "{% increment name %}",
        "Renders a counter, which starts at 0, and increases it.",
        ("{% increment n %}{% increment n %}", "01"),
    ),
    entry(
        "liquid",
        "{% liquid … %}",
        "Treats each of its lines as a tag.",
        ("{% liquid\nassign n = 2\necho n | times: 3\n%}", "6"),
    ),
    entry(
        "raw",
        "{% raw %}…{% endraw %}",
        "Renders its content as plain text.",
        ("{% raw %}{{ a }}{% endraw %}", "{{ a }}"),
    ),
    entry(
        "render",
        "{% render 'snippet', name: value %}",
        "Renders the template of `templates/snippet.liquid`, which sees what it is given and nothing else: `name: value`, `with value as name`, or `for list as name` once for each item.",
        ("{% render 'badge', plan: row.plan %}", "[pro]"),
    ),
    entry(
        "tablerow",
        "{% tablerow item in list cols: n limit: n offset: n %}…{% endtablerow %}",
        "Renders the rows of an HTML table; `tablerowloop` has the position.",
        (
            "{% tablerow i in (1..2) cols: 2 %}{{ i }}{% endtablerow %}",
            "<tr class=\"row1\"><td class=\"col1\">1</td><td class=\"col2\">2</td></tr>",
        ),
    ),
    entry(
        "unless",
        "{% unless condition %}…{% else %}…{% endunless %}",
        "The opposite of `if`.",
        ("{% unless row.nothing %}none{% endunless %}", "none"),
    ),
];

/// Tags that divide others.
pub(crate) const PARTS: [&str; 3] = ["else", "elsif", "when"];

/// The tag of this name.
pub(crate) fn find(name: &str) -> Option<&'static Entry> {
    TABLE.iter().find(|tag| tag.name == name)
}

/// What to do instead of a tag that LiquidJS has and Coho refuses.
pub(crate) fn refused(name: &str) -> Option<&'static str> {
    match name {
        "include" => Some("use `render`: `{% render 'name', x: row.x %}`; it sees only what it is given"),
        "layout" | "block" | "section" => Some("use `render` for the parts that templates share"),
        _ => None,
    }
}

/// The tag that this one is a part or the end of.
pub(crate) fn belongs_to(name: &str) -> Option<&str> {
    match name {
        "else" | "elsif" => Some("if"),
        "when" => Some("case"),
        _ => name.strip_prefix("end").filter(|opened| find(opened).is_some()),
    }
}
