//! `coho template`: single templates, from the command line or as a filter for other programs.

mod answer;

use std::io::{self, BufRead, Read as _};
use std::path::Path;

use anyhow::Context as _;
use chrono::Utc;
use coho_core::problem::Problem;
use coho_core::row::{Column, ColumnType, Columns};
use coho_core::value::Value;
use coho_liquid::{CompileScope, Context, TemplateSettings};
use coho_project::{File, excerpt};

use crate::args::{Global, TemplateCheck, TemplateRender, Undefined};
use crate::bounded;
use crate::exit::{Exit, Known};
use crate::print;

/// The longest line of NDJSON that is read as one request, in bytes.
const LONGEST_LINE: u64 = 16 << 20;

/// The most bytes of a template, or of a row or data in a file.
const LONGEST: usize = 16 << 20;

/// Renders one template, or answers requests line by line.
pub(crate) fn render(global: &Global, typed: &TemplateRender) -> anyhow::Result<Exit> {
    if typed.ndjson {
        return answer_all(&mut io::stdin().lock(), &mut io::stdout().lock());
    }
    let (name, source) = source(typed.template.as_deref(), typed.file.as_deref())?;
    let settings = match typed.undefined {
        Undefined::Error => TemplateSettings::default(),
        Undefined::Empty => TemplateSettings::lenient(),
    };
    let row = values(typed.row.as_deref(), typed.row_file.as_deref(), "--row")?;
    let data = values(typed.data.as_deref(), typed.data_file.as_deref(), "--data")?;
    let files = crate::project::files_around(global)?;
    let scope = CompileScope::free().settings(settings).snippets(&coho_project::snippets(&files));
    let fail = |problems: Vec<Problem>| report(global, (&name, &source), &problems, files.clone());
    let template = match coho_liquid::compile(&source, &scope) {
        Ok(template) => template,
        Err(problems) => return Err(fail(problems)),
    };
    let nothing = Value::Object(Vec::new());
    let context = match (&data, &row) {
        (Some(data), Some(row)) => Context::free_with_row(data, row),
        (Some(data), None) => Context::free(data),
        (None, Some(row)) => Context::row_object(row),
        (None, None) => Context::free(&nothing),
    };
    let context = context.at(Utc::now());
    let value =
        if typed.text { template.render_text(&context).map(Value::Text) } else { template.render(&context) };
    match value {
        Ok(Value::Text(text)) if !global.json => print::out(&format!("{text}\n"))?,
        Ok(value) if !global.json => print::out(&format!("{value}\n"))?,
        Ok(value) => print::json(&serde_json::json!({ "value": coho_core::json::to_serde(&value) }))?,
        Err(problem) => return Err(fail(vec![problem])),
    }
    Ok(Exit::Done)
}

/// Compiles one template, and says what it reads.
pub(crate) fn check(global: &Global, typed: &TemplateCheck) -> anyhow::Result<Exit> {
    let (name, source) = source(typed.template.as_deref(), typed.file.as_deref())?;
    let columns = columns(&typed.columns)?;
    let files = crate::project::files_around(global)?;
    let scope = columns.as_ref().map_or_else(CompileScope::free, CompileScope::columns);
    let scope = scope.snippets(&coho_project::snippets(&files));
    match coho_liquid::compile(&source, &scope) {
        Err(problems) => Err(report(global, (&name, &source), &problems, files)),
        Ok(template) => {
            if global.json {
                let (typed, volatile) = (template.is_typed(), template.is_volatile());
                print::json(&serde_json::json!({ "version": 1, "typed": typed, "volatile": volatile }))?;
                return Ok(Exit::Done);
            }
            let gives = if template.is_typed() { "a value with its type" } else { "text" };
            let volatile = if template.is_volatile() { ", and reads the clock or the run" } else { "" };
            print::out(&format!("the template is OK: it returns {gives}{volatile}\n"))?;
            Ok(Exit::Done)
        }
    }
}

fn columns(names: &[String]) -> anyhow::Result<Option<Columns>> {
    if names.is_empty() {
        return Ok(None);
    }
    let columns = names.iter().map(|name| Column { name: name.clone(), kind: ColumnType::Mixed }).collect();
    Ok(Some(Columns::new(columns)?))
}

fn source(typed: Option<&str>, file: Option<&Path>) -> anyhow::Result<(String, String)> {
    match (typed, file) {
        (Some(text), _) => Ok(("template".to_owned(), text.to_owned())),
        (None, Some(path)) => Ok((path.display().to_string(), read(path)?)),
        (None, None) => {
            let help = Some("pass it as an argument, or use --file or --ndjson".to_owned());
            Err(Known { message: "no template given".to_owned(), help, code: 2, source: None }.into())
        }
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    if path == Path::new("-") {
        return bounded::all(io::stdin().lock(), LONGEST).context("cannot read standard input");
    }
    bounded::text(path, LONGEST).with_context(|| format!("cannot read {}", path.display()))
}

/// An object from a flag or from a file.
fn values(typed: Option<&str>, file: Option<&Path>, flag: &str) -> anyhow::Result<Option<Value>> {
    let text = match (typed, file) {
        (Some(text), _) => text.to_owned(),
        (None, Some(path)) => read(path)?,
        (None, None) => return Ok(None),
    };
    let wrong = |source: Option<anyhow::Error>| Known {
        message: format!("{flag} must be a JSON object"),
        help: Some(format!("write {flag} '{{\"plan\": \"pro\"}}'")),
        code: 2,
        source,
    };
    match coho_core::json::parse(&text) {
        Ok(value @ Value::Object(_)) => Ok(Some(value)),
        Ok(_) => Err(wrong(None).into()),
        Err(error) => Err(wrong(Some(error.into())).into()),
    }
}

/// Problems of a template, or of a snippet among the project's files.
fn report(
    global: &Global,
    (name, source): (&str, &str),
    problems: &[Problem],
    mut files: Vec<File>,
) -> anyhow::Error {
    let named = problems.iter().cloned().map(|mut problem| {
        if let Some(place) = problem.place.as_mut().filter(|place| place.file.is_empty()) {
            place.file = name.into();
        }
        problem
    });
    let problems: Vec<_> = named.collect();
    files.insert(0, File::text(name, source));
    if global.json {
        return crate::project::report(&problems, &files);
    }
    for problem in &problems {
        print::talk(&excerpt(problem, &files));
    }
    let message = print::counted(problems.len() as u64, "problem");
    Known { message, help: None, code: 3, source: None }.into()
}

/// One answer for each line, in order, as soon as it is known.
fn answer_all(requests: &mut impl BufRead, answers: &mut impl io::Write) -> anyhow::Result<Exit> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = requests.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
        if read.context("cannot read the requests")? == 0 {
            return Ok(Exit::Done);
        }
        if line.last() != Some(&b'\n') && line.len() as u64 == LONGEST_LINE {
            skip_line(requests)?;
        }
        let text = String::from_utf8_lossy(&line);
        if text.trim().is_empty() {
            continue;
        }
        let answer = answer::answer(text.trim_end_matches(['\r', '\n']), Utc::now());
        match writeln!(answers, "{answer}").and_then(|()| answers.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Done),
            other => other.context("cannot write the answers")?,
        }
    }
}

/// Passes over the rest of a line that is too long to be a request.
fn skip_line(requests: &mut impl BufRead) -> anyhow::Result<()> {
    loop {
        let rest = requests.fill_buf().context("cannot read the requests")?;
        if rest.is_empty() {
            return Ok(());
        }
        let (end, done) = match rest.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (rest.len(), false),
        };
        requests.consume(end);
        if done {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(requests: &str) -> String {
        let mut out = Vec::new();
        answer_all(&mut requests.as_bytes(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_line_has_an_answer_in_order() {
        let requests =
            "{\"template\":\"{{ 1 | plus: 1 }}\",\"data\":{}}\n\n{\"template\":\"{{\"}\nnonsense\n";
        let answers = answers(requests);
        let lines: Vec<_> = answers.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0], r#"{"value":2}"#);
        assert!(lines[1].starts_with(r#"{"error":{"code":"#), "{}", lines[1]);
        assert!(lines[2].contains("not JSON"), "{}", lines[2]);
    }

    #[test]
    fn an_endless_line_is_one_answer() {
        let request = format!("{}\n{{\"template\":\"x\"}}\n", "[".repeat(17 << 20));
        let answers = answers(&request);
        assert_eq!(answers.lines().count(), 2);
        assert!(answers.ends_with("{\"value\":\"x\"}\n"));
    }
}
