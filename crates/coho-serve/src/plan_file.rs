//! The newest plan as an approved plan: the file that `coho plan -o` writes, sent while it is written.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use coho_engine::approved::WriteError;
use coho_engine::context::Engine;
use coho_engine::stop::Stop;
use tokio::sync::mpsc;

use crate::page::plan::is_plan_file;
use crate::plans::{Made, Outcome};
use crate::shared::Shared;

/// So many bytes are sent at once.
const AT_ONCE: usize = 64 * 1024;

type Piece = io::Result<Bytes>;

/// The approved plan. `None` where there is no plan that a run can be bound to.
pub(crate) fn answer(shared: &Shared) -> Option<Response> {
    let made = shared.plans.made()?;
    let Outcome::Plans(whole) = &made.outcome else { return None };
    if !is_plan_file(whole) {
        return None;
    }
    let (sender, mut receiver) = mpsc::channel::<Piece>(2);
    let shared = shared.clone();
    tokio::task::spawn_blocking(move || write(&shared, &made, &sender));
    let pieces = futures_util::stream::poll_fn(move |context| receiver.poll_recv(context));
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"plan.json\""),
    ];
    Some((StatusCode::OK, headers, Body::from_stream(pieces)).into_response())
}

/// Whoever reads is told of a failure by a body that ends too early; where nobody reads any more, nobody is told.
fn write(shared: &Shared, made: &Arc<Made>, sender: &mpsc::Sender<Piece>) {
    let Outcome::Plans(whole) = &made.outcome else { return };
    let engine = Engine::new(shared.site.setup(&whole.project));
    let mut to = BufWriter::with_capacity(AT_ONCE, Pieces(sender));
    let planned: Vec<_> = whole.planned.iter().collect();
    let written = engine.write_approved_plan(&mut to, &planned, &Stop::new()).and_then(|()| Ok(to.flush()?));
    if let Err(error) = written {
        let error = match error {
            WriteError::Io(error) => error,
            WriteError::Table(error) => io::Error::other(error),
        };
        drop(sender.blocking_send(Err(error)));
    }
}

/// Sends what is written.
struct Pieces<'s>(&'s mpsc::Sender<Piece>);

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
