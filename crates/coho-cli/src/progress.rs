//! A progress bar on a terminal, and events as JSON lines where they are asked for.

use std::sync::{Mutex, PoisonError};

use chrono::Utc;
use coho_core::event::{Event, Listener};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::{Global, LogFormat};
use crate::print;

/// Shows events on stderr.
pub(crate) struct Progress {
    format: LogFormat,
    bar: Mutex<Option<ProgressBar>>,
}

impl Progress {
    /// A listener as the flags ask for it.
    pub(crate) fn new(global: &Global) -> Self {
        Self { format: global.log_format, bar: Mutex::new(None) }
    }

    fn show(&self, event: &Event) {
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Reading { sync, rows } => {
                let bar = bar.get_or_insert_with(spinner);
                bar.set_message(format!("{sync}: reading, {rows} rows"));
                bar.tick();
            }
            Event::Planned(plan) => {
                if let Some(bar) = bar.take() {
                    bar.finish_and_clear();
                }
                if plan.counts.planned() > 0 {
                    *bar = Some(sending(plan.sync.as_str(), plan.counts.planned()));
                }
            }
            Event::Settled { .. } => {
                if let Some(bar) = bar.as_ref() {
                    bar.inc(1);
                }
            }
            Event::Ended(_) => {
                if let Some(bar) = bar.take() {
                    bar.finish_and_clear();
                }
            }
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
    bar.set_style(style("{msg} [{bar:30}] {pos}/{len}  {per_sec}  {eta} left"));
    bar.set_message(sync.to_owned());
    bar
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
