//! Rows as CSV, for spreadsheets: `coho rows --as csv`.

use coho_core::row_state::Verb;

use crate::line::RowLine;

/// Rows as CSV (RFC 4180, with line feeds): a line of names, then a line for each. What was sent is left out: it has no
/// columns that all rows share. A cell that a spreadsheet would take for a formula begins with `'`.
pub fn csv(lines: &[RowLine]) -> String {
    let names = ["key", "fate", "verb", "code", "message", "run", "at"].map(str::to_owned);
    [names].into_iter().chain(lines.iter().map(cells)).map(|cells| record(&cells)).collect()
}

fn cells(line: &RowLine) -> [String; 7] {
    let verb = match line.verb {
        None => "",
        Some(Verb::Write) => "write",
        Some(Verb::Remove) => "remove",
    };
    [
        line.key.clone(),
        line.status.to_string(),
        verb.to_owned(),
        line.code.clone(),
        line.message.clone(),
        line.run.clone(),
        line.at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    ]
}

fn record(cells: &[String; 7]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| quoted(cell)).collect();
    cells.join(",") + "\n"
}

fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_commas_are_quoted() {
        assert_eq!(quoted(r#"["eu","7"]"#), r#""[""eu"",""7""]""#);
        assert_eq!(quoted("plain"), "plain");
    }

    #[test]
    fn formulas_are_text_and_numbers_stay_numbers() {
        assert_eq!(["=1+1", "@x", "-7", "-7a"].map(quoted), ["'=1+1", "'@x", "-7", "'-7a"]);
    }
}
