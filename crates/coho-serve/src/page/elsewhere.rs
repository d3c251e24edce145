//! Ways out of the pages: a call as a line for a shell, and the address of a record in Vitally's own pages.

use coho_core::object::Object;
use coho_ledger::look::requests::NumberedCall;
use maud::{Markup, html};

/// What stands for the credential in a shell.
const TOKEN: &str = "$VITALLY_TOKEN";

/// The hosts of workspaces in the US follow their name.
const US: &str = ".rest.vitally.io";

/// The call as a line for a shell, with the token in a variable; `None` where its address or a part of its body was not kept.
pub(super) fn curl(call: &NumberedCall) -> Option<String> {
    let call = &call.call;
    let route = call.route.as_ref().filter(|_| call.request_cut == 0)?;
    let address = quoted(&format!("{}{}", route.address, call.path));
    // Vitally takes a token as the name of a user without a password.
    let mut parts = vec![format!("curl --request {} {address}", call.method), format!("--user \"{TOKEN}:\"")];
    let is_ours = |name: &str| !["authorization", "user-agent"].contains(&name);
    for (name, value) in route.headers.iter().filter(|(name, _)| is_ours(name)) {
        parts.push(format!("--header {}", quoted(&format!("{name}: {value}"))));
    }
    parts.extend(call.request.as_ref().map(|body| format!("--data-raw {}", quoted(body))));
    Some(parts.join(" \\\n  "))
}

/// A text that a shell takes as it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The line, with a button that copies it where the browser can.
pub(super) fn show(number: i64, line: &str) -> Markup {
    let id = format!("curl-{number}");
    html! {
        details .curl {
            summary .small { "As curl" }
            pre .mono .small id=(id) tabindex="0" { (line) }
            p .small {
                button type="button" data-copy=(id) hidden { "Copy" } " "
                "Set " code { "VITALLY_TOKEN" } " to the destination’s token first. It sends the request once more."
            }
        }
    }
}

/// Where Vitally shows a record: known for workspaces that have a name in their address.
pub(super) fn record(workspace: &str, object: Object, id: &str) -> Option<String> {
    let name = workspace.strip_prefix("https://")?.strip_suffix(US)?;
    let is_name =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !is_name(name) || !is_name(id) {
        return None;
    }
    let folder = match object {
        Object::Account => "accounts",
        Object::Organization => "organizations",
        Object::User => "users",
        Object::Event => return None,
    };
    Some(format!("https://{name}.vitally.io/{folder}/{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_a_text_with_quotes_as_it_is() {
        assert_eq!(quoted("it's $HOME `x`"), r"'it'\''s $HOME `x`'");
    }

    #[test]
    fn a_record_has_an_address_where_the_workspace_has_a_name() {
        let id = "6b5c5e0f-8ff5-4a09-8a4e-3f4d0d7d4a11";
        let found = record("https://acme.rest.vitally.io", Object::Account, id);
        assert_eq!(found, Some(format!("https://acme.vitally.io/accounts/{id}")));
        for workspace in [
            "https://rest.vitally-eu.io",
            "http://127.0.0.1:4000",
            "https://.rest.vitally.io",
            "https://a/b.rest.vitally.io",
        ] {
            assert_eq!(record(workspace, Object::Account, id), None, "{workspace}");
        }
        assert_eq!(record("https://acme.rest.vitally.io", Object::User, "a/../b"), None);
    }
}
