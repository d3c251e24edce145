//! What differs from run to run, with a fixed word in its place: ids, days, times, durations, process ids.

/// What records of a live check are called: their ending is drawn by chance.
const CHECK: &str = "coho-check-";

/// The text without what was drawn by chance in the names of a live check.
pub(crate) fn without_chance(text: &str) -> String {
    let mut parts = text.split(CHECK);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let chance = part.get(..8).filter(|chance| chance.chars().all(|letter| letter.is_ascii_hexdigit()));
        plain.push_str(CHECK);
        plain.push_str(if chance.is_some() { "xxxxxxxx" } else { "" });
        plain.push_str(part.get(chance.map_or(0, str::len)..).unwrap_or_default());
    }
    plain
}

/// The text with placeholders. Where something was replaced in a table, its gaps are all two spaces wide.
pub(crate) fn redact(text: &str, names: &[(String, &'static str)]) -> String {
    let plain = names.iter().fold(without_chance(text), |text, (name, word)| text.replace(name, word));
    let lines: Vec<String> =
        plain.lines().filter(|line| !is_wait(line)).map(member).map(|text| line(&text)).collect();
    let redacted = lines.join("\n") + if plain.ends_with('\n') { "\n" } else { "" };
    if redacted == plain { redacted } else { narrow(&redacted) }
}

/// How long a call waited for the rate depends on the machine, and so does whether it did at all.
fn is_wait(line: &str) -> bool {
    ["\"waited_micros\": ", "\"wait_why\": "].iter().any(|name| line.trim_start().starts_with(name))
}

/// A member of a document whose whole value a clock or the build says.
fn member(line: &str) -> String {
    for name in ["date", "ratelimit-remaining", "ratelimit-reset", "coho_version"] {
        let start = format!("\"{name}\": \"");
        if line.trim_start().starts_with(&start) {
            let indent = line.len() - line.trim_start().len();
            let comma = if line.ends_with(',') { "," } else { "" };
            return format!("{}{start}<{name}>\"{comma}", " ".repeat(indent));
        }
    }
    line.to_owned()
}

/// A word with what follows it.
struct Word<'a> {
    core: &'a str,
    gap: &'a str,
}

fn words(line: &str) -> Vec<Word<'_>> {
    let is_gap = |letter: char| letter.is_whitespace() || "\"'`,()[]{}→=<>".contains(letter);
    let mut words = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let (core, after) = rest.split_at(rest.find(is_gap).unwrap_or(rest.len()));
        let (gap, next) = after.split_at(after.find(|letter| !is_gap(letter)).unwrap_or(after.len()));
        words.push(Word { core, gap });
        rest = next;
    }
    words
}

fn line(line: &str) -> String {
    let words = words(line);
    let mut text = String::new();
    let mut before = "";
    for (at, word) in words.iter().enumerate() {
        let after = words.get(at + 1).map_or("", |word| word.core);
        let bare = word.core.trim_matches([':', '.', ';']);
        match sign(bare, before, after) {
            Some(sign) => text.push_str(&word.core.replacen(bare, sign, 1)),
            None => text.push_str(word.core),
        }
        text.push_str(word.gap);
        if !bare.is_empty() {
            before = bare;
        }
    }
    text
}

fn sign(word: &str, before: &str, after: &str) -> Option<&'static str> {
    let is_count = is_number(word);
    match before {
        "process" if is_count => Some("<pid>"),
        "millis" | "micros" if is_count => Some("<n>"),
        "least" => None,
        _ if is_count && matches!(after, "ms" | "s" | "min") => Some("<n>"),
        _ if is_id(word) => Some("<id>"),
        _ if is_day(word) && is_time(after) => Some("<day>"),
        _ if is_time(word) => Some("<time>"),
        _ => None,
    }
}

fn is_number(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_ascii_digit())
        && word.chars().all(|letter| letter.is_ascii_digit() || letter == '.')
}

/// A UUID that nobody chose: the simulator's count up from 1.
fn is_id(word: &str) -> bool {
    let groups: Vec<usize> = word.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12]
        && word.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-')
        && !word.starts_with("00000000-")
}

/// A day. Only together with a time behind it has a clock said it: rows hold days too.
fn is_day(word: &str) -> bool {
    shape(word) == "0000-00-00"
}

/// A moment, or a time of day. The rows of fixtures have moments that no output repeats.
fn is_time(word: &str) -> bool {
    let shape = shape(word);
    shape.starts_with("0000-00-00T00:00:00") || shape.starts_with("00:00:00")
}

/// The word with a zero in place of each digit.
fn shape(word: &str) -> String {
    word.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect()
}

fn narrow(text: &str) -> String {
    let narrow_line = |line: &str| {
        let start = line.len() - line.trim_start().len();
        let (indent, rest) = line.split_at(start);
        let cells: Vec<&str> = rest.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        format!("{indent}{}", cells.join("  "))
    };
    let lines: Vec<String> = text.lines().map(narrow_line).collect();
    lines.join("\n") + if text.ends_with('\n') { "\n" } else { "" }
}
