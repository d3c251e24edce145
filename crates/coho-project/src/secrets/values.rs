//! The values of secrets, collected from a tree or, where the file is no YAML, from its lines.

use std::collections::BTreeSet;

use coho_core::secret::Secret;
use coho_core::secret::address::login;

use super::secret;
use super::words::{is_address_key, is_secret_key, is_secret_name, is_token_like};
use crate::interpolate::{Piece, pieces};
use crate::lines::lines;
use crate::yaml::{Content, Node};

/// What was collected so far.
pub(super) struct Values<'a> {
    environment: &'a dyn Fn(&str) -> Option<String>,
    secrets: BTreeSet<String>,
    public: BTreeSet<String>,
    addresses: BTreeSet<String>,
}

impl<'a> Values<'a> {
    pub(super) fn new(environment: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { environment, secrets: BTreeSet::new(), public: BTreeSet::new(), addresses: BTreeSet::new() }
    }

    pub(super) fn secrets(&self) -> Vec<Secret> {
        let addresses = self.addresses.iter().filter_map(|address| Secret::address(address));
        self.secrets.iter().map(|text| secret(text, self.public.contains(text))).chain(addresses).collect()
    }

    /// The values of variables.
    pub(super) fn variables(&mut self, names: &[&str]) {
        self.secrets.extend(names.iter().filter_map(|name| (self.environment)(name)));
    }

    /// Names that the project uses in public: messages speak of them.
    pub(super) fn public(&mut self, root: &Node) {
        self.public.extend(root.text_of("project").map(str::to_owned));
        let sections = ["sources", "destinations", "targets"].into_iter().filter_map(|name| root.get(name));
        let recipients = root.get("alerts").and_then(|alerts| alerts.get("to"));
        let names = sections.chain(recipients).flat_map(Node::entries);
        self.public.extend(names.map(|entry| entry.key.clone()));
    }

    /// All secrets of a tree; under the key of a secret every scalar is one.
    pub(super) fn tree(&mut self, node: &Node, is_secret: bool) {
        match &node.content {
            Content::Scalar(scalar) => self.text(&scalar.written, is_secret),
            Content::List(items) => items.iter().for_each(|item| self.tree(item, is_secret)),
            Content::Map(entries) => {
                for entry in entries {
                    let names_secret = is_secret_key(&entry.key) && !is_address_key(&entry.key);
                    self.tree(&entry.value, is_secret || names_secret);
                }
            }
            Content::Unresolved => {}
        }
    }

    /// The same from lines: what stands behind the key of a secret, or below it.
    pub(super) fn lines(&mut self, text: &str) {
        let mut under: Option<usize> = None;
        for line in lines(text).filter(|line| !line.trim().is_empty()) {
            let indent = line.len() - line.trim_start().len();
            under = under.filter(|outer| indent > *outer);
            if under.is_some() {
                self.line(line);
            } else if let Some((key, value)) = line.split_once(':') {
                let key = key.trim().trim_start_matches(['-', ' ', '{', '"', '\'']);
                if is_secret_key(key.trim_matches(['"', '\'', ' '])) && !is_address_key(key) {
                    under = Some(indent);
                    self.line(value);
                }
            }
        }
    }

    fn line(&mut self, value: &str) {
        for word in value.split_whitespace() {
            self.text(word.trim_matches(['"', '\'', ',', '{', '}', '[', ']']), true);
        }
    }

    fn text(&mut self, written: &str, is_secret: bool) {
        if written.starts_with("file:") {
            let content = (self.environment)(written);
            return content.iter().for_each(|content| self.value(content.trim_end()));
        }
        let whole = self.resolved(written);
        if is_secret {
            self.value(&whole);
        } else {
            self.login(&whole);
        }
    }

    /// What a text is when its references are resolved.
    fn resolved(&mut self, written: &str) -> String {
        let mut whole = String::new();
        for piece in pieces(written) {
            match piece {
                Piece::Text(text) => whole.push_str(text),
                Piece::Malformed => {}
                Piece::Variable(name) => {
                    let value = self.variable(name);
                    whole.push_str(&value);
                }
            }
        }
        whole
    }

    /// Addresses that are secrets themselves, all of them or what stands behind the host: those under `url`.
    pub(super) fn addresses(&mut self, node: &Node) {
        match &node.content {
            Content::List(items) => items.iter().for_each(|item| self.addresses(item)),
            Content::Map(entries) => {
                for entry in entries {
                    match entry.value.scalar() {
                        Some(scalar) if entry.key == "url" => self.address(&scalar.written),
                        _ => self.addresses(&entry.value),
                    }
                }
            }
            Content::Scalar(_) | Content::Unresolved => {}
        }
    }

    /// The address that runs ping.
    pub(super) fn ping(&mut self, root: &Node) {
        if let Some(scalar) = root.get("ping").and_then(Node::scalar) {
            self.address(&scalar.written);
        }
    }

    fn address(&mut self, written: &str) {
        let text = match written.strip_prefix("file:") {
            Some(_) => (self.environment)(written).unwrap_or_default(),
            None => self.resolved(written),
        };
        let Some((_, rest)) = text.trim().split_once("://") else { return };
        self.addresses.insert(text.trim().to_owned());
        // A part that is shorter is a word, such as `services`; the first one is the host.
        let parts = rest.split(['/', '?', '#', '&', '=']).skip(1);
        self.secrets.extend(parts.filter(|part| part.len() >= 12).map(str::to_owned));
    }

    /// What a variable stands for; a name that is a token by its looks is a secret itself.
    fn variable(&mut self, name: &str) -> String {
        let value = (self.environment)(name);
        if value.is_none() && is_token_like(name) {
            self.secrets.insert(name.to_owned());
        }
        let value = value.unwrap_or_default();
        if is_secret_name(name) && !value.contains("://") {
            self.value(&value);
        }
        value
    }

    /// A token in one of the forms that Vitally shows, an address with a password, or a list of settings with one.
    fn value(&mut self, text: &str) {
        let text = text.trim();
        if text.contains("://") {
            return self.login(text);
        }
        let settings: Vec<&str> =
            text.split_whitespace().filter_map(|word| word.strip_prefix("password=")).collect();
        if settings.is_empty() {
            self.secrets.extend(text.split_whitespace().filter(|word| !is_scheme(word)).map(str::to_owned));
            self.secrets.insert(text.to_owned());
        } else {
            self.secrets.extend(settings.into_iter().map(|password| password.trim_matches('\'').to_owned()));
        }
    }

    /// The password of an address, as it is and decoded. One that is the same as another part of the address is a public word.
    fn login(&mut self, address: &str) {
        let Some(login) = login(address) else { return };
        let is_web = address.starts_with("http");
        let Some(password) = login.password.or(is_web.then_some(login.user)) else { return };
        let others = address.replacen(&format!(":{password}@"), " ", 1);
        self.public.extend(others.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_owned));
        self.secrets.insert(password.to_owned());
        // Where the password has an `@` of its own, other readers take the part before it for the whole.
        self.secrets
            .extend(password.split(['@', '/', '?', '#']).filter(|part| part.len() >= 6).map(str::to_owned));
        self.secrets.insert(decoded(password));
        for (name, value) in address.split(['?', '&']).filter_map(|setting| setting.split_once('=')) {
            if is_secret_name(name) {
                self.secrets.insert(value.to_owned());
            }
        }
    }
}

/// Words before a token, which are none.
fn is_scheme(word: &str) -> bool {
    ["authorization:", "basic", "bearer"].contains(&word.to_ascii_lowercase().as_str())
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let code = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = code.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%');
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
