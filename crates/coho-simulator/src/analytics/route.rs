//! The paths that exist, all of them for POST alone.

use crate::message::MessageType;
use crate::rest::Refused;

/// What stands before each path.
pub(crate) const PREFIX: &str = "/analytics/";

/// What a path takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    /// One message of that type.
    Single(MessageType),
    /// An array of messages.
    Batch,
}

pub(crate) fn read(method: &str, path: &str) -> Result<Path, Refused> {
    let name = path.strip_prefix("/analytics/v1/").ok_or_else(Refused::not_found)?;
    let found = match name {
        "batch" => Path::Batch,
        name => MessageType::from_name(name).map(Path::Single).ok_or_else(Refused::not_found)?,
    };
    if method == "POST" {
        Ok(found)
    } else {
        Err(Refused { status: 405, ..Refused::bad("Method Not Allowed") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_paths_exist_and_their_plurals_do_not() {
        assert_eq!(read("POST", "/analytics/v1/batch"), Ok(Path::Batch));
        for kind in MessageType::ALL {
            let path = format!("/analytics/v1/{}", kind.name());
            assert_eq!(read("POST", &path), Ok(Path::Single(kind)));
            assert_eq!(read("POST", &format!("{path}s")), Err(Refused::not_found()));
            assert_eq!(read("GET", &path).unwrap_err().status, 405);
        }
        for path in ["/analytics/v1/identify", "/analytics/v1/user/", "/analytics/v2/user", "/analytics/user"]
        {
            assert_eq!(read("POST", path), Err(Refused::not_found()), "{path}");
        }
    }
}
