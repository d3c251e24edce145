//! What differs from run to run: times, durations, ids, ports. Two texts are the same if nothing else differs.

/// Whether both print the same, apart from what is volatile and from the width of gaps.
pub(crate) fn same(expected: &[String], printed: &[String]) -> bool {
    let stable = |lines: &[String]| {
        lines.iter().map(|line| stable(line)).collect::<Vec<_>>().join("\n").trim_end().to_owned()
    };
    stable(expected) == stable(printed)
}

/// The line with a sign in the place of each volatile word.
fn stable(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let signs = words.iter().enumerate().map(|(at, word)| {
        let unit = words.get(at + 1).copied().unwrap_or_default();
        if is_measure(word, unit) { "<n>".to_owned() } else { sign(word) }
    });
    signs.collect::<Vec<_>>().join(" ")
}

fn sign(word: &str) -> String {
    for host in ["127.0.0.1:", "localhost:"] {
        if let Some((before, after)) = word.split_once(host) {
            return format!(
                "{before}{host}<port>{}",
                after.trim_start_matches(|letter: char| letter.is_ascii_digit())
            );
        }
    }
    let core = word.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
    let kind = if is_time(core) {
        "<time>"
    } else if is_id(core) {
        "<id>"
    } else if is_duration(core) {
        "<n>"
    } else {
        return word.to_owned();
    };
    word.replace(core, kind)
}

/// A number before a unit of its own word: `1.3 s`, `12,000 rows/s`.
fn is_measure(word: &str, unit: &str) -> bool {
    let unit = unit.trim_end_matches([',', '.', ')', ';']);
    is_number(word.trim_start_matches('('))
        && (["ms", "s", "min", "µs"].contains(&unit) || unit.ends_with("/s"))
}

/// A number with its unit in the same word: `1.3s`, `250ms`.
fn is_duration(word: &str) -> bool {
    ["ms", "µs", "s"].iter().any(|unit| word.strip_suffix(unit).is_some_and(is_number))
}

fn is_number(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_ascii_digit())
        && word.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, '.' | ','))
}

/// A date, a time of day, or both: `2026-02-03`, `10:11:12`, `2026-02-03T10:11:12.345Z`.
fn is_time(word: &str) -> bool {
    let shape: String =
        word.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect();
    shape.starts_with("0000-00-00") || shape.starts_with("00:00:00")
}

/// At least eight hexadecimal digits, in groups or not, among them a decimal one.
fn is_id(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_hexdigit).count();
    digits >= 8
        && word.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-')
        && word.chars().any(|letter| letter.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_same(left: &str, right: &str) -> bool {
        same(&[left.to_owned()], &[right.to_owned()])
    }

    #[test]
    fn times_ids_ports_and_gaps_do_not_count() {
        assert!(are_same(
            "run 0197b2c4-1a2b at 2026-02-03T10:11:12Z",
            "run  0197ffff-9a2b at 2026-03-04T01:02:03Z"
        ));
        assert!(are_same("5 sent in 1.2 s (400 rows/s).", "5 sent in 0.9 s (555 rows/s)."));
        assert!(are_same("at http://127.0.0.1:7700/runs", "at http://127.0.0.1:41234/runs"));
        assert!(are_same("took 350ms", "took 2.5s"));
    }

    #[test]
    fn counts_and_words_count() {
        assert!(!are_same("5 sent", "6 sent"));
        assert!(!are_same("deadbeef sent", "feedface sent"));
        assert!(!are_same("at http://127.0.0.1:7700/runs", "at http://127.0.0.1:7700/rows"));
    }
}
