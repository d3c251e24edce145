//! A table of an engine that knows no UPDATE and no DELETE, as Spark's own tables do not: what is changed until rows are read next makes a new
//! table, in which each statement is a query over what the one before it gave. `items` is a view of the newest.
//!
//! This is no parser of SQL: it knows the statements of these tests, whose strings have no backslash before a quote.

/// The table, of which each state has a number.
#[derive(Debug, Default)]
pub(crate) struct Rewritten {
    number: u32,
    /// Its columns, with their types.
    columns: Vec<(String, String)>,
    /// What is to be run before rows are read.
    due: Vec<String>,
    /// The queries that give the next state, each over the rows of the one before it.
    steps: Vec<String>,
}

impl Rewritten {
    /// Takes statements, to be run before rows are read.
    pub(crate) fn take<'a>(&mut self, statements: impl Iterator<Item = &'a str>) {
        for statement in statements.map(str::trim) {
            if let Some(step) = self.step(statement) {
                self.steps.push(step);
            } else {
                self.write();
                let other = self.other(statement);
                self.due.push(other);
            }
        }
    }

    /// All that is to be run before rows are read.
    pub(crate) fn due(&mut self) -> Vec<String> {
        self.write();
        std::mem::take(&mut self.due)
    }

    /// Makes a table of what the steps give.
    fn write(&mut self) {
        if self.steps.is_empty() {
            return;
        }
        let before = self.number;
        self.number += 1;
        let (now, last) = (self.number, self.steps.len());
        let steps = self.steps.drain(..).enumerate();
        let steps: Vec<_> = steps.map(|(at, step)| format!("s{} AS ({step})", at + 1)).collect();
        let steps = steps.join(", ");
        // Both executors have a part of it.
        self.due.push(format!(
            "CREATE TABLE items_{now} USING parquet AS WITH s0 AS (SELECT * FROM items_{before}), {steps} \
             SELECT /*+ REPARTITION(2) */ * FROM s{last}"
        ));
        self.due.push(view(now));
    }

    /// A statement that changes no rows.
    fn other(&mut self, statement: &str) -> String {
        let Some(columns) =
            statement.strip_prefix("CREATE TABLE items (").and_then(|it| it.strip_suffix(')'))
        else {
            return statement.replace("ALTER TABLE", "ALTER VIEW");
        };
        let column = |text: &str| {
            let (name, kind) = text.trim().split_once(' ').unwrap_or((text, ""));
            (name.to_owned(), kind.to_owned())
        };
        self.columns = parts(columns, ",").iter().map(|text| column(text)).collect();
        let columns: Vec<_> =
            self.columns.iter().map(|(name, kind)| format!("CAST(NULL AS {kind}) AS {name}")).collect();
        format!("CREATE OR REPLACE VIEW items_0 AS SELECT {} WHERE false", columns.join(", "))
    }

    /// The query that a statement is over the rows that the steps gave; `None` where it changes no rows.
    fn step(&self, statement: &str) -> Option<String> {
        let before = format!("s{}", self.steps.len());
        let statement = statement.replace("FROM items", &format!("FROM {before}"));
        let all = format!("SELECT * FROM {before}");
        if statement == "TRUNCATE items" {
            return Some(format!("{all} WHERE false"));
        }
        if let Some(query) = statement.strip_prefix("NEXT ") {
            return Some(query.to_owned());
        }
        if let Some(rows) = statement.strip_prefix("INSERT INTO items ") {
            return Some(format!("{all} UNION ALL {}", self.inserted(rows)));
        }
        if let Some(condition) = statement.strip_prefix(&format!("DELETE FROM {before}")) {
            let condition = condition.trim().strip_prefix("WHERE ").unwrap_or("true");
            return Some(format!("{all} WHERE NOT coalesce(({condition}), false)"));
        }
        let changes = statement.strip_prefix("UPDATE items SET ")?;
        let parted = parts(changes, " WHERE ");
        let condition = parted.get(1).map_or("true", String::as_str);
        let changes = parts(parted.first().map_or("", String::as_str), ",");
        let value_of = |name: &str| {
            changes.iter().find_map(|change| {
                let (column, value) = change.trim().split_once(" = ")?;
                (column == name).then(|| value.to_owned())
            })
        };
        let columns = self.columns.iter().map(|(name, kind)| match value_of(name) {
            Some(value) => {
                format!("CASE WHEN ({condition}) THEN CAST({value} AS {kind}) ELSE {name} END AS {name}")
            }
            None => name.clone(),
        });
        let columns: Vec<_> = columns.collect();
        Some(format!("SELECT {} FROM {before}", columns.join(", ")))
    }

    /// Rows with all columns, of a query with all of them, or of some columns and their values.
    fn inserted(&self, rows: &str) -> String {
        let Some((names, rows)) = rows.strip_prefix('(').and_then(|rows| rows.split_once(')')) else {
            return format!("({rows})");
        };
        let given: Vec<_> = names.split(',').map(str::trim).collect();
        let columns = self.columns.iter().map(|(name, kind)| {
            if given.contains(&name.as_str()) {
                format!("CAST(v.{name} AS {kind})")
            } else {
                format!("CAST(NULL AS {kind})")
            }
        });
        let columns: Vec<_> = columns.collect();
        format!("SELECT {} FROM ({}) AS v ({names})", columns.join(", "), rows.trim())
    }
}

fn view(number: u32) -> String {
    format!("CREATE OR REPLACE VIEW items AS SELECT * FROM items_{number}")
}

/// The parts of a text between marks that are neither within quotes nor within brackets.
fn parts(text: &str, mark: &str) -> Vec<String> {
    let (mut parts, mut depth, mut is_quoted) = (vec![String::new()], 0_i32, false);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if depth == 0 && !is_quoted && rest.starts_with(mark) {
            parts.push(String::new());
            rest = rest.get(mark.len()..).unwrap_or_default();
            continue;
        }
        match letter {
            '\'' => is_quoted = !is_quoted,
            '(' | '[' | '<' if !is_quoted => depth += 1,
            ')' | ']' | '>' if !is_quoted => depth -= 1,
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
    }
    parts
}
