//! `GET /resources/customFields`: the definitions of traits, a bare array, by label.

use serde_json::{Value, json};

use super::query::Query;
use super::{Granted, Refused, Turn};
use crate::traits::{CustomField, MODELS};

pub(crate) fn list(turn: &Turn<'_>, query: Option<&str>) -> Result<Granted, Refused> {
    let query = Query::read(query, &["model", "customObjectId"], turn.switches.unknown)?;
    let model = query.get("model");
    if let Some(model) = model.filter(|model| !MODELS.contains(model)) {
        return Err(Refused::bad(format!("model must be one of {}, not {model}", MODELS.join(", "))));
    }
    match (model, query.get("customObjectId")) {
        (Some("customObjects"), None) => return Err(Refused::bad("Required parameter: customObjectId")),
        (None, Some(_)) => return Err(Refused::bad("customObjectId needs model=customObjects")),
        (Some(other), Some(_)) if other != "customObjects" => {
            return Err(Refused::bad("customObjectId needs model=customObjects"));
        }
        (Some(_), Some(_)) | (Some(_) | None, None) => {}
    }
    let mut fields: Vec<&CustomField> = turn
        .store
        .definitions()
        .iter()
        .filter(|(of, _)| model.is_none_or(|model| model == *of))
        .map(|(_, field)| field)
        .collect();
    fields.sort_by(|a, b| (&a.label, &a.path).cmp(&(&b.label, &b.path)));
    Ok(Granted::ok(fields.into_iter().map(render).collect()))
}

fn render(field: &CustomField) -> Value {
    let mut form = json!({
        "id": field.id.to_string(),
        "createdAt": field.created_at.to_string(),
        "label": field.label,
        "path": field.path,
        "type": field.kind,
    });
    if !field.options.is_empty() {
        let options = field.options.iter().map(|(label, value)| json!({ "label": label, "value": value }));
        form["options"] = options.collect();
    }
    form
}
