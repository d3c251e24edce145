//! Which case of the dialect table says why Coho gives something else than LiquidJS.

use coho_core::code::Code;
use coho_core::problem::Problem;
use coho_core::value::Value;

use super::recorded::{Answer, same};

const TEXT_OF_OBJECT: &str = "an object in a text";
const SIZE_OF_OBJECT: &str = "`size` of an object";
const FIRST_OF_OBJECT: &str = "`first` of an object";
const EMPTY_OBJECT: &str = "`default` of an empty object";
const WHOLE_CHARACTERS: &str = "characters are not cut in two";
const EXACT: &str = "decimals are exact";
const NO_NUMBER: &str = "a text that is no number";
const NOTHING: &str = "nil and what is not there";
const WORDS: &str = "words compared with words";
const PATTERNS: &str = "patterns of `date` that LiquidJS does not know: `%D %F %G %R %r %T %V %v`";
const FORMS: &str =
    "forms of dates that JavaScript does not read: PostgreSQL's zones, a comma before a fraction, `5th`";
const NO_YEAR: &str = "a date without a year";
const NO_DAY: &str = "a day that is not there";
const NO_DAYS: [&str; 3] = ["'2024-02-30'", "'2024-04-31'", "'2023-02-29'"];

/// The case, by its name in the table.
pub(crate) fn case(template: &str, answer: &Answer, given: &Result<Value, Problem>) -> Option<&'static str> {
    match given {
        Err(problem) => refused(template, &answer.value, problem),
        Ok(_) if answer.value.get("error").is_some() => fails(template, &answer.value),
        Ok(value) => choices(template, answer, value)
            .or_else(|| by_template(template, &answer.value, value))
            .or_else(|| by_value(template, &answer.value, value)),
    }
}

/// Where LiquidJS fails, and Coho does not.
fn fails(template: &str, answer: &Value) -> Option<&'static str> {
    let error = answer.get("error").and_then(Value::as_text).unwrap_or_default();
    match () {
        () if template.contains("ifchanged") => Some("`ifchanged`"),
        () if error.contains("URI malformed") => Some("`url_decode` of a `%` that begins nothing"),
        () if error.contains("raw") => Some("`raw` that ends with white space control"),
        () if error.contains("not closed") => Some("what `comment` encloses"),
        () => None,
    }
}

fn refused(template: &str, answer: &Value, problem: &Problem) -> Option<&'static str> {
    let says = |part: &str| problem.message.contains(part);
    if template.contains("to_integer") && says("cannot read ") && says(" as a number") {
        return Some(NO_NUMBER);
    }
    if answer.get("number").is_some() || says("cannot be divided by zero") {
        return Some("what is no number");
    }
    match problem.code {
        Code::FILTER_ARGUMENTS => Some("wrong arguments"),
        Code::UNKNOWN_FILTER => Some("unknown filters and tags"),
        Code::TEMPLATE_SYNTAX if says("found `.") => Some("members of a literal"),
        Code::TEMPLATE_SYNTAX if template.contains("..") && says("found `[") => Some("members of a literal"),
        Code::TEMPLATE_SYNTAX => Some("what follows a value and means nothing"),
        Code::TEMPLATE_FAILED if says("cannot order ") => Some("`sort` of what has no order"),
        Code::TEMPLATE_FAILED
            if says("cannot compare ")
                && problem.help.as_deref().is_some_and(|help| help.contains("without quotes")) =>
        {
            Some("a text compared with a number, both written in the template")
        }
        Code::TEMPLATE_FAILED if says("cannot compare ") => Some("a list or an object in an order"),
        Code::TEMPLATE_FAILED if says("has no property") => {
            Some("`map`, `where`, `has`, `reject`, `sum` by a property of numbers")
        }
        Code::TEMPLATE_FAILED if says("expected a whole number") || says("needs an array") => {
            Some("wrong arguments")
        }
        _ => None,
    }
}

/// What LiquidJS gives with Coho's objects and dates is recorded too.
fn choices(template: &str, answer: &Answer, given: &Value) -> Option<&'static str> {
    let twisted = answer.with_choices.as_ref()?;
    if !same(twisted, given) {
        return None;
    }
    let has = |part: &str| template.contains(part);
    let plain = answer.value.to_string();
    Some(match () {
        () if plain.to_lowercase().contains("object") => TEXT_OF_OBJECT,
        () if has("date") => no_date(template, given),
        () if has("default") => EMPTY_OBJECT,
        () if has("first") => FIRST_OF_OBJECT,
        () if has("size") => SIZE_OF_OBJECT,
        () => TEXT_OF_OBJECT,
    })
}

/// Why what LiquidJS takes for a date is none.
fn no_date(template: &str, given: &Value) -> &'static str {
    let has = |part: &str| template.contains(part);
    match () {
        () if NO_DAYS.iter().any(|day| has(day)) => NO_DAY,
        () if has("'Mar 5'") || has("'-1' |") => NO_YEAR,
        () if has("'+12026") || has("epochms") => "a year of five digits",
        () if matches!(given, Value::Bool(_) | Value::Array(_)) => "a boolean or a list as a date",
        () => "what is not a date, though JavaScript reads one",
    }
}

/// Parts of templates that tell the case, the more special ones first.
const PARTS: [(&str, &str); 24] = [
    ("compact: ", "`compact` and `uniq` by a property"),
    ("uniq: ", "`compact` and `uniq` by a property"),
    ("base64_url_safe", "`base64_url_safe_encode` and `_decode`"),
    ("parentloop", "`forloop.parentloop`"),
    ("forloop | json", "the JSON of `forloop`"),
    ("cols: 2.6", "`tablerow` with a part of a column"),
    ("| slice: '", "a text for the start of `slice` of a list"),
    ("(1.5..", "the ends of a range with fractions"),
    ("row.float) %}", "the ends of a range with fractions"),
    ("(row.missing..", "the ends of a range that are no numbers"),
    ("('a'..", "the ends of a range that are no numbers"),
    ("'+12026", "a year of five digits"),
    ("row.epochms", "a year of five digits"),
    ("12,5Z'", FORMS),
    ("12+02'", FORMS),
    ("5th", FORMS),
    ("'0042-03-05 ", "a year below 100 before a time"),
    ("row.micros", "fractions of a second finer than milliseconds"),
    ("05.123456Z'", "fractions of a second finer than milliseconds"),
    ("row .", "white space before `.`"),
    (".first }}", FIRST_OF_OBJECT),
    ("group_by_exp", NOTHING),
    ("{% cycle ", "`cycle` of 0 or false"),
    ("(row.nil..", "the ends of a range that are no numbers"),
];

fn by_template(template: &str, answer: &Value, given: &Value) -> Option<&'static str> {
    let has = |part: &str| template.contains(part);
    let mut names = template.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.')));
    let words = names.any(|name| matches!(name, "blank" | "empty" | "nil"));
    if (has("{% #") || has("echo ")) && given.as_text().is_none() {
        return Some("`echo` alone keeps its type");
    }
    if has(" == ") || has(" != ") || has("{% case ") {
        return Some(if words { WORDS } else { NOTHING });
    }
    if (has(" | json") || has(" | inspect"))
        && let Some(case) = json(template, words, answer, given)
    {
        return Some(case);
    }
    if has("date: '") && has_pattern(template, &['D', 'F', 'G', 'R', 'r', 'T', 'V', 'v']) {
        return Some(PATTERNS);
    }
    if has("date: '") && has("%z") && answer.to_string().contains("6666666")
        || has("%z") && answer.as_text().is_some_and(fraction_of_minutes)
    {
        return Some("zones before there were time zones");
    }
    if has("date: '") && has_pattern(template, &['Z']) {
        return Some("`%Z` without a zone");
    }
    if by_nil(template) || answer.get("number").is_some() && has("to_integer") {
        return Some(NOTHING);
    }
    if has(" | round: 1.") {
        return Some("`round` to a part of a digit");
    }
    PARTS.iter().find(|(part, _)| has(part)).map(|(_, case)| *case)
}

fn json(template: &str, words: bool, answer: &Value, given: &Value) -> Option<&'static str> {
    let has = |part: &str| template.contains(part);
    let shown = answer.to_string();
    let nothing =
        answer.get("undefined").is_some() || given.to_string().contains("null") && !shown.contains("null");
    match () {
        () if has("forloop | json") => Some("the JSON of `forloop`"),
        () if words => Some("the JSON of the words `nil`, `blank`, `empty`"),
        () if nothing => Some(NOTHING),
        () => None,
    }
}

/// Whether a property is compared with nil: where there is none, it is nil for Coho.
fn by_nil(template: &str) -> bool {
    let filters = ["where: ", "find: ", "find_index: ", "has: ", "reject: "];
    let nils = ["nil", "row.n", "row.nil", "row.none", "row.nothing"];
    filters.iter().flat_map(|filter| template.split(filter).skip(1)).any(|rest| {
        let arguments = rest.split([' ', '|']).take_while(|word| !word.is_empty());
        arguments.skip(1).any(|word| nils.contains(&word))
    })
}

/// Whether the pattern of `date` has one of these letters.
fn has_pattern(template: &str, letters: &[char]) -> bool {
    template.split('%').skip(1).any(|pattern| {
        let flags = |c: char| c.is_ascii_digit() || "-_^#:EO".contains(c);
        pattern.trim_start_matches(flags).starts_with(letters)
    })
}

/// Whether an offset such as `+0053.46666666666667` stands in a text.
fn fraction_of_minutes(text: &str) -> bool {
    let behind = text.rsplit(['+', '-']).next().and_then(|offset| offset.split_once('.'));
    behind.is_some_and(|(whole, fraction)| {
        whole.len() == 4 && fraction.bytes().take_while(u8::is_ascii_digit).count() > 1
    })
}

fn by_value(template: &str, answer: &Value, given: &Value) -> Option<&'static str> {
    let has = |part: &str| template.contains(part);
    let text = answer.as_text().unwrap_or_default();
    if answer.to_string().contains('\u{fffd}') || has("split: ") && has("size") {
        return Some(WHOLE_CHARACTERS);
    }
    if has_exponent(text) && !has_exponent(given.as_text().unwrap_or_default()) {
        return Some("digits of a large number in a text");
    }
    let calculates =
        ["plus: ", "minus: ", "times: ", "divided_by: ", "modulo: "].iter().any(|filter| has(filter));
    let lossy = text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 14);
    if calculates && (has("date") || lossy) {
        return Some(EXACT);
    }
    if has("date") && !given.to_string().contains(|c: char| !(c.is_ascii_digit() || c == '"')) {
        return Some("a year of five digits");
    }
    let number = |value: &Value| value.to_string().parse::<f64>().ok();
    let (ours, theirs) = (number(given)?, number(answer)?);
    let near = (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0);
    // A remainder may fall on the other side of its divisor, and what is rounded afterwards on the other side of a half.
    let falls = has("modulo: 0.1") || has("round") && (has("times:") || has("divided_by:"));
    (near || falls).then_some(EXACT)
}

/// Whether a text has a number such as `1e+21` in it.
fn has_exponent(text: &str) -> bool {
    text.as_bytes().windows(4).any(|part| {
        matches!(part, [before, b'e' | b'E', b'+' | b'-', after] if before.is_ascii_digit() && after.is_ascii_digit())
    })
}
