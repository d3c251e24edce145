//! JSON Schema of each kind of file, for editors that complete and check YAML. Written out from [`crate::keys`].

use std::collections::BTreeMap;

use coho_core::json::Json;
use coho_core::object::Object;
use serde_json::{Map, json};

use crate::keys::model::MODEL;
use crate::keys::project::PROJECT;
use crate::keys::sync::SYNC;
use crate::keys::test::TEST;
use crate::keys::{Choice, Form, Key, Need, Numbers, Others, Shape, Text};

/// A kind of file that has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaKind {
    /// `coho.yaml`.
    Project,
    /// `models/*.yaml`.
    Model,
    /// `syncs/*.yaml`.
    Sync,
    /// `tests/*.yaml`.
    Test,
}

impl SchemaKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Project, Self::Model, Self::Sync, Self::Test];

    /// The kind's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Model => "model",
            Self::Sync => "sync",
            Self::Test => "test",
        }
    }

    fn shape(self) -> &'static Shape {
        match self {
            Self::Project => &PROJECT,
            Self::Model => &MODEL,
            Self::Sync => &SYNC,
            Self::Test => &TEST,
        }
    }
}

/// The schema of a kind of file, of draft 2020-12.
///
/// ```
/// use coho_project::{SchemaKind, schema};
///
/// let sync = schema(SchemaKind::Sync);
/// assert_eq!(sync["properties"]["mode"]["enum"][0], "upsert");
/// ```
pub fn schema(kind: SchemaKind) -> Json {
    let mut writer = Writer { references: References::of(kind), definitions: BTreeMap::new() };
    let mut root = writer.shape(kind.shape());
    let head = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.shape().name,
    });
    if let (Json::Object(root), Json::Object(mut head)) = (&mut root, head) {
        head.append(root);
        let definitions: Map<String, Json> = writer
            .definitions
            .into_iter()
            .filter_map(|(name, definition)| definition.map(|definition| (name, definition)))
            .collect();
        head.insert("$defs".to_owned(), Json::Object(definitions));
        return Json::Object(head);
    }
    root
}

/// Whether `${NAME}` may stand in place of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum References {
    Resolved,
    None,
}

impl References {
    fn of(kind: SchemaKind) -> Self {
        match kind {
            SchemaKind::Project => Self::Resolved,
            SchemaKind::Model | SchemaKind::Sync | SchemaKind::Test => Self::None,
        }
    }
}

struct Writer {
    references: References,
    /// Definitions by name; `None` while one is being written, since shapes refer to themselves.
    definitions: BTreeMap<String, Option<Json>>,
}

impl Writer {
    fn shape(&mut self, shape: &'static Shape) -> Json {
        let mut properties = Map::new();
        if shape.name == "fields" {
            self.catalog(shape, &mut properties);
        }
        for key in shape.keys {
            properties.insert(key.name.to_owned(), self.key(key));
        }
        let mut object = Map::new();
        object.insert("type".to_owned(), json!("object"));
        if !shape.about.is_empty() {
            object.insert("description".to_owned(), json!(shape.about));
        }
        object.insert("properties".to_owned(), Json::Object(properties));
        self.others(shape.others.as_ref(), &mut object);
        constraints(shape, &mut object);
        Json::Object(object)
    }

    fn others(&mut self, others: Option<&'static Others>, object: &mut Map<String, Json>) {
        let rest = others.map_or(json!(false), |others| self.form(others.form));
        object.insert("additionalProperties".to_owned(), rest);
        if let Some(text) = others.and_then(|others| others.key) {
            object.insert("propertyNames".to_owned(), json!({ "pattern": text.pattern }));
        }
    }

    /// The fields of all objects, so that editors can complete them.
    fn catalog(&mut self, shape: &'static Shape, properties: &mut Map<String, Json>) {
        let Some(others) = &shape.others else { return };
        for object in Object::ALL {
            for field in object.catalog().fields.iter().filter(|field| field.name != "externalId") {
                let form = self.form(others.form);
                properties.entry(field.name).or_insert(form);
            }
        }
        properties.insert("externalId".to_owned(), json!({ "not": {}, "description": "Set by `match`." }));
    }

    fn key(&mut self, key: &'static Key) -> Json {
        let description = match (key.need, key.default) {
            (Need::Later(help), _) => format!("Comes with a later version; {help}. {}", key.meaning),
            (Need::Must | Need::May | Need::With(_) | Need::Where(_), "") => key.meaning.to_owned(),
            (Need::Must | Need::May | Need::With(_) | Need::Where(_), default) => {
                format!("{} Default: {default}.", key.meaning)
            }
        };
        let mut schema = match key.need {
            Need::Later(_) => json!({ "not": {} }),
            Need::Must | Need::May | Need::With(_) | Need::Where(_) => self.form(key.form),
        };
        if let Json::Object(schema) = &mut schema {
            schema.insert("description".to_owned(), json!(description));
        }
        schema
    }

    fn form(&mut self, form: &'static Form) -> Json {
        match form {
            Form::Text(text) => self.or_reference(text_schema(text)),
            Form::Choice(Choice { now, .. }) => self.or_reference(json!({ "enum": now })),
            Form::Flag => self.or_reference(json!({ "type": "boolean" })),
            Form::Count { least, most } => {
                self.or_reference(json!({ "type": "integer", "minimum": least, "maximum": most }))
            }
            Form::Null => json!({ "type": "null" }),
            Form::Anything => json!({}),
            Form::List(item) => json!({ "type": "array", "minItems": 1, "items": self.form(item) }),
            Form::Map(shape) => self.definition(shape),
            Form::Typed(typed) => {
                let shapes: Vec<Json> = typed.types.iter().map(|(_, shape)| self.definition(shape)).collect();
                json!({ "oneOf": shapes })
            }
            Form::Either(forms) => {
                let forms: Vec<Json> = forms.iter().map(|form| self.form(form)).collect();
                json!({ "anyOf": forms })
            }
        }
    }

    fn or_reference(&self, schema: Json) -> Json {
        match self.references {
            References::None => schema,
            References::Resolved => {
                json!({ "anyOf": [schema, { "type": "string", "pattern": "\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}" }] })
            }
        }
    }

    fn definition(&mut self, shape: &'static Shape) -> Json {
        let name = shape.name.replace(' ', "-");
        if !self.definitions.contains_key(&name) {
            self.definitions.insert(name.clone(), None);
            let written = self.shape(shape);
            self.definitions.insert(name.clone(), Some(written));
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }
}

fn text_schema(text: &Text) -> Json {
    match text.numbers {
        Numbers::Refused => json!({ "type": "string", "pattern": text.pattern }),
        Numbers::Taken => json!({ "type": ["string", "integer"], "pattern": text.pattern }),
    }
}

/// What must be there, what goes with what, and what excludes what.
fn constraints(shape: &Shape, object: &mut Map<String, Json>) {
    let required: Vec<&str> =
        shape.keys.iter().filter(|key| key.need == Need::Must).map(|key| key.name).collect();
    if !required.is_empty() {
        object.insert("required".to_owned(), json!(required));
    }
    let mut with = Map::new();
    for key in shape.keys {
        if let Need::With(other) = key.need {
            with.insert(key.name.to_owned(), json!([other]));
        }
    }
    if !with.is_empty() {
        object.insert("dependentRequired".to_owned(), Json::Object(with));
    }
    let needed: Vec<Json> = shape.keys.iter().filter_map(needed).collect();
    if !needed.is_empty() {
        object.insert("allOf".to_owned(), Json::Array(needed));
    }
    if !shape.one_of.is_empty() {
        let one: Vec<Json> = shape.one_of.iter().map(|name| json!({ "required": [name] })).collect();
        object.insert("oneOf".to_owned(), Json::Array(one));
    }
}

/// That a key must be there where another one has one of some words.
fn needed(key: &Key) -> Option<Json> {
    let Need::Where(holds) = key.need else { return None };
    Some(json!({
        "if": { "properties": { (holds.key): { "enum": holds.words } }, "required": [holds.key] },
        "then": { "required": [key.name] },
    }))
}

#[cfg(test)]
mod tests;
