//! `webhooks`: who is told when syncs start and end.

use coho_core::lifecycle::Lifecycle;

use super::{secret, secrets};
use crate::webhooks::WebhookSpec;
use crate::yaml::{Content, Entry, Node};

/// Reads `webhooks` of `coho.yaml`, in the order of the file.
pub(crate) fn read(root: &Node) -> Vec<WebhookSpec> {
    root.get("webhooks").map_or(&[][..], Node::entries).iter().filter_map(webhook).collect()
}

fn webhook(entry: &Entry) -> Option<WebhookSpec> {
    let node = &entry.value;
    let events = match node.get("events").map(|node| &node.content) {
        Some(Content::List(items)) => {
            items.iter().filter_map(|item| Lifecycle::parse(item.text()?)).collect()
        }
        Some(Content::Scalar(_) | Content::Map(_) | Content::Unresolved) | None => Lifecycle::ALL.into(),
    };
    let url = secret(node, "url")?;
    Some(WebhookSpec { name: entry.key.clone(), url, secrets: secrets(node, "secrets"), events })
}
