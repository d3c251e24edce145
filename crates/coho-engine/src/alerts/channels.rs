//! From what the project says to channels.

use coho_alert::channel::Channel;
use coho_alert::channel::command::Command;
use coho_alert::channel::email::{Email, Security, SmtpLogin};
use coho_alert::channel::pagerduty::PagerDuty;
use coho_alert::channel::slack::{SlackBot, SlackWebhook};
use coho_alert::channel::sms::{Twilio, TwilioSender};
use coho_alert::channel::teams::Teams;
use coho_alert::channel::webhook::Webhook;
use coho_core::alert::Recipient;
use coho_project::{ChannelSpec, SmtpSpec};
use secrecy::SecretString;

use crate::context::Engine;

impl Engine<'_> {
    /// Who is told, and how; the reason where a channel cannot be used.
    pub(crate) fn channels(&self) -> Vec<(&Recipient, Result<Channel, String>)> {
        let recipients = &self.setup.project.alerts.recipients;
        recipients.iter().map(|(recipient, spec)| (recipient, self.channel(spec))).collect()
    }

    fn channel(&self, spec: &ChannelSpec) -> Result<Channel, String> {
        Ok(match spec.clone() {
            ChannelSpec::Slack { url } => Channel::Slack(SlackWebhook { url }),
            ChannelSpec::SlackBot { token, channel, api_url } => {
                let api = api_url.unwrap_or_else(|| SlackBot::API.to_owned());
                Channel::SlackBot(SlackBot { api, token, channel })
            }
            ChannelSpec::PagerDuty { routing_key, former_keys, url } => {
                let url = url.unwrap_or_else(|| PagerDuty::EVENTS.to_owned());
                Channel::PagerDuty(PagerDuty { url, routing_key, former_keys })
            }
            ChannelSpec::Email { server, login, ca_file, from, to } => {
                let authority = ca_file.map(|path| self.authority(&path)).transpose()?;
                Channel::Email(Email { authority, ..email(server, login, &from, &to)? })
            }
            ChannelSpec::Sms { account, api_key, secret, from, service, to, api_url } => {
                let from = from.map(TwilioSender::Number).or(service.map(TwilioSender::Service));
                let from = from.ok_or("no sender: `from` and `service` are missing")?;
                let api = api_url.unwrap_or_else(|| Twilio::API.to_owned());
                Channel::Sms(Twilio { api, account, key: api_key, secret, from, to })
            }
            ChannelSpec::Teams { url } => Channel::Teams(Teams { url }),
            ChannelSpec::Webhook { url, secrets } => Channel::Webhook(Webhook { url, secrets }),
            ChannelSpec::Command { run, timeout } => {
                Channel::Command(Command { run, folder: self.setup.root.clone(), limit: timeout })
            }
        })
    }

    /// The certificate of an authority, in PEM.
    fn authority(&self, path: &str) -> Result<String, String> {
        let read = std::fs::read_to_string(self.setup.root.join(path));
        let pem = read.map_err(|error| format!("`ca_file`: cannot read {path}: {error}"))?;
        if pem.contains("-----BEGIN CERTIFICATE-----") {
            Ok(pem)
        } else {
            Err(format!("`ca_file`: expected a certificate in PEM, found none in {path}"))
        }
    }
}

fn email(
    server: SmtpSpec,
    login: Option<(String, SecretString)>,
    from: &str,
    to: &[String],
) -> Result<Email, String> {
    let mailbox = |text: &str| text.parse().map_err(|_| format!("`{text}` is not an e-mail address"));
    let security = match (server.is_tls, server.is_local()) {
        (true, _) => Security::Tls,
        (false, true) => Security::None,
        (false, false) => Security::StartTls,
    };
    Ok(Email {
        host: server.host,
        port: server.port,
        security,
        login: login.map(|(user, password)| SmtpLogin { user, password }),
        from: mailbox(from)?,
        to: to.iter().map(|to| mailbox(to)).collect::<Result<_, _>>()?,
        authority: None,
    })
}
