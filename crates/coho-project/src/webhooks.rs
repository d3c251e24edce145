//! What a project says of webhooks: which programs are told when syncs start and end.

use std::collections::BTreeSet;

use coho_core::lifecycle::Lifecycle;
use secrecy::SecretString;

/// A program that is told when syncs start and end.
#[derive(Clone, Debug)]
pub struct WebhookSpec {
    /// Its name in the project.
    pub name: String,
    /// Its address, which may be a secret.
    pub url: SecretString,
    /// What messages are signed with.
    pub secrets: Vec<SecretString>,
    /// Of what it is told.
    pub events: BTreeSet<Lifecycle>,
}
