//! Any message, also a hostile or a huge one, fits each channel's limits and is what its service documents.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

mod support;

use std::collections::BTreeMap;

use coho_alert::channel::email::{Email, Security};
use coho_alert::channel::pagerduty::PagerDuty;
use coho_alert::channel::slack::{SlackBot, SlackWebhook};
use coho_alert::channel::sms::{Twilio, TwilioSender};
use coho_alert::channel::teams::Teams;
use coho_alert::message::{Frame, Notification};
use coho_alert::tell::{Notice, Turn, Turned};
use coho_core::alert::remembered::Detail;
use coho_core::alert::{Level, Trigger};
use proptest::prelude::*;
use secrecy::SecretString;

use support::{check, now, turned};

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "<!channel>|\\[x\\]\\(http://evil\\)|&amp;|<script>|\r\nBcc: a@b|\u{202e}|😀{300}|`*_~|\\.\r\n",
        "(😀|<|&|\"|\u{2028}|\\\\|é){0,3000}",
        "[a-z ]{0,6000}",
    ]
}

fn details() -> impl Strategy<Value = Detail> {
    let texts = (hostile(), hostile(), prop::collection::vec(hostile(), 0..5));
    (
        texts,
        proptest::option::of(any::<u64>()),
        proptest::option::of(hostile()),
        proptest::option::of(hostile()),
    )
        .prop_map(|((brief, what, examples), count, remedy, run)| Detail {
            brief,
            what,
            count,
            examples,
            remedy,
            run,
        })
}

fn messages() -> impl Strategy<Value = Notification> {
    let levels = proptest::option::of(prop::sample::select(Level::ALL.to_vec()));
    let triggers = prop::sample::select(Trigger::ALL.to_vec());
    let turns = prop::sample::select(Turn::ALL.to_vec());
    let one = (details(), levels, triggers, turns, "[a-z0-9_-]{1,64}")
        .prop_map(|(detail, level, trigger, turn, sync): (Detail, Option<Level>, Trigger, Turn, String)| {
            turned(&sync, trigger, turn, level, detail)
        })
        .boxed();
    let all =
        prop_oneof![3 => prop::collection::vec(one.clone(), 1..4), 1 => prop::collection::vec(one, 10..40)];
    (all, hostile(), any::<bool>(), proptest::option::of("https://[a-z]{1,20}/[a-z/]{0,4000}")).prop_map(
        |(turns, project, examples, url): (Vec<Turned>, String, bool, Option<String>)| {
            let notice = Notice { id: "message-1".to_owned(), recipient: "ops".to_owned(), turns };
            let frame = Frame { project: &project, public_url: url.as_deref(), examples, now: now() };
            Notification::compose(&notice, &frame)
        },
    )
}

fn secret() -> SecretString {
    SecretString::from("secret".to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_message_fits_every_channel(message in messages()) {
        prop_assert_eq!(Notification::from_json(&message.to_json()), Some(message.clone()));
        let slack = SlackWebhook { url: secret() }.request(&message);
        prop_assert_eq!(check::slack(&slack.body), Ok(()));
        let bot = SlackBot { api: String::new(), token: secret(), channel: "C".to_owned() };
        prop_assert_eq!(check::slack(&bot.post(&message, &BTreeMap::new()).body), Ok(()));
        let pagerduty = PagerDuty { url: String::new(), routing_key: secret(), former_keys: Vec::new() };
        for event in pagerduty.requests(&message, &BTreeMap::new()).unwrap() {
            prop_assert_eq!(check::pagerduty(&event.body), Ok(()));
        }
        let from = TwilioSender::Service("MG1".to_owned());
        let (api, to) = (String::new(), "+1".to_owned());
        let twilio = Twilio { api, account: "AC".to_owned(), key: None, secret: secret(), from, to };
        prop_assert_eq!(check::twilio(&twilio.request(&message).body), Ok(()));
        let teams = Teams { url: secret() };
        prop_assert_eq!(check::teams(&teams.request(&message).body), Ok(()));
        let email = Email {
            host: String::new(),
            port: None,
            security: Security::None,
            login: None,
            from: "coho@example.com".parse().unwrap(),
            to: vec!["ops@example.com".parse().unwrap()],
            authority: None,
        };
        let mail = String::from_utf8(email.mail(&message).unwrap().formatted()).unwrap();
        prop_assert_eq!(check::mail(&mail), Ok(()));
    }
}
