//! What a store is opened with: the settings that are given before those of the environment, as the clouds' own tools name them.

use std::sync::Arc;
use std::time::Duration;

use coho_core::storage::{StorageAddress, StorageKind, StorageOption};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{BackoffConfig, ObjectStore, RetryConfig};
use secrecy::{ExposeSecret as _, SecretString};

use crate::http::Connector;

/// How often a call is made again: where nobody listens at all, that is told after about ten seconds.
const RETRIES: usize = 6;
/// How long to wait before that: longer each time, by chance, so that many readers do not return at the same moment.
const BACKOFF: BackoffConfig = BackoffConfig {
    init_backoff: Duration::from_millis(200),
    max_backoff: Duration::from_secs(10),
    base: 3.0,
};

/// Opens a store. The builders of the three are alike, and have no trait.
macro_rules! built {
    ($builder:ty, $root:expr, $settings:expr, $retries:expr, $connector:expr) => {{
        let mut builder =
            <$builder>::new().with_url($root).with_retry($retries).with_http_connector($connector);
        for (name, value) in $settings {
            if let Ok(key) = name.parse() {
                builder = builder.with_config(key, value);
            }
        }
        builder.build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>)
    }};
}

/// The store that an address leads to.
pub(crate) fn store(
    address: &StorageAddress,
    options: &[(StorageOption, SecretString)],
    patience: Duration,
    connector: Connector,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    let settings = settings(address.store, options, std::env::vars());
    let retries = RetryConfig { backoff: BACKOFF, max_retries: RETRIES, retry_timeout: patience };
    match address.store {
        StorageKind::S3 => built!(AmazonS3Builder, &address.root, settings, retries, connector),
        StorageKind::Google => built!(GoogleCloudStorageBuilder, &address.root, settings, retries, connector),
        StorageKind::Azure => built!(MicrosoftAzureBuilder, &address.root, settings, retries, connector),
    }
}

/// The settings by the library's names, the stronger ones last.
fn settings(
    store: StorageKind,
    options: &[(StorageOption, SecretString)],
    environment: impl Iterator<Item = (String, String)>,
) -> Vec<(String, String)> {
    let own = |wanted: fn(StorageOption) -> bool| options.iter().any(|(option, _)| wanted(*option));
    let has_credentials = own(StorageOption::is_credential);
    let start = match store {
        StorageKind::S3 => "aws_",
        StorageKind::Google => "google_",
        StorageKind::Azure => "azure_",
    };
    let has_endpoint = own(|option| option == StorageOption::Endpoint);
    let lowered = environment.map(|(name, value)| (name.to_ascii_lowercase(), value));
    let mut settings: Vec<_> = lowered
        .filter(|(name, value)| name.starts_with(start) && !value.is_empty())
        .filter(|(name, _)| !(has_credentials && is_credential(name)))
        .filter(|(name, _)| !(has_endpoint && name.contains("endpoint_url_s3")))
        .collect();
    // The order of the environment means nothing: of two names for one thing, the same one must win each time.
    settings.sort();
    for (option, value) in options {
        settings.push((key(*option, store).to_owned(), value.expose_secret().to_owned()));
    }
    settings
}

/// Who gives a key of their own is not also another one, of which the environment has a token or a role.
fn is_credential(name: &str) -> bool {
    let words =
        ["key", "token", "role", "secret", "credential", "sas", "client_id", "tenant", "service_account"];
    let is_account = name == "azure_storage_account_name";
    !is_account && words.iter().any(|word| name.contains(word))
}

/// The library's name of a setting.
fn key(option: StorageOption, store: StorageKind) -> &'static str {
    match option {
        StorageOption::Endpoint if store == StorageKind::Google => "base_url",
        StorageOption::Endpoint => "endpoint",
        StorageOption::ServiceAccount => "service_account_key",
        StorageOption::Account => "account_name",
        StorageOption::AccountKey => "account_key",
        StorageOption::Region
        | StorageOption::AccessKeyId
        | StorageOption::SecretAccessKey
        | StorageOption::SessionToken
        | StorageOption::SasToken => option.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings_of(options: &[(StorageOption, &str)], environment: &[(&str, &str)]) -> Vec<(String, String)> {
        let options: Vec<_> =
            options.iter().map(|(option, value)| (*option, (*value).to_owned().into())).collect();
        let environment = environment.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        settings(StorageKind::S3, &options, environment)
    }

    #[test]
    fn a_key_of_the_source_leaves_no_token_of_the_environment() {
        let environment =
            [("AWS_SESSION_TOKEN", "t"), ("AWS_ROLE_ARN", "r"), ("AWS_REGION", "eu"), ("HOME", "/")];
        let key = [(StorageOption::AccessKeyId, "a"), (StorageOption::SecretAccessKey, "s")];
        let names = |settings: Vec<(String, String)>| -> Vec<String> {
            settings.into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(
            names(settings_of(&key, &environment)),
            ["aws_region", "access_key_id", "secret_access_key"]
        );
        assert_eq!(
            names(settings_of(&[(StorageOption::Region, "us")], &environment)),
            ["aws_region", "aws_role_arn", "aws_session_token", "region"]
        );
    }
}
