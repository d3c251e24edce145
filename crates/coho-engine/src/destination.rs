//! Destinations: the client of each, with its tokens and its pace, and what is remembered of what calls cost.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use coho_core::private::Private;
use coho_ledger::Ledger;
use coho_ledger::lease::Lease;
use coho_ledger::shared_rate::SharedRate;
use coho_plan::call_costs::CallCosts;
use coho_project::{DestinationSpec, ServerSpec, Workspace};
use coho_vitally::address::Paths;
use coho_vitally::client::{
    AnalyticsEndpoint, AnalyticsSettings, AnalyticsToken, Client, ClientClock, ClientSettings, Endpoint,
    OtherUse, Price, Token, TokenError,
};
use secrecy::SecretString;

use crate::context::{Engine, EngineError, missing};

/// How many clients this process made: each is one of those who share a rate.
static CLIENTS: AtomicU64 = AtomicU64::new(0);

impl Engine<'_> {
    fn destination(&self, name: &str) -> Result<&DestinationSpec, EngineError> {
        self.setup.project.destinations.get(name).ok_or_else(|| missing("destination", name))
    }

    /// What is hidden of records that are sent there.
    pub(crate) fn private(&self, destination: &str) -> Private {
        let project = self.setup.project;
        let syncs = project.syncs.iter().filter(|sync| sync.destination == destination);
        coho_mapping::private::of(&project.models, syncs)
    }

    /// A destination's client. It knows what earlier runs learned of the price of calls.
    pub(crate) fn client(&self, ledger: &Ledger, destination: &str) -> Result<Client, EngineError> {
        let price = self.price(ledger, destination)?;
        self.client_with(destination, Some(price), Some(ledger))
    }

    /// The same without a ledger.
    pub(crate) fn client_at(&self, destination: &str, price: Option<Price>) -> Result<Client, EngineError> {
        self.client_with(destination, price, None)
    }

    fn client_with(
        &self,
        destination: &str,
        price: Option<Price>,
        ledger: Option<&Ledger>,
    ) -> Result<Client, EngineError> {
        let spec = self.destination(destination)?;
        let token = self.token(destination, spec.rest_token.as_ref(), Token::parse)?;
        let analytics = self.token(destination, spec.analytics_token.as_ref(), AnalyticsToken::parse)?;
        let clock = std::sync::Arc::clone(&self.setup.clock);
        let settings = ClientSettings {
            rate: spec.rate.per_minute,
            known_price: Some(price.unwrap_or_else(|| self.found_price(destination))),
            known_paths: self.found_paths(destination),
            private: self.private(destination),
            at_once: spec.concurrency,
            others: ledger.map(|ledger| self.others(ledger, destination, "rest")),
            clock: ClientClock::new(move || clock.now()),
            analytics: analytics.map(|token| AnalyticsSettings {
                others: ledger.map(|ledger| self.others(ledger, destination, "analytics")),
                ..self::analytics(spec, token)
            }),
            token,
            ..ClientSettings::without_tokens(host(&spec.endpoint))
        };
        Client::new(settings)
            .map_err(|source| EngineError::Destination { destination: destination.to_owned(), source })
    }

    /// What other processes with the same ledger use of a workspace's rate.
    fn others(&self, ledger: &Ledger, destination: &str, api: &str) -> OtherUse {
        let rate = format!("{}/{api}", self.workspace(destination));
        let id = format!("{}-{}", self.setup.holder.id, CLIENTS.fetch_add(1, Ordering::Relaxed));
        let shared = SharedRate::beside(ledger.path(), &rate, &id);
        let clock = std::sync::Arc::clone(&self.setup.clock);
        OtherUse::new(move |used| shared.turn(used, clock.now()))
    }

    #[expect(clippy::unused_self, reason = "reads as what it is at its call site")]
    fn token<T>(
        &self,
        destination: &str,
        text: Option<&SecretString>,
        parse: fn(&SecretString) -> Result<T, TokenError>,
    ) -> Result<Option<T>, EngineError> {
        let token = text.map(parse).transpose();
        token.map_err(|source| EngineError::Token { destination: destination.to_owned(), source })
    }

    fn price(&self, ledger: &Ledger, destination: &str) -> Result<Price, EngineError> {
        let known = ledger.price(&self.workspace(destination))?;
        let found = self.found_price(destination);
        let price = |known: Option<f64>, found| if known.is_some() { units(known) } else { found };
        Ok(Price { read: price(known.read, found.read), write: price(known.write, found.write) })
    }

    /// What calls cost, as `coho check --live` found out.
    fn found_price(&self, destination: &str) -> Price {
        let found = self.setup.project.workspaces.get(destination);
        let cost = |cost: fn(&Workspace) -> Option<u32>| found.and_then(cost).unwrap_or(1);
        Price { read: cost(|found| found.read_cost), write: cost(|found| found.write_cost) }
    }

    /// Which ids the routes take, as `coho check --live` found out: where external ids do not work in paths, look-ups begin
    /// with the search or the list.
    fn found_paths(&self, destination: &str) -> Paths {
        let found = self.setup.project.workspaces.get(destination);
        let objects = found.into_iter().flat_map(|found| &found.only_vitallys_ids);
        objects.fold(Paths::default(), |paths, object| paths.only_vitallys(*object))
    }

    /// How fast a destination takes calls.
    pub(crate) fn call_costs(&self, ledger: &Ledger, destination: &str) -> Result<CallCosts, EngineError> {
        let spec = self.destination(destination)?;
        let price = self.price(ledger, destination)?;
        Ok(CallCosts {
            rest: spec.rate.per_minute,
            analytics: spec.analytics_rate.per_minute,
            write_price: price.write.saturating_mul(1_000),
            concurrency: spec.concurrency.first(),
        })
    }

    /// Remembers what calls cost, for the estimates of later plans.
    pub(crate) fn keep_prices(
        &self,
        ledger: &Ledger,
        lease: &Lease,
        clients: &BTreeMap<String, Client>,
        calls: u64,
    ) -> Result<(), EngineError> {
        if calls < ENOUGH {
            return Ok(());
        }
        for (destination, client) in clients {
            let Some(price) = client.state().rest.map(|state| state.price) else { continue };
            let kept = coho_ledger::workspace::CallPrice {
                read: Some(f64::from(price.read)),
                write: Some(f64::from(price.write)),
            };
            ledger.keep_price(lease, &self.workspace(destination), kept)?;
        }
        Ok(())
    }
}

/// From how many calls of a run on what it learned of their price is believed: a few calls are observed once or twice.
const ENOUGH: u64 = 50;

/// A price in whole units; one where nothing is known.
fn units(price: Option<f64>) -> u32 {
    let whole = price.filter(|price| (1.0..=1_000.0).contains(price)).unwrap_or(1.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it lies between 1 and 1,000"
    )]
    let units = whole as u32;
    units
}

fn host(endpoint: &ServerSpec) -> Endpoint {
    match endpoint {
        ServerSpec::Us { subdomain: Some(subdomain) } => Endpoint::Us { subdomain: subdomain.clone() },
        // The host without a subdomain was the documented one before, and still answers (2026-11-24).
        ServerSpec::Us { subdomain: None } => Endpoint::BaseUrl("https://rest.vitally.io".to_owned()),
        ServerSpec::Eu => Endpoint::Eu,
        ServerSpec::BaseUrl(url) => Endpoint::BaseUrl(url.clone()),
    }
}

fn analytics(spec: &DestinationSpec, token: AnalyticsToken) -> AnalyticsSettings {
    let endpoint = match (&spec.analytics_url, &spec.endpoint) {
        (Some(url), _) => AnalyticsEndpoint::Url(url.clone()),
        (None, ServerSpec::Us { subdomain: None }) => AnalyticsEndpoint::UsShared,
        (None, ServerSpec::Us { subdomain: Some(_) } | ServerSpec::Eu | ServerSpec::BaseUrl(_)) => {
            AnalyticsEndpoint::OfWorkspace
        }
    };
    let (rate, at_once) = (spec.analytics_rate.per_minute, spec.concurrency);
    AnalyticsSettings { endpoint, rate, at_once, ..AnalyticsSettings::new(token) }
}
