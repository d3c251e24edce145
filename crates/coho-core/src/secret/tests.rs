//! Secrets in the forms in which they turn up.

use proptest::prelude::*;

use super::*;

const TOKEN: &str = "sk_live_k33p+th1s/t0 yourself\"";

fn masker() -> Masker {
    Masker::new(&[Secret::new(TOKEN), Secret::new("hush"), Secret::public_word("sandbox")])
}

#[test]
fn a_secret_is_masked_as_it_is_and_encoded() {
    let masker = masker();
    let forms = [
        TOKEN.to_owned(),
        serde_json::Value::from(TOKEN).to_string(),
        "sk_live_k33p%2Bth1s%2Ft0%20yourself%22".to_owned(),
        "sk_live_k33p%2bth1s%2ft0+yourself%22".to_owned(),
        "Basic c2tfbGl2ZV9rMzNwK3RoMXMvdDAgeW91cnNlbGYiOg==".to_owned(),
        "Basic dXNlcjpza19saXZlX2szM3ArdGgxcy90MCB5b3Vyc2VsZiI=".to_owned(),
        "736b5f6c6976655f6b3333702b746831732f743020796f757273656c6622".to_owned(),
    ];
    for form in forms {
        let shown = masker.mask(&format!("before {form} behind")).into_owned();
        assert!(shown.starts_with("before ") && shown.ends_with(" behind"), "{shown}");
        for part in ["k33p", "yourself", "c2tf", "saXZl", "736b"] {
            assert!(!shown.contains(part), "{form} became {shown}");
        }
    }
}

#[test]
fn a_secret_that_was_cut_off_is_masked() {
    let masker = Masker::new(&[Secret::new("correct-horse-battery-staple")]);
    assert_eq!(masker.mask("`correct-horse-bat…` is not a number"), "`***…` is not a number");
    assert_eq!(masker.mask("it begins with corre"), "it begins with ***");
}

#[test]
fn a_short_secret_is_masked_as_a_word_only() {
    assert_eq!(masker().mask("hush, hushed"), "***, hushed");
    assert_eq!(Masker::new(&[Secret::new("abc")]).mask("abc"), "abc");
}

#[test]
fn a_public_word_is_masked_where_it_is_a_password() {
    let masker = masker();
    assert_eq!(masker.mask("destination `sandbox`"), "destination `sandbox`");
    assert_eq!(masker.mask("x://me:sandbox@host"), "x://me:***@host");
    assert_eq!(masker.mask("Basic c2FuZGJveDo="), "Basic ***");
}

#[test]
fn an_address_is_masked_behind_its_host_and_no_other_one_is() {
    let long = Masker::new(&[Secret::address("https://hooks.example.com/services/T0/B0/s3cret").unwrap()]);
    assert_eq!(
        long.mask("POST https://hooks.example.com/services/T0/B0/s3cret: 410"),
        "POST https://hooks.example.com***: 410"
    );
    assert_eq!(long.mask("https://hooks.example.com/other"), "https://hooks.example.com/other");
    let query = Masker::new(&[Secret::address("https://hooks.example.com?token=0a1b2c3d").unwrap()]);
    assert_eq!(query.mask("https://hooks.example.com?token=0a1b2c3d"), "https://hooks.example.com***");
    let word = Masker::new(&[Secret::address("https://hooks.example.com/webhook").unwrap()]);
    assert_eq!(word.mask("see /webhooks, or /web"), "see /webhooks, or /web");
    let short = Masker::new(&[Secret::address("http://127.0.0.1:9999/hook").unwrap()]);
    assert_eq!(short.mask("no answer from http://127.0.0.1:9999/hook"), "no answer from ***");
    assert_eq!(short.mask("http://127.0.0.1:36485/#token, /hook"), "http://127.0.0.1:36485/#token, /hook");
    assert!(Secret::address("http://127.0.0.1:9999/").is_none() && Secret::address("nowhere").is_none());
}

#[test]
fn what_begins_as_a_token_is_one() {
    let masker = Masker::new(&[]);
    assert_eq!(
        masker.mask("`sk_live_0a1b` is not set; use `sk_live_…`"),
        "`***` is not set; use `sk_live_…`"
    );
}

#[test]
fn nothing_is_masked_where_nothing_is_secret() {
    let text = "account a1: name is missing";
    assert_eq!(masker().mask(text), text);
    assert_eq!(Masker::default().mask(TOKEN), TOKEN);
}

fn encoded(secret: &str, before: &str, behind: &str) -> Vec<String> {
    use forms::tests::base64_of;
    let joined = format!("{before}{secret}{behind}");
    vec![
        secret.to_owned(),
        serde_json::Value::from(secret).to_string(),
        base64_of(&joined),
        base64_of(&joined).replace('+', "-").replace('/', "_"),
    ]
}

proptest! {
    /// Neither the secret nor any eight bytes of an encoded form are left, whatever stands around it.
    #[test]
    fn planted_secrets_are_gone(
        secret in "[!-~]{8,40}",
        before in "[ -~]{0,4}",
        behind in "[ -~]{0,4}",
        around in "[ .,;\n]{1,3}",
    ) {
        let masker = Masker::new(&[Secret::new(secret.as_str())]);
        for form in encoded(&secret, &before, &behind) {
            let shown = masker.mask(&format!("{around}{form}{around}")).into_owned();
            prop_assert!(!shown.contains(&secret), "{shown}");
            prop_assert!(!shown.contains(&form), "{shown}");
            prop_assert!(shown.contains(MASK));
        }
    }

    #[test]
    fn any_text_can_be_masked(text in any::<String>(), secret in any::<String>()) {
        let shown = Masker::new(&[Secret::new(secret.as_str())]).mask(&text).into_owned();
        prop_assert!(secret.len() < 8 || !shown.contains(&secret));
    }
}

/// Where secrets stand, found by looking for each form everywhere.
fn found_slowly(inner: &Inner, text: &str) -> Vec<(usize, usize)> {
    let whole = inner.finder.find_overlapping_iter(text);
    let whole = whole.filter_map(|found| inner.forms[found.pattern().as_usize()].extent(text, found.start()));
    let ends = text.match_indices('…').map(|(at, _)| at).chain([text.len()]);
    let cut = ends.flat_map(|end| {
        let forms = inner.forms.iter().filter(|form| form.reach == Reach::Anywhere);
        forms.filter_map(move |form| Some((end - form.begun_at_end_of(text.get(..end)?, SHORTEST_CUT)?, end)))
    });
    whole.chain(cut).collect()
}

proptest! {
    #[test]
    fn what_is_passed_over_quickly_has_nothing(
        secret in "[a-c/\"]{8,14}",
        pieces in prop::collection::vec(("[a-c/\"]{0,9}", 0..15_usize, "[a-c…]{0,2}"), 0..4),
    ) {
        let masker = Masker::new(&[Secret::new(secret.as_str()), Secret::new("hush")]);
        let piece = |(before, cut, behind): &(String, usize, String)| {
            format!("{before}{}{behind}", secret.get(..*cut).unwrap_or(&secret))
        };
        let text: String = pieces.iter().map(piece).collect();
        let inner = masker.inner.unwrap();
        let (mut found, mut slowly) = (inner.found(&text), found_slowly(&inner, &text));
        found.sort_unstable();
        slowly.sort_unstable();
        prop_assert_eq!(found, slowly);
    }
}
