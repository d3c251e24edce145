//! The fault classes of the machine: disks, ledgers, sources, other processes, names, certificates and signals.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::bench::{Bench, Ended, until};
use super::class::{Class, Faults};
use super::proxy::{Mischief, Moment, Script, Struck};
use super::table::Shown;
use crate::torture::project::Options;

/// What a class came to: how the run ended, and the state in the end where it is another than that of all rows.
type Came = Result<(Ended, &'static str)>;

const ALL_ONCE: &str = "each row once";
const NOTHING_SENT: &str = "nothing was sent";

struct Machine {
    name: &'static str,
    what: &'static str,
    run: fn(&mut Bench) -> Came,
}

const MACHINE: [Machine; 17] = [
    Machine { name: "ledger-full", what: "the ledger's disk fills up", run: ledger_full },
    Machine { name: "temporary-full", what: "the disk for the plan's file is full", run: temporary_full },
    Machine { name: "log-full", what: "stdout and stderr are on a full disk", run: log_full },
    Machine { name: "ledger-read-only", what: "the ledger's folder may not be written", run: read_only },
    Machine { name: "ledger-corrupt", what: "the ledger's pages are overwritten", run: corrupt },
    Machine {
        name: "ledger-foreign",
        what: "another program's file is in the ledger's place",
        run: foreign_ledger,
    },
    Machine { name: "ledger-lost", what: "the ledger is gone", run: lost },
    Machine { name: "source-gone", what: "the file of a model is missing", run: source_gone },
    Machine { name: "source-empty", what: "a model has no rows", run: source_empty },
    Machine { name: "source-half", what: "a model has a third of its rows", run: source_half },
    Machine { name: "source-cut", what: "a file ends within a row", run: source_cut },
    Machine { name: "two-processes", what: "a second run begins", run: two_processes },
    Machine { name: "dns", what: "Vitally's name cannot be found", run: dns },
    Machine { name: "tls", what: "Vitally's address does not speak TLS", run: tls },
    Machine { name: "sigint", what: "SIGINT while it sends", run: |bench| signalled(bench, "INT") },
    Machine { name: "sigterm", what: "SIGTERM while it sends", run: |bench| signalled(bench, "TERM") },
    Machine { name: "sighup", what: "SIGHUP while it sends", run: |bench| signalled(bench, "HUP") },
];

pub(crate) fn classes() -> impl Iterator<Item = Class> {
    let machine = MACHINE.into_iter().map(|Machine { name, what, run }| Class {
        name,
        is_slow: false,
        run: Box::new(move |faults: &Faults| {
            let mut bench = Bench::start(faults, name)?;
            came(&mut bench, name, what, run).map(|shown| (shown, bench)).and_then(ended)
        }),
    });
    machine.chain([Class { name: "foreign-traffic", is_slow: true, run: Box::new(foreign_traffic) }])
}

fn ended((shown, bench): (Shown, Bench)) -> Result<Shown> {
    bench.end()?;
    Ok(shown)
}

fn came(bench: &mut Bench, name: &str, what: &str, run: fn(&mut Bench) -> Came) -> Result<Shown> {
    let shown = |exit: String, message: String, state: &str| Shown {
        name: name.to_owned(),
        what: what.to_owned(),
        exit,
        message,
        state: state.to_owned(),
    };
    match run(bench) {
        Ok((ended, state)) => {
            if state != NOTHING_SENT {
                bench.settle()?;
            }
            Ok(shown(ended.exit(), bench.plain(&ended.message()), state))
        }
        Err(error) if error.downcast_ref::<NeedsRoot>().is_some() => {
            Ok(shown("skipped: needs root".to_owned(), String::new(), ""))
        }
        Err(error) => Err(error),
    }
}

/// What only root may do.
#[derive(Debug)]
struct NeedsRoot;

impl std::fmt::Display for NeedsRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("needs root")
    }
}

impl std::error::Error for NeedsRoot {}

/// A disk of two megabytes that is full.
struct FullDisk(PathBuf);

impl FullDisk {
    fn mount(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder)?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=2m,mode=777", "tmpfs"]).arg(&folder).stderr(Stdio::null());
        if mount.status().is_ok_and(|status| status.success()) {
            Ok(Self(folder))
        } else {
            Err(NeedsRoot.into())
        }
    }

    fn fill(&self) -> Result<()> {
        if fs::write(self.0.join("filler"), vec![0; 4 << 20]).is_ok() {
            bail!("the disk is not full");
        }
        Ok(())
    }

    fn free(&self) -> Result<()> {
        fs::remove_file(self.0.join("filler")).context("freeing the disk")
    }
}

impl Drop for FullDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

fn ledger(bench: &Bench) -> PathBuf {
    bench.project.folder().join(".coho/ledger.db")
}

/// The ledger stays on the small disk until all is settled, and is copied from it then.
fn ledger_full(bench: &mut Bench) -> Came {
    let disk = FullDisk::mount(bench.project.folder().join(".coho"))?;
    only(bench, &["run", "accounts", "--limit", "1"])?;
    disk.fill()?;
    let ended = bench.run()?;
    disk.free()?;
    bench.settle()?;
    drop(disk);
    // What is under the mount is an empty folder: the ledger went with the disk.
    drop(fs::remove_file(bench.project.folder().join(".coho-ledger")));
    Ok((ended, ALL_ONCE))
}

fn temporary_full(bench: &mut Bench) -> Came {
    let disk = FullDisk::mount(bench.project.folder().join("temporary"))?;
    disk.fill()?;
    let mut command = bench.command();
    command.env("TMPDIR", bench.project.folder().join("temporary"));
    let ended = bench.ended(command)?;
    Ok((ended, ALL_ONCE))
}

fn log_full(bench: &mut Bench) -> Came {
    let full = || fs::OpenOptions::new().write(true).open("/dev/full");
    let mut command = bench.verb(&["run", "-v"]);
    command.stdout(full()?).stderr(full()?);
    let status = command.status()?;
    Ok((Ended::silent(status), ALL_ONCE))
}

fn read_only(bench: &mut Bench) -> Came {
    only(bench, &["run", "accounts", "--limit", "1"])?;
    let folder = bench.project.folder();
    checked(Command::new("chmod").arg("444").arg(ledger(bench)))?;
    checked(Command::new("chmod").arg("555").arg(folder.join(".coho")))?;
    let mut command = bench.command();
    if Command::new("id").arg("-u").output()?.stdout.trim_ascii() == b"0" {
        // Root is not bound by modes.
        checked(Command::new("chmod").arg("-R").arg("a+rX").arg(folder))?;
        let inner = command;
        command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(inner.get_program());
        command.args(inner.get_args()).stdin(Stdio::null()).env("HOSTNAME", "machine");
    }
    let ended = bench.ended(command)?;
    checked(Command::new("chmod").arg("-R").arg("u+w").arg(folder))?;
    if ended.code() != Some(6) {
        return Err(NeedsRoot.into());
    }
    Ok((ended, ALL_ONCE))
}

/// The first pages stay, so that it still looks like a ledger; it is put back for the end.
fn corrupt(bench: &mut Bench) -> Came {
    only(bench, &["run"])?;
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
    Ok((ended, ALL_ONCE))
}

fn foreign_ledger(bench: &mut Bench) -> Came {
    only(bench, &["run"])?;
    let path = ledger(bench);
    let kept = path.with_extension("kept");
    fs::copy(&path, &kept)?;
    fs::write(&path, "not a ledger, but a text of another program that is longer than a header".repeat(20))?;
    let ended = bench.run()?;
    put_back(&path, &kept)?;
    Ok((ended, ALL_ONCE))
}

fn lost(bench: &mut Bench) -> Came {
    only(bench, &["run"])?;
    let path = ledger(bench);
    let kept = path.with_extension("kept");
    fs::copy(&path, &kept)?;
    fs::remove_file(&path)?;
    let ended = bench.run()?;
    put_back(&path, &kept)?;
    Ok((ended, ALL_ONCE))
}

fn put_back(path: &Path, kept: &Path) -> Result<()> {
    for beside in ["-wal", "-shm"] {
        drop(fs::remove_file(path.with_file_name(format!("ledger.db{beside}"))));
    }
    fs::rename(kept, path).context("putting the ledger back")
}

fn source_gone(bench: &mut Bench) -> Came {
    only(bench, &["run"])?;
    fs::remove_file(bench.project.folder().join("data/accounts.csv"))?;
    let ended = bench.run()?;
    bench.project.write_rows(&bench.rows)?;
    Ok((ended, ALL_ONCE))
}

/// What a guard held is held against the rows as they were: nothing may be gone.
fn held(bench: &mut Bench, keep: impl Fn(&str) -> String) -> Came {
    only(bench, &["run"])?;
    bench.project.guard()?;
    let path = bench.project.folder().join("data/accounts.csv");
    let text = fs::read_to_string(&path)?;
    fs::write(&path, keep(&text))?;
    let ended = bench.run()?;
    crate::torture::check::same(&bench.vitally.state()?, &bench.rows).context("while it is held")?;
    bench.project.write_rows(&bench.rows)?;
    Ok((ended, ALL_ONCE))
}

fn source_empty(bench: &mut Bench) -> Came {
    held(bench, |text| text.lines().take(1).map(|line| format!("{line}\n")).collect())
}

fn source_half(bench: &mut Bench) -> Came {
    held(bench, |text| {
        let lines: Vec<&str> = text.lines().collect();
        lines.iter().take(1 + lines.len() / 3).map(|line| format!("{line}\n")).collect()
    })
}

fn source_cut(bench: &mut Bench) -> Came {
    held(bench, |text| {
        let end = text.trim_end().rfind(',').unwrap_or_default();
        text.get(..end.saturating_sub(3)).unwrap_or_default().to_owned()
    })
}

fn two_processes(bench: &mut Bench) -> Came {
    bench.proxy.stop_at(Moment::Sent);
    let mut first = bench.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    until(Duration::from_secs(60), || Ok(bench.proxy.has_stopped()))?;
    let mut second = bench.run()?;
    second.text = second.text.replace(&first.id().to_string(), "N");
    first.kill()?;
    first.wait()?;
    if let Some(at) = second.text.find(" has held the ledger since ") {
        second.text.truncate(at + " has held the ledger".len());
    }
    Ok((second, ALL_ONCE))
}

fn dns(bench: &mut Bench) -> Came {
    elsewhere(bench, "http://coho-torture.invalid")
}

fn tls(bench: &mut Bench) -> Came {
    let address = bench.proxy.url().replace("http://", "https://");
    elsewhere(bench, &address)
}

/// A project whose Vitally cannot be reached.
fn elsewhere(bench: &mut Bench, url: &str) -> Came {
    bench.project.move_to(&bench.proxy.url(), url)?;
    let ended = bench.run()?;
    if bench.vitally.writes()? > 0 {
        bail!("something was sent");
    }
    Ok((ended, NOTHING_SENT))
}

fn signalled(bench: &mut Bench, name: &str) -> Came {
    let drip = Script { struck: Struck::All, skip: 0, times: usize::MAX, mischief: vec![Mischief::Drip] };
    bench.proxy.strike(drip);
    let log = bench.project.folder().join("log");
    let file = fs::File::create(&log)?;
    let mut process = bench.command().stdout(file.try_clone()?).stderr(file).spawn()?;
    until(Duration::from_secs(60), || Ok(bench.proxy.calls() >= 4))?;
    checked(Command::new("kill").arg(format!("-{name}")).arg(process.id().to_string()))?;
    let status = process.wait()?;
    bench.proxy.calm();
    let mut ended = Ended::silent(status);
    ended.text = fs::read_to_string(&log)?.lines().take(1).map(|line| format!("error: {line}\n")).collect();
    Ok((ended, ALL_ONCE))
}

/// Another program uses the same token, and takes half of what Vitally allows.
fn foreign_traffic(faults: &Faults) -> Result<Shown> {
    let switches = "strict,limit=1200,window=bucket";
    let bench = Bench::start_with(faults, "foreign-traffic", switches, &Options::one_by_one())?;
    let ends = AtomicBool::new(false);
    let came = thread::scope(|scope| {
        scope.spawn(|| {
            while !ends.load(Ordering::SeqCst) {
                drop(bench.vitally.read_as_another());
                thread::sleep(Duration::from_millis(100));
            }
        });
        let ended = bench.run();
        ends.store(true, Ordering::SeqCst);
        ended
    })?;
    bench.settle()?;
    let shown = Shown {
        name: "foreign-traffic".to_owned(),
        what: "another program uses half of the rate".to_owned(),
        exit: came.exit(),
        message: bench.plain(&came.message()),
        state: ALL_ONCE.to_owned(),
    };
    bench.end()?;
    Ok(shown)
}

/// A run before the faults.
fn only(bench: &Bench, words: &[&str]) -> Result<()> {
    let ended = bench.ended(bench.verb(words))?;
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
