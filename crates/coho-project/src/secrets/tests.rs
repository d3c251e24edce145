//! Secrets of a `coho.yaml` in all the ways in which it may hold them.

use super::*;

fn masked(yaml: &str, text: &str) -> String {
    let environment = |name: &str| match name {
        "TOKEN" => Some("sk-of-the-stage".to_owned()),
        "PGPASSWORD" => Some("p@ssw0rd/1".to_owned()),
        "URL" => Some("postgres://reader:hush%21hush@db/warehouse".to_owned()),
        "OPENLINEAGE_API_KEY" => Some("key-of-the-lineage".to_owned()),
        "file:run/token" => Some("token-in-a-file\n".to_owned()),
        _ => None,
    };
    masker(&[File::text("coho.yaml", yaml)], &environment).mask(text).into_owned()
}

#[test]
fn every_way_to_hold_a_secret_is_known() {
    let cases = [
        ("destinations: { v: { rest_token: '${TOKEN}' } }", "it was sk-of-the-stage"),
        ("destinations: { v: { rest_token: written-out-1 } }", "it was written-out-1"),
        ("destinations: { v: { rest_token: file:run/token } }", "it was token-in-a-file"),
        ("destinations:\n  v:\n    rest_token:\n      continued-line", "it was continued-line"),
        ("destinations: { v: { rest_token: '${f3a9c2d417be6058}' } }", "it was f3a9c2d417be6058"),
        ("destinations: { v: { api_key: [one-of-a-list] } }", "it was one-of-a-list"),
        ("sources: { w: { url: '${URL}' } }", "it was hush!hush"),
        ("sources: { w: { url: '${URL}' } }", "it was hush%21hush"),
        ("sources: { w: { url: 'postgres://me:${PGPASSWORD}@db/w' } }", "it was p@ssw0rd/1"),
        ("sources: { w: { url: 'host=db password=in-settings user=me' } }", "it was in-settings"),
        ("destinations: { v: { base_url: 'http://me:of-the-address@host' } }", "it was of-the-address"),
        ("project: acme", "it was key-of-the-lineage"),
        ("broken: [\nrest_token: \"not-yaml-at-all\"", "it was not-yaml-at-all"),
        ("broken: [\n  pass: >-\n    of-a-block\n", "it was of-a-block"),
    ];
    for (yaml, text) in cases {
        assert_eq!(masked(yaml, text), "it was ***", "{yaml}");
    }
}

#[test]
fn what_is_public_stays() {
    let yaml =
        "project: acme\ndestinations: { sandbox: { rest_token: sandbox, base_url: 'http://127.0.0.1:7700' } }
sources: { w: { url: 'postgres://postgres:postgres@localhost/postgres' } }";
    let text = "destination `sandbox` at http://127.0.0.1:7700 reads postgres://localhost";
    assert_eq!(masked(yaml, text), text);
    assert_eq!(masked(yaml, "postgres://postgres:postgres@localhost"), "postgres://postgres:***@localhost");
}

#[test]
fn an_alerts_address_hides_no_other_address() {
    let yaml = "alerts: { to: { hook: { type: webhook, url: 'http://127.0.0.1:9999/hook' } } }";
    assert_eq!(masked(yaml, "no answer from http://127.0.0.1:9999/hook"), "no answer from ***");
    assert_eq!(masked(yaml, "http://127.0.0.1:36485/#session"), "http://127.0.0.1:36485/#session");
    let query =
        "alerts: { to: { hook: { type: webhook, url: 'https://hooks.example.com?token=0a1b2c3d4e5f' } } }";
    assert_eq!(masked(query, "you sent 0a1b2c3d4e5f"), "you sent ***");
}
