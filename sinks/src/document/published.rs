//! The JSON Schema of a document's normal form, as it is published.

use serde_json::{Map, Value, json};

use super::history::EVENTS;
use super::profile::{FIELDS, Field, Holds, Profile};
use super::schema::EDITION;

/// JSON Schema (2020-12) of [`Document::to_json`](super::Document::to_json).
///
/// It says of fields and sections what the profiles want; that schemas compile, that History goes forward and
/// what labels mean it cannot say: [`read`](super::read) does.
pub fn published_schema() -> Value {
    let fields: Map<String, Value> = FIELDS
        .iter()
        .map(|field| (field.name.to_owned(), of_field(field)))
        .collect();
    json!({
        "$schema": EDITION,
        "$id": "urn:beluga:maml-document:1",
        "title": "MAML document, normal form",
        "type": "object",
        "properties": {
            "profile": { "enum": [Profile::Compact.name(), Profile::Guide.name()] },
            "front_matter": { "type": "object", "properties": fields },
            "title": { "type": "string" },
            "sections": { "type": "object", "additionalProperties": { "type": "string" } },
            "input_schema": { "type": ["object", "boolean"] },
            "output_schema": { "type": ["object", "boolean"] },
            "code_blocks": { "type": "array", "items": {
                "type": "object",
                "properties": { "info": { "type": "string" }, "text": { "type": "string" } },
                "required": ["info", "text"]
            } },
            "history": { "type": "array", "items": {
                "type": "object",
                "properties": {
                    "time": { "type": "string", "format": "date-time" },
                    "event": { "enum": EVENTS },
                    "text": { "type": "string" }
                },
                "required": ["time", "event", "text"]
            } }
        },
        "required": ["profile", "front_matter", "sections", "code_blocks", "history"],
        "allOf": [
            of_profile(Profile::Compact, json!({})),
            of_profile(Profile::Guide, json!({ "sections": { "required": ["Intent", "Context"] } })),
            {
                "if": {
                    "properties": {
                        "profile": { "const": Profile::Guide.name() },
                        "front_matter": { "properties": { "type": { "const": "api" } }, "required": ["type"] }
                    }
                },
                "then": { "properties": { "sections": { "required": ["Input_Schema"] } } }
            }
        ]
    })
}

fn of_profile(profile: Profile, mut properties: Value) -> Value {
    let required: Vec<&str> = FIELDS
        .iter()
        .filter(|field| field.required_by(profile))
        .map(|field| field.name)
        .collect();
    properties["front_matter"] = json!({ "required": required });
    json!({
        "if": { "properties": { "profile": { "const": profile.name() } } },
        "then": { "properties": properties }
    })
}

fn of_field(field: &Field) -> Value {
    match field.holds {
        Holds::Text => json!({ "type": "string" }),
        Holds::Time => json!({ "type": "string", "format": "date-time" }),
        Holds::Flag => json!({ "type": "boolean" }),
        Holds::Number => json!({ "type": "number" }),
        Holds::Map | Holds::Requires => json!({ "type": "object" }),
        Holds::Permissions => json!({
            "type": "object",
            "additionalProperties": { "type": "array", "items": { "type": "string" } }
        }),
        Holds::Schema | Holds::Anything => json!(true),
    }
}
