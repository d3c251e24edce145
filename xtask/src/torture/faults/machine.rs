//! The fault classes of the machine: disks, ledgers, sources, clocks, other processes, names, certificates and signals.

use std::ffi::OsStr;
use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::bench::{Bench, until};
use super::class::{Class, Faults};
use super::disk::{FullDisk, NeedsRoot};
use super::proxy::{Mischief, Moment, Script, Struck};
use super::table::{ALL_ONCE, Came, Shown};
use crate::clock::{self, Clock};
use crate::torture::check;
use crate::torture::process::{Ended, PATIENCE};
use crate::torture::project::{Guard, Options};
use crate::torture::random::Random;

const NOTHING_SENT: &str = "nothing was sent; later each row once";
const NOTHING_REMOVED: &str = "nothing was removed; later each row once";

/// Without a limit.
const UNBOUNDED: &str = "strict,limit=1000000,rate=1000000";

/// Twenty calls a second, after a minute's worth at once.
const BOUNDED: &str = "strict,limit=1200,window=bucket";

struct Machine {
    name: &'static str,
    what: &'static str,
    /// Whether it takes a minute.
    is_slow: bool,
    switches: &'static str,
    /// What holds in the end.
    state: &'static str,
    kills: Kills,
    /// Makes the fault, lets a run end that it strikes, and takes the fault away.
    run: fn(&mut Bench) -> Result<Ended>,
}

/// Where kills are mixed in.
#[derive(Clone, Copy)]
enum Kills {
    /// After each of them the fault is made again.
    Between,
    /// The fault is made once, and kills are part of it.
    Within,
}

const fn machine(name: &'static str, what: &'static str, run: fn(&mut Bench) -> Result<Ended>) -> Machine {
    Machine { name, what, is_slow: false, switches: UNBOUNDED, state: ALL_ONCE, kills: Kills::Between, run }
}

const MACHINE: [Machine; 21] = [
    Machine { kills: Kills::Within, ..machine("ledger-full", "the ledger's disk fills up", ledger_full) },
    machine("temporary-full", "the disk for the plan's file is full", temporary_full),
    machine("log-full", "stdout and stderr are on a full disk", log_full),
    machine("ledger-read-only", "the ledger's folder may not be written", read_only),
    machine("ledger-corrupt", "the ledger's pages are overwritten", corrupt),
    machine("ledger-foreign", "another program's file is in the ledger's place", foreign_ledger),
    machine("ledger-lost", "the ledger is gone", lost),
    machine("source-gone", "the file of a model is missing", source_gone),
    Machine { state: NOTHING_REMOVED, ..machine("source-empty", "a model has no rows", source_empty) },
    Machine {
        state: NOTHING_REMOVED,
        ..machine("source-half", "a model has a third of its rows", source_half)
    },
    Machine { state: NOTHING_REMOVED, ..machine("source-cut", "a file ends within a row", source_cut) },
    machine("clock-ahead", "the clock is ten years ahead in one run", |bench| with_clock(bench, "+3650d")),
    machine("clock-behind", "the clock is ten years behind in one run", |bench| with_clock(bench, "-3650d")),
    machine("summer-time", "summer time begins while it runs", |bench| {
        with_clock(bench, "2027-03-28T01:59:59.9+01:00")
    }),
    Machine { kills: Kills::Within, ..machine("two-processes", "a second run begins", two_processes) },
    Machine { state: NOTHING_SENT, ..machine("dns", "Vitally's name cannot be found", dns) },
    Machine { state: NOTHING_SENT, ..machine("tls", "Vitally's address does not speak TLS", tls) },
    machine("sigint", "SIGINT while it sends", |bench| signalled(bench, "INT")),
    machine("sigterm", "SIGTERM while it sends", |bench| signalled(bench, "TERM")),
    machine("sighup", "SIGHUP while it sends", |bench| signalled(bench, "HUP")),
    Machine {
        is_slow: true,
        switches: BOUNDED,
        ..machine(
            "foreign-traffic",
            "another program has used up the rate, and uses half of it",
            foreign_traffic,
        )
    },
];

pub(crate) fn classes() -> impl Iterator<Item = Class> {
    MACHINE.into_iter().map(|class| Class {
        name: class.name,
        is_slow: class.is_slow,
        run: Box::new(move |faults: &Faults| shown(faults, &class)),
    })
}

fn shown(faults: &Faults, class: &Machine) -> Result<Shown> {
    let mut bench = Bench::start_with(faults, class.name, class.switches, Options::one_by_one())?;
    let ended = match struck(&mut bench, faults, class) {
        Err(error) if error.downcast_ref::<NeedsRoot>().is_some() => {
            bench.end()?;
            return Ok(Shown::skipped(class.name, class.what, "needs root"));
        }
        Err(error) if error.downcast_ref::<NeedsFaketime>().is_some() => {
            bench.end()?;
            return Ok(Shown::skipped(class.name, class.what, "needs libfaketime"));
        }
        ended => ended?,
    };
    let (exit, message) = (ended.exit(), bench.plain(&ended.message()));
    let came = Came { exit, message, state: class.state, tally: bench.tally() };
    bench.end()?;
    Ok(Shown::new(class.name, class.what, came))
}

/// The first run is the one that is shown.
fn struck(bench: &mut Bench, faults: &Faults, class: &Machine) -> Result<Ended> {
    let first = (class.run)(bench)?;
    let mut random = Random::new(faults.seed);
    let rounds = if matches!(class.kills, Kills::Between) { faults.kills } else { 0 };
    for _ in 0..rounds {
        bench.change(&mut random)?;
        bench.kill_on_the_way(&mut random)?;
        (class.run)(bench)?;
    }
    bench.settle()?;
    Ok(first)
}

fn ledger(bench: &Bench) -> PathBuf {
    bench.project.folder().join(".coho/ledger.db")
}

/// The ledger is made on a small disk, which fills up after a run that was killed.
fn ledger_full(bench: &mut Bench) -> Result<Ended> {
    let disk = FullDisk::mount(bench.project.folder().join(".coho"))?;
    make_ledger(bench)?;
    let mut random = Random::new(1);
    bench.change(&mut random)?;
    bench.kill_on_the_way(&mut random)?;
    disk.fill()?;
    let ended = bench.run()?;
    disk.free()?;
    bench.settle()?;
    disk.replace()?;
    Ok(ended)
}

fn temporary_full(bench: &mut Bench) -> Result<Ended> {
    let disk = FullDisk::mount(bench.project.folder().join("temporary"))?;
    disk.fill()?;
    let mut command = bench.command();
    command.env("TMPDIR", bench.project.folder().join("temporary"));
    bench.ended(command)
}

fn log_full(bench: &mut Bench) -> Result<Ended> {
    let full = || fs::OpenOptions::new().write(true).open("/dev/full");
    let mut command = bench.verb(&["run", "-v"]);
    command.stdout(full()?).stderr(full()?);
    let status = command.status()?;
    Ok(Ended::silent(status))
}

fn read_only(bench: &mut Bench) -> Result<Ended> {
    make_ledger(bench)?;
    let folder = bench.project.folder();
    checked(Command::new("chmod").arg("444").arg(ledger(bench)))?;
    checked(Command::new("chmod").arg("555").arg(folder.join(".coho")))?;
    let mut command = bench.command();
    if Command::new("id").arg("-u").output()?.stdout.trim_ascii() == b"0" {
        // Root is not bound by modes.
        checked(Command::new("chmod").arg("-R").arg("a+rX").arg(folder))?;
        let inner = command;
        let runs = as_nobody(inner.get_program()).arg("--version").output();
        if !runs.is_ok_and(|output| output.status.success()) {
            return Err(NeedsRoot.into());
        }
        command = as_nobody(inner.get_program());
        command.args(inner.get_args()).stdin(Stdio::null()).env("HOSTNAME", "machine");
    }
    let ended = bench.ended(command)?;
    checked(Command::new("chmod").arg("-R").arg("u+w").arg(folder))?;
    Ok(ended)
}

/// A program as a user without rights.
fn as_nobody(program: &OsStr) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    command
}

/// The first pages stay, so that it still looks like a ledger; it is put back for the end.
fn corrupt(bench: &mut Bench) -> Result<Ended> {
    bench.catch_up()?;
    let path = ledger(bench);
    let kept = path.with_extension("kept");
    fs::copy(&path, &kept)?;
    let mut file = fs::OpenOptions::new().write(true).open(&path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(4096))?;
    file.write_all(&vec![0xa5; usize::try_from(length.saturating_sub(4096))?])?;
    drop(file);
    let ended = bench.run()?;
    put_back(&path, &kept)?;
    Ok(ended)
}

fn foreign_ledger(bench: &mut Bench) -> Result<Ended> {
    bench.catch_up()?;
    let path = ledger(bench);
    let kept = path.with_extension("kept");
    fs::copy(&path, &kept)?;
    fs::write(&path, "not a ledger, but a text of another program that is longer than a header".repeat(20))?;
    let ended = bench.run()?;
    put_back(&path, &kept)?;
    Ok(ended)
}

fn lost(bench: &mut Bench) -> Result<Ended> {
    bench.catch_up()?;
    let path = ledger(bench);
    let kept = path.with_extension("kept");
    fs::copy(&path, &kept)?;
    fs::remove_file(&path)?;
    let ended = bench.run()?;
    put_back(&path, &kept)?;
    Ok(ended)
}

fn put_back(path: &Path, kept: &Path) -> Result<()> {
    for beside in ["-wal", "-shm"] {
        drop(fs::remove_file(path.with_file_name(format!("ledger.db{beside}"))));
    }
    fs::rename(kept, path).context("putting the ledger back")
}

fn source_gone(bench: &mut Bench) -> Result<Ended> {
    bench.catch_up()?;
    fs::remove_file(bench.project.folder().join("data/accounts.csv"))?;
    let ended = bench.run()?;
    bench.project.write_rows(&bench.rows)?;
    Ok(ended)
}

/// What a guard held is held against the rows as they were: nothing may be gone.
fn held(bench: &mut Bench, keep: impl Fn(&str) -> String) -> Result<Ended> {
    bench.catch_up()?;
    bench.project.guard(Guard::Narrow)?;
    let path = bench.project.folder().join("data/accounts.csv");
    let text = fs::read_to_string(&path)?;
    fs::write(&path, keep(&text))?;
    let ended = bench.run()?;
    check::same(&bench.vitally.state()?, &bench.rows).context("while it is held")?;
    bench.project.guard(Guard::Wide)?;
    bench.project.write_rows(&bench.rows)?;
    Ok(ended)
}

fn source_empty(bench: &mut Bench) -> Result<Ended> {
    held(bench, |text| first_lines(text, 1))
}

fn source_half(bench: &mut Bench) -> Result<Ended> {
    held(bench, |text| first_lines(text, 1 + text.lines().count() / 3))
}

fn first_lines(text: &str, count: usize) -> String {
    text.split_inclusive('\n').take(count).collect()
}

fn source_cut(bench: &mut Bench) -> Result<Ended> {
    held(bench, |text| {
        let end = text.trim_end().rfind(',').unwrap_or_default();
        text.get(..end.saturating_sub(3)).unwrap_or_default().to_owned()
    })
}

/// There is no other clock to be had.
#[derive(Debug)]
struct NeedsFaketime;

impl std::fmt::Display for NeedsFaketime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("needs libfaketime")
    }
}

impl std::error::Error for NeedsFaketime {}

/// A run with another clock than Vitally, the runs before and those after it. Its zone has summer time.
fn with_clock(bench: &mut Bench, clock: &str) -> Result<Ended> {
    let mut command = bench.command();
    command.env("TZ", "Europe/Berlin");
    if !Clock::parse(clock)?.give(&mut command)? {
        return Err(NeedsFaketime.into());
    }
    let ended = bench.ended(command);
    clock::sweep();
    ended
}

fn two_processes(bench: &mut Bench) -> Result<Ended> {
    bench.proxy.stop_at(Moment::Sent);
    let mut first = bench.silent()?;
    until(PATIENCE, || Ok(bench.proxy.has_stopped()))?;
    let mut second = bench.run()?;
    second.text = second.text.replace(&first.id().to_string(), "N");
    bench.kill(&mut first)?;
    if let Some(at) = second.text.find(" has held the ledger since ") {
        second.text.truncate(at + " has held the ledger".len());
    }
    Ok(second)
}

fn dns(bench: &mut Bench) -> Result<Ended> {
    elsewhere(bench, "http://coho-torture.invalid")
}

fn tls(bench: &mut Bench) -> Result<Ended> {
    let address = bench.proxy.url().replace("http://", "https://");
    elsewhere(bench, &address)
}

/// A project whose Vitally cannot be reached, for one run.
fn elsewhere(bench: &mut Bench, url: &str) -> Result<Ended> {
    let before = bench.vitally.writes()?;
    bench.project.move_to(&bench.proxy.url(), url)?;
    let ended = bench.run()?;
    bench.project.move_to(url, &bench.proxy.url())?;
    if bench.vitally.writes()? > before {
        bail!("something was sent");
    }
    Ok(ended)
}

/// The command as a terminal starts it: it hears SIGHUP, although what started the torture may ignore that (`nohup`).
fn from_a_terminal(command: &Command) -> Command {
    let mut heard = Command::new("env");
    heard.arg("--default-signal=HUP").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => heard.env(name, value),
            None => heard.env_remove(name),
        };
    }
    heard.stdin(Stdio::null());
    heard
}

fn signalled(bench: &mut Bench, name: &str) -> Result<Ended> {
    let drip = Script { struck: Struck::All, skip: 0, times: usize::MAX, mischief: vec![Mischief::Drip] };
    bench.proxy.strike(drip);
    let log = bench.project.folder().join("log");
    let file = fs::File::create(&log)?;
    let mut process = from_a_terminal(&bench.command()).stdout(file.try_clone()?).stderr(file).spawn()?;
    let calls = bench.proxy.calls() + 4;
    until(PATIENCE, || Ok(bench.proxy.calls() >= calls || process.try_wait()?.is_some()))?;
    // One that had nothing to send may be gone.
    Command::new("kill")
        .arg(format!("-{name}"))
        .arg(process.id().to_string())
        .stderr(Stdio::null())
        .status()?;
    let status = process.wait()?;
    bench.proxy.calm();
    let told = fs::read_to_string(&log)?;
    Ok(Ended::told(status, told.lines().next().unwrap_or_default()))
}

/// Another program has the same token: it has used up what Vitally allows, and takes half of what comes in.
fn foreign_traffic(bench: &mut Bench) -> Result<Ended> {
    let ends = AtomicBool::new(false);
    let bench = &*bench;
    while read_as_another(bench)? {}
    thread::scope(|scope| {
        let others = scope.spawn(|| {
            let mut answered = 0;
            while !ends.load(Ordering::SeqCst) {
                answered += u32::from(read_as_another(bench)?);
                thread::sleep(Duration::from_millis(100));
            }
            anyhow::Ok(answered)
        });
        let ended = bench.run();
        ends.store(true, Ordering::SeqCst);
        match others.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))? {
            0 => bail!("no call of the other program was answered"),
            _ => ended,
        }
    })
}

/// Whether a read of the other program was answered, and not refused for the rate.
fn read_as_another(bench: &Bench) -> Result<bool> {
    match bench.vitally.read_as_another()? {
        200 => Ok(true),
        429 => Ok(false),
        status => bail!("a read of the other program was answered {status}"),
    }
}

/// Lets a run make a ledger, where there is none.
fn make_ledger(bench: &Bench) -> Result<()> {
    if ledger(bench).exists() {
        return Ok(());
    }
    let ended = bench.ended(bench.verb(&["run", "accounts", "--limit", "1"]))?;
    if ended.code() == Some(0) {
        Ok(())
    } else {
        bail!("the run before the faults ended with {}:\n{}", ended.exit(), ended.text)
    }
}

fn checked(command: &mut Command) -> Result<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { bail!("{command:?}: {status}") }
}
