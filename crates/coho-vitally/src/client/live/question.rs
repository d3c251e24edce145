//! The questions that Vitally's documentation leaves open, each with the key of its answer in files.

use coho_core::object::Object;

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
    /// What a POST does whose external id is in use. The page of each object does not say.
    UsedExternalId,
    /// What a PUT does whose record is missing. The page of each object does not say.
    MissingPut,
    /// Whether a path takes an external id. The page of each object says that it does.
    ExternalIdInPath,
    /// What `accountIds` of a PUT do to the links that it does not name. The page of users does not say.
    LinksByPut,
    /// What becomes of an account that does not exist. The page of users does not say.
    UnknownLink,
    /// What a POST does whose e-mail address another user has. The page of users does not say.
    UsedEmail,
    /// The status of a POST that makes a record. No page has it.
    PostStatus,
    /// The status of a PUT. No page has it.
    PutStatus,
    /// The status of a DELETE. No page has it.
    DeleteStatus,
    /// Where an error has its text. The overview has statuses alone.
    ErrorText,
    /// The status of a DELETE whose record is missing. No page has it.
    MissingDelete,
    /// Whether a record can be read after its DELETE. The page of users speaks of a day of deletion that may lie ahead.
    AfterDelete,
    /// How many units of the rate a write costs. The overview says that it may be more than one.
    WriteCost,
    /// How many units of the rate a read costs. The overview does not say.
    ReadCost,
    /// What `name` in the PUT of an account does. The page of accounts lists it, and also says that it is not
    /// editable.
    NameByPut,
    /// Whether the POST of an account takes its organization's external id. The page of accounts speaks of
    /// Vitally's id.
    OrganizationByPost,
    /// Whether the PUT of an account takes its organization's external id. The page of accounts says that it does.
    OrganizationByPut,
    /// What becomes of a trait that is an object. The page of custom traits does not say.
    NestedTrait,
    /// What becomes of a trait of another type than before. The page of custom traits does not say.
    TraitType,
    /// How a trait shows that was cleared. The page of each object says that null clears, and not what is read then.
    ClearedTrait,
    /// What becomes of a `vitally.custom.` trait that nobody defined. The page of custom traits does not say.
    UndefinedTrait,
    /// The shape of what a search answers. The page of users shows an envelope; other searches answer bare lists.
    SearchShape,
    /// Whether a record can be read right after its POST. No page speaks of it.
    ReadAfterWrite,
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

impl Question {
    /// All questions.
    pub const ALL: [Self; 23] = [
        Self::UsedExternalId,
        Self::MissingPut,
        Self::ExternalIdInPath,
        Self::LinksByPut,
        Self::UnknownLink,
        Self::UsedEmail,
        Self::PostStatus,
        Self::PutStatus,
        Self::DeleteStatus,
        Self::ErrorText,
        Self::MissingDelete,
        Self::AfterDelete,
        Self::WriteCost,
        Self::ReadCost,
        Self::NameByPut,
        Self::OrganizationByPost,
        Self::OrganizationByPut,
        Self::NestedTrait,
        Self::TraitType,
        Self::ClearedTrait,
        Self::UndefinedTrait,
        Self::SearchShape,
        Self::ReadAfterWrite,
    ];

    /// The key of its answer in files and documents.
    pub fn key(self) -> &'static str {
        match self {
            Self::UsedExternalId => "used_external_id",
            Self::MissingPut => "missing_put",
            Self::ExternalIdInPath => "external_id_in_path",
            Self::LinksByPut => "links_by_put",
            Self::UnknownLink => "unknown_link",
            Self::UsedEmail => "used_email",
            Self::PostStatus => "post_status",
            Self::PutStatus => "put_status",
            Self::DeleteStatus => "delete_status",
            Self::ErrorText => "error_text",
            Self::MissingDelete => "missing_delete",
            Self::AfterDelete => "after_delete",
            Self::WriteCost => "write_cost",
            Self::ReadCost => "read_cost",
            Self::NameByPut => "name_by_put",
            Self::OrganizationByPost => "organization_by_post",
            Self::OrganizationByPut => "organization_by_put",
            Self::NestedTrait => "nested_trait",
            Self::TraitType => "trait_type",
            Self::ClearedTrait => "cleared_trait",
            Self::UndefinedTrait => "undefined_trait",
            Self::SearchShape => "search_shape",
            Self::ReadAfterWrite => "read_after_write",
        }
    }

    /// The question in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::UsedExternalId => "POST with an external id that is in use",
            Self::MissingPut => "PUT of a record that is missing",
            Self::ExternalIdInPath => "external id in a path",
            Self::LinksByPut => "accountIds in a PUT",
            Self::UnknownLink => "accountIds with an unknown account",
            Self::UsedEmail => "POST with an e-mail address that is in use",
            Self::PostStatus => "status of a POST",
            Self::PutStatus => "status of a PUT",
            Self::DeleteStatus => "status of a DELETE",
            Self::ErrorText => "text of an error",
            Self::MissingDelete => "DELETE of a record that is missing",
            Self::AfterDelete => "record after its DELETE",
            Self::WriteCost => "units that a write costs",
            Self::ReadCost => "units that a read costs",
            Self::NameByPut => "name in a PUT",
            Self::OrganizationByPost => "organization's external id in a POST",
            Self::OrganizationByPut => "organization's external id in a PUT",
            Self::NestedTrait => "trait that is an object",
            Self::TraitType => "trait of another type than before",
            Self::ClearedTrait => "trait that was cleared",
            Self::UndefinedTrait => "vitally.custom. trait that nobody defined",
            Self::SearchShape => "shape of a search's answer",
            Self::ReadAfterWrite => "record right after its POST",
        }
    }
}
