//! What pages ask for where this process runs syncs: a run waits in the queue like any other, all else is done as the debugger
//! does it.

use std::sync::Arc;

use coho_engine::context::EngineError;
use coho_schedule::AskedBy;

use super::house::House;
use crate::actions::{Actions, Doing, Done, Refused, Wish};

/// Asks for runs, and passes on all else.
pub(crate) struct Queue {
    house: Arc<House>,
    others: Arc<dyn Actions>,
}

impl Queue {
    pub(crate) fn new(house: Arc<House>, others: Arc<dyn Actions>) -> Self {
        Self { house, others }
    }
}

impl Actions for Queue {
    fn carry_out(&self, wish: Wish, who: Option<String>) -> Doing {
        let Wish::Run { syncs } = wish else { return self.others.carry_out(wish, who) };
        let house = Arc::clone(&self.house);
        let who = who.as_deref().unwrap_or("someone on this machine");
        house.host.tell(&format!("asked for on a page by {who}: run {}", named(&syncs)));
        let asked = tokio::task::spawn_blocking(move || {
            let asked = ask(&house, &syncs);
            house.woken.notify_one();
            asked
        });
        Box::pin(async move {
            let broken_off = |_| Refused { message: "the request was aborted".to_owned(), help: None };
            match asked.await.map_err(broken_off)? {
                Ok(syncs) => {
                    Ok(Done::Told(format!("A run of {} is queued: see the overview.", syncs.join(", "))))
                }
                Err(error) => Err(Refused::from(&error)),
            }
        })
    }
}

fn named(syncs: &[String]) -> String {
    if syncs.is_empty() { "all syncs".to_owned() } else { syncs.join(", ") }
}

/// Asks for runs of these syncs, or of all. They are in the ledger when this is done.
fn ask(house: &House, names: &[String]) -> Result<Vec<String>, EngineError> {
    let opened = house.opened();
    let engine = house.engine(&opened);
    let ledger = engine.ledger_to_ask()?;
    let syncs = engine.select(names)?;
    for sync in &syncs {
        engine.ask(&ledger, sync, AskedBy::Page)?;
    }
    Ok(syncs.iter().map(|sync| sync.id.to_string()).collect())
}
