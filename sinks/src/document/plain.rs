//! Schemas that are seen to be ones without compiling them, as most are.

use serde_json::{Map, Value};

use super::schema::EDITION;

/// The types of JSON Schema.
const TYPES: [&str; 7] = [
    "null", "boolean", "object", "array", "number", "string", "integer",
];
/// More names are left to the compiler, which finds those that stand twice faster.
const MOST_REQUIRED: usize = 64;

/// Whether a schema holds only keywords whose values say by themselves that it is valid in the edition that
/// is read here: types, properties, items, limits, words. Of all others, references and patterns among
/// them, nothing is said: they are to be compiled.
pub(super) fn is_plain(schema: &Value) -> bool {
    match schema {
        Value::Bool(_) => true,
        Value::Object(map) => map.iter().all(|(keyword, value)| holds(keyword, value)),
        _ => false,
    }
}

fn holds(keyword: &str, value: &Value) -> bool {
    match keyword {
        "type" => value.as_str().is_some_and(|name| TYPES.contains(&name)),
        "properties" => value.as_object().is_some_and(all_plain),
        "items" | "additionalProperties" => is_plain(value),
        "required" => value.as_array().is_some_and(|names| are_names(names)),
        "title" | "description" | "$comment" => value.is_string(),
        // The others say what a text must look like, which the compiler may want to look at.
        "format" => value == "date-time",
        "minimum" | "maximum" => value.is_number(),
        "minItems" | "maxItems" | "minLength" | "maxLength" => value.is_u64(),
        "$schema" => value == EDITION,
        _ => false,
    }
}

fn all_plain(map: &Map<String, Value>) -> bool {
    map.values().all(is_plain)
}

/// Texts of which none stands twice.
fn are_names(names: &[Value]) -> bool {
    let is_new = |(index, name): (usize, &Value)| name.is_string() && !names[..index].contains(name);
    names.len() <= MOST_REQUIRED && names.iter().enumerate().all(is_new)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;
    use serde_json::json;

    use super::super::schema::compile;
    use super::*;

    #[test]
    fn usual_schemas_are_plain_and_others_are_left_to_the_compiler() {
        for plain in [
            json!({"type": "object", "properties": {"lidar": {"type": "array", "minItems": 1, "items": {"type": "object"}}}, "required": ["lidar"]}),
            json!({"$schema": EDITION, "additionalProperties": false, "title": "a", "maximum": -1.5}),
            json!({"properties": {"at": {"type": "string", "format": "date-time"}, "any": true}}),
            json!({}),
        ] {
            assert!(is_plain(&plain) && compile(&plain).is_ok(), "{plain}");
        }
        for other in [
            json!({"type": "float"}),
            json!({"type": ["string", "null"]}),
            json!({"$ref": "#/$defs/a"}),
            json!({"pattern": "a"}),
            json!({"required": ["a", "a"]}),
            json!({"minItems": -1}),
            json!({"properties": {"a": 1}}),
            json!({"$schema": "https://json-schema.org/draft-07/schema"}),
            json!([]),
        ] {
            assert!(!is_plain(&other), "{other}");
        }
    }

    /// Keywords with values that fit and values that do not.
    fn schemas() -> impl Strategy<Value = Value> {
        let word = prop::sample::select(vec![
            json!("string"),
            json!("float"),
            json!("date-time"),
            json!(EDITION),
            json!(1),
            json!(-1),
            json!(2.0),
            json!(1.5),
            json!(true),
            json!(null),
            json!(["a", "b"]),
            json!(["a", "a"]),
            json!(["integer"]),
            json!([]),
            json!({}),
        ]);
        let keyword = prop::sample::select(vec![
            "type",
            "properties",
            "items",
            "additionalProperties",
            "required",
            "title",
            "description",
            "$comment",
            "format",
            "minimum",
            "maximum",
            "minItems",
            "maxItems",
            "minLength",
            "maxLength",
            "$schema",
            "$ref",
            "$id",
            "pattern",
            "enum",
            "a",
        ]);
        word.prop_recursive(4, 24, 4, move |inner| {
            prop::collection::vec((keyword.clone(), inner), 0..4).prop_map(|members| {
                members
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect::<Map<_, _>>()
                    .into()
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_plain_compiles(schema in schemas()) {
            prop_assert!(!is_plain(&schema) || compile(&schema).is_ok(), "{}", schema);
        }
    }
}
