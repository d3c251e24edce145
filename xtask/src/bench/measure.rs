//! What a process costs: time on the clock, time of the processors, memory at its peak. All of it is read from `/proc` while
//! the process runs and before it is reaped, so that nothing is lost at its end.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::child;

/// The kernel's unit for processor time towards programs: a hundredth of a second on every architecture.
const TICK: Duration = Duration::from_millis(10);

/// How often the memory's peak is read. The kernel keeps the peak; only a rise in the last moment can be missed.
const PACE: Duration = Duration::from_millis(2);

/// What one run cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// From start to end.
    pub(crate) wall: Duration,
    /// User and system time of all threads.
    pub(crate) cpu: Duration,
    /// Peak resident memory in KiB.
    pub(crate) peak: u64,
}

impl Cost {
    /// The median of each figure.
    pub(crate) fn median(costs: impl Iterator<Item = Self> + Clone) -> Self {
        Self {
            wall: middle(costs.clone().map(|cost| cost.wall)),
            cpu: middle(costs.clone().map(|cost| cost.cpu)),
            peak: middle(costs.map(|cost| cost.peak)),
        }
    }
}

fn middle<T: Ord + Copy + Default>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Runs it to its end; fails if it ends badly.
pub(crate) fn measure(command: &mut Command) -> Result<Cost> {
    measure_to(command, 0)
}

/// Runs it to its end; fails if it ends with another exit code.
pub(crate) fn measure_to(command: &mut Command, code: i32) -> Result<Cost> {
    let (cost, status) = watched(command, &|| false)?;
    if status.code() != Some(code) {
        bail!("`{}` ended with {status}", child::shown(command));
    }
    Ok(cost)
}

/// Runs it until it comes to this server, and kills it there; fails if it ends before that. Nobody answers it.
pub(crate) fn measure_until_asked(command: &mut Command, server: &TcpListener) -> Result<Cost> {
    server.set_nonblocking(true)?;
    let (cost, status) = watched(command, &|| server.accept().is_ok())?;
    if let Some(code) = status.code() {
        bail!("`{}` asked nobody and ended with {code}", child::shown(command));
    }
    Ok(cost)
}

/// Runs it to its end, or until it has come far enough.
fn watched(command: &mut Command, is_enough: &dyn Fn() -> bool) -> Result<(Cost, ExitStatus)> {
    let begun = Instant::now();
    let mut child = command.spawn().with_context(|| format!("starting `{}`", child::shown(command)))?;
    let cost = watch(&child, begun, is_enough);
    // At its end this is too late, and no harm.
    drop(child.kill());
    Ok((cost?, child.wait()?))
}

fn watch(child: &Child, begun: Instant, is_enough: &dyn Fn() -> bool) -> Result<Cost> {
    let folder = format!("/proc/{}", child.id());
    let mut peak = 0;
    loop {
        let stat =
            fs::read_to_string(format!("{folder}/stat")).with_context(|| format!("reading {folder}/stat"))?;
        let (state, cpu) = state_and_time(&stat).with_context(|| format!("understanding {folder}/stat"))?;
        let status = fs::read_to_string(format!("{folder}/status")).unwrap_or_default();
        peak = peak_of(&status).unwrap_or(0).max(peak);
        if state == "Z" || is_enough() {
            return Ok(Cost { wall: begun.elapsed(), cpu, peak });
        }
        sleep(PACE);
    }
}

/// The third, and the sum of the 14th and 15th field of `/proc/PID/stat`. The second is a name in brackets that may hold
/// anything.
fn state_and_time(stat: &str) -> Option<(&str, Duration)> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u32>().ok();
    Some((fields.first()?, TICK * (ticks(11)? + ticks(12)?)))
}

/// The most memory that a process had so far, in KiB.
pub(super) fn peak(process: u32) -> Result<u64> {
    let file = format!("/proc/{process}/status");
    let status = fs::read_to_string(&file).with_context(|| format!("reading {file}"))?;
    peak_of(&status).with_context(|| format!("understanding {file}"))
}

fn peak_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_any_name() {
        let stat = "42 (a ) b) Z 1 1 1 0 -1 4 1 0 0 0 250 50 0 0 20 0 1 0";
        assert_eq!(state_and_time(stat), Some(("Z", Duration::from_secs(3))));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_short_process_is_measured() {
        let cost = measure(Command::new("sh").args(["-c", "exit 0"])).unwrap();
        assert!(cost.wall < Duration::from_secs(60));
        assert!(measure(Command::new("sh").args(["-c", "exit 3"])).is_err());
        assert!(measure_to(Command::new("sh").args(["-c", "exit 3"]), 3).is_ok());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_is_measured_until_it_asks_a_server() {
        let server = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        assert!(measure_until_asked(Command::new("sh").args(["-c", "exit 0"]), &server).is_err());
        let _client = std::net::TcpStream::connect(server.local_addr().unwrap()).unwrap();
        assert!(measure_until_asked(Command::new("sleep").arg("3600"), &server).is_ok());
    }
}
