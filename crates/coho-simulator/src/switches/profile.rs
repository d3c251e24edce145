//! Whole sets of switches under one name: readings of the documentation that hang together.

use std::str::FromStr;

use super::{
    Associations, Clamp, Duplicate, EmailUnique, Nested, OrganizationExternal, PostStatus, PutMissing,
    ReadOnly, SwitchError, Switches, Unknown,
};

/// A named set of switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// `strict`: the defaults. What the documentation does not allow is refused.
    Strict,
    /// `lenient`: what a service does that refuses little and forgives much.
    Lenient,
    /// `upserting-post`: any write finds its record, a POST also by e-mail address, and a PUT makes what is missing.
    UpsertingPost,
    /// `conflicting-post`: a POST only ever creates (201), and refuses what exists with 409.
    ConflictingPost,
    /// `replacing-account-ids`: the links in a write are all that the user keeps.
    ReplacingAccountIds,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 5] =
        [Self::Strict, Self::Lenient, Self::UpsertingPost, Self::ConflictingPost, Self::ReplacingAccountIds];

    /// The profile's name on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Lenient => "lenient",
            Self::UpsertingPost => "upserting-post",
            Self::ConflictingPost => "conflicting-post",
            Self::ReplacingAccountIds => "replacing-account-ids",
        }
    }

    /// The switches of this profile.
    pub fn switches(self) -> Switches {
        let strict = Switches::default();
        match self {
            Self::Strict => strict,
            Self::Lenient => Switches {
                clamp: Clamp::On,
                unknown: Unknown::Ignore,
                read_only: ReadOnly::Ignore,
                nested: Nested::Accept,
                org_ext: OrganizationExternal::Both,
                ..strict
            },
            Self::UpsertingPost => Switches {
                dup: Duplicate::Upsert,
                email_unique: EmailUnique::Merge,
                put_missing: PutMissing::Upsert,
                ..strict
            },
            Self::ConflictingPost => Switches {
                dup: Duplicate::Conflict,
                email_unique: EmailUnique::Conflict,
                post: PostStatus::Created,
                ..strict
            },
            Self::ReplacingAccountIds => Switches { assoc: Associations::Replace, ..strict },
        }
    }
}

impl FromStr for Profile {
    type Err = SwitchError;

    fn from_str(name: &str) -> Result<Self, SwitchError> {
        Self::ALL.into_iter().find(|profile| profile.name() == name).ok_or_else(|| SwitchError::Profile {
            name: name.to_owned(),
            known: Self::ALL.map(Self::name).join(", "),
        })
    }
}
