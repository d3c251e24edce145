//! The switches: one for each thing that Vitally's documentation leaves open.
//!
//! The defaults are the strict reading. A switch has a name and a text form (`dup=409`), so that a command line, a
//! fixture and the inspection API set them alike; [`Profile`] names whole sets of them.

pub(crate) mod choice;
mod profile;

use std::fmt;
use std::str::FromStr;

pub use choice::{Millis, Span};
pub use profile::Profile;

use choice::{Choice, choices};

choices! {
    /// `dup`: what a POST does whose external id is in use.
    Duplicate {
        /// It is an update: 200, same id, traits merged, name replaced, associations added.
        Upsert = "upsert",
        /// It is refused with 409.
        Conflict = "409",
        /// It is refused with 400.
        BadRequest = "400",
    }
    /// `put_missing`: what a PUT does whose record is missing.
    PutMissing {
        /// 404.
        NotFound = "404",
        /// It creates the record under the external id of the path.
        Upsert = "upsert",
        /// 400.
        BadRequest = "400",
    }
    /// `ext_in_path`: whether `/:id` takes external ids.
    ExternalInPath {
        /// Vitally's ids and external ids, the former first.
        On = "on",
        /// Only Vitally's; anything that is not a UUID is refused with 400.
        Off = "off",
    }
    /// `assoc`: what `accountIds` and `organizationIds` of a write do to a user's links.
    Associations {
        /// They are added.
        Add = "add",
        /// They replace the links of that kind.
        Replace = "replace",
    }
    /// `email_unique`: what a POST of a new user does whose e-mail address another user has.
    EmailUnique {
        /// It makes a second user.
        Off = "off",
        /// It is refused with 409.
        Conflict = "409",
        /// It updates the user that has the address, and that user's external id stays.
        Merge = "merge",
    }
    /// `post`: the status of a POST that made a record.
    PostStatus {
        /// 200.
        Ok = "200",
        /// 201.
        Created = "201",
    }
    /// `err`: the shape of an error's body. The answer to a missing `Authorization` header is known and stays as it is.
    ErrorShape {
        /// `{"error": "text"}`.
        Error = "error",
        /// `{"message": "text"}`.
        Message = "message",
        /// A page of HTML.
        Html = "html",
        /// No body.
        Empty = "empty",
    }
    /// `retry_after`: whether a 429 has a `Retry-After` header.
    RetryAfter {
        /// It has none.
        Off = "off",
        /// Seconds until the refused request would pass.
        On = "on",
    }
    /// `x_prefix`: how the rate headers are named.
    HeaderPrefix {
        /// `RateLimit-…`.
        Off = "off",
        /// `X-RateLimit-…`.
        On = "on",
    }
    /// `clamp`: what becomes of a `limit`, `sortBy` or `status` out of range.
    Clamp {
        /// 400.
        Off = "off",
        /// The nearest limit, the default order, the default status.
        On = "on",
    }
    /// `unknown`: what becomes of query parameters and body fields that nobody documents.
    Unknown {
        /// 400 that names the field.
        Reject = "reject",
        /// They are passed over.
        Ignore = "ignore",
    }
    /// `read_only`: what becomes of fields that exist but may not be written (`id`, `mrr`, `externalId` on PUT).
    ReadOnly {
        /// 400 that names the field.
        Reject = "reject",
        /// They are passed over.
        Ignore = "ignore",
    }
    /// `account_name`: what `name` in an account's PUT does.
    AccountName {
        /// The account is renamed.
        Apply = "apply",
        /// Nothing, and the answer is 200 all the same.
        Ignore = "ignore",
    }
    /// `org_ext`: where an account's `organizationId` may be an external id.
    OrganizationExternal {
        /// In a PUT.
        Put = "put",
        /// In a PUT and a POST.
        Both = "both",
        /// Nowhere.
        Off = "off",
    }
    /// `nested`: what becomes of a trait that is an object, or an array of other than scalars.
    Nested {
        /// 400.
        Reject = "reject",
        /// It is stored.
        Accept = "accept",
    }
    /// `types`: what becomes of a trait whose type is not that of its definition.
    Types {
        /// It is stored.
        Store = "store",
        /// 400 that names the trait.
        BadRequest = "400",
        /// It is left out, and the answer is 200 all the same.
        Drop = "drop",
    }
    /// `deleted_traits`: how a trait that was deleted by null shows in answers.
    DeletedTraits {
        /// It is not there.
        Omit = "omit",
        /// It is there, as null.
        Null = "null",
    }
    /// `delete_missing`: the answer to a DELETE of a missing record.
    DeleteMissing {
        /// 404.
        NotFound = "404",
        /// 204, as if it had been there.
        Gone = "204",
    }
}

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
    /// The status of a POST that made a record.
    post: PostStatus = PostStatus::Ok,
    /// The shape of errors.
    err: ErrorShape = ErrorShape::Error,
    /// How long a deleted user stays readable where the request names no date.
    grace: Span = Span::ZERO,
    /// Units of the rate bucket that a POST, PUT or DELETE costs.
    write_cost: u32 = 1,
    /// Units that the rate bucket holds, and that flow in over one minute.
    limit: u32 = 1_000,
    /// Whether a 429 says when to come back.
    retry_after: RetryAfter = RetryAfter::Off,
    /// How the rate headers are named.
    x_prefix: HeaderPrefix = HeaderPrefix::Off,
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
    #[error("switch `{name}` cannot be `{value}`; it takes {values}")]
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
        let switches: Switches = "conflicting-post,grace=7d,lag_ms=250".parse().unwrap();
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
        assert_eq!(error, "switch `dup` cannot be `maybe`; it takes upsert|409|400");
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
