//! The paths that exist. Everything else is 404, as are other methods on paths that exist.

use super::Refused;
use super::query::decode;
use crate::record::RecordKind;

/// What a method and a path ask for. Ids are decoded once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    List { object: RecordKind },
    Members { parent: RecordKind, id: String, object: RecordKind },
    Search,
    CustomFields,
    Get { object: RecordKind, id: String },
    Create { object: RecordKind },
    Update { object: RecordKind, id: String },
    Delete { object: RecordKind, id: String },
}

pub(crate) fn read(method: &str, path: &str) -> Result<Route, Refused> {
    let rest = path.strip_prefix("/resources/").ok_or_else(Refused::not_found)?;
    let segments: Vec<String> = rest.split('/').map(segment).collect::<Result<_, _>>()?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (method, segments.as_slice()) {
        ("GET", ["customFields"]) => Ok(Route::CustomFields),
        ("GET", ["users", "search"]) => Ok(Route::Search),
        (_, [plural]) => whole(method, object(plural)?),
        (_, [plural, id]) => one(method, object(plural)?, (*id).to_owned()),
        ("GET", [parent, id, members]) => list_of(object(parent)?, (*id).to_owned(), object(members)?),
        _ => Err(Refused::not_found()),
    }
}

fn whole(method: &str, object: RecordKind) -> Result<Route, Refused> {
    match method {
        "GET" => Ok(Route::List { object }),
        "POST" => Ok(Route::Create { object }),
        _ => Err(Refused::not_found()),
    }
}

fn one(method: &str, object: RecordKind, id: String) -> Result<Route, Refused> {
    match method {
        "GET" => Ok(Route::Get { object, id }),
        "PUT" => Ok(Route::Update { object, id }),
        "DELETE" => Ok(Route::Delete { object, id }),
        _ => Err(Refused::not_found()),
    }
}

fn list_of(parent: RecordKind, id: String, object: RecordKind) -> Result<Route, Refused> {
    match (parent, object) {
        (RecordKind::Account | RecordKind::Organization, RecordKind::User)
        | (RecordKind::Organization, RecordKind::Account) => Ok(Route::Members { parent, id, object }),
        (RecordKind::User, _)
        | (RecordKind::Account, RecordKind::Account)
        | (_, RecordKind::Organization) => Err(Refused::not_found()),
    }
}

fn object(plural: &str) -> Result<RecordKind, Refused> {
    RecordKind::from_plural(plural).ok_or_else(Refused::not_found)
}

fn segment(text: &str) -> Result<String, Refused> {
    match decode(text) {
        Some(decoded) if decoded.is_empty() => Err(Refused::not_found()),
        Some(decoded) => Ok(decoded),
        None => Err(Refused::bad("Failed to decode the path")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_decoded_once() {
        let route = read("GET", "/resources/accounts/a%252Fb%20%C3%A4").unwrap();
        assert_eq!(route, Route::Get { object: RecordKind::Account, id: "a%2Fb ä".to_owned() });
    }

    #[test]
    fn undocumented_paths_and_methods_do_not_exist() {
        for (method, path) in [
            ("PATCH", "/resources/accounts/a"),
            ("PUT", "/resources/accounts"),
            ("POST", "/resources/accounts/a"),
            ("GET", "/resources/accounts/external/a"),
            ("PUT", "/resources/accounts/external/a/traits"),
            ("POST", "/resources/accounts/a/notes"),
            ("GET", "/resources/users/u/accounts"),
            ("GET", "/resources/accounts/a/accounts"),
            ("POST", "/resources/customFields"),
            ("GET", "/resources/search"),
            ("GET", "/resources/segments"),
            ("GET", "/resources/events"),
            ("GET", "/resources/accounts/"),
            ("GET", "/v1/resources/accounts"),
            ("GET", "/"),
        ] {
            assert_eq!(read(method, path), Err(Refused::not_found()), "{method} {path}");
        }
    }

    #[test]
    fn a_broken_escape_is_refused() {
        assert_eq!(read("GET", "/resources/accounts/%zz").unwrap_err().status, 400);
        assert_eq!(read("GET", "/resources/accounts/%ff").unwrap_err().status, 400);
    }
}
