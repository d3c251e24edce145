//! Which case of the dialect table says why Coho gives something else than LiquidJS.

use coho_core::code::Code;
use coho_core::problem::Problem;
use coho_core::value::Value;

/// The case, by its name in the table.
pub(crate) fn case(template: &str, answer: &Value, given: &Result<Value, Problem>) -> Option<&'static str> {
    match given {
        Err(problem) => refused(template, answer, problem),
        Ok(_) if answer.get("error").is_some() => Some(if template.contains("ifchanged") {
            "`ifchanged`"
        } else {
            "`url_decode` of a `%` that begins nothing"
        }),
        Ok(value) => by_template(template).or_else(|| by_value(answer, value)),
    }
}

fn refused(template: &str, answer: &Value, problem: &Problem) -> Option<&'static str> {
    let says = |part: &str| problem.message.contains(part);
    if answer.get("number").is_some() && template.contains("to_integer") {
        return Some("a text that is no number");
    }
    if answer.get("number").is_some() {
        return Some("what is no number");
    }
    match problem.code {
        Code::FILTER_ARGUMENTS => Some("wrong arguments"),
        Code::UNKNOWN_FILTER => Some("unknown filters and tags"),
        Code::TEMPLATE_SYNTAX if says("found `.") => Some("members of a literal"),
        Code::TEMPLATE_SYNTAX => Some("what follows a value and means nothing"),
        Code::TEMPLATE_FAILED if says("have no order") => Some("`sort` of what has no order"),
        Code::TEMPLATE_FAILED if says("the template says both") => {
            Some("a text compared with a number, both written in the template")
        }
        Code::TEMPLATE_FAILED if says("cannot be compared") => Some("a list or an object in an order"),
        Code::TEMPLATE_FAILED if says("has no property") => {
            Some("`map`, `where`, `has`, `reject`, `sum` by a property of numbers")
        }
        Code::TEMPLATE_FAILED if says("whole number is expected") || says("needs an array") => {
            Some("wrong arguments")
        }
        _ => None,
    }
}

/// Parts of templates that tell the case, the more special ones first.
const PARTS: [(&str, &str); 41] = [
    ("round: 1.7", "`round` to a part of a digit"),
    ("round: 1.2", "`round` to a part of a digit"),
    ("row.address | size", "`size` of an object"),
    ("row.object | size", "`size` of an object"),
    ("row.address | first", "`first` of an object"),
    ("row.object | default", "`default` of an empty object"),
    ("row.address.first", "`first` of an object"),
    ("sort_natural", "an object in a text"),
    ("compact: ", "`compact` and `uniq` by a property"),
    ("uniq: ", "`compact` and `uniq` by a property"),
    ("base64_url_safe", "`base64_url_safe_encode` and `_decode`"),
    ("parentloop", "`forloop.parentloop`"),
    ("cols: 2.6", "`tablerow` with a part of a column"),
    ("| slice: '", "a text for the start of `slice` of a list"),
    ("(1.5..", "the ends of a range with fractions"),
    ("(row.missing..", "the ends of a range that are no numbers"),
    ("('a'..", "the ends of a range that are no numbers"),
    ("true | date", "a boolean as a date"),
    ("'+12026", "a year of five digits"),
    ("'Mar 5'", "a date without a year"),
    ("'2024-02-30'", "a day that is not there"),
    ("12,5Z'", "PostgreSQL's zones, and a comma before a fraction"),
    ("12+02'", "PostgreSQL's zones, and a comma before a fraction"),
    ("%D", "patterns of `date` that LiquidJS does not know: `%D %F %G %R %r %T %V %v`"),
    ("%F", "patterns of `date` that LiquidJS does not know: `%D %F %G %R %r %T %V %v`"),
    ("%G", "patterns of `date` that LiquidJS does not know: `%D %F %G %R %r %T %V %v`"),
    ("%R", "patterns of `date` that LiquidJS does not know: `%D %F %G %R %r %T %V %v`"),
    ("%r", "patterns of `date` that LiquidJS does not know: `%D %F %G %R %r %T %V %v`"),
    ("%T", "patterns of `date` that LiquidJS does not know: `%D %F %G %R %r %T %V %v`"),
    ("%V", "patterns of `date` that LiquidJS does not know: `%D %F %G %R %r %T %V %v`"),
    ("%v", "patterns of `date` that LiquidJS does not know: `%D %F %G %R %r %T %V %v`"),
    ("row.old | date: '%Y-%m-%d %H:%M %z %Z', 'E", "zones before there were time zones"),
    ("row.old | date: '%Y-%m-%d %H:%M %z %Z', 'e", "zones before there were time zones"),
    ("row.old | date: '%Y-%m-%d %H:%M %z %Z', 'A", "zones before there were time zones"),
    ("Z' }}", "`%Z` without a zone"),
    ("%Z', ", "`%Z` without a zone"),
    ("row .", "white space before `.`"),
    ("group_by_exp", "nil and what is not there"),
    ("{% echo ", "`echo` alone keeps its type"),
    ("json }}", "the JSON of the word `nil`"),
    ("inspect }}", "the JSON of the word `nil`"),
];

fn by_template(template: &str) -> Option<&'static str> {
    let words = ["blank", "empty", "nil"].iter().any(|word| template.contains(word));
    let compared = template.contains(" == ") || template.contains(" != ");
    match (compared, words) {
        (true, true) => return Some("words compared with words"),
        (true, false) => return Some("nil and what is not there"),
        (false, _) => {}
    }
    PARTS.iter().find(|(part, _)| template.contains(part)).map(|(_, case)| *case)
}

fn by_value(answer: &Value, given: &Value) -> Option<&'static str> {
    let text = answer.as_text().unwrap_or_default();
    if answer.to_string().contains("[object Object]") || (text == "ob" && given.as_text() == Some("\"c")) {
        return Some("an object in a text");
    }
    if answer.to_string().contains('\u{fffd}') {
        return Some("characters are not cut in two");
    }
    if has_exponent(text) && !has_exponent(given.as_text().unwrap_or_default()) {
        return Some("digits of a large number in a text");
    }
    let number = |value: &Value| value.to_string().parse::<f64>().ok();
    let (ours, theirs) = (number(given)?, number(answer)?);
    ((ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0)).then_some("decimals are exact")
}

/// Whether a text has a number such as `1e+21` in it.
fn has_exponent(text: &str) -> bool {
    text.as_bytes().windows(4).any(|part| {
        matches!(part, [before, b'e', b'+' | b'-', after] if before.is_ascii_digit() && after.is_ascii_digit())
    })
}
