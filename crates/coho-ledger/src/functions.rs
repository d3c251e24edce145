//! Functions that the ledger's own statements call, besides `masked`: what failures have in common, and texts that are kept
//! compressed, or as their shape and their values.

use coho_core::cause::Cause;
use coho_core::code::Code;
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};

use crate::{pack, shape};

/// Teaches a connection these functions.
pub(crate) fn teach(connection: &Connection) -> rusqlite::Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("cause_message", 2, flags, |context| {
        let (code, message) = (text(context, 0)?, text(context, 1)?);
        Ok(Cause::of(code.and_then(|code| Code::parse(&code)), message.as_deref()).message)
    })?;
    // What is kept as a shape and its values has no text without its outline.
    connection.create_scalar_function("filled", 2, flags, |context| {
        let outline = text(context, 1)?;
        Ok(text(context, 0)?.and_then(|text| shape::filled(text, outline.as_deref())))
    })?;
    // What cannot be unpacked has no text to be found.
    connection.create_scalar_function("unpacked", 2, flags, |context| {
        let zlib: Option<Vec<u8>> = context.get(1)?;
        Ok(pack::unpacked(text(context, 0)?, zlib.as_deref()).ok().flatten())
    })
}

fn text(context: &Context<'_>, at: usize) -> rusqlite::Result<Option<String>> {
    context.get(at)
}
