//! Charts as SVG that the server draws. Each says in words what it shows.

use maud::{Markup, html};

/// One bar: how much went well, how much did not, and what it says when it is pointed at.
pub(crate) struct Bar {
    pub(crate) good: u64,
    pub(crate) bad: u64,
    pub(crate) says: String,
    pub(crate) href: String,
}

/// Bars of this width and height, in pixels.
const WIDTH: u64 = 7;
const HEIGHT: u64 = 28;
/// So many bars have room.
pub(crate) const BARS: usize = 20;

/// Bars from left to right, the last one at the right edge. Failures stand on top, and are never too small to see.
pub(crate) fn bars(bars: &[Bar], label: &str) -> Markup {
    let highest = bars.iter().map(|bar| bar.good + bar.bad).max().unwrap_or_default().max(1);
    let missing = BARS.saturating_sub(bars.len());
    let width = WIDTH * BARS as u64;
    html! {
        svg .spark viewBox={ "0 0 " (width) " " (HEIGHT) } width=(width) height=(HEIGHT) role="group" aria-label=(label) {
            line x1="0" y1=(HEIGHT) x2=(width) y2=(HEIGHT) .axis {}
            @for (at, bar) in bars.iter().enumerate() {
                @let x = WIDTH * (missing + at) as u64;
                @let bad = scaled(bar.bad, highest);
                @let good = scaled(bar.good, highest).min(HEIGHT - bad);
                a href=(bar.href) tabindex="-1" {
                    title { (bar.says) }
                    rect .hit x=(x) y="0" width=(WIDTH) height=(HEIGHT) {}
                    rect .good x=(x + 1) y=(HEIGHT - good) width=(WIDTH - 2) height=(good) {}
                    rect .bad x=(x + 1) y=(HEIGHT - good - bad) width=(WIDTH - 2) height=(bad) {}
                }
            }
        }
    }
}

fn scaled(number: u64, highest: u64) -> u64 {
    if number == 0 { 0 } else { (number * (HEIGHT - 3) / highest).max(2) }
}

/// A call in a waterfall: how long it waited, where it begins and how long it takes, in thousandths of the whole.
pub(crate) fn span(waited: u64, begin: u64, length: u64, tone: &str) -> Markup {
    let length = length.max(4).min(1_000 - begin.min(996));
    let waited = waited.min(begin);
    html! {
        svg .fall viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" {
            @if waited > 0 { rect .wait x=(begin - waited) y="4" width=(waited) height="2" {} }
            rect class=(tone) x=(begin.min(996)) y="1" width=(length) height="8" {}
        }
    }
}
