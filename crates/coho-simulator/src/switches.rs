//! The switches: one for each thing that Vitally's documentation leaves open.
//!
//! The defaults are the strict reading. A switch has a name and a text form (`dup=409`), so that a command line, a
//! fixture and the inspection API set them alike; [`Profile`] names whole sets of them. [`rest`] and [`analytics`] hold
//! the values that each takes, [`choice`] how they are read.

pub(crate) mod choice;

mod analytics;
mod rest;

mod profile;

use std::fmt;
use std::str::FromStr;

pub use analytics::{
    BatchMode, BlockedBatch, BlockedTypes, Dedupe, EmptyBatch, LegacyIds, LifecycleRule, NestedTrait,
    NullTrait, Organizations, RateHeaders, Reorder, StaleTimestamp, UnknownAccount, UnknownOrganization,
    UnlinkMissing, UserAssociation,
};
pub use choice::{Millis, Span};
pub use profile::Profile;
pub use rest::{
    AccountName, Associations, Clamp, DeleteAnswer, DeleteMissing, DeletedTraits, Duplicate, EmailUnique,
    ErrorShape, ExternalInPath, HeaderPrefix, Nested, OrganizationExternal, PostStatus, PutMissing, ReadOnly,
    RetryAfter, Types, Unknown, Window, WriteBody,
};

use choice::Choice;

/// Makes the struct, its defaults, and the table of names from one list.
macro_rules! switches {
    ($($(#[$doc:meta])* $name:ident: $kind:ty = $default:expr,)+) => {
        /// How this Vitally behaves where the documentation is silent. [`Switches::default`] is the strict reading.
        ///
        /// ```
        /// use coho_simulator::{Duplicate, Switches};
        ///
        /// let switches: Switches = "dup=409,ext_in_path=off".parse()?;
        /// assert_eq!(switches.dup, Duplicate::Conflict);
        /// let switches: Switches = "conflicting-post,limit=100".parse()?;
        /// assert_eq!(switches.limit, 100);
        /// # Ok::<(), coho_simulator::SwitchError>(())
        /// ```
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Switches { $($(#[$doc])* pub $name: $kind),+ }

        impl Default for Switches {
            fn default() -> Self {
                Self { $($name: $default),+ }
            }
        }

        impl Switches {
            /// Every switch with its value as text, in the order of this page.
            pub fn entries(&self) -> Vec<(&'static str, String)> {
                vec![$((stringify!($name), self.$name.text())),+]
            }

            /// Sets one switch from its name and a text.
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), SwitchError> {
                match name {
                    $(stringify!($name) => self.$name = <$kind>::read(value).ok_or_else(|| SwitchError::Value {
                        name: stringify!($name), value: value.to_owned(), values: <$kind>::values(),
                    })?,)+
                    _ => return Err(SwitchError::Name { name: name.to_owned(), known: Self::known() }),
                }
                Ok(())
            }

            /// The names of all switches with the values that they take, one a line, for a command's help.
            pub fn known() -> String {
                [$(format!("{}={}", stringify!($name), <$kind>::values())),+].join("\n")
            }
        }
    };
}

switches! {
    /// What a POST does whose external id is in use.
    dup: Duplicate = Duplicate::Upsert,
    /// What a PUT does whose record is missing.
    put_missing: PutMissing = PutMissing::NotFound,
    /// Whether paths take external ids.
    ext_in_path: ExternalInPath = ExternalInPath::On,
    /// Whether links in a write are added or replace.
    assoc: Associations = Associations::Add,
    /// What a POST does whose e-mail address is in use.
    email_unique: EmailUnique = EmailUnique::Off,
    /// The status of a write that made a record.
    post: PostStatus = PostStatus::Ok,
    /// What the answer to a POST or PUT shows.
    body: WriteBody = WriteBody::Object,
    /// The answer to a DELETE.
    delete: DeleteAnswer = DeleteAnswer::NoContent,
    /// The shape of errors.
    err: ErrorShape = ErrorShape::Validation,
    /// How long a deleted user stays readable where the request names no date.
    grace: Span = Span::ZERO,
    /// Units of the rate that a POST, PUT or DELETE costs.
    write_cost: u32 = 1,
    /// Units that pass in a minute.
    limit: u32 = 1_000,
    /// How the rate limit counts.
    window: Window = Window::Bucket,
    /// Whether a 429 says when to come back.
    retry_after: RetryAfter = RetryAfter::Off,
    /// How the rate headers are named.
    x_prefix: HeaderPrefix = HeaderPrefix::Off,
    /// The most records of a list's page, whatever more is asked for.
    page: u32 = 100,
    /// Whether list parameters out of range are brought into it.
    clamp: Clamp = Clamp::Off,
    /// What becomes of undocumented parameters and fields.
    unknown: Unknown = Unknown::Reject,
    /// What becomes of fields that may not be written.
    read_only: ReadOnly = ReadOnly::Reject,
    /// Whether a PUT renames an account.
    account_name: AccountName = AccountName::Apply,
    /// Where an account's organization may be given by external id.
    org_ext: OrganizationExternal = OrganizationExternal::Put,
    /// Whether traits may be objects.
    nested: Nested = Nested::Reject,
    /// What becomes of a trait of another type than its definition.
    types: Types = Types::Store,
    /// How deleted traits show.
    deleted_traits: DeletedTraits = DeletedTraits::Omit,
    /// The answer to a DELETE of a missing record.
    delete_missing: DeleteMissing = DeleteMissing::NotFound,
    /// How long a new record stays unseen by GET and search (not by writes and lists), in milliseconds.
    lag_ms: Millis = Millis(0),
    /// Each n-th POST that wrote is cut off after the commit, without an answer; 0 is never, 1 is each.
    drop_after_commit: u32 = 0,
    /// Analytics: the shape of errors.
    error_shape: ErrorShape = ErrorShape::Error,
    /// Analytics: what a batch does of which some messages are bad.
    batch_mode: BatchMode = BatchMode::Reject,
    /// Analytics: the answer to a batch without a message.
    empty_batch: EmptyBatch = EmptyBatch::BadRequest,
    /// Analytics: which messages with a `messageId` that came before are dropped.
    dedupe: Dedupe = Dedupe::Forever,
    /// Analytics: how long after its arrival a message is applied.
    apply_delay: Span = Span::ZERO,
    /// Analytics: how much later a type is applied than the one before it in the order unlink, track,
    /// customobjectinstance, user, account, organization: children before their parents.
    apply_skew: Span = Span::ZERO,
    /// Analytics: whether requests overtake one another.
    reorder: Reorder = Reorder::Off,
    /// Analytics: what null does to a trait.
    null_trait: NullTrait = NullTrait::Delete,
    /// Analytics: what becomes of traits that are objects.
    nested_trait: NestedTrait = NestedTrait::Store,
    /// Analytics: what becomes of users and instances of an account that is not there.
    unknown_account: UnknownAccount = UnknownAccount::Create,
    /// Analytics: what becomes of an organization that is not there.
    unknown_org: UnknownOrganization = UnknownOrganization::Unlinked,
    /// Analytics: which of two values of a member stays.
    stale_timestamp: StaleTimestamp = StaleTimestamp::Arrival,
    /// Analytics: what a user message does to the user's accounts.
    user_assoc: UserAssociation = UserAssociation::Add,
    /// Analytics: the answer to an unlink of a user that is not in the account.
    unlink_missing: UnlinkMissing = UnlinkMissing::Ok,
    /// Analytics: the message types that are refused.
    blocked_types: BlockedTypes = BlockedTypes::default(),
    /// Analytics: what a message of a blocked type does to its batch.
    blocked_batch: BlockedBatch = BlockedBatch::Whole,
    /// Analytics: requests that its own rate bucket holds, and that flow in over one minute.
    rate: u32 = 1_000,
    /// Analytics: what is said of that rate.
    rate_headers: RateHeaders = RateHeaders::None,
    /// Analytics: what becomes of events of churned or ignored customers.
    lifecycle: LifecycleRule = LifecycleRule::Drop,
    /// Analytics: bytes of the largest body that is taken.
    max_body: u32 = 1_048_576,
    /// Analytics: whether ids may be numbers.
    legacy_ids: LegacyIds = LegacyIds::Off,
    /// Analytics: whether the workspace has organizations.
    organizations: Organizations = Organizations::On,
}

impl Switches {
    /// Applies `name=value` pairs and profile names, separated by commas or white space, from left to right.
    /// A profile's name (`lenient`, or `profile=lenient`) sets all switches.
    pub fn apply(&mut self, text: &str) -> Result<(), SwitchError> {
        for part in text.split([',', ' ', '\n', '\t']).filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some(("profile", name)) => *self = name.parse::<Profile>()?.switches(),
                Some((name, value)) => self.set(name, value)?,
                None => *self = part.parse::<Profile>()?.switches(),
            }
        }
        Ok(())
    }
}

impl FromStr for Switches {
    type Err = SwitchError;

    fn from_str(text: &str) -> Result<Self, SwitchError> {
        let mut switches = Self::default();
        switches.apply(text)?;
        Ok(switches)
    }
}

/// All switches as text that [`Switches::from_str`] reads.
impl fmt::Display for Switches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<String> =
            self.entries().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        f.write_str(&pairs.join(","))
    }
}

/// Why a text names no switch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SwitchError {
    /// There is no switch of that name.
    #[error("unknown switch `{name}`; the switches are:\n{known}")]
    Name {
        /// The name that was given.
        name: String,
        /// All switches with their values, one a line.
        known: String,
    },
    /// The switch does not take that value.
    #[error("switch `{name}` cannot be `{value}`; allowed are {values}")]
    Value {
        /// The switch.
        name: &'static str,
        /// The value that was given.
        value: String,
        /// What it takes.
        values: String,
    },
    /// There is no profile of that name.
    #[error("unknown profile `{name}`; the profiles are {known}")]
    Profile {
        /// The name that was given.
        name: String,
        /// All profiles.
        known: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_all_switches_reads_back_as_the_same_switches() {
        let switches: Switches =
            "conflicting-post,grace=7d,lag_ms=250,dedupe=10m,blocked_types=user+track".parse().unwrap();
        assert_eq!(switches.to_string().parse::<Switches>().unwrap(), switches);
    }

    #[test]
    fn an_unknown_switch_is_answered_with_all_that_exist() {
        let error = "dupe=409".parse::<Switches>().unwrap_err().to_string();
        assert!(error.contains("unknown switch `dupe`"), "{error}");
        assert!(error.contains("dup=upsert|409|400"), "{error}");
    }

    #[test]
    fn an_unknown_value_is_answered_with_those_that_the_switch_takes() {
        let error = "dup=maybe".parse::<Switches>().unwrap_err().to_string();
        assert_eq!(error, "switch `dup` cannot be `maybe`; allowed are upsert|409|400");
    }

    #[test]
    fn a_later_pair_wins_over_a_profile() {
        let switches: Switches = "profile=lenient,clamp=off".parse().unwrap();
        assert_eq!((switches.unknown, switches.clamp), (Unknown::Ignore, Clamp::Off));
    }

    #[test]
    fn a_span_reads_units_and_refuses_bare_numbers() {
        assert_eq!(Span::read("7d"), Some(Span::from_days(7)));
        assert_eq!(Span::read("250ms").map(Span::millis), Some(250));
        assert_eq!(Span::read("7"), None);
        assert_eq!(Span::read("999999999999d"), None);
    }
}
