//! A model's SQL before a driver has it: some drivers run every statement of a text, and some put the text into another one. So
//! it must be one query, and is given without the semicolon behind it.
//!
//! This is no parser: it tells strings, names and comments from the rest, as the engine's language has them. Where in doubt it
//! finds more statements than there are, and the model is refused.

/// How an engine writes strings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Strings {
    /// A backslash takes the meaning from the letter behind it.
    pub(crate) backslash: bool,
    /// Three quotes begin a string that three quotes end.
    pub(crate) triple: bool,
    /// `$$` and `$name$` begin a string that the same ends.
    pub(crate) dollar: bool,
    /// What begins a comment to the end of the line, besides `--`.
    pub(crate) comment: Option<char>,
}

/// What was found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scanned<'a> {
    /// The text up to the first semicolon, or all of it.
    pub(crate) statement: &'a str,
    /// Whether anything but comments stands behind that.
    pub(crate) has_more: bool,
    /// Its first word, in capitals; empty where there is none.
    pub(crate) word: String,
}

impl Scanned<'_> {
    /// Whether the statement may only read, by its first word.
    pub(crate) fn is_query(&self) -> bool {
        const QUERIES: [&str; 9] =
            ["SELECT", "WITH", "FROM", "VALUES", "TABLE", "SHOW", "DESCRIBE", "PIVOT", "UNPIVOT"];
        QUERIES.contains(&self.word.as_str())
    }
}

/// Looks through a text.
pub(crate) fn scan(sql: &str, strings: Strings) -> Scanned<'_> {
    let mut found = Scanned { statement: sql, has_more: false, word: String::new() };
    let mut is_first = true;
    let mut rest = sql;
    let mut before = ' ';
    while let Some(letter) = rest.chars().next() {
        let length = token(rest, before, strings);
        let (piece, behind) = rest.split_at(length.clamp(letter.len_utf8(), rest.len()));
        let is_blank = letter.is_whitespace() || is_comment(rest, strings);
        if letter == ';' {
            if is_first {
                found.statement = sql.get(..sql.len() - rest.len()).unwrap_or(sql);
            }
            is_first = false;
        } else if !is_blank {
            found.has_more |= !is_first;
            if is_first && found.word.is_empty() && letter != '(' {
                found.word = piece.to_ascii_uppercase();
            }
        }
        before = piece.chars().next_back().unwrap_or(' ');
        rest = behind;
    }
    found
}

/// How many bytes the text's first word, string, comment or sign has.
fn token(text: &str, before: char, strings: Strings) -> usize {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    match text.chars().next() {
        Some(letter) if text.starts_with("--") || strings.comment == Some(letter) => {
            text.find('\n').unwrap_or(text.len())
        }
        Some(_) if text.starts_with("/*") => until(text, 2, "*/"),
        Some(quote @ ('\'' | '"' | '`')) => string(text, quote, before, strings),
        Some('$') if strings.dollar && !is_word(before) => dollar(text),
        Some(letter) if is_word(letter) => text.find(|letter| !is_word(letter)).unwrap_or(text.len()),
        Some(letter) => letter.len_utf8(),
        None => 0,
    }
}

fn is_comment(text: &str, strings: Strings) -> bool {
    text.starts_with("--")
        || text.starts_with("/*")
        || strings.comment.is_some_and(|mark| text.starts_with(mark))
}

/// Up to behind the next `end` that is not among the first bytes, or all.
fn until(text: &str, from: usize, end: &str) -> usize {
    text.get(from..).and_then(|rest| rest.find(end)).map_or(text.len(), |at| from + at + end.len())
}

/// Two quotes within a string are two strings side by side, which is the same here.
fn string(text: &str, quote: char, before: char, strings: Strings) -> usize {
    let triple = [quote; 3].iter().collect::<String>();
    let (begin, end) =
        if strings.triple && text.starts_with(&triple) { (3, triple) } else { (1, quote.to_string()) };
    let escapes = quote != '`' && (strings.backslash || (quote == '\'' && matches!(before, 'e' | 'E')));
    if !escapes {
        return until(text, begin, &end);
    }
    let mut from = begin;
    while let Some(rest) = text.get(from..) {
        match rest.chars().next() {
            None => break,
            Some('\\') => from += 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            Some(_) if rest.starts_with(&end) => return from + end.len(),
            Some(letter) => from += letter.len_utf8(),
        }
    }
    text.len()
}

/// `$$…$$` or `$name$…$name$`; a sign alone is one.
fn dollar(text: &str) -> usize {
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    let name = text.get(1..).unwrap_or_default();
    let Some(end) = name
        .find(|letter| !is_name(letter))
        .filter(|at| name.get(*at..).is_some_and(|it| it.starts_with('$')))
    else {
        return 1;
    };
    let mark = text.get(..end + 2).unwrap_or(text);
    until(text, mark.len(), mark)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STANDARD: Strings = Strings { backslash: false, triple: false, dollar: true, comment: None };
    const BIGQUERY: Strings = Strings { backslash: true, triple: true, dollar: false, comment: Some('#') };

    fn one(sql: &str, strings: Strings) -> Option<&str> {
        let found = scan(sql, strings);
        (!found.has_more && found.is_query()).then_some(found.statement)
    }

    #[test]
    fn the_semicolon_behind_a_query_and_comments_behind_it_are_left_out() {
        assert_eq!(one("SELECT 1; -- all", STANDARD), Some("SELECT 1"));
        assert_eq!(one("-- x;\n /* ; */ (select 1)\n;\n;", STANDARD), Some("-- x;\n /* ; */ (select 1)\n"));
        assert_eq!(one("WITH a AS (SELECT ';') TABLE a", STANDARD), Some("WITH a AS (SELECT ';') TABLE a"));
    }

    #[test]
    fn what_is_in_strings_and_names_is_no_statement() {
        for sql in [
            "SELECT 'it''s; x'",
            "SELECT \";\" FROM `a;b`",
            "SELECT $$;$$, $a$ $$; $a$",
            "SELECT E'it\\'s; x'",
        ] {
            assert_eq!(one(sql, STANDARD), Some(sql));
        }
        for sql in ["SELECT 'it\\'s; x'", "SELECT '''it's; x'''", "SELECT \"\"\"a\";\"\"\""] {
            assert_eq!(one(sql, BIGQUERY), Some(sql));
        }
        assert_eq!(one("SELECT 1 # don't; x", BIGQUERY), Some("SELECT 1 # don't; x"));
        assert_eq!(one("SELECT 1 # don't\n; DELETE FROM t -- '", BIGQUERY), None);
        assert_eq!(one("# x\nSELECT 1 # 2", STANDARD), None);
        assert_eq!(one("SELECT 'a\\'; DELETE FROM t", STANDARD), None);
        assert_eq!(one("SELECT a$b; DELETE FROM t; SELECT a$b", STANDARD), None);
    }

    #[test]
    fn what_writes_and_what_is_nothing_is_no_query() {
        for sql in [
            "DELETE FROM t",
            "/* SELECT */ INSERT INTO t VALUES (1)",
            "",
            "-- SELECT",
            "SELECTED",
            ";SELECT 1",
            "'SELECT'",
        ] {
            assert_eq!(one(sql, STANDARD), None, "{sql}");
        }
        assert!(scan("SELECT 1; DELETE FROM t", STANDARD).has_more);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(sql in "[-#/*;'\"`$\\\\eE a\u{e9}]{0,24}", backslash: bool, triple: bool, dollar: bool, hash: bool) {
            let comment = hash.then_some('#');
            let found = scan(&sql, Strings { backslash, triple, dollar, comment });
            prop_assert!(sql.starts_with(found.statement));
        }
    }
}
