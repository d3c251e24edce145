//! Through which of Vitally's APIs a sync is sent, and what that API, or its object, cannot do.

use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::problem::Problem;
use coho_core::sync::{Api, Associations, By, Expression, FieldTarget, FirstRun, Matching, Mode, Removal};

use super::project::Token;
use super::sync::{Mapped, word};
use crate::yaml::Node;

/// Fields of records that Vitally documents for the REST API only (read 2026-11-24).
const REST_ONLY: [&str; 1] = ["unsubscribedFromConversations"];

/// What helps where the Analytics API cannot do something.
const REST: &str = "use `api: rest` for update, insert and removals";

/// What a sync says of the ways in which it is sent.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    pub(crate) api: Api,
    pub(crate) mode: Mode,
    pub(crate) removal: Removal,
    pub(crate) associations: Associations,
}

/// The way of a sync, with what cannot be read left at its default.
pub(crate) fn way(root: &Node, object: Option<Object>) -> Way {
    let api = word(root, "api", &Api::ALL, Api::name).unwrap_or_default();
    Way {
        api: if object == Some(Object::Event) { Api::Analytics } else { api },
        mode: word(root, "mode", &Mode::ALL, Mode::name).unwrap_or(Mode::Upsert),
        removal: word(root, "removed", &Removal::ALL, Removal::name).unwrap_or(Removal::Keep),
        associations: word(root, "associations", &Associations::ALL, Associations::name).unwrap_or_default(),
    }
}

/// The tokens that a sync needs, as far as it can be read.
pub(crate) fn tokens(
    root: &Node,
    object: Option<Object>,
    way: Way,
    first_run: Option<FirstRun>,
) -> Vec<Token> {
    let said = root.entry("api").is_none() || word(root, "api", &Api::ALL, Api::name).is_some();
    if object.is_none() || !said {
        return Vec::new();
    }
    match (way.api, first_run) {
        (Api::Rest, _) => vec![Token::Rest],
        // What Vitally holds can be read through the REST API only.
        (Api::Analytics, Some(FirstRun::Adopt)) if object != Some(Object::Event) => {
            vec![Token::Rest, Token::Analytics]
        }
        (Api::Analytics, _) => vec![Token::Analytics],
    }
}

/// Tells of what cannot be done.
pub(crate) fn check(
    root: &Node,
    object: Object,
    way: Way,
    matching: Option<&Matching>,
    mapped: &Mapped,
    problems: &mut Vec<Problem>,
) {
    let mut checker = Checker { root, problems };
    match object {
        Object::Event => checker.event(way),
        Object::Organization | Object::Account | Object::User => checker.record(object, way),
    }
    if way.api == Api::Analytics && object != Object::Event {
        checker.analytics(object, way);
        checker.address(matching);
        checker.fields(object, mapped);
    }
}

struct Checker<'a> {
    root: &'a Node,
    problems: &'a mut Vec<Problem>,
}

impl Checker<'_> {
    /// A problem with the value of a key.
    fn tell(&mut self, code: Code, key: &str, message: String, help: &str) {
        if let Some(node) = self.root.get(key) {
            self.problems.push(Problem::new(code, message).at(&node.place).help(help));
        }
    }

    fn event(&mut self, way: Way) {
        if self.root.text_of("api") == Some(Api::Rest.name()) {
            let message = "events always go through the Analytics API".to_owned();
            self.tell(Code::WRONG_VALUE, "api", message, "remove it, or write `api: analytics`");
        }
        if way.mode != Mode::Upsert {
            let message = format!(
                "`mode: {}` does not work for events: they happen once and never change",
                way.mode.name()
            );
            self.tell(Code::WRONG_VALUE, "mode", message, "remove it, or write `mode: upsert`");
        }
        if way.removal != Removal::Keep {
            let message = format!(
                "`removed: {}` does not work for events: sent events cannot be taken back",
                way.removal.name()
            );
            self.tell(Code::WRONG_VALUE, "removed", message, "remove it, or write `removed: keep`");
        }
        if way.associations != Associations::Add {
            let message =
                "`associations: exact` does not work for events: their owners never change".to_owned();
            self.tell(Code::WRONG_VALUE, "associations", message, "remove it, or write `associations: add`");
        }
    }

    fn record(&mut self, object: Object, way: Way) {
        if way.associations == Associations::Exact && object != Object::User {
            let message =
                format!("`associations: exact` is only for users, not for {}", object.with_article());
            self.tell(Code::WRONG_VALUE, "associations", message, "remove it, or write `associations: add`");
        }
    }

    fn analytics(&mut self, object: Object, way: Way) {
        if way.mode != Mode::Upsert {
            let message = format!("the Analytics API can only upsert: it has no `mode: {}`", way.mode.name());
            self.tell(Code::API_CANNOT, "mode", message, REST);
        }
        if way.removal != Removal::Keep {
            let message = format!("the Analytics API cannot delete {}", object.with_article());
            self.tell(Code::API_CANNOT, "removed", message, REST);
        }
        if way.associations == Associations::Exact && object == Object::User {
            let message = "the Analytics API can only add links: it does not show the existing ones";
            let help = "use `api: rest` for `associations: exact`";
            self.tell(Code::API_CANNOT, "associations", message.to_owned(), help);
        }
    }

    fn address(&mut self, matching: Option<&Matching>) {
        if let Some(email) = matching.and_then(Matching::email) {
            self.problems.push(
                Problem::new(Code::API_CANNOT, "the Analytics API finds users only by external id")
                    .at(&email.place)
                    .help("use `api: rest` to match by e-mail, or `match: { externalId: … }`"),
            );
        }
    }

    fn fields(&mut self, object: Object, mapped: &Mapped) {
        for spec in &mapped.specs {
            if let Expression::Lookup { object: other, by: By::VitallyId, column, .. } = &spec.from {
                let problem = Problem::new(Code::API_CANNOT, "the Analytics API takes only external ids");
                let help =
                    format!("write `lookup: {other}.externalId`, and put external ids in `{}`", column.name);
                self.problems.push(problem.at(&spec.place).help(help));
            }
            if let FieldTarget::Path(FieldPath::Field(name)) = &spec.to
                && REST_ONLY.contains(&&**name)
            {
                let message = format!("the Analytics API has no field `{name}` of {}", object.with_article());
                let problem = Problem::new(Code::API_CANNOT, message).at(&spec.place);
                self.problems.push(problem.help(format!("use `api: rest` to set it, or remove `{name}`")));
            }
        }
    }
}
