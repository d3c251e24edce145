//! The questions that Vitally's documentation leaves open, each with the key of its answer in files.

use coho_core::object::Object;

/// Each question with its documentation, the key of its answer and the question in words.
macro_rules! questions {
    ($($(#[$doc:meta])* $name:ident $key:literal $text:literal;)*) => {
        /// A question that Vitally's documentation leaves open, or answers in words that are worth a look.
        ///
        /// The pages that could answer them, all read 2026-11-24:
        ///
        /// - overview: <https://docs.vitally.io/en/articles/9880649-rest-api-overview>
        /// - organizations: <https://docs.vitally.io/en/articles/9880652-rest-api-organizations>
        /// - accounts: <https://docs.vitally.io/en/articles/9880654-rest-api-accounts>
        /// - users: <https://docs.vitally.io/en/articles/9880661-rest-api-users>
        /// - custom traits: <https://docs.vitally.io/en/articles/9880864-rest-api-custom-traits>
        ///
        /// "Of each object" means the pages of organizations, accounts and users.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Question {
            $($(#[$doc])* $name,)*
        }

        impl Question {
            /// All questions.
            pub const ALL: [Self; [$($key),*].len()] = [$(Self::$name),*];

            /// The key of its answer in files and documents.
            pub fn key(self) -> &'static str {
                match self {
                    $(Self::$name => $key,)*
                }
            }

            /// The question in words.
            pub fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

questions! {
    /// What a POST does whose external id is in use. The page of each object does not say.
    UsedExternalId "used_external_id" "POST with an external id that is in use";
    /// What a PUT does whose record is missing. The page of each object does not say.
    MissingPut "missing_put" "PUT of a record that is missing";
    /// Whether a path takes an external id. The page of each object says that it does.
    ExternalIdInPath "external_id_in_path" "external id in a path";
    /// What `accountIds` of a PUT do to the links that it does not name. The page of users does not say.
    LinksByPut "links_by_put" "accountIds in a PUT";
    /// What becomes of an account that does not exist. The page of users does not say.
    UnknownLink "unknown_link" "accountIds with an unknown account";
    /// What a POST does whose e-mail address another user has. The page of users does not say.
    UsedEmail "used_email" "POST with an e-mail address that is in use";
    /// The status of a POST that makes a record. No page has it.
    PostStatus "post_status" "status of a POST";
    /// The status of a PUT. No page has it.
    PutStatus "put_status" "status of a PUT";
    /// The status of a DELETE. No page has it.
    DeleteStatus "delete_status" "status of a DELETE";
    /// Where an error has its text. The overview has statuses alone.
    ErrorText "error_text" "text of an error";
    /// The status of a DELETE whose record is missing. No page has it.
    MissingDelete "missing_delete" "DELETE of a record that is missing";
    /// Whether a record can be read after its DELETE. The page of users speaks of a day of deletion that may lie ahead.
    AfterDelete "after_delete" "record after its DELETE";
    /// How many units of the rate a write costs. The overview says that it may be more than one.
    WriteCost "write_cost" "units that a write costs";
    /// How many units of the rate a read costs. The overview does not say.
    ReadCost "read_cost" "units that a read costs";
    /// What `name` in the PUT of an account does. The page of accounts lists it, and also says that it is not
    /// editable.
    NameByPut "name_by_put" "name in a PUT";
    /// Whether the POST of an account takes its organization's external id. The page of accounts speaks of
    /// Vitally's id.
    OrganizationByPost "organization_by_post" "organization's external id in a POST";
    /// Whether the PUT of an account takes its organization's external id. The page of accounts says that it does.
    OrganizationByPut "organization_by_put" "organization's external id in a PUT";
    /// What becomes of a trait that is an object. The page of custom traits does not say.
    NestedTrait "nested_trait" "trait that is an object";
    /// What becomes of a trait of another type than before. The page of custom traits does not say.
    TraitType "trait_type" "trait of another type than before";
    /// How a trait shows that was cleared. The page of each object says that null clears, and not what is read then.
    ClearedTrait "cleared_trait" "trait that was cleared";
    /// What becomes of a `vitally.custom.` trait that nobody defined. The page of custom traits does not say.
    UndefinedTrait "undefined_trait" "vitally.custom. trait that nobody defined";
    /// The shape of what a search answers. The page of users shows an envelope; other searches answer bare lists.
    SearchShape "search_shape" "shape of a search's answer";
    /// Whether a record can be read right after its POST. No page speaks of it.
    ReadAfterWrite "read_after_write" "record right after its POST";
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learned {
    /// The question.
    pub question: Question,
    /// Of which object, where it is asked of several.
    pub object: Option<Object>,
    /// The answer: a word such as `works`, `refused-409`, or a number.
    pub answer: String,
}
