//! The closed switches of the REST API. What each stands for in the store is [`crate::rest`]'s business.

use super::choice::{Choice, choices};

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
        /// Only Vitally's; anything else is answered with 404, as if there were no such record.
        NotFound = "404",
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
    /// `post`: the status of a write that made a record.
    PostStatus {
        /// 200.
        Ok = "200",
        /// 201.
        Created = "201",
        /// 202.
        Accepted = "202",
        /// 204, which has no body.
        NoContent = "204",
    }
    /// `body`: what the answer to a POST or PUT shows that was carried out.
    WriteBody {
        /// The record.
        Object = "object",
        /// Nothing.
        Empty = "empty",
        /// `{"error": "text"}`, though the status is that of a success.
        Error = "error",
    }
    /// `delete`: the answer to a DELETE that was carried out.
    DeleteAnswer {
        /// 204 without a body.
        NoContent = "204",
        /// 200 with the record that was there.
        Ok = "200",
        /// 202 without a body.
        Accepted = "202",
    }
    /// `err`, and for the Analytics API `error_shape`: the shape of an error's body. REST's answer to a
    /// missing `Authorization` header is known and stays as it is.
    ErrorShape {
        /// `{"error": {"message": "validation failed", "errors": [{"instancePath": "/name", …}]}}` where a place of the body does
        /// not fit, as a production client captured it; else `{"error": "text"}`.
        Validation = "ajv",
        /// `{"error": "text"}`.
        Error = "error",
        /// `{"message": "text"}`.
        Message = "message",
        /// Plain text.
        Text = "text",
        /// A page of HTML.
        Html = "html",
        /// No body.
        Empty = "empty",
    }
    /// `window`: how the rate limit counts.
    Window {
        /// A bucket of `limit` units, which flow in evenly over a minute.
        Bucket = "bucket",
        /// `limit` units in any minute.
        Sliding = "sliding",
        /// `limit` units in each minute, which all come back at its end.
        Fixed = "fixed",
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
        /// There are none.
        None = "none",
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
