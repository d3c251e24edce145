//! Syncs: what a project says about turning a model's rows into records of one object.
//!
//! These are the checked forms; the files' own shapes live in `coho-project`, their evaluation in `coho-mapping`.

mod guards;

use std::fmt;

use crate::object::Object;
use crate::path::FieldPath;
use crate::place::Place;
use crate::snippet::Snippets;
use crate::value::Value;

pub use self::guards::{EmptySource, Guards, KeylessRows, Limit, OnGuard};

/// A sync's identity, whatever its file is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SyncId(String);

impl SyncId {
    /// An id. `coho-project` checks its characters.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SyncId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sync {
    /// Its identity.
    pub id: SyncId,
    /// The name of its model.
    pub model: String,
    /// The name of its destination, as the chosen target gives it.
    pub destination: String,
    /// The object that its rows become.
    pub object: Object,
    /// The ids that it had before: what is remembered under one of them is its own.
    pub renamed_from: Vec<SyncId>,
    /// Through which of Vitally's APIs it is sent.
    pub api: Api,
    /// What may happen to a record.
    pub mode: Mode,
    /// How a row finds its record.
    pub matching: Matching,
    /// What happens to links that a row does not name.
    pub associations: Associations,
    /// What is mapped.
    pub fields: Vec<FieldSpec>,
    /// What happens to a record whose row left the model.
    pub removal: Removal,
    /// What happens to the rows that are there when the sync runs for the first time.
    pub first_run: FirstRun,
    /// For how many days an event is remembered after the model showed it last; `None`: for ever.
    pub remember_days: Option<u32>,
    /// For how many seconds one run may send; what is left is planned again by the next one.
    pub run_seconds: Option<u64>,
    /// What looks like an accident.
    pub guards: Guards,
    /// Where it is declared.
    pub place: Place,
}

/// Through which of Vitally's APIs records are sent. Events always go through the Analytics API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Api {
    /// One call for each record, which says what became of it.
    #[default]
    Rest,
    /// Up to a hundred records a call, which says only that they were taken. It can upsert, and nothing else.
    Analytics,
}

impl Api {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Rest, Self::Analytics];

    /// The name in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Analytics => "analytics",
        }
    }
}

/// How a row finds its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matching {
    /// By its external id, which a new record gets too.
    ExternalId(ColumnRef),
    /// A user by the e-mail address; the external id is what a new one gets. The address is also the field `email`.
    Email {
        /// The column with the address.
        email: ColumnRef,
        /// The column with the external id.
        external_id: ColumnRef,
    },
    /// An event has no record: it is told from others by its `messageId`, from a column, or made of the sync's id and the
    /// row's key.
    Message(Option<ColumnRef>),
}

impl Matching {
    /// The column that gives the target: the external id, or the `messageId`.
    pub fn target(&self) -> Option<&ColumnRef> {
        match self {
            Self::ExternalId(column) | Self::Email { external_id: column, .. } => Some(column),
            Self::Message(column) => column.as_ref(),
        }
    }

    /// The column with the e-mail address, where that is what finds the record.
    pub fn email(&self) -> Option<&ColumnRef> {
        match self {
            Self::Email { email, .. } => Some(email),
            Self::ExternalId(_) | Self::Message(_) => None,
        }
    }
}

/// What happens to links that a row does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Associations {
    /// They stay.
    #[default]
    Add,
    /// They are taken away, as far as Vitally's APIs can: a user's accounts, through the Analytics API.
    Exact,
}

impl Associations {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Add, Self::Exact];

    /// The name in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Exact => "exact",
        }
    }
}

/// What happens to the rows that are there when a sync runs for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum FirstRun {
    /// They are sent.
    #[default]
    Send,
    /// They are remembered as they are, and not sent.
    Baseline,
    /// They are compared with what Vitally holds, and only what differs is sent, by the next run.
    Adopt,
    /// Events: those before this moment are remembered, the others are sent.
    Since(crate::time::Time),
}

impl FirstRun {
    /// One word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Baseline => "baseline",
            Self::Adopt => "adopt",
            Self::Since(_) => "since",
        }
    }
}

/// What may happen to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Created or updated.
    Upsert,
    /// Updated where it exists, never created.
    Update,
    /// Created where it does not exist, never updated.
    Insert,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Upsert, Self::Update, Self::Insert];

    /// The name in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Upsert => "upsert",
            Self::Update => "update",
            Self::Insert => "insert",
        }
    }

    /// Whether a record may be created.
    pub fn creates(self) -> bool {
        match self {
            Self::Upsert | Self::Insert => true,
            Self::Update => false,
        }
    }
}

/// What happens to a record whose row left the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Removal {
    /// It stays.
    Keep,
    /// It is deleted.
    Delete,
    /// It is deleted if this sync created it.
    DeleteCreated,
}

impl Removal {
    /// All policies.
    pub const ALL: [Self; 3] = [Self::Keep, Self::Delete, Self::DeleteCreated];

    /// The name in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Delete => "delete",
            Self::DeleteCreated => "delete-created",
        }
    }
}

/// What a null does to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum NullPolicy {
    /// It clears the field where this sync set it before; what a person typed is never wiped.
    #[default]
    Follow,
    /// It leaves the field as it is.
    Omit,
    /// It clears the field whoever set it.
    Clear,
}

impl NullPolicy {
    /// All policies.
    pub const ALL: [Self; 3] = [Self::Follow, Self::Omit, Self::Clear];

    /// The name in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Follow => "follow",
            Self::Omit => "omit",
            Self::Clear => "clear",
        }
    }
}

/// A type to which a value is cast, with checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cast {
    /// Text of any plain value; the compact JSON text of an object or a list.
    Text,
    /// A number, exact.
    Number,
    /// A whole number, exact.
    Integer,
    /// True or false: `true false t f yes no y n on off 1 0`, whatever their case.
    Boolean,
    /// A calendar date; the UTC date of a moment.
    Date,
    /// A moment; a date is its midnight, a time without zone is read as UTC.
    Timestamp,
    /// A JSON value from its text.
    Json,
}

impl Cast {
    /// All casts.
    pub const ALL: [Self; 7] =
        [Self::Text, Self::Number, Self::Integer, Self::Boolean, Self::Date, Self::Timestamp, Self::Json];

    /// The name in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Json => "json",
        }
    }
}

/// A column that the project names, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnRef {
    /// The column.
    pub name: String,
    /// Where it is named.
    pub place: Place,
}

/// One mapped field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSpec {
    /// What is set.
    pub to: FieldTarget,
    /// What it is set to.
    pub from: Expression,
    /// What a null does.
    pub null: NullPolicy,
    /// Where it is declared.
    pub place: Place,
}

/// What a mapping sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldTarget {
    /// One field or one trait.
    Path(FieldPath),
    /// All traits (an event's properties) at once, from an object.
    AllTraits,
}

impl fmt::Display for FieldTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{path}"),
            Self::AllTraits => f.write_str("traits"),
        }
    }
}

/// What a field is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// The value of a column, cast where that is asked for.
    Column {
        /// The column.
        column: ColumnRef,
        /// The type it is cast to.
        cast: Option<Cast>,
    },
    /// The same value for every row.
    Static(Value),
    /// Ids in a column, of the records that a field refers to.
    Lookup {
        /// One id, or a list of them.
        column: ColumnRef,
        /// What they are ids of.
        object: Object,
        /// Which ids they are.
        by: By,
        /// What stands between the ids of a list that is written as text: `,`.
        split: Option<String>,
    },
    /// What a Liquid template gives, cast where that is asked for.
    Template {
        /// The template.
        template: TemplateText,
        /// The type that its value is cast to.
        cast: Option<Cast>,
    },
    /// An object with these members.
    Object(Vec<(String, Expression)>),
    /// A list of these items.
    Array(Vec<Expression>),
}

/// Which ids a column has of the records that it refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// External ids, which become Vitally's when they are sent.
    ExternalId,
    /// Vitally's own, which are sent as they are.
    VitallyId,
}

impl By {
    /// Both.
    pub const ALL: [Self; 2] = [Self::ExternalId, Self::VitallyId];

    /// What stands behind the object in configuration files: `account.externalId`, `account.id`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ExternalId => "externalId",
            Self::VitallyId => "id",
        }
    }
}

impl Expression {
    /// Gives its templates the snippets that they may render.
    pub fn give_snippets(&mut self, snippets: &Snippets) {
        match self {
            Self::Template { template, .. } => template.snippets = snippets.clone(),
            Self::Object(members) => {
                for (_, member) in members {
                    member.give_snippets(snippets);
                }
            }
            Self::Array(items) => {
                for item in items {
                    item.give_snippets(snippets);
                }
            }
            Self::Column { .. } | Self::Static(_) | Self::Lookup { .. } => {}
        }
    }
}

/// A template as a file writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateText {
    /// The text.
    pub text: String,
    /// Where its first character stands.
    pub place: Place,
    /// The columns before its second and later lines: a YAML block's indentation.
    pub indent: u32,
    /// How it reads what is not there.
    pub undefined: UndefinedPolicy,
    /// What it may render by name.
    pub snippets: Snippets,
    /// What it gives where it renders nothing but blanks.
    pub blanks: Blanks,
}

/// What a template gives where its text is nothing but blanks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Blanks {
    /// That text.
    #[default]
    Kept,
    /// Null, so that the field's null policy decides.
    Null,
}

/// How a template reads what is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum UndefinedPolicy {
    /// It is refused.
    #[default]
    Error,
    /// It is empty, and what is no date passes a date filter as it is, as in LiquidJS.
    Empty,
}

impl UndefinedPolicy {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Error, Self::Empty];

    /// The name in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Empty => "empty",
        }
    }
}
