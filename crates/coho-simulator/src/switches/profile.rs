//! Whole sets of switches under one name: readings of the documentation that hang together.

use std::str::FromStr;

use super::{
    Associations, Clamp, Dedupe, Duplicate, EmailUnique, EmptyBatch, LegacyIds, Nested, OrganizationExternal,
    PostStatus, PutMissing, ReadOnly, Reorder, Span, StaleTimestamp, SwitchError, Switches, Unknown,
};

/// A named set of switches. What a profile does not name is as in `strict`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// `strict`: the defaults. What the documentation does not allow is refused.
    Strict,
    /// `lenient`: what a service does that refuses little and forgives much. Sets `clamp=on`, `unknown=ignore`,
    /// `read_only=ignore`, `nested=accept`, `org_ext=both`, `empty_batch=200` and `legacy_ids=on`.
    Lenient,
    /// `upserting-post`: any write finds its record, a POST also by e-mail address, and a PUT makes what is missing.
    /// Sets `dup=upsert`, `email_unique=merge` and `put_missing=upsert`.
    UpsertingPost,
    /// `conflicting-post`: a POST only ever creates (201), and refuses what exists with 409. Sets `dup=409`,
    /// `email_unique=409` and `post=201`.
    ConflictingPost,
    /// `replacing-account-ids`: the links in a REST write are all that the user keeps. Sets `assoc=replace`.
    ReplacingAccountIds,
    /// `late-analytics`: Analytics messages are applied late, children before their parents, and later requests before
    /// earlier ones; the newer timestamp wins. Sets `apply_delay=60s`, `apply_skew=10s`, `reorder=on`,
    /// `dedupe=per-type` and `stale_timestamp=newest`.
    LateAnalytics,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 6] = [
        Self::Strict,
        Self::Lenient,
        Self::UpsertingPost,
        Self::ConflictingPost,
        Self::ReplacingAccountIds,
        Self::LateAnalytics,
    ];

    /// The profile's name on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Lenient => "lenient",
            Self::UpsertingPost => "upserting-post",
            Self::ConflictingPost => "conflicting-post",
            Self::ReplacingAccountIds => "replacing-account-ids",
            Self::LateAnalytics => "late-analytics",
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
                empty_batch: EmptyBatch::Ok,
                legacy_ids: LegacyIds::On,
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
            Self::LateAnalytics => Switches {
                apply_delay: Span::from_seconds(60),
                apply_skew: Span::from_seconds(10),
                reorder: Reorder::On,
                dedupe: Dedupe::PerType,
                stale_timestamp: StaleTimestamp::Newest,
                ..strict
            },
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
