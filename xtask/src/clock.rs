//! A clock for tests that is not the machine's: so many days ahead, or at a moment that is hard on programs.
//!
//! `libfaketime` answers in place of the C library. Cargo starts each test program through [`run_test`], which loads it there
//! and nowhere else: cargo and the compiler keep the machine's clock, whatever a test starts inherits the test's. Only the
//! time of day differs, never the clock by which programs wait. [`crate::test`] is the caller.

use std::env;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use crate::arguments::Arguments;
use crate::{child, say};

/// What the runner is called on this program's command line.
pub(crate) const RUNNER: &str = "run-test";

const MISSING: &str = "libfaketime is not installed";

/// Where libfaketime leaves the shared memory of processes that were killed.
const SHARED: &str = "/dev/shm";

/// When a test believes that it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// As far from now, in milliseconds: `+400d`.
    Ahead(i64),
    /// Milliseconds since 1970. Every test begins at this very moment.
    At(i64),
}

impl Clock {
    /// Reads `+400d` or `2027-02-28T23:59:50`, which is meant in the zone `TZ` unless it names its own.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if text.starts_with(['+', '-']) {
            let ahead =
                ahead(text).with_context(|| format!("--clock {text}: expected a shift such as +400d"))?;
            return Ok(Self::Ahead(ahead));
        }
        if !text.contains('T') {
            bail!("--clock {text}: expected a shift such as +400d, or a moment such as 2027-02-28T23:59:50");
        }
        let moment = child::output(child::program("date").args(["--date", text, "+%s%3N"]))?;
        Ok(Self::At(moment.trim().parse().with_context(|| format!("--clock {text}"))?))
    }

    /// What to tell cargo, so that it starts each test with this clock.
    pub(crate) fn configuration(self) -> Result<String> {
        let program = this_program()?;
        let program = program.to_str().context("this program's path is not UTF-8")?;
        let words = [program, RUNNER, &self.word()];
        // JSON's texts and lists are TOML's too.
        Ok(format!("target.'cfg(all())'.runner={}", serde_json::to_string(&words)?))
    }

    fn word(self) -> String {
        match self {
            Self::Ahead(millis) => format!("{millis:+}"),
            Self::At(millis) => millis.to_string(),
        }
    }

    fn of_word(word: &str) -> Result<Self> {
        let millis = word.parse().with_context(|| format!("`{word}` is no clock"))?;
        Ok(if word.starts_with(['+', '-']) { Self::Ahead(millis) } else { Self::At(millis) })
    }

    /// Starts a program with this clock. Says whether that can be done: not without libfaketime.
    pub(crate) fn give(self, command: &mut Command) -> Result<bool> {
        let Some(library) = library() else { return Ok(false) };
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        command.env("LD_PRELOAD", library).env("FAKETIME", self.shift(i64::try_from(now)?));
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        Ok(true)
    }

    /// How far from now, in the seconds that libfaketime wants.
    fn shift(self, now: i64) -> String {
        let millis = match self {
            Self::Ahead(millis) => millis,
            Self::At(moment) => moment - now,
        };
        let sign = if millis < 0 { '-' } else { '+' };
        format!("{sign}{}.{:03}", millis.abs() / 1000, millis.abs() % 1000)
    }
}

/// Where this program's file is. A build that replaces it while it runs makes Linux call the old one `xtask (deleted)`: the new one
/// lies where it lay, and is the one that cargo can start.
fn this_program() -> Result<PathBuf> {
    let program = env::current_exe().context("looking for this program")?;
    Ok(in_place(&program).unwrap_or(program))
}

/// The file's place, if Linux says that what lay there was replaced.
fn in_place(program: &Path) -> Option<PathBuf> {
    program.to_str()?.strip_suffix(" (deleted)").map(PathBuf::from)
}

/// A number with a unit, in milliseconds.
fn ahead(text: &str) -> Option<i64> {
    let unit = match text.chars().next_back()? {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    let number: i64 = text.get(..text.len() - 1)?.parse().ok()?;
    number.checked_mul(unit * 1000)
}

/// `run-test CLOCK PROGRAM …`: becomes the test program, with this clock. Fails only if it cannot.
///
/// Without libfaketime the test is skipped as any that lacks what it needs. A list of tests needs no clock.
pub(crate) fn run_test(mut arguments: Arguments) -> Result<()> {
    let clock = Clock::of_word(&arguments.word().context("there is no clock")?)?;
    let program = arguments.word().context("there is no test program")?;
    let words = arguments.rest();
    let mut command = Command::new(&program);
    command.args(&words);
    if !words.iter().any(|word| word == "--list") && !clock.give(&mut command)? {
        say::talk(&format!("skipped: {MISSING} ({})", test_name(&words).unwrap_or(&program)));
        return Ok(());
    }
    Err(command.exec()).with_context(|| format!("starting {program}"))
}

fn test_name(words: &[String]) -> Option<&str> {
    words.iter().skip_while(|word| *word != "--exact").nth(1).map(String::as_str)
}

/// The library for programs with threads: Debian keeps it in a folder for each architecture, others in one for all.
pub(crate) fn library() -> Option<PathBuf> {
    let folders = ["/usr/lib", "/usr/lib64"].map(Path::new);
    let inner = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let inner = inner.filter_map(Result::ok).map(|entry| entry.path());
    let mut places = folders.map(Path::to_owned).into_iter().chain(inner);
    places.find_map(|folder| Some(folder.join("faketime/libfaketimeMT.so.1")).filter(|file| file.is_file()))
}

/// Removes what libfaketime shared between processes that are gone: those that were killed could not.
pub(crate) fn sweep() {
    for entry in fs::read_dir(SHARED).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process =
            ["faketime_shm_", "sem.faketime_sem_"].iter().find_map(|prefix| name.strip_prefix(prefix));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            // Another user's are theirs.
            drop(fs::remove_file(entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_has_a_sign_and_a_unit() {
        assert_eq!(Clock::parse("+400d").unwrap(), Clock::Ahead(34_560_000_000));
        assert_eq!(Clock::parse("-90m").unwrap(), Clock::Ahead(-5_400_000));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_moment_is_read_to_the_millisecond() {
        assert_eq!(Clock::parse("2027-02-28T23:59:50Z").unwrap(), Clock::At(1_803_859_190_000));
        assert_eq!(Clock::parse("2027-03-28T01:59:59.5+01:00").unwrap(), Clock::At(1_806_195_599_500));
    }

    #[test]
    fn a_program_that_a_build_replaced_is_found_where_it_lay() {
        assert_eq!(in_place(Path::new("/target/debug/xtask (deleted)")), Some("/target/debug/xtask".into()));
        assert_eq!(in_place(Path::new("/target/debug/xtask")), None);
    }

    #[test]
    fn other_words_are_refused() {
        for word in ["400d", "+400", "+d", "+400y", "tomorrow", "2027-02-28"] {
            assert!(Clock::parse(word).is_err(), "{word}");
        }
    }

    #[test]
    fn the_runner_reads_what_cargo_was_told() {
        for clock in [Clock::Ahead(-1500), Clock::Ahead(0), Clock::At(1_803_859_190_000)] {
            assert_eq!(Clock::of_word(&clock.word()).unwrap(), clock);
        }
    }

    #[test]
    fn every_test_begins_at_the_moment() {
        assert_eq!(Clock::At(90_000).shift(30_250), "+59.750");
        assert_eq!(Clock::At(30_000).shift(90_250), "-60.250");
        assert_eq!(Clock::Ahead(400).shift(90_250), "+0.400");
    }

    #[test]
    fn a_skipped_test_says_its_name() {
        let words = ["--exact", "transcript::help.txt", "--nocapture"].map(str::to_owned);
        assert_eq!(test_name(&words), Some("transcript::help.txt"));
        assert_eq!(test_name(&[]), None);
    }
}
