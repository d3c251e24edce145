//! A progress bar on a terminal, and events as JSON lines where they are asked for.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use chrono::Utc;
use coho_core::event::{Event, Listener};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::args::{Global, LogFormat};
use crate::print;

/// Shows events on stderr.
pub(crate) struct Progress {
    format: LogFormat,
    bar: Mutex<Bar>,
}

/// What is on the terminal.
enum Bar {
    None,
    Reading(ProgressBar),
    Sending(ProgressBar),
}

impl Bar {
    /// Takes it off the terminal.
    fn clear(&mut self) {
        match std::mem::replace(self, Self::None) {
            Self::None => {}
            Self::Reading(bar) | Self::Sending(bar) => bar.finish_and_clear(),
        }
    }

    /// Shows how far a reading is; what was there before goes.
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
        Self { format: global.log_format, bar: Mutex::new(Bar::None) }
    }

    fn show(&self, event: &Event) {
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Reading { sync, rows } => bar.read(format!("{sync}: reading, {rows} rows")),
            Event::Planned(plan) => {
                bar.clear();
                if plan.counts.planned() > 0 {
                    *bar = Bar::Sending(sending(plan.sync.as_str(), plan.counts.planned()));
                }
            }
            Event::Settled { .. } => {
                if let Bar::Sending(bar) = &*bar {
                    bar.inc(1);
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
                let document = coho_report::json::event(event, Utc::now());
                print::talk(coho_report::json::line(&document).trim_end());
            }
            LogFormat::Text => self.show(event),
        }
    }
}

/// indicatif draws nothing where stderr is no terminal.
fn spinner() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(style("{spinner} {msg}"));
    bar
}

fn sending(sync: &str, operations: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(operations), ProgressDrawTarget::stderr());
    bar.set_style(style("{msg} [{bar:30}] {pos}/{len}  {rate}  {eta} left"));
    bar.set_message(sync.to_owned());
    bar
}

fn style(template: &str) -> ProgressStyle {
    let rate = |state: &ProgressState, out: &mut dyn Write| {
        // Where the bar cannot be written, there is nothing to show.
        write!(out, "{:.1}/s", state.per_sec()).unwrap_or_default();
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", rate)
}
