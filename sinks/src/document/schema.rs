//! Input_Schema and Output_Schema: JSON Schemas as they are meant, and whether they are ones.

use jsonschema::PatternOptions;
use serde_json::{Map, Value, json};

use super::finding::{Rule, step};
use super::rules::{BARE_MAP, FORMAT_NAME, REMOTE, SCHEMA_INVALID, TYPE_NAME};

/// Largest compiled pattern, in bytes: patterns run on an engine without backtracking, in linear time.
const MAX_PATTERN: usize = 1 << 18;
/// The edition that a schema is of if it names none.
pub(super) const EDITION: &str = "https://json-schema.org/draft/2020-12/schema";

/// A place where a schema was not read as it is written.
#[derive(Debug, PartialEq)]
pub(super) struct Change {
    pub(super) rule: &'static Rule,
    /// Inside the schema as it is written.
    pub(super) pointer: String,
    pub(super) message: String,
}

/// Where a part of a schema stands: written out only where something is said of it.
#[derive(Clone, Copy)]
enum At<'a> {
    Root,
    Key(&'a At<'a>, &'a str),
    Item(&'a At<'a>, usize),
}

impl At<'_> {
    /// As a pointer (RFC 6901).
    fn pointer(&self) -> String {
        match self {
            At::Root => String::new(),
            At::Key(above, key) => step(&above.pointer(), key),
            At::Item(above, index) => format!("{}/{index}", above.pointer()),
        }
    }
}

/// The schema that is meant, and what was changed to get there.
pub(super) fn normal(written: &Value) -> (Value, Vec<Change>) {
    let mut changes = Vec::new();
    let meant = match written {
        Value::Object(map) if is_bare(map) => {
            changes.push(Change {
                rule: &BARE_MAP,
                pointer: String::new(),
                message: "a map of properties is read as the schema of an object".into(),
            });
            json!({ "type": "object", "properties": each(map, &At::Root, &mut changes) })
        }
        other => schema(other, &At::Root, &mut changes),
    };
    (meant, changes)
}

/// Compiles a schema.
///
/// # Errors
/// The rule it breaks, where, and how.
pub(super) fn compile(schema: &Value) -> Result<jsonschema::Validator, Change> {
    if let Some((pointer, target)) = remote(schema, &At::Root) {
        let message = format!("`{target}` lies outside of the schema");
        return Err(Change {
            rule: &REMOTE,
            pointer,
            message,
        });
    }
    jsonschema::options()
        .offline()
        .with_pattern_options(
            PatternOptions::regex()
                .size_limit(MAX_PATTERN)
                .dfa_size_limit(MAX_PATTERN),
        )
        .build(schema)
        .map_err(|error| Change {
            rule: &SCHEMA_INVALID,
            pointer: error.instance_path().as_str().to_owned(),
            message: error.to_string(),
        })
}

/// Keywords that a schema has and a map of properties has not, unless its properties are called so.
fn is_bare(map: &Map<String, Value>) -> bool {
    let is_keyword = |(key, value): (&String, &Value)| match key.as_str() {
        "type" => value.is_string() || value.is_array(),
        "$schema" | "$id" | "$ref" | "title" | "description" | "format" | "pattern" => value.is_string(),
        "required" | "enum" | "anyOf" | "oneOf" | "allOf" | "prefixItems" => value.is_array(),
        "properties" | "patternProperties" | "$defs" | "definitions" => value.is_object(),
        "items" | "additionalProperties" | "not" | "if" => value.is_object() || value.is_boolean(),
        "const" | "minimum" | "maximum" | "minItems" | "maxItems" | "minLength" | "maxLength" => {
            !value.is_object()
        }
        _ => false,
    };
    !map.is_empty()
        && !map.iter().any(is_keyword)
        && map.values().all(|value| value.is_object() || value.is_string())
}

/// What a type of another language is in JSON Schema.
fn type_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "float" | "double" | "decimal" => "number",
        "int" => "integer",
        "str" | "text" => "string",
        "bool" => "boolean",
        "list" => "array",
        "dict" | "map" => "object",
        _ => return None,
    })
}

fn schema(written: &Value, at: &At<'_>, changes: &mut Vec<Change>) -> Value {
    let map = match written {
        Value::Object(map) => map,
        // A name alone, as in `data: list`.
        Value::String(name) => {
            let meant = named(name, at, changes);
            return json!({ "type": meant });
        }
        other => return other.clone(),
    };
    let mut meant = Map::new();
    for (key, value) in map {
        let at = &At::Key(at, key);
        let value = match (key.as_str(), value) {
            ("type", Value::String(name)) => named(name, at, changes),
            ("format", Value::String(name)) if name == "datetime" => {
                let message = "the format `datetime` is read as `date-time`".into();
                changes.push(Change {
                    rule: &FORMAT_NAME,
                    pointer: at.pointer(),
                    message,
                });
                "date-time".into()
            }
            (
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas",
                Value::Object(map),
            ) => each(map, at, changes),
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(list)) => {
                let part = |(index, part)| schema(part, &At::Item(at, index), changes);
                list.iter().enumerate().map(part).collect()
            }
            (
                "items"
                | "additionalProperties"
                | "not"
                | "if"
                | "then"
                | "else"
                | "contains"
                | "propertyNames"
                | "unevaluatedItems"
                | "unevaluatedProperties",
                Value::Object(_),
            ) => schema(value, at, changes),
            _ => value.clone(),
        };
        meant.insert(key.clone(), value);
    }
    meant.into()
}

fn each(map: &Map<String, Value>, at: &At<'_>, changes: &mut Vec<Change>) -> Value {
    map.iter()
        .map(|(name, value)| (name.clone(), schema(value, &At::Key(at, name), changes)))
        .collect::<Map<_, _>>()
        .into()
}

fn named(name: &str, at: &At<'_>, changes: &mut Vec<Change>) -> Value {
    let Some(meant) = type_name(name) else {
        return name.into();
    };
    changes.push(Change {
        rule: &TYPE_NAME,
        pointer: at.pointer(),
        message: format!("the type `{name}` is read as `{meant}`"),
    });
    meant.into()
}

/// The first reference that leads out of the schema.
fn remote<'v>(value: &'v Value, at: &At<'_>) -> Option<(String, &'v str)> {
    match value {
        Value::Object(map) => map.iter().find_map(|(key, value)| {
            let at = &At::Key(at, key);
            match (key.as_str(), value) {
                ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(target))
                    if !target.starts_with('#') =>
                {
                    Some((at.pointer(), target.as_str()))
                }
                ("const" | "enum" | "default" | "examples", _) => None,
                _ => remote(value, at),
            }
        }),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .find_map(|(index, value)| remote(value, &At::Item(at, index))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_accepts_what_it_should_and_refuses_the_rest() {
        let written = json!({
            "ranges": {"type": "array", "items": {"type": "float"}},
            "at": {"type": "string", "format": "datetime"},
            "type": {"type": "str"}
        });
        let (meant, changes) = normal(&written);
        assert_eq!(
            meant,
            json!({"type": "object", "properties": {
                "ranges": {"type": "array", "items": {"type": "number"}},
                "at": {"type": "string", "format": "date-time"},
                "type": {"type": "string"}
            }})
        );
        let rules: Vec<_> = changes
            .iter()
            .map(|c| (c.rule.code, c.pointer.as_str()))
            .collect();
        assert_eq!(
            rules,
            [
                ("M0305", ""),
                ("M0304", "/at/format"),
                ("M0303", "/ranges/items/type"),
                ("M0303", "/type/type")
            ]
        );
        let validator = compile(&meant).unwrap();
        assert!(validator.is_valid(&json!({"ranges": [1, 2.5]})));
        assert!(!validator.is_valid(&json!({"ranges": ["far"]})));
        assert!(!validator.is_valid(&json!(42)));
    }

    #[test]
    fn a_schema_is_left_as_it_is() {
        for written in [
            json!({"type": "object", "properties": {"format": {"const": "datetime"}}}),
            json!({"$defs": {"a": {"type": "integer"}}, "$ref": "#/$defs/a"}),
            json!({"enum": [{"type": "float"}]}),
            json!({}),
            json!(true),
        ] {
            assert_eq!(normal(&written), (written.clone(), vec![]));
            compile(&written).unwrap();
        }
    }

    #[test]
    fn what_is_no_schema_or_leads_out_is_refused() {
        for (schema, code, pointer) in [
            (json!({"type": "tensor"}), "M0306", "/type"),
            (
                json!({"properties": {"a": {"minimum": "low"}}}),
                "M0306",
                "/properties/a/minimum",
            ),
            (json!({"pattern": "(?=ahead)"}), "M0306", ""),
            (json!({"pattern": "(((a{99}){99}){99}){99}"}), "M0306", ""),
            (
                json!({"items": {"$ref": "https://example.org/a.json"}}),
                "M0307",
                "/items/$ref",
            ),
            (json!({"$ref": "file:///etc/passwd"}), "M0307", "/$ref"),
            (json!({"$schema": "https://example.org/other"}), "M0306", ""),
            (json!({"$ref": "#/$defs/missing"}), "M0306", ""),
        ] {
            let change = compile(&schema).unwrap_err();
            assert_eq!(change.rule.code, code, "{schema}: {}", change.message);
            if !pointer.is_empty() {
                assert_eq!(change.pointer, pointer, "{schema}");
            }
        }
    }

    #[test]
    fn a_pattern_made_to_hang_does_not() {
        let validator = compile(&json!({"pattern": "^(a+)+$"})).unwrap();
        assert!(!validator.is_valid(&json!(format!("{}b", "a".repeat(100_000)))));
    }
}
