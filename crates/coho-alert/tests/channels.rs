//! Each channel against a server of its kind over real sockets: what arrives, and what its answers mean.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use coho_alert::channel::Channel;
use coho_alert::channel::command::Command;
use coho_alert::channel::email::{Email, Security, SmtpLogin};
use coho_alert::channel::pagerduty::PagerDuty;
use coho_alert::channel::ping::{Check, Ping};
use coho_alert::channel::slack::{SlackBot, SlackWebhook};
use coho_alert::channel::sms::{Twilio, TwilioSender};
use coho_alert::channel::teams::Teams;
use coho_alert::channel::webhook::{Webhook, sign};
use coho_alert::message::{Frame, Notification};
use coho_alert::request::Posting;
use coho_alert::send::Notifier;
use coho_alert::tell::{Notice, Turn};
use coho_core::alert::remembered::Detail;
use coho_core::alert::{Level, Trigger};
use coho_core::code::Code;
use coho_core::json::Json;
use coho_core::secret::{Masker, Secret};
use coho_testkit::{CERTIFICATE, MailServer, Privacy};
use secrecy::SecretString;

use support::receiver::{Receiver, Reply};
use support::{check, detail, now, opened, recovered, several, turned};

const HUSH: &str = "hush-hush-hush";

fn sender() -> Notifier {
    Notifier::new(Masker::new(&[Secret::new(HUSH)])).unwrap()
}

async fn send(channel: &Channel, message: &Notification) -> Posting {
    sender().send(channel, message, &BTreeMap::new(), now()).await
}

fn secret(text: impl Into<String>) -> SecretString {
    SecretString::from(text.into())
}

fn done() -> Posting {
    Posting::Done { receipt: None }
}

/// A body as people read it.
fn pretty(body: &str) -> String {
    serde_json::to_string_pretty(&serde_json::from_str::<Json>(body).unwrap()).unwrap()
}

#[tokio::test]
async fn slack_takes_a_message_by_webhook() {
    let slack = Receiver::start(check::slack, Reply::new(200, "ok")).await;
    let channel = Channel::Slack(SlackWebhook { url: secret(format!("{}/services/T0/B0/x", slack.url)) });
    assert_eq!(send(&channel, &opened()).await, done());
    assert_eq!(send(&channel, &several()).await, done());
    assert_eq!(send(&channel, &recovered()).await, done());
    let arrived = slack.arrived();
    insta::assert_snapshot!("slack-opened", pretty(&arrived[0].body));
    insta::assert_snapshot!("slack-several", pretty(&arrived[1].body));
    insta::assert_snapshot!("slack-recovered", pretty(&arrived[2].body));
}

#[test]
fn who_is_shown_no_examples_is_shown_no_texts_of_errors() {
    let notice = |examples| {
        let what = "accounts.csv:3: column `seats`: `many` is not a value of type integer".to_owned();
        let brief = "run failed [source-failed]".to_owned();
        let remedy = Some("the server's detail: token `many` is invalid".to_owned());
        let failed = Detail { brief, what, remedy, ..detail() };
        let turns = vec![turned("accounts", Trigger::Failed, Turn::Opened, Some(Level::Critical), failed)];
        let notice = Notice { id: "message-1".to_owned(), recipient: "ops".to_owned(), turns };
        let frame = Frame { project: "acme", public_url: None, examples, now: now() };
        Notification::compose(&notice, &frame).alerts.remove(0)
    };
    let (shown, hidden) = (notice(true), notice(false));
    assert!(shown.what.contains("`many`") && shown.examples.len() == 3);
    assert_eq!((hidden.what.as_str(), hidden.examples.len()), ("run failed [source-failed]", 0));
    assert!(shown.remedy.is_some_and(|remedy| remedy.contains("`many`")));
    assert_eq!(hidden.remedy, Code::SOURCE_FAILED.help());
}

#[tokio::test]
async fn what_a_service_answers_is_done_later_or_never() {
    let slack = Receiver::start(check::slack, Reply::new(200, "ok")).await;
    let channel = Channel::Slack(SlackWebhook { url: secret(&slack.url) });
    slack.answer_next(Reply::new(400, "invalid_payload"));
    slack.answer_next(Reply { retry_after: Some("30"), ..Reply::new(429, "") });
    slack.answer_next(Reply::new(500, "oops"));
    slack.answer_next(Reply::new(302, ""));
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(format!("{:?}", send(&channel, &opened()).await));
    }
    insta::assert_snapshot!("answers", answers.join("\n"));
}

#[tokio::test]
async fn silence_is_tried_again_and_names_no_address() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        // Takes the connection and hangs up.
        drop(listener.accept().await);
    });
    let channel = Channel::Slack(SlackWebhook { url: secret(format!("http://{address}/services/{HUSH}")) });
    for _ in 0..2 {
        let Posting::Later { after: None, why } = send(&channel, &opened()).await else {
            panic!("it was told")
        };
        assert!(!why.contains("services") && !why.contains(&address.port().to_string()), "{why}");
    }
    task.await.unwrap();
}

#[tokio::test]
async fn what_a_service_repeats_of_a_secret_is_masked() {
    let slack = Receiver::start(check::slack, Reply::new(200, "ok")).await;
    slack.answer_next(Reply::new(403, &format!("no such token: {HUSH}")));
    let channel = Channel::Slack(SlackWebhook { url: secret(format!("{}/{HUSH}", slack.url)) });
    let sent = send(&channel, &opened()).await;
    assert_eq!(sent, Posting::Never { why: "the server responded with 403: no such token: ***".to_owned() });
    assert!(!format!("{channel:?}").contains(HUSH));
}

#[tokio::test]
async fn a_bot_goes_on_in_the_thread_and_mends_its_first_message() {
    let answer = Reply::new(200, r#"{"ok":true,"channel":"C0123","ts":"1764000000.000100"}"#);
    let slack = Receiver::start(check::slack, answer).await;
    let bot = SlackBot { api: slack.url.clone(), token: secret("xoxb-1"), channel: "C0123".to_owned() };
    let channel = Channel::SlackBot(bot);
    let Posting::Done { receipt: Some(receipt) } = send(&channel, &opened()).await else {
        panic!("not taken")
    };
    let receipts = [("message-0".to_owned(), receipt)].into();
    let sent = sender().send(&channel, &recovered(), &receipts, now()).await;
    assert!(matches!(sent, Posting::Done { .. }), "{sent:?}");
    let arrived = slack.arrived();
    let paths: Vec<_> = arrived.iter().map(|arrived| arrived.path.as_str()).collect();
    assert_eq!(paths, ["/chat.postMessage", "/chat.postMessage", "/chat.update"]);
    assert!(arrived.iter().all(|arrived| arrived.headers["authorization"] == "Bearer xoxb-1"));
    let field = |number: usize, name: &str| {
        serde_json::from_str::<Json>(&arrived[number].body).unwrap().get(name).cloned()
    };
    assert_eq!(field(0, "thread_ts"), None);
    assert_eq!(field(1, "thread_ts"), Some("1764000000.000100".into()));
    assert_eq!(field(2, "ts"), Some("1764000000.000100".into()));
}

#[tokio::test]
async fn a_bots_refusals_have_a_status_of_200() {
    let slack = Receiver::start(check::slack, Reply::new(200, r#"{"ok":false,"error":"ratelimited"}"#)).await;
    let bot = SlackBot { api: slack.url.clone(), token: secret("xoxb-1"), channel: "C0".to_owned() };
    let channel = Channel::SlackBot(bot);
    let why = |error: &str| format!("the server responded with 200: {error}");
    let later = Posting::Later { after: None, why: why("ratelimited") };
    assert_eq!(send(&channel, &opened()).await, later);
    slack.answer_next(Reply::new(200, r#"{"ok":false,"error":"invalid_auth"}"#));
    assert_eq!(send(&channel, &opened()).await, Posting::Never { why: why("invalid_auth") });
}

fn pagerduty(url: &str, key: &str, former: &[&str]) -> PagerDuty {
    let former_keys = former.iter().map(|key| secret(*key)).collect();
    PagerDuty { url: format!("{url}/v2/enqueue"), routing_key: secret(key), former_keys }
}

#[tokio::test]
async fn pagerduty_opens_and_resolves_an_incident_for_each_alert() {
    let service = Receiver::start(check::pagerduty, Reply::new(202, r#"{"status":"success"}"#)).await;
    let channel = Channel::PagerDuty(pagerduty(&service.url, "key-1", &[]));
    let Posting::Done { receipt: Some(receipt) } = send(&channel, &several()).await else {
        panic!("not taken")
    };
    let receipts: BTreeMap<_, _> = [("message-0".to_owned(), receipt)].into();
    // The key was changed since: the incident is resolved with the one that opened it.
    let changed = Channel::PagerDuty(pagerduty(&service.url, "key-2", &["key-1"]));
    let sent = sender().send(&changed, &recovered(), &receipts, now()).await;
    assert!(matches!(sent, Posting::Done { .. }), "{sent:?}");
    let lost = Channel::PagerDuty(pagerduty(&service.url, "key-2", &[]));
    let sent = sender().send(&lost, &recovered(), &receipts, now()).await;
    assert!(matches!(&sent, Posting::Never { why } if why.contains("former_keys")), "{sent:?}");
    let bodies: Vec<_> = service.arrived().iter().map(|arrived| pretty(&arrived.body)).collect();
    insta::assert_snapshot!("pagerduty", bodies.join("\n"));
}

#[tokio::test]
async fn twilio_takes_a_short_text() {
    let service = Receiver::start(check::twilio, Reply::new(201, "{}")).await;
    let twilio = Twilio {
        api: service.url.clone(),
        account: "AC1".to_owned(),
        key: Some("SK1".to_owned()),
        secret: secret("s3cret"),
        from: TwilioSender::Number("+15550100".to_owned()),
        to: "+491701234567".to_owned(),
    };
    let channel = Channel::Sms(twilio);
    assert_eq!(send(&channel, &opened()).await, done());
    assert_eq!(send(&channel, &several()).await, done());
    let arrived = service.arrived();
    assert_eq!(arrived[0].path, "/2010-04-01/Accounts/AC1/Messages.json");
    assert_eq!(arrived[0].headers["authorization"], "Basic U0sxOnMzY3JldA==");
    let texts: Vec<_> =
        arrived.iter().map(|arrived| check::form(&arrived.body).unwrap()["Body"].clone()).collect();
    insta::assert_snapshot!("sms", texts.join("\n"));
}

#[tokio::test]
async fn a_webhook_is_signed_with_every_secret_under_one_id() {
    let service = Receiver::start(|_| Ok(()), Reply::new(204, "")).await;
    let secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "old"].map(secret);
    let channel = Channel::Webhook(Webhook { url: secret(&service.url), secrets: secrets.to_vec() });
    service.answer_next(Reply::new(500, ""));
    assert!(matches!(send(&channel, &opened()).await, Posting::Later { .. }));
    assert_eq!(send(&channel, &opened()).await, done());
    let arrived = service.arrived();
    assert_eq!(arrived[0].headers["webhook-id"], arrived[1].headers["webhook-id"]);
    let (stamp, body) = (arrived[1].headers["webhook-timestamp"].to_str().unwrap(), &arrived[1].body);
    let expected: Vec<_> = secrets
        .iter()
        .map(|secret| format!("v1,{}", sign(secret, "message-1", stamp, body).unwrap()))
        .collect();
    assert_eq!(arrived[1].headers["webhook-signature"], expected.join(" ").as_str());
    insta::assert_snapshot!("webhook", pretty(body));
}

#[tokio::test]
async fn teams_takes_a_card() {
    let service = Receiver::start(check::teams, Reply::new(202, "")).await;
    let channel = Channel::Teams(Teams { url: secret(format!("{}/workflows?sig={HUSH}", service.url)) });
    assert_eq!(send(&channel, &several()).await, done());
    insta::assert_snapshot!("teams", pretty(&service.arrived()[0].body));
}

#[tokio::test]
async fn a_ping_says_start_success_and_failure_with_a_summary() {
    let service = Receiver::start(|_| Ok(()), Reply::new(200, "OK")).await;
    let check = Check { url: secret(format!("{}/uuid?create=1", service.url)) };
    let sender = sender();
    assert_eq!(sender.ping(&check, Ping::Start, "").await, done());
    assert_eq!(sender.ping(&check, Ping::Success, "4 rows").await, done());
    assert_eq!(sender.ping(&check, Ping::Fail, &format!("bad token {HUSH}")).await, done());
    let told: Vec<_> =
        service.arrived().iter().map(|arrived| format!("{} {}", arrived.path, arrived.body)).collect();
    assert_eq!(told, ["/uuid/start?create=1 ", "/uuid?create=1 4 rows", "/uuid/fail?create=1 bad token ***"]);
}

fn email(server: &MailServer, security: Security, password: &str) -> Channel {
    Channel::Email(Email {
        host: "localhost".to_owned(),
        port: Some(server.port()),
        security,
        login: Some(SmtpLogin { user: "coho".to_owned(), password: secret(password) }),
        from: "Coho <coho@example.com>".parse().unwrap(),
        to: vec!["ops@example.com".parse().unwrap(), "dev@example.com".parse().unwrap()],
        authority: Some(CERTIFICATE.to_owned()),
    })
}

#[tokio::test]
async fn a_mail_arrives_over_tls_after_a_login() {
    for (security, privacy) in [(Security::Tls, Privacy::Tls), (Security::StartTls, Privacy::StartTls)] {
        let server = MailServer::start(privacy, Some(("coho", "s3cret"))).unwrap();
        let channel = email(&server, security, "s3cret");
        assert_eq!(send(&channel, &opened()).await, done(), "{security:?}");
        assert_eq!(send(&channel, &recovered()).await, done());
        let mails = server.mails();
        assert_eq!(server.faults(), [""; 0]);
        assert!(mails.iter().all(|mail| mail.is_private && mail.user.as_deref() == Some("coho")));
        assert_eq!(mails[0].to, ["ops@example.com", "dev@example.com"]);
        check::mail(&mails[0].text).unwrap();
        check::mail(&mails[1].text).unwrap();
        let texts: Vec<_> = mails.iter().map(|mail| mail.text.replace("\r\n", "\n")).collect();
        insta::assert_snapshot!("mails", texts.join("=====\n"));
    }
}

#[tokio::test]
async fn a_mail_servers_refusals_are_later_or_never() {
    let server = MailServer::start(Privacy::StartTls, Some(("coho", "s3cret"))).unwrap();
    let channel = email(&server, Security::StartTls, "s3cret");
    server.refuse_next("451 4.3.0 try again later");
    server.refuse_next("554 5.7.1 no such list");
    assert!(matches!(send(&channel, &opened()).await, Posting::Later { .. }));
    assert!(matches!(send(&channel, &opened()).await, Posting::Never { .. }));
    let wrong = email(&server, Security::StartTls, HUSH);
    let sent = send(&wrong, &opened()).await;
    assert!(
        matches!(&sent, Posting::Never { why } if why.contains("535") && !why.contains(HUSH)),
        "{sent:?}"
    );
    // A server that nobody vouches for gets neither the password nor the mail.
    let Channel::Email(email) = channel else { unreachable!("it is one") };
    let sent = send(&Channel::Email(Email { authority: None, ..email }), &opened()).await;
    assert!(matches!(sent, Posting::Later { .. }), "{sent:?}");
    assert_eq!(server.mails(), []);
}

fn command(script: &str, folder: &std::path::Path, limit: Duration) -> Channel {
    let run = ["sh", "-c", script].map(str::to_owned).to_vec();
    Channel::Command(Command { run, folder: folder.to_owned(), limit })
}

#[tokio::test]
async fn a_command_reads_the_message() {
    let folder = tempfile::tempdir().unwrap();
    let minute = Duration::from_secs(60);
    let channel = command("echo \"$COHO_ALERT_TITLE\" > title; cat > message", folder.path(), minute);
    assert_eq!(send(&channel, &opened()).await, done());
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(Notification::from_json(&read("message")), Some(opened()));
    assert_eq!(read("title").trim(), opened().title());
    let failing = command(&format!("echo no {HUSH} >&2; exit 3"), folder.path(), minute);
    let why = "`sh` exited with 3: no ***".to_owned();
    assert_eq!(send(&failing, &opened()).await, Posting::Later { after: None, why });
    let deaf = command("exit 0", folder.path(), minute);
    assert_eq!(send(&deaf, &several()).await, done());
}

#[tokio::test]
async fn a_command_that_hangs_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let hanging = command("exec sleep 600", folder.path(), Duration::from_millis(50));
    assert!(matches!(send(&hanging, &opened()).await, Posting::Later { .. }));
    let run = vec!["./is-not-there".to_owned()];
    let missing = Command { run, folder: folder.path().to_owned(), limit: Duration::from_secs(1) };
    assert!(matches!(send(&Channel::Command(missing), &opened()).await, Posting::Never { .. }));
}
