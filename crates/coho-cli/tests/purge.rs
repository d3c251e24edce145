//! `coho purge`: after it, no byte that Coho keeps has a value of the row, and nothing is sent because of it.

#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;

use std::fs;
use std::io::Read as _;
use std::path::Path;

use coho_simulator::{FaultAnswer, ScriptedFault, Trouble};
use coho_testkit::Receiver;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use stage::{Failure, Stage};

/// What each planted value has in it, and nothing else.
const PLANTED: &str = "lanted";

const SYNC: &str = "
id: accounts
model: accounts
to: vitally
object: account
match: { externalId: id }
fields:
  name: name
  traits:
    note: note
    email: email
    seats: { column: seats, as: number }
guards: { max_rejected: { share: 100%, floor: 100 } }
";

/// The rows, with that of `acc-9` so.
fn rows(stage: &Stage, name: &str, seats: &str) -> Result<(), Failure> {
    let note = "a Planted note ".repeat(60);
    let text = format!(
        "id,name,note,email,seats\nacc-1,Alder,none,one@example.com,42\n\
         acc-9,{name},{note},planted.person@example.com,{seats}\n"
    );
    stage.write("data/accounts.csv", text)
}

fn coho(stage: &Stage, arguments: &[&str]) -> Result<String, Failure> {
    let told = stage.coho(arguments).output()?;
    Ok(String::from_utf8(told.stdout)? + &String::from_utf8(told.stderr)?)
}

/// A project of which everything that Coho keeps has values of `acc-9`.
fn planted(hook: &Receiver) -> Result<Stage, Failure> {
    let stage = Stage::new()?;
    stage.write("syncs/accounts.yaml", SYNC)?;
    let project = fs::read_to_string(stage.project().join("coho.yaml"))?;
    let alerts = format!(
        "alerts: {{ to: {{ hook: {{ type: webhook, url: \"{}/in\", secrets: hush-hush }} }} }}",
        hook.url()
    );
    stage.write("coho.yaml", format!("{project}\n{alerts}\n"))?;
    rows(&stage, "Planted one", "1")?;
    coho(&stage, &["run"])?;
    coho(&stage, &["adopt", "accounts"])?;
    rows(&stage, "Planted two", "2")?;
    coho(&stage, &["run"])?;
    // The value of an invalid row stands only in its message.
    rows(&stage, "Planted two", "planted-number")?;
    coho(&stage, &["run"])?;
    rows(&stage, "Planted three", "3")?;
    let body = Some("{\"error\":\"`Planted three` is not allowed\"}".to_owned());
    let answer = FaultAnswer { status: 422, body, retry_after: None };
    stage.vitally.script(ScriptedFault::once(Trouble::Answer(answer)).on("PUT", "/resources/accounts/*"));
    coho(&stage, &["run"])?;
    rows(&stage, "Planted four", "4")?;
    coho(&stage, &["run"])?;
    // Of an older schema, before an upgrade.
    stage.write(".coho/ledger.db.v9.bak", "Planted in a copy")?;
    stage.write(".coho/run_results.json.dead", "Planted by a process that died")?;
    Ok(stage)
}

/// Where the planted values are: in the bytes of files, and in what is packed in the ledger.
fn found(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut places = Vec::new();
    let wide: Vec<u8> = PLANTED.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let bytes = fs::read(&path)?;
        for needle in [PLANTED.as_bytes(), &wide] {
            if bytes.windows(needle.len()).any(|window| window == needle) {
                places.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
            }
        }
    }
    let ledger = Connection::open_with_flags(folder.join("ledger.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = ledger.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    let tables =
        statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    for table in tables {
        places.extend(found_in(&ledger, &table)?);
    }
    places.sort();
    places.dedup();
    Ok(places)
}

/// The columns of a table that have a planted value, packed or not.
fn found_in(ledger: &Connection, table: &str) -> Result<Vec<String>, Failure> {
    let mut places = Vec::new();
    let mut statement = ledger.prepare(&format!("SELECT * FROM \"{table}\""))?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for (at, column) in columns.iter().enumerate() {
            let text = match row.get_ref(at)? {
                ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                ValueRef::Blob(bytes) => {
                    let mut text = String::new();
                    drop(flate2::read::ZlibDecoder::new(bytes).read_to_string(&mut text));
                    text
                }
                ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => continue,
            };
            if text.contains(PLANTED) {
                places.push(format!("{table}.{column}"));
            }
        }
    }
    Ok(places)
}

#[test]
fn after_a_purge_no_byte_has_a_value_of_the_row() -> Result<(), Failure> {
    let hook = Receiver::start()?;
    hook.answer_next(&[500; 40]);
    let stage = planted(&hook)?;
    let kept = stage.project().join(".coho");
    let before = found(&kept)?;
    for place in [
        "calls.request_zlib",
        "calls.response_zlib",
        "fates.fields_zlib",
        "fates.message",
        "ledger.db.v9.bak",
        "memory.sent",
    ] {
        assert!(before.iter().any(|found| found == place), "{place} is not in {before:?}");
    }

    let told = coho(&stage, &["purge", "accounts", "--key", "acc-9", "--yes"])?;
    assert_eq!(found(&kept)?, Vec::<String>::new(), "{told}");
    assert!(told.contains("removed .coho/ledger.db.v9.bak"), "{told}");
    assert!(told.contains("the record in Vitally"), "{told}");
    let other = coho(&stage, &["rows", "accounts", "--key", "acc-1"])?;
    assert!(other.contains("Alder"), "{other}");
    Ok(())
}

#[test]
fn a_row_that_was_purged_is_not_sent_again_and_no_second_record_is_made() -> Result<(), Failure> {
    let hook = Receiver::start()?;
    let stage = planted(&hook)?;
    coho(&stage, &["purge", "accounts", "--key", "acc-9", "--yes"])?;
    let calls = stage.vitally.calls().len();
    let told = coho(&stage, &["run"])?;
    assert!(told.contains("2 rows read = 2 unchanged"), "{told}");
    assert_eq!(stage.vitally.calls().len(), calls, "{told}");
    // Once the row changes, its record is updated as a whole.
    rows(&stage, "Planted five", "5")?;
    let told = coho(&stage, &["run"])?;
    assert!(told.contains("1 delivered + 1 unchanged"), "{told}");
    let wrote: Vec<_> = stage.vitally.calls().split_off(calls);
    assert!(wrote.iter().all(|call| call.method != "POST"), "{wrote:?}");
    // What is purged twice is purged.
    coho(&stage, &["purge", "accounts", "--key", "acc-9", "--yes"])?;
    assert_eq!(found(&stage.project().join(".coho"))?, Vec::<String>::new());
    Ok(())
}

#[test]
fn while_somebody_reads_the_ledger_the_purge_says_what_it_could_not_do() -> Result<(), Failure> {
    let hook = Receiver::start()?;
    let stage = planted(&hook)?;
    let reader = Connection::open(stage.project().join(".coho/ledger.db"))?;
    reader.execute_batch("BEGIN; SELECT * FROM memory")?;
    let told = stage.coho(["purge", "accounts", "--key", "acc-9", "--yes"]).output()?;
    let said = String::from_utf8_lossy(&told.stderr).into_owned();
    assert_eq!(told.status.code(), Some(6), "{said}");
    assert!(said.contains("stop `coho debug` and `coho serve`, and purge again"), "{said}");
    drop(reader);
    let told = stage.coho(["purge", "accounts", "--key", "acc-9", "--yes"]).output()?;
    assert_eq!(told.status.code(), Some(0));
    assert_eq!(found(&stage.project().join(".coho"))?, Vec::<String>::new());
    Ok(())
}
