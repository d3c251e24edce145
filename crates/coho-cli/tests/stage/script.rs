//! A script: what a user does, line by line, and what the terminal shows of it.
//!
//! ```text
//! # a comment, which the transcript repeats
//! $ coho run                       a line for the shell, in the project's folder
//! project trade                    takes the files of the folder `trade` beside the script
//! empty                            an empty project folder
//! set NAME=value                   a variable for all later commands
//! write FILE                       the indented lines that follow become the file
//! bytes FILE = a\xE9b\n            the same on one line, with \n, \t, \xHH and \\
//! edit FILE = before => after      replaces a text that must be there; the same escapes
//! remove FILE                      removes a file
//! folder FILE                      removes it and puts a folder in its place
//! sql                              the indented lines are run in PostgreSQL, which is started if need be
//! sql < FILE                       the same from a file of the project
//! mysql                            the indented lines are run in MariaDB, which is started if need be
//! driver NAME                      an ADBC driver, which commands find at `${NAME}` in capitals
//! object BUCKET/KEY                the indented lines become an object in S3, which is started if need be
//! sqlite FILE                      the indented lines are run in an SQLite file of the project
//! fault [METHOD PATH] TROUBLE      503 · not-json · drop-before · drop-after-commit; ends with `xN` for N times
//! heal                             no more faults
//! seed account ID NAME             a record that was in Vitally before; also `seed organization ID NAME`
//! seed user ID EMAIL ACCOUNT NAME  the same for a user, who belongs to that account
//! workspace TOKEN                  another workspace at the same address: no records, and this REST token alone is right
//! plant                            the indented JSON is what the simulator takes as seeds, definitions of traits among them
//! switch PROFILE|NAME=VALUE…       how Vitally behaves from now on where its documentation is silent
//! calls                            what Vitally was asked since the last `calls`
//! bodies                           the same, with what was sent
//! records                          all records in Vitally, without their times
//! events                           all events in Vitally, and what it took and did not keep
//! ```

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::redact::redact;
use crate::stage::{Failure, Stage};
use crate::vitally;

/// A line with the indented lines below it.
struct Step<'a> {
    line: &'a str,
    block: String,
}

/// Plays a script. `None` where the machine lacks what it needs.
pub(crate) fn play(path: &Path) -> Result<Option<String>, Failure> {
    let text = fs::read_to_string(path)?;
    let mut stage = Stage::new()?;
    let mut transcript = String::new();
    for step in steps(&text) {
        let failed = |error: Failure| format!("{}: `{}`: {error}", path.display(), step.line);
        match step_on(&mut stage, path, &step).map_err(failed)? {
            Some(shown) => transcript.push_str(&shown),
            None => return Ok(None),
        }
    }
    Ok(Some(transcript))
}

fn steps(text: &str) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("  "), steps.last_mut()) {
            (Some(line), Some(step)) => step.block.extend([line, "\n"]),
            (None, Some(step)) if line.is_empty() && !step.block.is_empty() => step.block.push('\n'),
            _ => steps.push(Step { line, block: String::new() }),
        }
    }
    for step in &mut steps {
        step.block = step.block.trim_end().to_owned() + "\n";
    }
    steps
}

fn step_on(stage: &mut Stage, script: &Path, step: &Step<'_>) -> Result<Option<String>, Failure> {
    let (word, rest) = step.line.split_once(' ').unwrap_or((step.line, ""));
    match word {
        "" | "#" => return Ok(Some(format!("{}\n", step.line))),
        "$" => return command(stage, rest).map(Some),
        "sql" => {
            let project = stage.project();
            let Some(server) = stage.postgres(&script.display().to_string())? else { return Ok(None) };
            let sql = match rest.strip_prefix("< ") {
                Some(file) => fs::read_to_string(project.join(file))?,
                None => step.block.clone(),
            };
            server.psql(&sql)?;
        }
        "mysql" => {
            let Some(server) = stage.mariadb(&script.display().to_string())? else { return Ok(None) };
            server.sql(&step.block)?;
        }
        "driver" => {
            let found = coho_testkit::adbc_driver_or_skip(rest, &script.display().to_string())?;
            let Some(library) = found else { return Ok(None) };
            stage.set(&rest.to_ascii_uppercase(), &library.display().to_string());
        }
        "object" => {
            let Some(server) = stage.s3(&script.display().to_string())? else { return Ok(None) };
            let (bucket, _) = rest.split_once('/').ok_or("expected BUCKET/KEY")?;
            server.put(bucket, b"")?;
            server.put(rest, step.block.as_bytes())?;
        }
        "calls" => return Ok(Some(vitally::calls(stage))),
        "bodies" => return Ok(Some(vitally::bodies(stage))),
        "records" => return Ok(Some(vitally::records(stage))),
        "events" => return Ok(Some(vitally::events(stage))),
        "fault" => vitally::fault(stage, rest)?,
        "heal" => stage.vitally.clear_script(),
        "seed" => vitally::seed(stage, rest)?,
        "workspace" => stage.move_to_workspace(rest)?,
        "plant" => vitally::plant(stage, &step.block)?,
        "switch" => stage.vitally.set_switches(rest.parse()?),
        _ => file(stage, script, word, rest, &step.block)?,
    }
    Ok(Some(String::new()))
}

/// Steps that change the project.
fn file(stage: &mut Stage, script: &Path, word: &str, rest: &str, block: &str) -> Result<(), Failure> {
    let path = |name: &str| stage.project().join(name);
    match word {
        "project" => {
            empty(stage)?;
            stage.take_project(&script.with_file_name(rest))?;
        }
        "empty" => empty(stage)?,
        "set" => {
            let (name, value) = rest.split_once('=').ok_or("expected NAME=value")?;
            stage.set(name, value);
        }
        "write" => stage.write(rest, block)?,
        "bytes" => {
            let (name, text) = rest.split_once(" = ").ok_or("expected FILE = TEXT")?;
            stage.write(name, unescape(text)?)?;
        }
        "edit" => edit(stage, rest)?,
        "remove" => fs::remove_file(path(rest))?,
        "folder" => {
            fs::remove_file(path(rest))?;
            fs::create_dir(path(rest))?;
        }
        "sqlite" => rusqlite::Connection::open(path(rest))?.execute_batch(block)?,
        _ => return Err("no such step".into()),
    }
    Ok(())
}

fn empty(stage: &Stage) -> Result<(), Failure> {
    fs::remove_dir_all(stage.project())?;
    Ok(fs::create_dir(stage.project())?)
}

fn edit(stage: &Stage, rest: &str) -> Result<(), Failure> {
    let (name, change) = rest.split_once(" = ").ok_or("expected FILE = before => after")?;
    let (before, after) = change.split_once(" => ").ok_or("expected before => after")?;
    let (before, after) = (unescape(before)?, unescape(after)?);
    let bytes = fs::read(stage.project().join(name))?;
    let at = bytes.windows(before.len()).position(|part| part == before).ok_or("the text is not there")?;
    let (head, tail) = bytes.split_at(at);
    let tail = tail.get(before.len()..).unwrap_or_default();
    stage.write(name, [head, &after, tail].concat())
}

fn unescape(text: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'n') => bytes.push(b'\n'),
            Some(b't') => bytes.push(b'\t'),
            Some(b'\\') => bytes.push(b'\\'),
            Some(b'x') => {
                let digits = [rest.next(), rest.next()].map(Option::unwrap_or_default);
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits)?, 16)?);
            }
            _ => return Err("an escape is one of \\n \\t \\\\ \\xHH".into()),
        }
    }
    Ok(bytes)
}

/// The lines of what a command says, those of its log before the others: they come from threads that do not wait for each other.
fn log_first(talk: &str) -> Vec<&str> {
    let is_log = |line: &&str| {
        line.strip_prefix("<time> ").is_some_and(|rest| rest.trim_start().starts_with("DEBUG "))
    };
    let (mut log, rest): (Vec<_>, Vec<_>) = talk.lines().partition(is_log);
    log.extend(rest);
    log
}

/// Runs a line; shows it, its output, its talk behind `!`, and how it ended.
fn command(stage: &Stage, line: &str) -> Result<String, Failure> {
    let output = stage.shell(line).stdout(Stdio::piped()).stderr(Stdio::piped()).output()?;
    let (out, talk) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    let is_json = line.contains("--json") && !line.contains('|') && !out.is_empty();
    if is_json && serde_json::from_str::<serde_json::Value>(&out).is_err() {
        return Err(format!("stdout is not one JSON document:\n{out}").into());
    }
    let left = stage.left_behind()?;
    if !left.is_empty() {
        return Err(format!("left in the temporary folder: {}", left.join(", ")).into());
    }
    let names = stage.names();
    let mut shown = format!("$ {line}\n{}", redact(&out, &names));
    // A slow machine makes any run a long one, which says so.
    let talk = redact(&talk, &names);
    for line in log_first(&talk).into_iter().filter(|line| !line.starts_with("running for ")) {
        writeln!(shown, "{}", format!("! {line}").trim_end())?;
    }
    match output.status.code() {
        Some(0) => {}
        Some(code) => writeln!(shown, "[exit code {code}]")?,
        None => writeln!(shown, "[killed]")?,
    }
    Ok(shown)
}
