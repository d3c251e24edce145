//! Filters of dates.

use std::borrow::Cow;

use chrono::{DateTime, FixedOffset, Offset, TimeZone, Utc};
use coho_core::code::Code;

use super::super::dates;
use super::super::fault::Fault;
use super::super::number::Number;
use super::super::scene::Scene;
use super::super::settings::Unreadable;
use super::super::strftime::{Zoned, strftime};
use super::super::text::preview;
use super::super::value::{Moment, Val};
use super::arg::{Kind, may, need};
use super::{Args, Filter};

const STYLE: &[super::arg::Arg] = &[may("form", Kind::Text), may("style", Kind::Text)];

pub(super) const FILTERS: &[Filter] = &[
    Filter::new("date", date)
        .takes(&[need("format", Kind::Text), may("zone", Kind::Any)])
        .types("date", "text")
        .says("Formats a date with a `strftime` pattern, in UTC, in a named time zone, or at an offset in minutes west of UTC. `'now'` is the time of the run.")
        .example("{{ row.created | date: '%d.%m.%Y %H:%M', 'Europe/Oslo' }}", "\"05.03.2024 11:11\""),
    Filter::new("date_to_long_string", long_string)
        .takes(STYLE)
        .types("date", "text")
        .says("Formats the date as `05 March 2024`; with `'ordinal'` as `5th March 2024`, with `'ordinal', 'US'` as `March 5th, 2024`.")
        .example("{{ row.created | date_to_long_string }}", "\"05 March 2024\""),
    Filter::new("date_to_rfc822", rfc822)
        .types("date", "text")
        .says("Formats the date as in an e-mail header (RFC 822).")
        .example("{{ row.created | date_to_rfc822 }}", "\"Tue, 05 Mar 2024 10:11:12 +0000\""),
    Filter::new("date_to_string", short_string)
        .takes(STYLE)
        .types("date", "text")
        .says("Formats the date as `05 Mar 2024`; with `'ordinal'` as `5th Mar 2024`, with `'ordinal', 'US'` as `Mar 5th, 2024`.")
        .example("{{ row.created | date_to_string }}", "\"05 Mar 2024\""),
    Filter::new("date_to_xmlschema", xmlschema)
        .types("date", "text")
        .says("Formats the date as ISO 8601 with its offset.")
        .example("{{ row.created | date_to_xmlschema }}", "\"2024-03-05T10:11:12+00:00\""),
    Filter::new("iso8601", iso8601)
        .types("date", "text")
        .says("Formats the date as ISO 8601 in UTC with milliseconds, the form that Vitally expects.")
        .example("{{ 1709633472 | iso8601 }}", "\"2024-03-05T10:11:12.000Z\""),
];

/// LiquidJS's format where the template's is nil or not there.
const LONG: &str = "%A, %B %-e, %Y at %-l:%M %P %z";

/// The moment of a value. `Err(None)` says that the value stays as it is.
fn read(value: &Val<'_>, scene: &Scene<'_>) -> Result<DateTime<Utc>, Option<Fault>> {
    if let Some(moment) = dates::moment(value, scene.now) {
        return Ok(moment);
    }
    let lacking = matches!(value, Val::Nil | Val::Blank | Val::Empty)
        || matches!(value, Val::Text(text) if text.is_empty());
    if lacking || scene.settings.dates == Unreadable::Keep {
        return Err(None);
    }
    let clock = matches!(value, Val::Text(text) if matches!(text.trim(), "now" | "today"));
    let message = if clock {
        "cannot use `now`: this template is rendered without a clock".to_owned()
    } else {
        format!("cannot read {} as a date", preview(value))
    };
    Err(Some(Fault::new(Code::UNREADABLE_DATE, message)))
}

fn write<'a>(
    value: Val<'a>,
    format: &str,
    zone: Option<&Val<'a>>,
    scene: &Scene<'a>,
) -> Result<Val<'a>, Fault> {
    let moment = match read(&value, scene) {
        Ok(moment) => moment,
        Err(Some(fault)) => return Err(fault),
        Err(None) => return Ok(value),
    };
    scene.meter.bytes(format.len().saturating_mul(24))?;
    let zoned = match zone {
        None | Some(Val::Nil) => Zoned { moment: moment.fixed_offset(), zone: "UTC".to_owned() },
        Some(zone) => in_zone(moment, zone)?,
    };
    Ok(Val::Text(Cow::Owned(strftime(&zoned, format))))
}

fn in_zone(moment: DateTime<Utc>, zone: &Val<'_>) -> Result<Zoned, Fault> {
    if let Val::Text(name) = zone {
        let unknown = || {
            Fault::failed(format!("unknown time zone {}", preview(zone)))
                .help("use a name such as 'Europe/Oslo'")
        };
        let zone = named_zone(name).ok_or_else(unknown)?;
        let offset = zone.offset_from_utc_datetime(&moment.naive_utc()).fix();
        return Ok(Zoned { moment: moment.with_timezone(&offset), zone: name.clone().into_owned() });
    }
    // JavaScript counts minutes towards the west.
    let minutes = Number::of(zone)?.truncated().unwrap_or(i64::MAX);
    let seconds = i32::try_from(minutes.saturating_mul(-60)).ok().and_then(FixedOffset::east_opt);
    let offset = seconds.ok_or_else(|| Fault::failed("an offset must be less than 1,440 minutes"))?;
    Ok(Zoned { moment: moment.with_timezone(&offset), zone: String::new() })
}

/// The zone of this name, in any case of letters.
fn named_zone(name: &str) -> Option<chrono_tz::Tz> {
    let alike = || chrono_tz::TZ_VARIANTS.into_iter().find(|zone| zone.name().eq_ignore_ascii_case(name));
    name.parse().ok().or_else(alike)
}

fn date<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let format = match args.get(0) {
        None | Some(Val::Nil) => Cow::Borrowed(LONG),
        Some(_) => args.text(0, &scene.meter)?,
    };
    write(value, &format, args.get(1), scene)
}

fn xmlschema<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    write(value, "%Y-%m-%dT%H:%M:%S%:z", None, scene)
}

fn rfc822<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    write(value, "%a, %d %b %Y %H:%M:%S %z", None, scene)
}

fn short_string<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    styled(value, args, "%b", scene)
}

fn long_string<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    styled(value, args, "%B", scene)
}

fn styled<'a>(value: Val<'a>, args: &Args<'a>, month: &str, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let is = |at, wanted: &str| matches!(args.get(at), Some(Val::Text(text)) if text == wanted);
    let format = match (is(0, "ordinal"), is(1, "US")) {
        (true, true) => format!("{month} %-d%q, %Y"),
        (true, false) => format!("%-d%q {month} %Y"),
        (false, _) => format!("%d {month} %Y"),
    };
    write(value, &format, None, scene)
}

fn iso8601<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    match read(&value, scene) {
        Ok(moment) => Ok(Val::Text(Cow::Owned(super::super::text::moment_text(Moment::Utc(moment))))),
        Err(Some(fault)) => Err(fault),
        Err(None) => Ok(value),
    }
}
