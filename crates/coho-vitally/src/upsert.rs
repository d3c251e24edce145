//! One record to write, without a project, a model or a ledger: a builder of operations for a client that is used alone.

use std::collections::BTreeMap;

use coho_core::decide::{Change, Reason};
use coho_core::digest::Digest;
use coho_core::fields::{FieldValue, Rendered, Rendering, Sent, diff_fields};
use coho_core::key::Key;
use coho_core::object::{FieldKind, Object};
use coho_core::operation::{Draft, FoundBy, Operation, seal};
use coho_core::path::FieldPath;
use coho_core::problem::Problem;
use coho_core::row_state::Seen;
use coho_core::sync::{Associations, Mode, NullPolicy};
use coho_core::target::ExternalId;
use coho_core::value::Value;

/// A record to create or update.
///
/// ```
/// use coho_vitally::Upsert;
///
/// let operation = Upsert::account("acme").name("Acme").trait_("plan", "pro").trait_("seats", 42).operation()?;
/// assert_eq!(operation.target.as_str(), "acme");
///
/// // A user needs an account or an organization. The error has all problems, not the first.
/// let error = Upsert::user("ann").name("Ann").operation().unwrap_err();
/// assert_eq!(error.to_string(), "user `ann`: Must specify at least one of: accountIds or organizationIDs");
/// # Ok::<(), coho_vitally::UpsertError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Upsert {
    object: Object,
    external_id: String,
    mode: Mode,
    fields: BTreeMap<FieldPath, Value>,
}

/// Why a record cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{object} `{external_id}`: {}", listed(problems))]
pub struct UpsertError {
    /// What kind of record.
    pub object: Object,
    /// Its external id.
    pub external_id: String,
    /// All that is wrong.
    pub problems: Vec<Problem>,
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; ")
}

impl Upsert {
    /// An account with this external id.
    pub fn account(external_id: impl Into<String>) -> Self {
        Self::of(Object::Account, external_id)
    }

    /// An organization with this external id.
    pub fn organization(external_id: impl Into<String>) -> Self {
        Self::of(Object::Organization, external_id)
    }

    /// A user with this external id.
    pub fn user(external_id: impl Into<String>) -> Self {
        Self::of(Object::User, external_id)
    }

    /// A record of any object but an event.
    pub fn of(object: Object, external_id: impl Into<String>) -> Self {
        Self { object, external_id: external_id.into(), mode: Mode::Upsert, fields: BTreeMap::new() }
    }

    /// Creates only, or updates only.
    #[must_use]
    pub fn mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// Its name.
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        self.field("name", name.into())
    }

    /// A user's e-mail address.
    #[must_use]
    pub fn email(self, email: impl Into<String>) -> Self {
        self.field("email", email.into())
    }

    /// The external ids of a user's accounts.
    #[must_use]
    pub fn accounts<I: Into<String>>(self, external_ids: impl IntoIterator<Item = I>) -> Self {
        let ids: Vec<String> = external_ids.into_iter().map(Into::into).collect();
        self.field("accountIds", ids)
    }

    /// A trait. A null clears it.
    #[must_use]
    pub fn trait_(self, key: &str, value: impl Into<Value>) -> Self {
        self.with(FieldPath::Trait(key.into()), value.into())
    }

    /// Any other field of the object, by Vitally's name. References take external ids; a null clears a field.
    #[must_use]
    pub fn field(self, name: &str, value: impl Into<Value>) -> Self {
        self.with(FieldPath::Field(name.into()), value.into())
    }

    fn with(mut self, path: FieldPath, value: Value) -> Self {
        self.fields.insert(path, value);
        self
    }

    /// The operation, for `Client::deliver` or [`exchange::deliver`](crate::exchange::deliver).
    ///
    /// # Errors
    ///
    /// If a field does not exist, has a value of another type or is required and missing.
    pub fn operation(&self) -> Result<Operation, UpsertError> {
        self.sealed().map_err(|problems| UpsertError {
            object: self.object,
            external_id: self.external_id.clone(),
            problems,
        })
    }

    fn sealed(&self) -> Result<Operation, Vec<Problem>> {
        let target = ExternalId::parse(&self.external_id)
            .map_err(|error| vec![Problem::new(coho_core::code::Code::TARGET_FORM, error.to_string())])?;
        let fields = self.fields.iter().map(|(path, value)| (path.clone(), self.rendering(path, value)));
        let rendered = Rendered {
            target,
            fields: fields.collect(),
            absent_traits: None,
            associations: Associations::Add,
        };
        seal(Draft {
            key: &Key::new(&*self.external_id),
            object: self.object,
            mode: self.mode,
            found_by: FoundBy::ExternalId,
            rendered: &rendered,
            field_diff: diff_fields(&rendered, &Sent::new()),
            row_state: None,
            change: Change::Add,
            reason: Reason::NewRecord,
            seen: Seen { row: Digest::of(b""), mapping: Digest::of(b"") },
        })
    }

    fn rendering(&self, path: &FieldPath, value: &Value) -> Rendering {
        if value.is_null() {
            return Rendering::Null(NullPolicy::Clear);
        }
        let kind: Option<FieldKind> =
            path.as_field().and_then(|name| self.object.field(name)).map(|field| field.kind);
        let reference = FieldValue::reference_in(kind, value);
        Rendering::Set(reference.unwrap_or_else(|| FieldValue::Value(value.clone())))
    }
}

#[cfg(test)]
mod tests {
    use coho_core::operation::Action;

    use super::*;

    fn complete(upsert: &Upsert) -> Vec<(String, String)> {
        let Action::Write { complete, .. } = upsert.operation().unwrap().action else { return Vec::new() };
        let shown = complete
            .iter()
            .map(|(path, value)| (path.to_string(), coho_core::json::write(&value.to_value())));
        shown.collect()
    }

    #[test]
    fn fields_traits_and_links_become_an_operation() {
        let user = Upsert::user("ann")
            .name("Ann")
            .email("ann@acme.example")
            .accounts(["acme"])
            .trait_("admin", true);
        let expected = [
            ("accountIds", "[\"acme\"]"),
            ("email", "\"ann@acme.example\""),
            ("name", "\"Ann\""),
            ("traits.admin", "true"),
        ];
        assert_eq!(complete(&user), expected.map(|(path, value)| (path.to_owned(), value.to_owned())));
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let error = Upsert::user("ann").field("nam", "Ann").operation().unwrap_err();
        assert_eq!(error.problems.len(), 2, "{error}");
        assert!(error.to_string().contains("user has no field `nam`"), "{error}");
    }

    #[test]
    fn an_external_id_that_no_url_can_hold_is_refused() {
        assert!(Upsert::account("..").name("Up").operation().is_err());
    }
}
