//! Exports: all rows that a page's filters choose, not only those that it has room for, written as they are read.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use coho_core::row_state::Verb;
use coho_core::secret::Masker;
use coho_ledger::look::Patience;
use coho_ledger::look::run::NumberedRow;
use coho_ledger::run::RunId;
use coho_ledger::settle::OpType;
use coho_ledger::{Ledger, LedgerError};
use coho_report::line::RowLine;
use tokio::sync::mpsc;

use crate::page::Asked;
use crate::page::rows::state::RowView;
use crate::page::rows::wanted;
use crate::reader::ReadError;
use crate::shared::Shared;
use crate::shown::masked;
use crate::target::Form;

/// So many rows are read at once.
const AT_ONCE: usize = 500;

/// All rows that the filters choose.
pub(crate) fn answer(shared: &Shared, asked: &Asked, form: Form) -> Response {
    let (kind, name) = match form {
        Form::Csv => ("text/csv; charset=utf-8", "rows.csv"),
        Form::Html | Form::Json | Form::Ndjson => ("application/x-ndjson", "rows.ndjson"),
    };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (StatusCode::OK, headers, Body::from_stream(stream(shared.clone(), asked.clone(), form))).into_response()
}

type Piece = Result<Bytes, ReadError>;

fn stream(shared: Shared, asked: Asked, form: Form) -> impl futures_util::Stream<Item = Piece> {
    let (sender, receiver) = mpsc::channel::<Piece>(2);
    tokio::spawn(async move {
        let reader = Arc::clone(&shared.reader);
        let pieces = sender.clone();
        // It may take as long as somebody takes what is written.
        let endless = Patience::until(|| false);
        let done = reader.read(endless, move |ledger| write(&shared, ledger, asked, form, &pieces)).await;
        if let Err(error) = done {
            // Whoever reads is told by a body that ends too early; where nobody reads any more, nobody is told.
            drop(sender.send(Err(error)).await);
        }
    });
    futures_util::stream::unfold(receiver, |mut receiver| async move {
        let piece = receiver.recv().await?;
        Some((piece, receiver))
    })
}

fn write(
    shared: &Shared,
    ledger: Option<&Ledger>,
    mut asked: Asked,
    form: Form,
    pieces: &mpsc::Sender<Piece>,
) -> Result<(), ReadError> {
    let Some(ledger) = ledger else { return Ok(()) };
    let mut is_first = true;
    loop {
        let (rows, next) = read(shared, ledger, &asked)?;
        let text = match form {
            Form::Csv => csv(shared, &rows, is_first),
            Form::Html | Form::Json | Form::Ndjson => ndjson(shared, &rows)?,
        };
        if pieces.blocking_send(Ok(text.into())).is_err() || *shared.ending.borrow() {
            return Ok(());
        }
        let Some(next) = next else { return Ok(()) };
        asked.filters.insert("before".to_owned(), next.to_string());
        is_first = false;
    }
}

fn read(
    shared: &Shared,
    ledger: &Ledger,
    asked: &Asked,
) -> Result<(Vec<NumberedRow>, Option<i64>), LedgerError> {
    let wanted = wanted(asked);
    let run = asked.target.run().map(RunId::new);
    let text = asked.filter("q").map(|number| shared.searches.text(number));
    match (text, run) {
        (Some(Some(text)), run) => {
            let endless = Patience::until(|| false);
            let found = ledger.search_rows(run.as_ref(), &wanted, &text, AT_ONCE, &endless)?;
            Ok((found.rows, found.next))
        }
        (None, Some(run)) => {
            let found = ledger.rows_of_run(&run, &wanted, AT_ONCE)?;
            Ok((found.rows, found.next))
        }
        (None, None) if asked.filter("standing").is_some() => {
            let found = ledger.standing_rows(&wanted, AT_ONCE)?;
            Ok((found.rows, found.next))
        }
        (Some(None), _) | (None, None) => Ok((Vec::new(), None)),
    }
}

fn ndjson(shared: &Shared, rows: &[NumberedRow]) -> Result<String, serde_json::Error> {
    let masker = shared.site.masker();
    let line = |row: &NumberedRow| {
        let value = serde_json::to_value(RowView::of(row))?;
        Ok(format!("{}\n", masked(value, &masker)))
    };
    rows.iter().map(line).collect()
}

/// As `coho rows --as csv` writes it: a cell that a spreadsheet would take for a formula is text.
fn csv(shared: &Shared, rows: &[NumberedRow], is_first: bool) -> String {
    let masker = shared.site.masker();
    let lines: Vec<_> = rows.iter().map(|row| line(&masker, row)).collect();
    let text = coho_report::text::csv(&lines);
    match text.split_once('\n') {
        Some((_, rest)) if !is_first => rest.to_owned(),
        Some(_) | None => text,
    }
}

fn line(masker: &Masker, row: &NumberedRow) -> RowLine {
    let mask = |text: &str| masker.mask(text).into_owned();
    let status = &row.record.status;
    RowLine {
        key: status.key.as_ref().map(|key| mask(key.as_str())).unwrap_or_default(),
        status: status.status,
        verb: status.op_type.map(|did| match did {
            OpType::Added | OpType::Changed => Verb::Write,
            OpType::Removed => Verb::Remove,
        }),
        code: status.code.map_or_else(|| status.reason.clone(), |code| code.to_string()),
        message: status.message.as_deref().map(mask).unwrap_or_default(),
        run: row.record.run.as_str().to_owned(),
        at: status.at,
        differences: Vec::new(),
    }
}
