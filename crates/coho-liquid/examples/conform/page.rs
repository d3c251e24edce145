//! `docs/reference/liquid.md`: what the product prints of tags and filters, and the dialect table behind it. Its examples are among what
//! LiquidJS is asked.

use super::dialect;

/// The whole page.
pub(crate) fn page() -> String {
    format!("{}\n{}", coho_liquid::reference(), dialect::section())
}

/// The templates of the examples that LiquidJS may have, and the JSON of their data.
pub(crate) fn examples() -> Result<(Vec<String>, String), String> {
    let page = coho_liquid::reference();
    let (_, filters) = page.split_once("```json\n").ok_or("the reference shows no row")?;
    let (data, _) = filters.split_once("\n```").ok_or("the reference's row does not end")?;
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    Ok((rows.filter_map(example).collect(), data.to_owned()))
}

/// The template of a table's row, unless LiquidJS has no such tag or filter.
fn example(row: &str) -> Option<String> {
    let row = row.replace("\\|", "\u{1}");
    let form = row.split(" | ").next()?.trim_start_matches("| `").trim_start_matches("{% ");
    let name = form.split([':', '`', ' ']).next()?;
    let template = row.rsplit(" | ").nth(1)?.trim_matches('`');
    (!OURS.contains(&name)).then(|| template.replace('\u{1}', "|").replace(" ⏎ ", "\n"))
}

/// Tags and filters that LiquidJS does not have, and examples that need those.
const OURS: [&str; 21] = [
    "base64",
    "base64_url_safe_decode",
    "base64_url_safe_encode",
    "cast",
    "except",
    "hmac_sha1",
    "iso8601",
    "json_array",
    "json_construct",
    "keys",
    "md5",
    "only",
    "parse",
    "parse_json",
    "sha1",
    "sample",
    "hmac_md5",
    "compact",
    "render",
    "doc",
    "ifchanged",
];
