//! Microsoft Teams: a workflow that is started by a webhook and posts an Adaptive Card
//! (<https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>, read
//! 2026-11-27). Texts are runs of a rich text block, which no Markdown is read in.

use coho_core::alert::Level;
use coho_core::json::Json;
use secrecy::SecretString;
use serde_json::json;

use crate::limit::{SHOWN, TEAMS_MESSAGE, cut};
use crate::message::{Line, Notification};
use crate::request::ChannelRequest;

/// A workflow of Teams.
#[derive(Clone, Debug)]
pub struct Teams {
    /// Its address, which holds its secret.
    pub url: SecretString,
}

/// The longest text in a card.
const LONGEST: usize = 350;

/// The most characters of all texts: each is three bytes at most, and what stands around them takes the rest.
const ALL: usize = TEAMS_MESSAGE / 5;

impl Teams {
    /// The request that posts a message.
    pub fn request(&self, message: &Notification) -> ChannelRequest {
        let body = json!({
            "type": "message",
            "attachments": [{
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": null,
                "content": card(message),
            }],
        });
        ChannelRequest::json(&self.url, &body)
    }
}

fn card(message: &Notification) -> Json {
    let texts = texts(message);
    let most = LONGEST.min(ALL / texts.len());
    let body: Vec<_> = texts.iter().map(|text| text.block(most)).collect();
    let link = message.alerts.iter().find_map(|line| line.link.as_deref()).filter(|link| link.len() <= 2_000);
    let actions: Vec<_> = link
        .map(|link| json!({ "type": "Action.OpenUrl", "title": "Open the run", "url": link }))
        .into_iter()
        .collect();
    json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": cut(&message.title(), LONGEST),
        "body": body,
        "actions": actions,
    })
}

/// A text of the card, and how it looks.
struct Text {
    says: String,
    weight: &'static str,
    color: &'static str,
}

impl Text {
    fn plain(text: String) -> Self {
        Self { says: text, weight: "default", color: "default" }
    }

    fn block(&self, most: usize) -> Json {
        let text = cut(&self.says, most);
        let run = json!({ "type": "TextRun", "text": text, "weight": self.weight, "color": self.color });
        json!({ "type": "RichTextBlock", "inlines": [run] })
    }
}

fn texts(message: &Notification) -> Vec<Text> {
    let mut texts = vec![Text { weight: "bolder", ..Text::plain(message.title()) }];
    for line in message.alerts.iter().take(SHOWN) {
        if message.alerts.len() > 1 {
            texts.push(heading(line));
        }
        texts.extend(line.details().into_iter().map(Text::plain));
    }
    if message.alerts.len() > SHOWN {
        texts.push(Text::plain(format!("and {} more: coho alerts", message.alerts.len() - SHOWN)));
    }
    texts
}

fn heading(line: &Line) -> Text {
    let color = match line.level() {
        Some(Level::Critical) => "attention",
        Some(Level::Warning) => "warning",
        None => "good",
    };
    let says = format!("{}: {} ({})", line.subject, line.brief, line.state());
    Text { says, weight: "bolder", color }
}
