//! The stable codes of problems and verdicts: what scripts match on and people look up.
//!
//! `docs/reference/error-codes.md` is generated from [`ALL`]. A code never changes its meaning.

use std::fmt;

/// A stable code such as `null-key`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(&'static str);

/// What a code concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// A mistake in the project's files: nothing runs until it is mended.
    Project,
    /// A model and its mapping do not fit: the sync does not run.
    Mapping,
    /// A row that cannot be sent as it is: the row is invalid, the others go on.
    Row,
    /// Vitally refused or cannot yet take one record.
    Record,
    /// The answer of a call is not known.
    Unclear,
    /// The run stops, and nothing is lost.
    Halt,
    /// A guard held something.
    Guard,
}

impl Family {
    /// The family's name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Mapping => "mapping",
            Self::Row => "row",
            Self::Record => "record",
            Self::Unclear => "unclear",
            Self::Halt => "halt",
            Self::Guard => "guard",
        }
    }
}

/// A code with what the reference says of it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The code.
    pub code: Code,
    /// What it concerns.
    pub family: Family,
    /// What happened, one sentence.
    pub meaning: &'static str,
    /// What to do, one sentence.
    pub remedy: &'static str,
}

impl Entry {
    /// The remedy as a fragment, the way all help is written.
    pub fn help(&self) -> String {
        let mut letters = self.remedy.trim_end_matches('.').chars();
        let first = letters.next().into_iter().flat_map(char::to_lowercase);
        first.chain(letters).collect()
    }
}

macro_rules! codes {
    ($($family:ident { $($name:ident $text:literal: $meaning:literal, $remedy:literal;)* })*) => {
        impl Code {
            $($(#[doc = $meaning] pub const $name: Self = Self($text);)*)*
        }

        /// Every code, by family.
        pub const ALL: &[Entry] = &[
            $($(Entry { code: Code::$name, family: Family::$family, meaning: $meaning, remedy: $remedy },)*)*
        ];
    };
}

codes! {
    Project {
        YAML_SYNTAX "yaml-syntax": "The file is not valid YAML.", "Fix the place that the message points to.";
        YAML_TAB "yaml-tab": "A line is indented with a tab, which YAML does not allow.", "Indent with spaces.";
        FILE_UNREADABLE "file-unreadable": "A project file cannot be read.", "Check that it exists and that you have permission to read it.";
        NOT_UTF8 "not-utf8": "A file is not UTF-8 text.", "Save it as UTF-8.";
        UNKNOWN_KEY "unknown-key": "Coho does not know this key.", "Use the key that the message suggests, or remove it.";
        MISSING_KEY "missing-key": "A required key is missing.", "Add it.";
        WRONG_VALUE "wrong-value": "A value has the wrong type, or is not one of the allowed values.", "Use one of the values that the message names.";
        UNSET_VARIABLE "unset-variable": "`${NAME}` refers to an environment variable that is not set.", "Set it, or add it to the file given with --env-file.";
        LITERAL_SECRET "literal-secret": "`coho.yaml` contains a token or a password.", "Move it to an environment variable or a file, and refer to that.";
        NO_SYNCS "no-syncs": "The project has no syncs: `syncs/` has no files.", "Add one; folders with other names are not read.";
        UNKNOWN_NAME "unknown-name": "The project does not define a model, source, destination or target of this name.", "Define it, or use the name that the message suggests.";
        DUPLICATE_ID "duplicate-id": "Two syncs share an id, or two models (or two tests in a file) share a name.", "Change one of them; never reuse ids.";
        API_CANNOT "api-cannot": "The Analytics API cannot do what the sync asks for: it can only upsert.", "Use `api: rest`, or what the message suggests.";
        NEVER_NULL "never-null": "A null policy has no effect: the template always gives a value.", "Add `empty: null` to the field, or end the template with `| default: nil`.";
        NEVER_DUE "never-due": "A schedule names a date that does not exist in any year.", "Change the day of the month or the month.";
        SKIPPED_TIME "skipped-time": "A scheduled time does not exist on the day when the clocks go forward.", "Leave it if the run may start when the clocks change; otherwise choose another time or UTC.";
        SHARED_FIELD "shared-field": "Two syncs write the same field of the same object: the last one wins.", "Map it in only one of them.";
        PERMIT_UNUSABLE "permit-unusable": "The file given with `--plan` is not an approved plan of this project.", "Write a new one with `coho plan -o`.";
        NOT_SUPPORTED "not-supported": "This version of Coho cannot do this yet.", "See the message for an alternative.";
        DBT_SYNTAX "dbt-syntax": "A model's SQL contains Jinja, which only dbt understands.", "Write what the message suggests, or use the SQL that `dbt compile` writes.";
        NO_PROJECT "no-project": "There is no coho.yaml in this folder or above it.", "Run `coho init`, or name the folder with --project.";
    }
    Mapping {
        UNKNOWN_COLUMN "unknown-column": "The model has no column with this name.", "Use the name that the message suggests, or add the column to the model.";
        UNKNOWN_FIELD "unknown-field": "Vitally's object has no such field.", "Map it under `traits`, or use the name that the message suggests.";
        READ_ONLY_FIELD "read-only-field": "Vitally does not allow writing this field.", "If the message says so, map it under `traits`.";
        REQUIRED_FIELD "required-field": "A field that Vitally requires is not mapped.", "Map it.";
        OWNER_REQUIRED "owner-required": "A user needs at least one account or organization.", "Map accountIds or organizationIds.";
        TYPE_MISMATCH "type-mismatch": "The column's type does not match the field's.", "Cast it with `as:`, or in the model.";
        UNSAFE_TYPE "unsafe-type": "No type of Coho can hold the source's values exactly.", "Cast the column in the model, as the message shows.";
        BAD_LOOKUP "bad-lookup": "A field that refers to records has no `lookup:`, or another field has one.", "Write it as the message shows.";
        TEMPLATE_SYNTAX "template-syntax": "A template is not valid Liquid.", "Fix the place that the message points to.";
        TEMPLATE_LIMIT "template-limit": "A template is too long, or nested too deeply.", "Make it smaller, or move part of the work to the model.";
        UNKNOWN_FILTER "unknown-filter": "A template uses a filter that Coho does not know.", "Use the name that the message suggests.";
        UNKNOWN_SNIPPET "unknown-snippet": "A template renders a snippet that does not exist, or that renders itself.", "Use the name of a file in the project's folder `templates`, without `.liquid`.";
        UNKNOWN_TAG "unknown-tag": "A template uses a tag that Coho does not know, or that is not allowed in this place.", "Use the name that the message suggests.";
        UNKNOWN_VARIABLE "unknown-variable": "A template reads a name that is neither a column nor assigned in the template.", "Use the name that the message suggests.";
        FILTER_ARGUMENTS "filter-arguments": "A filter has too few, too many or unsuitable arguments.", "Look up the filter in the template reference.";
        TRAIT_NAME "trait-name": "A trait's name is not the path that the workspace uses for the trait.", "Use the path that the message shows, or another name.";
        TRAIT_TYPE "trait-type": "The value's type differs from the type of the workspace's trait.", "Cast it with `as:`, or change the trait's type in Vitally.";
        TRAIT_OPTION "trait-option": "The value is not one of the trait's options.", "Use one of the options that the message names.";
        DBT_ARTIFACT "dbt-artifact": "dbt's manifest.json is missing, or it or run_results.json cannot be read.", "Run `dbt parse` or `dbt build`, and check `target` below `dbt` in coho.yaml.";
        DBT_MODEL "dbt-model": "dbt's manifest has no table or view for the name after `dbt:`.", "Use the name that the message suggests, or build the model as a table or view.";
        DBT_FAILED "dbt-failed": "In dbt's last command, the model or a test on it failed or was skipped: the sync does not run.", "Fix it in dbt, run `dbt build`, and run the sync again.";
        DBT_STALE "dbt-stale": "dbt's last command is older than `max_age` allows: the sync does not run.", "Run `dbt build`, or raise `max_age` below `dbt` in coho.yaml.";
        DBT_UNKNOWN "dbt-unknown": "dbt's last command did not build the model, or left no results.", "Run `dbt build` before the sync.";
        SOURCE_REFUSED "source-refused": "The source does not accept the user or the password.", "Check the user and the password in the source's `url`.";
        SOURCE_FAILED "source-failed": "The model could not be read.", "Read the message: it says what could not be read, and why.";
        CACHE_RIGHTS "cache-rights": "Coho may not keep its cache in the source, so each run reads all rows.", "Run the statements that `coho check --grants` prints.";
    }
    Row {
        NULL_KEY "null-key": "The row's primary key is null.", "Filter these rows out in the model, or give them a key.";
        DUPLICATE_KEY "duplicate-key": "Several rows have the same primary key; none of them is sent.", "Make the model's key unique.";
        KEY_TYPE "key-type": "The primary key has a type without a stable text form.", "Cast the key to text or a whole number in the model.";
        KEY_LENGTH "key-length": "The primary key is longer than 1,024 bytes.", "Use a shorter key.";
        NULL_TARGET "null-target": "The value that identifies the record is null or empty.", "Filter these rows out in the model.";
        TARGET_FORM "target-form": "The external id cannot be used in a URL (`.`, `..`), or is too long.", "Use another external id.";
        DUPLICATE_TARGET "duplicate-target": "Several keys have the same external id; none of them is sent.", "Make the external id unique in the model.";
        NULL_REQUIRED "null-required": "A field that Vitally requires is null in this row.", "Give it a value in the model.";
        NO_OWNER "no-owner": "The user has neither an account nor an organization in this row, or the event has no owner.", "Give it at least one, or filter the row out in the model.";
        CAST_FAILED "cast-failed": "The value cannot be read as the type in `as:`.", "Fix the value in the model, or remove the cast.";
        VALUE_TYPE "value-type": "The value's type does not match the field's.", "Cast it with `as:`, or in the model.";
        UNDEFINED_VALUE "undefined-value": "A template reads a value that this row does not have.", "Use `default`, or test for it with `if`.";
        TEMPLATE_FAILED "template-failed": "A filter or tag cannot handle this row's value.", "Fix the value in the model, or test for it in the template.";
        TEMPLATE_BUDGET "template-budget": "A template exceeded its limit of steps, memory or text for one row.", "Make it simpler, or move part of the work to the model.";
        UNREADABLE_DATE "unreadable-date": "A date filter received a value that is not a date.", "Fix the value in the model, or test for it in the template.";
        NESTED_TRAIT "nested-trait": "A trait's value is an object, or a list that holds more than plain values.", "Map its members one by one, or cast it to text with `as: text`.";
    }
    Record {
        REFUSED "refused": "Vitally refused the record.", "Read Vitally's message, then fix the row or the mapping.";
        TOO_LARGE "too-large": "The record is larger than Vitally accepts.", "Map fewer or shorter values.";
        NOT_FOUND "not-found": "Update mode: Vitally has no such record.", "Use `mode: upsert`, or wait until the record exists.";
        ALREADY_EXISTS "already-exists": "Insert mode: Vitally already has this record.", "Use `mode: upsert`, or leave the record as it is.";
        AMBIGUOUS_MATCH "ambiguous-match": "Several records match.", "Merge them in Vitally, or match by external id.";
        REFERENCE_MISSING "reference-missing": "A record that this one refers to is not in Vitally yet.", "Sync that record first; Coho retries the row by itself.";
        RETRIES_USED_UP "retries-used-up": "Vitally refused the row so often that Coho no longer retries it (dead letter).", "Fix the row, or run `coho retry`.";
        UNLINK_FAILED "unlink-failed": "Vitally wrote the record, but did not unlink an account that the row no longer names.", "Read Vitally's message; Coho retries the row by itself.";
        TYPE_BLOCKED "type-blocked": "Vitally refuses every message of this type.", "Ask Vitally's support whether this type is blocked for the workspace.";
        WRONG_RECORD "wrong-record": "Vitally returned a different record than the one requested.", "Change the external id: it looks like one of Vitally's own ids.";
    }
    Unclear {
        OUTCOME_UNKNOWN "outcome-unknown": "Coho sent a call and does not know the result.", "Run again: Coho looks the record up before it writes, and repeats events under the same id.";
        STALE "stale": "The approved plan does not have this operation, or its record changed since.", "Plan again and approve the new plan.";
        NOT_ATTEMPTED "not-attempted": "The run ended before the row was sent.", "Run again.";
    }
    Halt {
        UNAUTHORIZED "unauthorized": "Vitally does not accept the token.", "Check the token and the region.";
        FORBIDDEN "forbidden": "The token may not do this.", "Use a token that has the permission.";
        UNREACHABLE "unreachable": "Vitally cannot be reached.", "Check the network, the region and the subdomain.";
        QUOTA "quota": "Vitally keeps answering 429 (too many calls).", "Lower `rate`, or wait.";
        SERVER_FAILING "server-failing": "Vitally keeps failing, or sends responses that Coho cannot read.", "Try again later.";
        OTHER_WORKSPACE "other-workspace": "The token belongs to a different workspace than before.", "Use the right workspace's token, or another destination.";
        OTHER_PROJECT "other-project": "The ledger belongs to another project.", "Name another file under `ledger:`; to give the ledger to this project, run once with `--adopt-ledger`.";
        LEDGER_LOST "ledger-lost": "The project's ledger is missing.", "Restore it, or run `coho adopt`; `coho run --new-ledger` sends everything again.";
        LEDGER_FAILED "ledger-failed": "The ledger cannot be written.", "Free disk space, or fix its permissions.";
        LEASE_HELD "lease-held": "Another run holds the ledger.", "Wait until it ends.";
        LEASE_LOST "lease-lost": "Another run took over the ledger.", "Run again.";
        INTERRUPTED "interrupted": "The run was interrupted.", "Run again: Coho continues where it stopped.";
        SPOOL_FAILED "spool-failed": "The temporary folder cannot be written.", "Free disk space, or set TMPDIR.";
    }
    Guard {
        EMPTY_SOURCE "empty-source": "The model has no rows, but had some before.", "Check the model; if this is intended, set `guards: { empty_source: allow }`.";
        KEYLESS_ROWS "keyless-rows": "Rows have no key, so any of them may be one that seems to have left.", "Filter these rows out in the model, or give them a key; if they are none of those that left, set `guards: { keyless_rows: allow }`.";
        MAX_REMOVED "max-removed": "More records would be removed than the guard allows.", "Check the model; if this is intended, raise `guards: { max_removed }`.";
        MAX_CHANGED "max-changed": "More records would change than the guard allows.", "Check the model; if this is intended, raise `guards: { max_changed }`.";
        MAX_REJECTED "max-rejected": "Vitally refused more records than the guard allows.", "Read Vitally's message; if this is intended, raise `guards: { max_rejected }`.";
        TAKES_USERS_ALONG "takes-users-along": "Deleting the account would also delete users that another sync owns.", "Remove the users from their model, or link them to another account.";
        NEW_EVENT_IDS "new-event-ids": "Events would be sent a second time under new ids, because the sync's `id` or the primary keys of its rows changed.", "Write `renamed_from`, or give the rows their old keys; if the events are new, send them with `--resend --events`.";
        INFERRED_TYPE "inferred-type": "A file's column has a different inferred type than before, which would change every row.", "Fix the value that the message names, or declare the type in the model: `types: { COLUMN: TYPE }`.";
        MAX_NULLED "max-nulled": "More values of a field would be cleared than the guard allows.", "Check the model; if this is intended, raise `guards: { max_nulled }`.";
    }
}

impl Code {
    /// What to do about it, as a fragment.
    pub fn help(self) -> Option<String> {
        self.entry().map(Entry::help)
    }

    /// The code's text.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// The code of this text, if there is one.
    pub fn parse(text: &str) -> Option<Self> {
        ALL.iter().map(|entry| entry.code).find(|code| code.0 == text)
    }

    /// What the reference says of it.
    pub fn entry(self) -> Option<&'static Entry> {
        ALL.iter().find(|entry| entry.code == self)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_occurs_twice() {
        let mut codes: Vec<_> = ALL.iter().map(|entry| entry.code).collect();
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), ALL.len());
    }

    #[test]
    fn a_code_reads_back() {
        assert_eq!(Code::parse("null-key"), Some(Code::NULL_KEY));
        assert_eq!(Code::parse("no-such-code"), None);
    }
}
