//! A progress bar on a terminal, lines where there is none or `-v` asks for them, and events as JSON lines where those are
//! asked for. [`lines`] says what the lines are and when.

mod lines;

use std::fmt::Write;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use coho_core::event::{Event, Listener};
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::args::{Global, LogFormat};
use crate::print;

use self::lines::{Detail, Lines};

/// How often it is looked whether a line is due.
const LOOK: Duration = Duration::from_secs(1);

/// Shows events on stderr.
pub(crate) struct Progress {
    format: LogFormat,
    shown: Mutex<Shown>,
    began: Instant,
    lines: Arc<Mutex<Lines>>,
}

/// The bar, and how far the work is.
struct Shown {
    bar: Bar,
    work: Work,
}

/// What is on the terminal.
enum Bar {
    None,
    Reading(ProgressBar),
    Sending(ProgressBar),
}

/// What all syncs that were planned so far have to send.
#[derive(Clone, Copy, Default)]
struct Work {
    /// Operations.
    planned: u64,
    /// Those that came to their end.
    settled: u64,
    /// The least time that all of them take at the rate that is allowed, and at the price of a write that was learned.
    millis: u64,
}

impl Bar {
    /// Takes it off the terminal.
    fn clear(&mut self) {
        match std::mem::replace(self, Self::None) {
            Self::None => {}
            Self::Reading(bar) | Self::Sending(bar) => bar.finish_and_clear(),
        }
    }

    /// Shows how far a reading is; what existed before goes.
    fn read(&mut self, message: String) {
        if !matches!(self, Self::Reading(_)) {
            self.clear();
            *self = Self::Reading(spinner());
        }
        if let Self::Reading(bar) = self {
            bar.set_message(message);
            bar.tick();
        }
    }
}

impl Progress {
    /// A listener as the flags ask for it.
    pub(crate) fn new(global: &Global) -> Self {
        let detail = match global.verbose {
            0 if std::io::stderr().is_terminal() => Detail::Bar,
            0 => Detail::SignsOfLife,
            1 => Detail::Calls,
            _ => Detail::Bodies,
        };
        let progress = Self {
            format: global.log_format,
            shown: Mutex::new(Shown { bar: Bar::None, work: Work::default() }),
            began: Instant::now(),
            lines: Arc::new(Mutex::new(Lines::new(detail))),
        };
        if global.log_format == LogFormat::Text {
            progress.watch();
        }
        progress
    }

    /// Says that the run is alive where no event does, for as long as there is a listener.
    fn watch(&self) {
        let (lines, began) = (Arc::downgrade(&self.lines), self.began);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                let Some(lines) = lines.upgrade() else { return };
                let due = lines.lock().unwrap_or_else(PoisonError::into_inner).look(began.elapsed());
                if let Some(line) = due {
                    print::talk(&line);
                }
            }
        });
    }

    /// The lines of an event, over the bar if there is one.
    fn tell(&self, event: &Event) {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner).on(event, self.began.elapsed());
        if lines.is_empty() {
            return;
        }
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let all = || lines.iter().for_each(|line| print::talk(line));
        match &shown.bar {
            Bar::None => all(),
            Bar::Reading(bar) | Bar::Sending(bar) => bar.suspend(all),
        }
    }

    fn show(&self, event: &Event) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let Shown { bar, work } = &mut *shown;
        match event {
            Event::Reading { sync, rows } => bar.read(format!("{sync}: reading, {rows} rows")),
            Event::Planned(plan) => {
                work.planned += plan.counts.planned();
                work.millis += plan.time.millis;
                bar.clear();
                *bar = sending(plan.sync.as_str(), *work);
            }
            Event::Settled { sync, .. } => {
                work.settled += 1;
                // The turn of a sync that was planned before comes again for what is less urgent.
                if !matches!(bar, Bar::Sending(_)) {
                    *bar = sending(sync.as_str(), *work);
                }
                if let Bar::Sending(bar) = bar {
                    bar.set_message(sync.to_string());
                    bar.set_position(work.settled);
                }
            }
            Event::Ended(_) => bar.clear(),
            Event::RunStarted { .. } | Event::Called { .. } => {}
        }
    }
}

impl Listener for Progress {
    fn on(&self, event: &Event) {
        match self.format {
            LogFormat::Json => {
                print::talk_json(&coho_report::json::event(event, Utc::now()));
            }
            LogFormat::Text => {
                self.tell(event);
                self.show(event);
            }
        }
    }
}

/// indicatif draws nothing where stderr is no terminal.
fn spinner() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(style("{spinner} {msg}", Work::default()));
    bar
}

/// A bar for what is left to send; none where nothing is.
fn sending(sync: &str, work: Work) -> Bar {
    if work.settled >= work.planned {
        return Bar::None;
    }
    let bar = ProgressBar::with_draw_target(Some(work.planned), ProgressDrawTarget::stderr());
    bar.set_style(style("{msg} [{bar:30}] {pos}/{len}  {rate}  {left} left", work));
    bar.set_message(sync.to_owned());
    bar.set_position(work.settled);
    bar.reset_eta();
    Bar::Sending(bar)
}

fn style(template: &str, work: Work) -> ProgressStyle {
    // Where the bar cannot be written, there is nothing to show.
    let rate = |state: &ProgressState, out: &mut dyn Write| {
        write!(out, "{:.1}/s", state.per_sec()).unwrap_or_default();
    };
    let left = move |state: &ProgressState, out: &mut dyn Write| {
        let done = state.pos().saturating_sub(work.settled);
        let left = time_left(work, state.pos(), state.elapsed(), done);
        write!(out, "{}", HumanDuration(left)).unwrap_or_default();
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", rate)
        .with_key("left", left)
}

/// How long it is observed how fast Vitally takes calls before that is believed more than the plan.
const OBSERVED: Duration = Duration::from_secs(5);

/// The time that is left: at first what the plan says of the rate and the price of writes, later what was observed.
fn time_left(work: Work, settled: u64, elapsed: Duration, done: u64) -> Duration {
    let left = u32::try_from(work.planned.saturating_sub(settled)).unwrap_or(u32::MAX);
    let share = |whole: Duration, of: u64| {
        let of = u32::try_from(of.max(1)).unwrap_or(u32::MAX);
        whole.mul_f64(f64::from(left) / f64::from(of))
    };
    if elapsed < OBSERVED || done == 0 {
        share(Duration::from_millis(work.millis), work.planned)
    } else {
        share(elapsed, done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_the_plans_until_enough_was_observed() {
        let work = Work { planned: 900, settled: 0, millis: 60_000 };
        assert_eq!(time_left(work, 0, Duration::ZERO, 0), Duration::from_secs(60));
        assert_eq!(time_left(work, 450, Duration::from_secs(2), 450), Duration::from_secs(30));
        assert_eq!(time_left(work, 450, Duration::from_secs(90), 450), Duration::from_secs(90));
        assert_eq!(time_left(work, 900, Duration::from_secs(90), 900), Duration::ZERO);
    }
}
