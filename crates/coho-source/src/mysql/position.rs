//! Where in a model's SQL an error is. MySQL says no more than a line and the text from there on, or a name.

/// What the server says of the place of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault<'a> {
    /// `… near 'FORM customers' at line 2`
    Near {
        /// The SQL from the first word that does not fit, as far as the server repeats it; empty at the end.
        text: &'a str,
        /// Its line, from 1.
        line: usize,
    },
    /// `Unknown column 'nmae' in 'field list'`, `Table 'shop.customer' doesn't exist`
    Name(&'a str),
}

/// A place in a model's SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// From 1.
    pub(super) line: usize,
    /// From 1, in characters.
    pub(super) column: usize,
    /// Whether a statement has ended before it.
    pub(super) is_behind_a_statement: bool,
}

impl<'a> Fault<'a> {
    /// What an error of this number says, in English.
    pub(super) fn of(number: u16, message: &'a str) -> Option<Self> {
        match number {
            1064 => {
                let (_, rest) = message.split_once(" near '")?;
                let (text, line) = rest.rsplit_once("' at line ")?;
                Some(Self::Near { text, line: line.trim().parse().ok()? })
            }
            1054 | 1146 => {
                let (_, rest) = message.split_once('\'')?;
                let (name, _) = rest.split_once('\'')?;
                Some(Self::Name(name.rsplit_once('.').map_or(name, |(_, last)| last)))
            }
            _ => None,
        }
    }
}

/// The place of an error, if there is but one that fits.
pub(super) fn of(sql: &str, fault: &Fault<'_>) -> Option<Position> {
    let offset = match *fault {
        Fault::Near { text: "", .. } => sql.trim_end().len(),
        Fault::Near { text, line } => {
            let fitting = sql.match_indices(text).map(|(at, _)| at).filter(|at| line_of(sql, *at) == line);
            // The server repeats all that follows: where that is short, the last one is meant.
            fitting.last()?
        }
        Fault::Name(name) => {
            let mut whole =
                sql.match_indices(name).map(|(at, _)| at).filter(|at| is_word(sql, *at, name.len()));
            let only = whole.next()?;
            if whole.next().is_some() {
                return None;
            }
            only
        }
    };
    found(sql, offset)
}

/// What the server says of SQL that it cannot read, in fewer words: it repeats up to 80 characters, over several lines.
pub(super) fn told(near: &str) -> String {
    match near.lines().next().filter(|line| !line.trim().is_empty()) {
        Some(line) => format!("syntax error near '{}'", coho_core::value::preview(line)),
        None => "syntax error at the end".to_owned(),
    }
}

fn line_of(sql: &str, offset: usize) -> usize {
    sql.get(..offset).map_or(0, |before| before.matches('\n').count()) + 1
}

/// Whether a name stands for itself, and is not a part of another one.
fn is_word(sql: &str, at: usize, length: usize) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let before = sql.get(..at).and_then(|text| text.chars().next_back());
    let after = sql.get(at + length..).and_then(|text| text.chars().next());
    !before.is_some_and(is_part) && !after.is_some_and(is_part)
}

fn found(sql: &str, offset: usize) -> Option<Position> {
    let before = sql.get(..offset)?;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    let is_behind_a_statement = before.trim_end().ends_with(';');
    Some(Position { line: line_of(sql, offset), column, is_behind_a_statement })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(sql: &str, number: u16, message: &str) -> Option<(usize, usize)> {
        of(sql, &Fault::of(number, message)?).map(|found| (found.line, found.column))
    }

    #[test]
    fn what_follows_an_error_says_where_it_is() {
        let near = |text: &str, line: usize| {
            format!("You have an error in your SQL syntax; … near '{text}' at line {line}")
        };
        let sql = "SELECT é, x x x\nFROM t\nWHERE x = 'it''s' AND AND";
        assert_eq!(place(sql, 1064, &near("x\nFROM t\nWHERE x = 'it''s' AND AND", 1)), Some((1, 15)));
        assert_eq!(place(sql, 1064, &near("AND", 3)), Some((3, 23)));
        assert_eq!(place(sql, 1064, &near("", 3)), Some((3, 26)));
        assert_eq!(place(sql, 1064, "Erreur de syntaxe près de 'x' à la ligne 1"), None);
    }

    #[test]
    fn a_name_that_stands_there_once_says_where_it_is() {
        let unknown = "Unknown column 't.nmae' in 'field list'";
        assert_eq!(place("SELECT names,\n  t.nmae", 1054, unknown), Some((2, 5)));
        assert_eq!(place("SELECT nmae, nmae", 1054, unknown), None);
        assert_eq!(place("SELECT names", 1054, unknown), None);
    }
}
