//! Runs that were asked for: by a schedule, by the runs of other syncs, by the trigger API. What is open, and who carries it out.
//!
//! A request is written without the lease, since it is made while runs go on. It is carried out under the lease: a run takes
//! all open requests of its syncs when it begins, and a request is open until its run ends otherwise than by being interrupted.
//! So whoever dies on the way loses none, and nobody carries out one twice.

use coho_core::sync::SyncId;
use coho_core::time::Time;
use coho_schedule::{Asked, AskedBy, Ended, Follow, StopRule, follow};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::failure::{Fault, LedgerError};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::{count, micros, stored, time};
use crate::run::{Run, RunId, RunStatus, counts};

/// A sync in a workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScopeName {
    /// The workspace, as the project's destination names it.
    pub workspace: String,
    /// The sync.
    pub sync: SyncId,
}

/// A run that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRequest {
    /// The number by which it is named.
    pub id: i64,
    /// The sync.
    pub sync: SyncId,
    /// Who asked, and for which times.
    pub asked: Asked,
    /// When it was asked for.
    pub at: Time,
    /// How it stands.
    pub state: State,
    /// The run that carries it out, as far as the sync's part of it is known.
    pub part: Option<Part>,
    /// Why it did not end well.
    pub error: Option<String>,
}

/// A sync's part of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The run.
    pub run: RunId,
    /// When the sync's part began.
    pub started: Time,
    /// When it ended.
    pub ended: Option<Time>,
    /// How many rows were read; `None` until it ended.
    pub read: Option<u64>,
    /// Adds, changes and removals that were planned; counted when the sync ends.
    pub planned: [u64; 3],
    /// Those of them that were acknowledged.
    pub succeeded: [u64; 3],
}

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits for a run.
    Waiting,
    /// A run carries it out, as far as the ledger knows.
    Running,
    /// Its run was interrupted: another one goes on with it.
    Interrupted,
    /// It was carried out.
    Done(RunStatus),
}

/// A request with the run that carries it out, and the sync's part of that.
const JOINED: &str = "\
    requests LEFT JOIN runs ON runs.id = requests.run \
    LEFT JOIN workspaces ON workspaces.name = requests.workspace \
    LEFT JOIN scopes ON scopes.workspace = workspaces.id AND scopes.sync = requests.sync \
    LEFT JOIN run_syncs ON run_syncs.run = runs.id AND run_syncs.scope = scopes.id";

/// Which of them are open.
const OPEN: &str = "\
    requests.given_up_at IS NULL \
    AND (requests.run IS NULL OR coalesce(run_syncs.status, runs.status) IN ('running', 'interrupted'))";

impl Ledger {
    /// The last time of a schedule that was taken. A schedule that is new, or says something else than before, begins now.
    pub fn taken(&self, scope: &ScopeName, schedule: &str, now: Time) -> Result<Time, LedgerError> {
        let known = self.read("reading schedules", |connection| known(connection, scope, schedule))?;
        if let Some(taken) = known {
            return Ok(taken);
        }
        self.transact("beginning a schedule", |connection| {
            if let Some(taken) = self::known(connection, scope, schedule)? {
                return Ok(taken);
            }
            connection.execute(
                "INSERT OR REPLACE INTO schedules (workspace, sync, schedule, taken_at, followed)
                 VALUES (?1, ?2, ?3, ?4, (SELECT coalesce(max(id), 0) FROM runs))",
                params![scope.workspace, scope.sync.as_str(), schedule, micros(now)],
            )?;
            time(micros(now))
        })
    }

    /// The last time of a sync's schedule that was taken, or when it was seen first; `None` if no server saw it.
    pub fn began_to_schedule(&self, scope: &ScopeName) -> Result<Option<Time>, LedgerError> {
        self.read("reading schedules", |connection| {
            let taken: Option<i64> = connection
                .prepare_cached("SELECT taken_at FROM schedules WHERE workspace = ?1 AND sync = ?2")?
                .query_row([scope.workspace.as_str(), scope.sync.as_str()], |row| row.get(0))
                .optional()?;
            taken.map(time).transpose()
        })
    }

    /// The first run that a sync's schedule asked for since then, or at all where nothing is said: for which times, and when.
    pub fn scheduled_since(
        &self,
        scope: &ScopeName,
        since: Option<Time>,
    ) -> Result<Option<(Asked, Time)>, LedgerError> {
        self.read("reading requests", |connection| {
            let first = connection
                .prepare_cached(
                    "SELECT cause, tick_at, missed, asked_at FROM requests
                     WHERE sync = ?2 AND workspace = ?1 AND (tick_at IS NOT NULL OR cause = 'sequence')
                       AND (?3 IS NULL OR asked_at > ?3)
                     ORDER BY id LIMIT 1",
                )?
                .query_row(params![scope.workspace, scope.sync.as_str(), since.map(micros)], |row| {
                    Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })
                .optional()?;
            let read = |(cause, tick, missed, at): (String, _, _, i64)| {
                Ok::<_, Fault>((read_asked(&cause, tick, missed)?, time(at)?))
            };
            first.map(read).transpose()
        })
    }

    /// Asks for a run at a time of a schedule. `None` where another process took that time, or a later one, before.
    pub fn ask_for_tick(
        &self,
        scope: &ScopeName,
        asked: &Asked,
        taken: Time,
        now: Time,
    ) -> Result<Option<i64>, LedgerError> {
        let Some(tick) = asked.tick else { return Ok(None) };
        self.transact("taking a time of a schedule", |connection| {
            let took = connection.execute(
                "UPDATE schedules SET taken_at = ?3 WHERE workspace = ?1 AND sync = ?2 AND taken_at = ?4",
                params![scope.workspace, scope.sync.as_str(), micros(tick), micros(taken)],
            )?;
            if took == 0 { Ok(None) } else { ask(connection, scope, asked, now).map(Some) }
        })
    }

    /// Asks for a run. While one waits, it is that one.
    pub fn ask(&self, scope: &ScopeName, cause: AskedBy, now: Time) -> Result<i64, LedgerError> {
        self.transact("asking for a run", |connection| ask(connection, scope, &Asked::by(cause), now))
    }

    /// Asks for a run of a sync if those that it follows have run since it was looked at last, and the rule lets it.
    pub fn ask_to_follow(
        &self,
        scope: &ScopeName,
        followed: &[ScopeName],
        rule: StopRule,
        now: Time,
    ) -> Result<Follow, LedgerError> {
        let (follows, _) = self.read("reading runs", |connection| look(connection, scope, followed, rule))?;
        if follows == Follow::Wait {
            return Ok(Follow::Wait);
        }
        self.transact("following other syncs", |connection| {
            let (follows, newest) = look(connection, scope, followed, rule)?;
            if follows == Follow::Wait {
                return Ok(follows);
            }
            connection.execute(
                "UPDATE schedules SET followed = ?3 WHERE workspace = ?1 AND sync = ?2",
                params![scope.workspace, scope.sync.as_str(), newest],
            )?;
            if follows == Follow::Run {
                ask(connection, scope, &Asked::by(AskedBy::Sequence), now)?;
            }
            Ok(follows)
        })
    }

    /// The syncs of a workspace for which runs are open.
    pub fn open_requests(&self, workspace: &str) -> Result<Vec<RunRequest>, LedgerError> {
        self.read("reading requests", |connection| {
            let filter = format!("requests.workspace = ?1 AND {OPEN}");
            requests(connection, &filter, params![workspace])
        })
    }

    /// A run takes the open requests of these syncs: it carries them out. Returns how many they are.
    pub fn take_requests(
        &self,
        lease: &Lease,
        run: &Run,
        scopes: &[ScopeName],
    ) -> Result<usize, LedgerError> {
        self.write_in(lease, "taking requests", |connection| take(connection, run.row, scopes))
    }

    /// Gives up requests that wait: a run for them cannot begin.
    pub fn give_up(&self, ids: &[i64], error: &str, now: Time) -> Result<(), LedgerError> {
        self.transact("giving a request up", |connection| {
            let mut statement = connection.prepare_cached(
                "UPDATE requests SET given_up_at = ?2, error = masked(?3) WHERE id = ?1 AND given_up_at IS NULL",
            )?;
            for id in ids {
                statement.execute(params![id, micros(now), error])?;
            }
            Ok(())
        })
    }

    /// The requests of a sync, the newest first.
    pub fn requests(&self, scope: &ScopeName, limit: usize) -> Result<Vec<RunRequest>, LedgerError> {
        self.read("reading requests", |connection| {
            let filter = "requests.id IN (SELECT id FROM requests WHERE workspace = ?1 AND sync = ?2 ORDER BY id DESC LIMIT ?3)";
            let values = params![scope.workspace, scope.sync.as_str(), stored(limit)];
            let mut newest = requests(connection, filter, values)?;
            newest.reverse();
            Ok(newest)
        })
    }

    /// One request of a sync.
    pub fn request(&self, scope: &ScopeName, id: i64) -> Result<Option<RunRequest>, LedgerError> {
        self.read("reading a request", |connection| {
            let filter = "requests.id = ?3 AND requests.workspace = ?1 AND requests.sync = ?2";
            let values = params![scope.workspace, scope.sync.as_str(), id];
            Ok(requests(connection, filter, values)?.pop())
        })
    }
}

/// A run takes the open requests of its syncs.
fn take(connection: &Connection, run: i64, scopes: &[ScopeName]) -> Result<usize, Fault> {
    let sql = format!(
        "UPDATE requests SET run = ?1 WHERE id IN (
           SELECT requests.id FROM {JOINED} WHERE requests.workspace = ?2 AND requests.sync = ?3 AND {OPEN})"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut taken = 0;
    for scope in scopes {
        taken += statement.execute(params![run, scope.workspace, scope.sync.as_str()])?;
    }
    Ok(taken)
}

/// Whether a sync may follow others now, and the newest run of theirs.
fn look(
    connection: &Connection,
    scope: &ScopeName,
    followed: &[ScopeName],
    rule: StopRule,
) -> Result<(Follow, i64), Fault> {
    let mark: i64 = connection
        .prepare_cached("SELECT followed FROM schedules WHERE workspace = ?1 AND sync = ?2")?
        .query_row([scope.workspace.as_str(), scope.sync.as_str()], |row| row.get(0))?;
    let mut ended = Vec::new();
    for other in followed {
        ended.push(newest(connection, other, mark)?);
    }
    let last = ended.iter().flatten().map(|(run, _)| *run).max().unwrap_or(mark);
    let ended: Vec<_> = ended.into_iter().map(|ended| ended.map(|(_, ended)| ended)).collect();
    Ok((follow(rule, &ended), last))
}

fn known(connection: &Connection, scope: &ScopeName, schedule: &str) -> Result<Option<Time>, Fault> {
    let taken: Option<i64> = connection
        .prepare_cached(
            "SELECT taken_at FROM schedules WHERE workspace = ?1 AND sync = ?2 AND schedule = ?3",
        )?
        .query_row([scope.workspace.as_str(), scope.sync.as_str(), schedule], |row| row.get(0))
        .optional()?;
    taken.map(time).transpose()
}

/// A request that waits takes the new one in.
fn ask(connection: &Connection, scope: &ScopeName, asked: &Asked, now: Time) -> Result<i64, Fault> {
    let waiting = connection
        .prepare_cached(
            "SELECT id, cause, tick_at, missed FROM requests WHERE workspace = ?1 AND sync = ?2 AND run IS NULL AND given_up_at IS NULL",
        )?
        .query_row([scope.workspace.as_str(), scope.sync.as_str()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let Some((id, cause, tick, missed)) = waiting else {
        connection.execute(
            "INSERT INTO requests (workspace, sync, cause, tick_at, missed, asked_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                scope.workspace,
                scope.sync.as_str(),
                asked.cause.name(),
                asked.tick.map(micros),
                stored(asked.missed),
                micros(now)
            ],
        )?;
        return Ok(connection.last_insert_rowid());
    };
    let joined = read_asked(&cause, tick, missed)?.join(*asked);
    connection.execute(
        "UPDATE requests SET tick_at = ?2, missed = ?3 WHERE id = ?1",
        params![id, joined.tick.map(micros), stored(joined.missed)],
    )?;
    Ok(id)
}

fn read_asked(cause: &str, tick: Option<i64>, missed: i64) -> Result<Asked, Fault> {
    let cause = AskedBy::parse(cause)
        .ok_or_else(|| Fault::damaged("a request has a cause that Coho never writes"))?;
    Ok(Asked { cause, tick: tick.map(time).transpose()?, missed: count(missed) })
}

/// The newest run of a sync after another one that has ended, and how.
fn newest(connection: &Connection, scope: &ScopeName, after: i64) -> Result<Option<(i64, Ended)>, Fault> {
    let found: Option<(i64, String)> = connection
        .prepare_cached(
            "SELECT run_syncs.run, run_syncs.status FROM run_syncs
             JOIN scopes ON scopes.id = run_syncs.scope JOIN workspaces ON workspaces.id = scopes.workspace
             JOIN runs ON runs.id = run_syncs.run
             WHERE workspaces.name = ?1 AND scopes.sync = ?2 AND run_syncs.run > ?3
               AND run_syncs.status NOT IN ('running', 'interrupted') AND runs.purpose = 'sync'
             ORDER BY run_syncs.run DESC LIMIT 1",
        )?
        .query_row(params![scope.workspace, scope.sync.as_str(), after], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let ended = |status: &str| match status {
        "success" => Ended::Well,
        "warning" => Ended::WithProblems,
        _ => Ended::Failed,
    };
    Ok(found.map(|(run, status)| (run, ended(&status))))
}

fn requests(
    connection: &Connection,
    filter: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<RunRequest>, Fault> {
    let sql = format!(
        "SELECT requests.id, requests.sync, cause, tick_at, missed, asked_at, given_up_at,
           coalesce(run_syncs.status, runs.status), coalesce(requests.error, run_syncs.error, runs.error), runs.run,
           coalesce(run_syncs.started_at, runs.started_at), coalesce(run_syncs.ended_at, runs.ended_at), counts,
           planned_add, planned_change, planned_remove, succeeded_add, succeeded_change, succeeded_remove
         FROM {JOINED} WHERE {filter} ORDER BY requests.id"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(values)?;
    let mut requests = Vec::new();
    while let Some(row) = rows.next()? {
        requests.push(request(row)?);
    }
    Ok(requests)
}

fn request(row: &Row<'_>) -> Result<RunRequest, Fault> {
    let given_up: Option<i64> = row.get(6)?;
    let status: Option<String> = row.get(7)?;
    let state = match status.as_deref().map(RunStatus::parse).transpose()? {
        None if given_up.is_some() => State::Done(RunStatus::Failed),
        None => State::Waiting,
        Some(RunStatus::Running) => State::Running,
        Some(RunStatus::Interrupted) => State::Interrupted,
        Some(status @ (RunStatus::Success | RunStatus::Warning | RunStatus::Failed | RunStatus::Halted)) => {
            State::Done(status)
        }
    };
    Ok(RunRequest {
        id: row.get(0)?,
        sync: SyncId::new(row.get::<_, String>(1)?),
        asked: read_asked(&row.get::<_, String>(2)?, row.get(3)?, row.get(4)?)?,
        at: time(row.get(5)?)?,
        state,
        part: part(row)?,
        error: row.get(8)?,
    })
}

fn part(row: &Row<'_>) -> Result<Option<Part>, Fault> {
    let Some(run) = row.get::<_, Option<String>>(9)? else { return Ok(None) };
    let three = |from: usize| -> Result<[u64; 3], Fault> {
        let at =
            |column: usize| Ok::<_, Fault>(count(row.get::<_, Option<i64>>(column)?.unwrap_or_default()));
        Ok([at(from)?, at(from + 1)?, at(from + 2)?])
    };
    let counts = row.get::<_, Option<String>>(12)?.map(|text| counts::read_counts(&text)).transpose()?;
    Ok(Some(Part {
        run: RunId::new(run),
        started: time(row.get(10)?)?,
        ended: row.get::<_, Option<i64>>(11)?.map(time).transpose()?,
        read: counts.map(|counts| counts.read),
        planned: three(13)?,
        succeeded: three(16)?,
    }))
}
