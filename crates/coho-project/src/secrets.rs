//! The secrets of a project: which keys hold them, what their values are, and which stand in the file as they are.
//!
//! [`masker`] collects the values; [`crate::excerpt`] hides what stands in a line; `words` says by its name what is secret.

pub(crate) mod words;
mod values;

use std::sync::Arc;

use coho_core::code::Code;
use coho_core::problem::Problem;
use coho_core::secret::address::{encoded, login, unencoded};
use coho_core::secret::{Masker, Secret};

use crate::file::{File, FileText};
use crate::yaml::{Entry, Node, Scalar, Style, parse};

use self::values::Values;

/// Knows every secret of `coho.yaml`, as far as the file can be read: tokens and passwords that stand in it, and those that
/// its references stand for, and those that variables give which no file has to name. `environment` is that of [`crate::load`].
///
/// A word that the project uses in public too, such as a token that is called like its destination, is masked only where it
/// is encoded.
pub fn masker(files: &[File], environment: &dyn Fn(&str) -> Option<String>) -> Masker {
    let root = files.iter().find(|file| file.path == "coho.yaml");
    let Some(FileText::Utf8(text)) = root.map(|file| &file.text) else { return Masker::new(&[]) };
    let mut values = Values::new(environment);
    values.variables(&VARIABLES);
    match parse(&Arc::from("coho.yaml"), text, &mut Vec::new()) {
        Some(tree) => {
            values.public(&tree);
            values.tree(&tree, false);
            tree.entries()
                .iter()
                .filter(|entry| ["alerts", "webhooks"].contains(&entry.key.as_str()))
                .for_each(|entry| values.addresses(&entry.value));
            values.ping(&tree);
        }
        None => values.lines(text),
    }
    Masker::new(&values.secrets())
}

/// Variables with secrets that no file has to name: those of storage and of lineage.
const VARIABLES: [&str; 6] = [
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_CLIENT_SECRET",
    "OPENLINEAGE_API_KEY",
];

/// Warnings of tokens and passwords that stand in `coho.yaml` as they are. What belongs to a server on this machine is no
/// secret. To be asked before references are resolved.
pub(crate) fn literal(root: &Node) -> Vec<Problem> {
    let members = ["sources", "destinations"].into_iter().filter_map(|section| root.get(section));
    let recipients = root.get("alerts").and_then(|alerts| alerts.get("to"));
    let written = members.chain(recipients).flat_map(Node::entries);
    written.flat_map(|member| literal_in(&member.value)).chain(literal_ledger(root)).collect()
}

/// The password in the address of a ledger.
fn literal_ledger(root: &Node) -> Option<Problem> {
    let entry = root.entry("ledger")?;
    let scalar = entry.value.scalar().filter(|scalar| scalar.written.starts_with("postgres"))?;
    let is_there = !is_local(&scalar.written) && stands_there("url", scalar);
    let example = "ledger: \"postgres://USER:${LEDGER_PASSWORD}@HOST/DATABASE\"";
    is_there.then(|| written_out("ledger", example, entry, scalar))
}

fn literal_in(node: &Node) -> Vec<Problem> {
    let is_local = ["base_url", "analytics_url", "url", "endpoint"]
        .into_iter()
        .filter_map(|key| node.text_of(key))
        .any(is_local);
    let told = |(key, example): &(&str, &str)| {
        let entry = node.entry(key).filter(|_| !is_local)?;
        let scalar = entry.value.scalar().filter(|scalar| stands_there(key, scalar))?;
        Some(written_out(key, example, entry, scalar))
    };
    LITERALS.iter().filter_map(told).collect()
}

const LITERALS: [(&str, &str); 12] = [
    ("token", "token: \"${SLACK_TOKEN}\""),
    ("routing_key", "routing_key: \"${PAGERDUTY_KEY}\""),
    ("password", "password: \"${SMTP_PASSWORD}\""),
    ("secret", "secret: \"${TWILIO_SECRET}\""),
    ("rest_token", "rest_token: \"${VITALLY_REST_TOKEN}\""),
    ("analytics_token", "analytics_token: \"${VITALLY_ANALYTICS_TOKEN}\""),
    ("url", "url: \"${WAREHOUSE_URL}\""),
    ("secret_access_key", "secret_access_key: \"${AWS_SECRET_ACCESS_KEY}\""),
    ("session_token", "session_token: \"${AWS_SESSION_TOKEN}\""),
    ("service_account", "service_account: \"file:/run/secrets/service-account.json\""),
    ("account_key", "account_key: \"${AZURE_STORAGE_ACCOUNT_KEY}\""),
    ("sas_token", "sas_token: \"${AZURE_STORAGE_SAS_TOKEN}\""),
];

/// Whether a secret stands in a scalar as it is: a whole token, or the password of an address.
fn stands_there(key: &str, scalar: &Scalar) -> bool {
    let has_reference = scalar.written.contains("${") || scalar.written.starts_with("file:");
    let is_resolved = matches!(scalar.style, Style::Resolved);
    let secret = match key {
        "url" => login(&scalar.written).and_then(|login| login.password).unwrap_or_default(),
        _ => scalar.written.trim(),
    };
    !is_resolved && !secret.is_empty() && !has_reference
}

fn written_out(key: &str, example: &str, entry: &Entry, scalar: &Scalar) -> Problem {
    let what = if ["url", "ledger"].contains(&key) {
        format!("the password in `{key}`")
    } else {
        format!("`{key}`")
    };
    let mut place = entry.at.clone();
    place.length = place.length.max(1);
    let begins =
        coho_core::secret::TOKEN_PREFIXES.into_iter().any(|prefix| scalar.written.starts_with(prefix));
    let again = if begins { "; if the file was shared, create a new token in Vitally" } else { "" };
    Problem::new(Code::LITERAL_SECRET, format!("{what} is written out in the file"))
        .at(&place)
        .help(format!("put it in an environment variable, and write `{example}`{again}"))
}

fn is_local(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|local| host.starts_with(local))
}

/// Passwords in the addresses of databases with characters that end the password where they stand: the rest would be taken
/// for a host. To be asked when references are resolved.
pub(crate) fn not_encoded(root: &Node) -> Vec<Problem> {
    let sources = root.get("sources").map_or(&[][..], Node::entries);
    let urls = sources.iter().filter_map(|source| source.value.entry("url"));
    urls.filter_map(|entry| unencoded(entry.value.text()?).map(|reserved| wrong_password(reserved, entry)))
        .collect()
}

fn wrong_password(reserved: char, entry: &Entry) -> Problem {
    let article = if reserved == '@' { "an" } else { "a" };
    let message = format!("the password in `url` has {article} `{reserved}` that is not encoded");
    Problem::new(Code::WRONG_VALUE, message).at(&entry.value.place).help(format!(
        "write `{}` instead of each `{reserved}` in the password, also in an environment variable",
        encoded(reserved)
    ))
}

/// A secret, or a word that is public too.
fn secret(text: &str, is_public: bool) -> Secret {
    if is_public { Secret::public_word(text) } else { Secret::new(text) }
}

#[cfg(test)]
mod tests;
