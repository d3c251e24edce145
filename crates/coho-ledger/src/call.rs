//! Calls as they are written to the request log, and read back.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use coho_core::call::{AddressSource, Attempt, Headers, Route, Wait, WaitWhy};
use coho_core::json::{self, Json};
use coho_core::key::Key;
use coho_core::secret::Masker;
use coho_core::sync::Api;
use coho_core::verdict::Call;
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row, params};

use crate::failure::Fault;
use crate::moment::{count, micros, stored, time};
use crate::pack::{Packed, unpacked};
use crate::run::Run;
use crate::scope::SyncScope;
use crate::shape::known::{CallTexts, PackedCall, Shapes, StatusValues};
use crate::shape::{END, fill, values_of};

/// The columns that [`Reader::read`] reads, in its order: those of a call, and [`texts_read`].
pub(crate) fn columns() -> String {
    format!("{COLUMNS}, {}", texts_read(Bodies::Read))
}

/// The same without bodies.
pub(crate) fn columns_without_bodies() -> String {
    format!("{COLUMNS}, {}", texts_read(Bodies::LeftOut))
}

const COLUMNS: &str = "\
    calls.at, calls.micros, calls.method, calls.path, calls.status, calls.endpoint, calls.attempt, calls.waited, calls.wait_why, \
    calls.request_cut, calls.response_cut";

/// Found once for all calls of a transaction: to look for the statement takes as long as a part of its work.
const INSERT: &str = "\
    INSERT INTO calls (run, scope, key, at, micros, method, path, request, request_zlib, status, response, \
       response_zlib, endpoint, exchange, attempt, waited, wait_why, response_headers, request_cut, response_cut, \
       shape, fate, own) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)";

/// How many columns those are.
const TEXTS: usize = 11;

/// How many columns [`columns`] are.
pub(crate) const WIDTH: usize = TEXTS + 11;

/// Whether the bodies of calls are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bodies {
    Read,
    LeftOut,
}

/// The columns that [`texts`] reads, in its order. Of what is kept as a shape and its values, that is both.
pub(crate) fn texts_read(bodies: Bodies) -> String {
    let (request, response) = match bodies {
        Bodies::Read => ("calls.request, calls.request_zlib", "calls.response, calls.response_zlib"),
        Bodies::LeftOut => ("NULL, NULL", "'', NULL"),
    };
    let outline = |part: &str| format!("(SELECT shapes.{part} FROM shapes WHERE shapes.id = calls.shape)");
    let [of_request, of_response] = match bodies {
        Bodies::Read => ["request", "response"].map(outline),
        Bodies::LeftOut => ["NULL", "NULL"].map(str::to_owned),
    };
    let of_headers = outline("response_headers");
    format!(
        "{request}, {response}, calls.response_headers, {of_request}, {of_headers}, {of_response}, calls.own, \
         CASE WHEN calls.fate IS NOT NULL THEN calls.key END, (SELECT fates.fields FROM fates WHERE fates.id = calls.fate)"
    )
}

/// What a call told.
#[derive(Debug)]
pub(crate) struct Texts {
    /// The request's body.
    pub(crate) request: Option<String>,
    /// The answer's headers, as a JSON object.
    pub(crate) headers: Option<String>,
    /// The answer's body, or what went wrong.
    pub(crate) response: String,
}

/// The texts of a call whose columns begin at a place.
pub(crate) fn texts(row: &Row<'_>, from: usize) -> Result<Texts, Fault> {
    let text = |column: usize| row.get::<_, Option<String>>(from + column);
    let zlib = |column: usize| row.get::<_, Option<Vec<u8>>>(from + column);
    let (key, status, own) = (text(9)?, text(10)?, text(8)?.unwrap_or_default());
    if key.is_some() && status.is_none() {
        // Its row's status was taken away by other hands: nobody knows the values any more.
        return Ok(Texts { request: None, headers: None, response: String::new() });
    }
    let of_status = status.as_deref().map(values_of).unwrap_or_default();
    let values: Vec<&str> =
        key.as_deref().into_iter().chain(of_status).chain(own.split_terminator(END)).collect();
    let filled =
        |column: usize| text(column)?.map(|outline| fill(&outline, &values).ok_or_else(wrong)).transpose();
    // What stands in a column of its own was put there later.
    let response = match filled(7)? {
        Some(text) => Some(text),
        None => unpacked(text(2)?, zlib(3)?.as_deref())?,
    };
    Ok(Texts {
        request: unpacked(text(0)?, zlib(1)?.as_deref())?.map_or_else(|| filled(5), |text| Ok(Some(text)))?,
        headers: text(4)?.map_or_else(|| filled(6), |text| Ok(Some(text)))?,
        response: response.unwrap_or_default(),
    })
}

/// Records calls in one transaction. What they tell is masked here, since a secret that is compressed is hidden from the mask.
pub(crate) struct Recorder<'a> {
    connection: &'a Connection,
    run: &'a Run,
    scope: &'a SyncScope,
    masker: &'a Masker,
    shapes: &'a mut Shapes,
    /// The endpoints so far: mostly all calls go to one.
    endpoints: Vec<(Arc<Route>, i64)>,
    insert: CachedStatement<'a>,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(
        connection: &'a Connection,
        run: &'a Run,
        scope: &'a SyncScope,
        masker: &'a Masker,
        shapes: &'a mut Shapes,
    ) -> Result<Self, Fault> {
        let insert = connection.prepare_cached(INSERT)?;
        Ok(Self { connection, run, scope, masker, shapes, endpoints: Vec::new(), insert })
    }

    /// The shapes that calls have.
    pub(crate) fn shapes(&mut self) -> &mut Shapes {
        self.shapes
    }

    /// Records the calls of one exchange: all but the first know the first. Values that stand with the row's status are not
    /// kept twice.
    pub(crate) fn exchange(
        &mut self,
        key: &Key,
        calls: &[Call],
        base: Option<&StatusValues<'_>>,
    ) -> Result<(), Fault> {
        let mut first = None;
        for call in calls {
            let id = self.record(Some(key), call, first, base)?;
            first = first.or(Some(id));
        }
        Ok(())
    }

    /// A call for one key names it; one for several has them beside it. A batch is an exchange of its own.
    pub(crate) fn shared(&mut self, keys: &[Key], call: &Call) -> Result<(), Fault> {
        if let [] | [_] = keys {
            self.record(keys.first(), call, None, None)?;
            return Ok(());
        }
        let id = self.record(None, call, None, None)?;
        let mut statement =
            self.connection.prepare_cached("INSERT OR IGNORE INTO call_keys (call, key) VALUES (?1, ?2)")?;
        for key in keys {
            statement.execute(params![id, key.as_str()])?;
        }
        Ok(())
    }

    fn record(
        &mut self,
        key: Option<&Key>,
        call: &Call,
        exchange: Option<i64>,
        base: Option<&StatusValues<'_>>,
    ) -> Result<i64, Fault> {
        let route = call.route.as_ref().map(|route| self.endpoint(route)).transpose()?;
        let masker = self.masker;
        let request = call.request.as_deref().map(|body| masker.mask(body));
        let told = call.status.map(|_| headers(&call.headers));
        let told = told.as_deref().map(|told| masker.mask(told));
        let kept = self.kept(request, told, masker.mask(&call.response), base, micros(call.at))?;
        self.insert.execute(params![
            self.run.row,
            self.scope.id,
            key.map(Key::as_str),
            micros(call.at),
            stored(call.micros),
            call.method,
            masker.mask(&call.path),
            kept.request.plain,
            kept.request.zlib,
            call.status,
            kept.response.plain.unwrap_or_default(),
            kept.response.zlib,
            route,
            exchange,
            call.attempt.number,
            stored(call.attempt.wait.length.as_micros()),
            call.attempt.wait.why.map(WaitWhy::as_str),
            kept.headers,
            stored(call.request_cut),
            stored(call.response_cut),
            kept.packed.as_ref().map(|packed| packed.shape),
            kept.packed.as_ref().and(base).map(|base| base.status),
            kept.packed.as_ref().map(|packed| packed.own.as_str()),
        ])?;
        Ok(self.connection.last_insert_rowid())
    }

    /// What is kept of the texts of a call, and in which form.
    fn kept<'t>(
        &mut self,
        request: Option<Cow<'t, str>>,
        headers: Option<Cow<'t, str>>,
        response: Cow<'t, str>,
        base: Option<&StatusValues<'_>>,
        at: i64,
    ) -> Result<KeptTexts<'t>, Fault> {
        let texts =
            CallTexts { request: request.as_deref(), headers: headers.as_deref(), response: Some(&response) };
        let packed = self.shapes.call(self.connection, base, texts, at)?;
        let has = |has: fn(&PackedCall) -> bool| packed.as_ref().is_some_and(has);
        let [in_request, in_headers, in_response] = [
            has(|packed| packed.has_request),
            has(|packed| packed.has_headers),
            has(|packed| packed.has_response),
        ];
        Ok(KeptTexts {
            request: request.filter(|_| !in_request).map_or(Packed::NONE, Packed::of),
            headers: headers.filter(|_| !in_headers),
            response: if in_response { Packed::NONE } else { Packed::of(response) },
            packed,
        })
    }

    /// The number of an endpoint; it is made where there is none.
    fn endpoint(&mut self, route: &Arc<Route>) -> Result<i64, Fault> {
        if let Some((_, id)) = self.endpoints.iter().find(|(known, _)| Arc::ptr_eq(known, route)) {
            return Ok(*id);
        }
        let id = endpoint(self.connection, route)?;
        self.endpoints.push((Arc::clone(route), id));
        Ok(id)
    }
}

/// The texts of a call in the columns that are for them.
struct KeptTexts<'t> {
    request: Packed<'t>,
    headers: Option<Cow<'t, str>>,
    response: Packed<'t>,
    packed: Option<PackedCall>,
}

fn endpoint(connection: &Connection, route: &Route) -> Result<i64, Fault> {
    let headers = headers(&route.headers);
    let of = params![route.api.name(), route.source.as_str(), route.address, headers];
    let found = connection
        .prepare_cached(
            "SELECT id FROM endpoints WHERE api = ?1 AND source = ?2 AND address = ?3 AND headers = ?4",
        )?
        .query_row(of, |row| row.get(0))
        .optional()?;
    if let Some(id) = found {
        return Ok(id);
    }
    connection
        .prepare_cached("INSERT INTO endpoints (api, source, address, headers) VALUES (?1, ?2, ?3, ?4)")?
        .execute(of)?;
    Ok(connection.last_insert_rowid())
}

fn headers(headers: &Headers) -> String {
    let mut text = vec![b'{'];
    for (at, (name, value)) in headers.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        json::append_text(&mut text, name);
        text.push(b':');
        json::append_text(&mut text, value);
    }
    text.push(b'}');
    // All that is appended is UTF-8.
    String::from_utf8(text).unwrap_or_default()
}

/// Reads calls, and each endpoint once.
#[derive(Default)]
pub(crate) struct Reader {
    routes: HashMap<i64, Arc<Route>>,
}

impl Reader {
    /// A call whose columns begin at a place.
    pub(crate) fn read(
        &mut self,
        connection: &Connection,
        row: &Row<'_>,
        from: usize,
    ) -> Result<Call, Fault> {
        let method = row.get::<_, String>(from + 2)?;
        let why = row.get::<_, Option<String>>(from + 8)?;
        let texts = texts(row, from + TEXTS)?;
        Ok(Call {
            at: time(row.get(from)?)?,
            micros: count(row.get(from + 1)?),
            route: row.get::<_, Option<i64>>(from + 5)?.map(|id| self.route(connection, id)).transpose()?,
            method: ["GET", "POST", "PUT", "DELETE"].into_iter().find(|name| *name == method).unwrap_or("?"),
            path: row.get(from + 3)?,
            attempt: Attempt {
                number: row.get(from + 6)?,
                wait: Wait {
                    length: std::time::Duration::from_micros(count(row.get(from + 7)?)),
                    why: why.and_then(|text| WaitWhy::parse(&text)),
                },
            },
            request: texts.request,
            status: row.get(from + 4)?,
            headers: texts.headers.map(|text| parsed(&text)).transpose()?.unwrap_or_default(),
            response: texts.response,
            request_cut: count(row.get(from + 9)?),
            response_cut: count(row.get(from + 10)?),
        })
    }

    fn route(&mut self, connection: &Connection, id: i64) -> Result<Arc<Route>, Fault> {
        if let Some(route) = self.routes.get(&id) {
            return Ok(Arc::clone(route));
        }
        let (api, source, address, headers): (String, String, String, String) = connection
            .prepare_cached("SELECT api, source, address, headers FROM endpoints WHERE id = ?1")?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        let route = Arc::new(Route {
            api: Api::ALL.into_iter().find(|one| one.name() == api).ok_or_else(wrong)?,
            source: AddressSource::parse(&source).ok_or_else(wrong)?,
            address,
            headers: parsed(&headers)?,
        });
        self.routes.insert(id, Arc::clone(&route));
        Ok(route)
    }
}

fn parsed(text: &str) -> Result<Headers, Fault> {
    let Ok(Json::Object(members)) = serde_json::from_str(text) else { return Err(wrong()) };
    let text = |value: Json| value.as_str().map(str::to_owned).ok_or_else(wrong);
    members.into_iter().map(|(name, value)| Ok((name, text(value)?))).collect()
}

fn wrong() -> Fault {
    Fault::damaged("a call holds a value that Coho never writes")
}
