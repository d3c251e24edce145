//! Calls as they are written to the request log, and read back.

use std::collections::HashMap;
use std::sync::Arc;

use coho_core::call::{AddressSource, Attempt, Headers, Route, Wait, WaitWhy};
use coho_core::json::Json;
use coho_core::key::Key;
use coho_core::secret::Masker;
use coho_core::sync::Api;
use coho_core::verdict::Call;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::failure::Fault;
use crate::moment::{count, micros, stored, time};
use crate::pack::{Packed, unpacked};
use crate::run::Run;
use crate::scope::SyncScope;

/// The columns that [`read`] reads, in its order.
pub(crate) const COLUMNS: &str = "\
    calls.at, calls.micros, calls.method, calls.path, calls.request, calls.request_zlib, calls.status, calls.response, \
    calls.response_zlib, calls.endpoint, calls.attempt, calls.waited, calls.wait_why, calls.response_headers, \
    calls.request_cut, calls.response_cut";

/// Records calls in one transaction. What they tell is masked here, since a secret that is compressed is hidden from the mask.
pub(crate) struct Recorder<'a> {
    connection: &'a Connection,
    run: &'a Run,
    scope: &'a SyncScope,
    masker: &'a Masker,
    /// The endpoints so far: mostly all calls go to one.
    endpoints: Vec<(Arc<Route>, i64)>,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(
        connection: &'a Connection,
        run: &'a Run,
        scope: &'a SyncScope,
        masker: &'a Masker,
    ) -> Self {
        Self { connection, run, scope, masker, endpoints: Vec::new() }
    }

    /// Records the calls of one exchange: all but the first know the first.
    pub(crate) fn exchange(&mut self, key: &Key, calls: &[Call]) -> Result<(), Fault> {
        let mut first = None;
        for call in calls {
            let id = self.record(Some(key), call, first)?;
            first = first.or(Some(id));
        }
        Ok(())
    }

    /// A call for one key names it; one for several has them beside it. A batch is an exchange of its own.
    pub(crate) fn shared(&mut self, keys: &[Key], call: &Call) -> Result<(), Fault> {
        if let [] | [_] = keys {
            self.record(keys.first(), call, None)?;
            return Ok(());
        }
        let id = self.record(None, call, None)?;
        let mut statement =
            self.connection.prepare_cached("INSERT OR IGNORE INTO call_keys (call, key) VALUES (?1, ?2)")?;
        for key in keys {
            statement.execute(params![id, key.as_str()])?;
        }
        Ok(())
    }

    fn record(&mut self, key: Option<&Key>, call: &Call, exchange: Option<i64>) -> Result<i64, Fault> {
        let route = call.route.as_ref().map(|route| self.endpoint(route)).transpose()?;
        let request = match &call.request {
            Some(body) => Packed::of(self.masker.mask(body)),
            None => Packed::NONE,
        };
        let response = Packed::of(self.masker.mask(&call.response));
        let told = call.status.map(|_| headers(&call.headers));
        self.connection
            .prepare_cached(
                "INSERT INTO calls (run, scope, key, at, micros, method, path, request, request_zlib, status, response, \
                   response_zlib, endpoint, exchange, attempt, waited, wait_why, response_headers, request_cut, response_cut)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
            )?
            .execute(params![
                self.run.row,
                self.scope.id,
                key.map(Key::as_str),
                micros(call.at),
                stored(call.micros),
                call.method,
                self.masker.mask(&call.path),
                request.plain,
                request.zlib,
                call.status,
                response.plain.unwrap_or_default(),
                response.zlib,
                route,
                exchange,
                call.attempt.number,
                stored(call.attempt.wait.length.as_micros()),
                call.attempt.wait.why.map(WaitWhy::as_str),
                told.as_deref().map(|told| self.masker.mask(told)),
                stored(call.request_cut),
                stored(call.response_cut),
            ])?;
        Ok(self.connection.last_insert_rowid())
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
    let members = headers.iter().map(|(name, value)| (name.clone(), Json::from(value.as_str())));
    Json::Object(members.collect()).to_string()
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
        let zlib = |column: usize| row.get::<_, Option<Vec<u8>>>(from + column);
        let why = row.get::<_, Option<String>>(from + 12)?;
        let kept: Option<String> = row.get(from + 13)?;
        Ok(Call {
            at: time(row.get(from)?)?,
            micros: count(row.get(from + 1)?),
            route: row.get::<_, Option<i64>>(from + 9)?.map(|id| self.route(connection, id)).transpose()?,
            method: ["GET", "POST", "PUT", "DELETE"].into_iter().find(|name| *name == method).unwrap_or("?"),
            path: row.get(from + 3)?,
            attempt: Attempt {
                number: row.get(from + 10)?,
                wait: Wait {
                    length: std::time::Duration::from_micros(count(row.get(from + 11)?)),
                    why: why.and_then(|text| WaitWhy::parse(&text)),
                },
            },
            request: unpacked(row.get(from + 4)?, zlib(5)?.as_deref())?,
            status: row.get(from + 6)?,
            headers: kept.map(|text| parsed(&text)).transpose()?.unwrap_or_default(),
            response: unpacked(row.get(from + 7)?, zlib(8)?.as_deref())?.unwrap_or_default(),
            request_cut: count(row.get(from + 14)?),
            response_cut: count(row.get(from + 15)?),
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
    Fault::damaged("a call holds what Coho never writes")
}
