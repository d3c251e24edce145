//! A year of runs under a simulated clock: how large the ledger becomes.
//!
//! The engine is the one of `coho run`, with its retention; only the clock is another one, and Vitally is [`crate::null`]. Every 15
//! minutes of simulated time the file of accounts is written anew and a run sends what changed. See [`Churn`] for what changes.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::DateTime;
use coho_core::event::Silence;
use coho_core::time::Time;
use coho_engine::context::{Engine, EngineError, Setup};
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_ledger::lease::Holder;
use coho_project::{File, Project};

use crate::accounts::{self, Changes};

/// Between two runs, in seconds.
pub const EVERY: i64 = 15 * 60;

/// Runs of a day.
pub const DAY: u64 = 96;

/// When the first run begins: 2026-01-01T00:00:00Z, in seconds.
const FIRST: i64 = 1_767_225_600;

/// What differs from run to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Churn {
    /// Rows of the file.
    pub rows: u64,
    /// How many of them have other seats than in the run before; all of them where there are fewer.
    pub changed: u64,
    /// How many of them have no name, and are invalid; all of them where there are fewer.
    pub invalid: u64,
}

impl Churn {
    /// What is different about a row in a run. Rows take turns.
    fn of(self, number: u64, run: u64) -> Changes {
        // In how many of the runs so far it was this row's turn.
        let more_seats = self
            .turn(self.changed, number)
            .filter(|(turn, _)| *turn <= run)
            .map(|(turn, turns)| 1 + (run - turn) / turns);
        let is_invalid = self.turn(self.invalid, number).is_some_and(|(turn, turns)| run % turns == turn);
        Changes { more_seats: more_seats.unwrap_or(0), has_name: !is_invalid }
    }

    /// In which of how many runs it is a row's turn, if so many rows are to have their turn in each run. What is left over when the rows
    /// are divided among the runs never has one.
    fn turn(self, at_once: u64, number: u64) -> Option<(u64, u64)> {
        let at_once = at_once.min(self.rows);
        let turns = self.rows.checked_div(at_once)?;
        (number <= turns * at_once).then(|| (number % turns, turns))
    }
}

/// How large the ledger is after a run, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// The file.
    pub file: u64,
    /// Its write-ahead log.
    pub log: u64,
}

/// A project and its simulated time.
pub struct Year<'a> {
    folder: &'a Path,
    project: &'a Project,
    now: Arc<AtomicI64>,
    churn: Churn,
}

/// Why a run of the year failed.
#[derive(Debug, thiserror::Error)]
pub enum YearError {
    /// The files could not be written or measured.
    #[error("cannot write the file of accounts or look at the ledger")]
    Files(#[from] io::Error),
    /// The engine refused.
    #[error("a run failed")]
    Engine(#[from] EngineError),
    /// Not everything was sent.
    #[error("a run ended as {0}")]
    Ended(&'static str),
}

impl<'a> Year<'a> {
    /// A year that begins without a ledger.
    pub fn new(folder: &'a Path, project: &'a Project, churn: Churn) -> Self {
        Self { folder, project, now: Arc::new(AtomicI64::new(FIRST)), churn }
    }

    /// One run, 15 minutes after the one before.
    pub async fn run(&self, run: u64) -> Result<Size, YearError> {
        self.now.store(FIRST + EVERY * i64::try_from(run).unwrap_or(i64::MAX / EVERY), Ordering::SeqCst);
        let mut text = Vec::new();
        accounts::write_with(self.churn.rows, |number| self.churn.of(number, run), &mut text)?;
        std::fs::write(self.folder.join("data/accounts.csv"), text)?;
        let engine = Engine::new(self.setup(run));
        let report = engine.run(&engine.select(&[])?, &Options::default(), &Silence, &Stop::new()).await?;
        let wanted = if self.churn.invalid == 0 { "completed" } else { "completed-with-errors" };
        match report.syncs.iter().map(|sync| sync.status.name()).find(|status| *status != wanted) {
            Some(status) => Err(YearError::Ended(status)),
            None => Ok(self.size()?),
        }
    }

    fn setup(&self, run: u64) -> Setup<'a> {
        let now = Arc::clone(&self.now);
        let time =
            move || DateTime::from_timestamp(now.load(Ordering::SeqCst), 0).unwrap_or(Time::UNIX_EPOCH);
        Setup {
            project: self.project,
            root: self.folder.to_owned(),
            temporary: std::env::temp_dir(),
            clock: Arc::new(time),
            holder: Holder { id: "year".to_owned(), pid: std::process::id(), host: "bench".to_owned() },
            run_id: Arc::new(move || format!("run-{run:06}")),
            lineage: None,
        }
    }

    fn size(&self) -> io::Result<Size> {
        let ledger = self.folder.join(&self.project.ledger.path);
        let file = std::fs::metadata(&ledger)?.len();
        let log = std::fs::metadata(ledger.with_extension("db-wal")).map_or(0, |log| log.len());
        Ok(Size { file, log })
    }
}

/// Writes the project's files, which send to a server at this address.
pub fn write_project(folder: &Path, url: &str, max_size: &str) -> io::Result<()> {
    for part in ["models", "syncs", "data"] {
        std::fs::create_dir_all(folder.join(part))?;
    }
    let project = include_str!("year/coho.yaml").replace("URL", url).replace("MAX_SIZE", max_size);
    std::fs::write(folder.join("coho.yaml"), project)?;
    std::fs::write(folder.join("models/accounts.yaml"), include_str!("year/model.yaml"))?;
    std::fs::write(folder.join("syncs/accounts.yaml"), include_str!("year/sync.yaml"))
}

/// Reads them; what is wrong, as text.
pub fn open(folder: &Path) -> Result<Project, String> {
    let mut files = Vec::new();
    for path in ["coho.yaml", "models/accounts.yaml", "syncs/accounts.yaml"] {
        let text = std::fs::read_to_string(folder.join(path)).map_err(|error| error.to_string())?;
        files.push(File::text(path, text));
    }
    coho_project::load(&files, &|_| None, None)
        .map_err(|problems| problems.iter().map(|problem| coho_project::excerpt(problem, &files)).collect())
}

/// A line of the table: the day, and how large the ledger is.
pub fn line(day: u64, size: Size, out: &mut impl Write) -> io::Result<()> {
    let mib = |bytes: u64| bytes >> 20;
    writeln!(out, "{day:>5}{:>12}{:>12}", mib(size.file), mib(size.log))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_rows_change_and_are_invalid_as_asked_for() {
        for (rows, changed, invalid) in
            [(10_000, 100, 10), (1_000, 100, 10), (1_234, 100, 10), (20, 20, 10), (5, 5, 5)]
        {
            let churn = Churn { rows, changed: 100, invalid: 10 };
            for run in [0, 1, 99, 100, 12_345] {
                let count =
                    |wanted: &dyn Fn(u64) -> bool| (1..=rows).filter(|number| wanted(*number)).count();
                let has_changed =
                    |number| churn.of(number, run).more_seats != churn.of(number, run + 1).more_seats;
                assert_eq!(count(&has_changed), changed, "{churn:?} in run {run}");
                assert_eq!(
                    count(&|number| !churn.of(number, run).has_name),
                    invalid,
                    "{churn:?} in run {run}"
                );
            }
        }
    }

    #[test]
    fn where_none_is_to_change_none_does() {
        let churn = Churn { rows: 3, changed: 0, invalid: 0 };
        for number in 1..=3 {
            assert_eq!(churn.of(number, 7), Changes { more_seats: 0, has_name: true });
        }
    }
}
