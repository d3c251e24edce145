//! The kinds of text that values may be. Each says the same twice, as a function and as a regular expression for editors.

use coho_core::at_once::AtOnce;

use super::{Form, Numbers, Shown, Text};

/// The longest name, in characters.
const LONGEST_NAME: usize = 64;

/// What a file, a source or anything else the user names may be called.
pub(crate) static NAME: Text = Text {
    what: "a name of letters, digits, `_` and `-`, at most 64",
    accepts: is_name,
    pattern: "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
    numbers: Numbers::Refused,
    shown: Shown::Shown,
};

pub(crate) static TEXT: Text = Text {
    what: "a text",
    accepts: |text| !text.trim().is_empty(),
    pattern: "\\S",
    numbers: Numbers::Refused,
    shown: Shown::Shown,
};

pub(crate) static COLUMN: Text = Text { what: "the name of a column", ..TEXT_LIKE };

pub(crate) static SECRET: Text = Text {
    what: "a reference such as `${NAME}` or `file:/run/secrets/name`",
    shown: Shown::Secret,
    ..TEXT_LIKE
};

/// The name of an ADBC driver's option.
pub(crate) static ADBC_OPTION: Text = Text {
    what: "the name of an option, such as `uri` or `adbc.snowflake.sql.account`",
    accepts: |text| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    },
    pattern: "^[A-Za-z0-9._-]+$",
    numbers: Numbers::Refused,
    shown: Shown::Shown,
};

/// The value of an ADBC driver's option.
pub(crate) static ADBC_VALUE: Text =
    Text { what: "a text or a number", numbers: Numbers::Taken, shown: Shown::Secret, ..TEXT_LIKE };

pub(crate) static POSTGRES_URL: Text =
    Text { what: "an address such as `postgres://user@host/database`", shown: Shown::Secret, ..TEXT_LIKE };

pub(crate) static MYSQL_URL: Text =
    Text { what: "an address such as `mysql://user@host/database`", shown: Shown::Secret, ..TEXT_LIKE };

pub(crate) static DURATION: Text = Text {
    what: "a duration such as `30s`, `5m` or `1h`",
    accepts: |text| crate::read::duration(text).is_some(),
    pattern: "^[0-9]{1,9}(ms|s|m|h)$",
    ..TEXT_LIKE
};

pub(crate) static MAX_AGE: Text = Text {
    what: "a duration such as `30m`, `6h` or `1d`",
    accepts: |text| crate::read::max_age(text).is_some(),
    pattern: "^[0-9]{1,9}(ms|s|m|h|d)$",
    ..TEXT_LIKE
};

pub(crate) static DBT_NAME: Text = Text {
    what: "the name of a dbt model such as `customers`, `package.customers` or `customers.v2`",
    accepts: is_dbt_name,
    pattern: "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+){0,2}$",
    ..TEXT_LIKE
};

fn is_dbt_name(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    text.split('.').count() <= 3 && text.split('.').all(is_part)
}

pub(crate) static AGE: Text = Text {
    what: "a duration such as `24h`, or `off`",
    accepts: |text| crate::read::age(text).is_some(),
    pattern: "^([0-9]{1,9}(ms|s|m|h)|off)$",
    ..TEXT_LIKE
};

/// An address over HTTP with any path, which may be a secret itself.
pub(crate) static ANY_URL: Text = Text {
    what: "an address such as `https://example.com/path`",
    accepts: is_any_url,
    pattern: "^https?://[^/?#@\\s]+\\S*$",
    shown: Shown::Secret,
    ..TEXT_LIKE
};

pub(crate) static SMTP_URL: Text = Text {
    what: "the address of a mail server such as `smtps://mail.example.com:465`, without a user",
    accepts: |text| crate::alerts::SmtpSpec::parse(text).is_some(),
    pattern: "^smtps?://[A-Za-z0-9.-]+(:[0-9]+)?/?$",
    shown: Shown::Secret,
    ..TEXT_LIKE
};

pub(crate) static RUN_TIME: Text = Text {
    what: "a duration of at least a second, such as `30m` or `1h`",
    accepts: |text| crate::read::seconds(text).is_some(),
    pattern: "^[0-9]{1,9}(ms|s|m|h)$",
    ..TEXT_LIKE
};

pub(crate) static DAYS: Text = Text {
    what: "a number of days or weeks such as `90d` or `12w`",
    accepts: |text| crate::read::days(text).is_some(),
    pattern: "^[0-9]{1,5}[dw]$",
    ..TEXT_LIKE
};

pub(crate) static BYTES: Text = Text {
    what: "a size of at least `10MB`, such as `500MB` or `2GB`",
    accepts: |text| crate::read::bytes(text).is_some(),
    pattern: "^[0-9]{1,6}(MB|GB|TB|MiB|GiB)$",
    ..TEXT_LIKE
};

pub(crate) static MOMENT: Text = Text {
    what: "a date such as `2026-01-01`, or a moment with its zone such as `2026-01-01T09:00:00Z`",
    accepts: |text| crate::read::instant(text).is_some(),
    pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9:.]+([Zz]|[+-][0-9]{2}:[0-9]{2}))?$",
    ..TEXT_LIKE
};

/// What is wrong with a pattern is told when it is read, field by field.
pub(crate) static CRON: Text = Text {
    what: "a cron pattern such as `0 7 * * MON-FRI`",
    pattern: "^\\s*(@[A-Za-z]+|\\S+(\\s+\\S+){4})\\s*$",
    ..TEXT_LIKE
};

pub(crate) static ZONE: Text =
    Text { what: "a time zone such as `Europe/Berlin`", pattern: "^[A-Za-z][A-Za-z0-9_+/-]*$", ..TEXT_LIKE };

pub(crate) static INTERVAL: Text = Text {
    what: "an interval from `1m` to `31d`, such as `15m`, `6h` or `1d`",
    accepts: |text| coho_schedule::Every::parse(text).is_some(),
    pattern: "^[0-9]{1,5}[mhd]$",
    ..TEXT_LIKE
};

pub(crate) static RATE: Text = Text {
    what: "a rate from `1/min` to `100000000/min`",
    accepts: |text| crate::read::rate(text).is_some(),
    pattern: "^[0-9]{1,9}/min$",
    ..TEXT_LIKE
};

pub(crate) static AT_ONCE: Text = Text {
    what: "`auto` or a whole number from 1 to 1024",
    accepts: |text| AtOnce::parse(text).is_some(),
    pattern: "^(auto|[0-9]{1,4})$",
    numbers: Numbers::Taken,
    ..TEXT_LIKE
};

pub(crate) static SHARE: Text = Text {
    what: "a share such as `5%`",
    accepts: |text| crate::read::permille(text).is_some(),
    pattern: "^[0-9]{1,3}(\\.[0-9])?%$",
    ..TEXT_LIKE
};

pub(crate) static LIMIT: Text = Text {
    what: "a share such as `5%`, a number, or `off`",
    accepts: |text| crate::read::limit(text).is_some(),
    pattern: "^([0-9]{1,3}(\\.[0-9])?%|[0-9]{1,18}|off)$",
    numbers: Numbers::Taken,
    ..TEXT_LIKE
};

pub(crate) static HTTP_URL: Text = Text {
    what: "an address such as `http://127.0.0.1:7700`, without a path",
    accepts: is_http_url,
    pattern: "^https?://[^/?#@\\s]+/?$",
    shown: Shown::Secret,
    ..TEXT_LIKE
};

pub(crate) static SUBDOMAIN: Text = Text {
    what: "the part before `.vitally.io` in the address where you log in",
    accepts: is_subdomain,
    pattern: "^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$",
    ..TEXT_LIKE
};

pub(crate) static DELIMITER: Text = Text {
    what: "one character such as `;` that is not a letter, a digit or `\"`, or `tab`",
    accepts: |text| crate::read::delimiter(text).is_some(),
    pattern: "^(tab|[ !#-/:-@\\[-`{-~])$",
    ..TEXT_LIKE
};

pub(crate) static LOOKUP: Text = Text {
    what: "`organization.externalId` or `account.externalId`, or `.id` for Vitally's own ids",
    accepts: |text| crate::read::lookup(text).is_some(),
    pattern: "^(organization|account|user)\\.(externalId|id)$",
    ..TEXT_LIKE
};

pub(crate) static NAMES: Form = Form::Text(&NAME);
pub(crate) static TEXTS: Form = Form::Text(&TEXT);
pub(crate) static COLUMNS: Form = Form::Text(&COLUMN);

/// What stands between the parts of a text; white space may.
pub(crate) static SEPARATOR: Text = Text {
    what: "the separator between two ids, such as `,`",
    accepts: |text| !text.is_empty(),
    pattern: ".",
    ..TEXT_LIKE
};

/// What most texts have in common: anything but nothing.
const TEXT_LIKE: Text = Text {
    what: "a text",
    accepts: |text| !text.trim().is_empty(),
    pattern: "\\S",
    numbers: Numbers::Refused,
    shown: Shown::Shown,
};

/// Whether a text may be a name.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

fn is_http_url(text: &str) -> bool {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    host.map(|host| host.strip_suffix('/').unwrap_or(host)).is_some_and(|host| {
        !host.is_empty() && !host.contains(|c: char| "/?#@".contains(c) || c.is_whitespace())
    })
}

fn is_any_url(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && !host.contains('@') && !rest.contains(char::is_whitespace)
    })
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= 63
        && !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}
