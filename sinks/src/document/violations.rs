//! Values held against a schema.

use jsonschema::ValidationError;
use serde_json::Value;

use super::budget::Budget;
use super::findings::bounded;
use super::schema::compile;

/// Longest that is told of one with the value that is wrong, in bytes.
const MAX_TEXT: usize = 200;
/// Most violations that are told of one schema.
const MAX_VIOLATIONS: usize = 100;

/// What in `instance` a schema does not allow, each with its place.
///
/// A schema that costs more than one of a document may is not evaluated, and that is said.
pub fn violations(schema: &Value, instance: &Value) -> Vec<String> {
    found(schema, instance, |_| true)
}

/// As [`violations`], where only names and types of `instance` are known: what a schema says of sizes, lengths
/// and values is not looked at, except where it decides between schemas (`anyOf`, `not`).
pub fn violations_of_form(schema: &Value, instance: &Value) -> Vec<String> {
    found(schema, instance, is_of_form)
}

/// The first of them, each with its place; strangers' words in them are kept short.
fn found(schema: &Value, instance: &Value, counts: fn(&ValidationError<'_>) -> bool) -> Vec<String> {
    let validator = match Budget::default().take(schema).and_then(|()| compile(schema)) {
        Ok(validator) => validator,
        Err(change) => return vec![format!("no schema: {}", change.message)],
    };
    let said = |error: ValidationError<'_>| {
        let text = error.to_string();
        // What is wrong stands behind the value that is.
        let text = match text.len() > MAX_TEXT {
            true => error.masked().to_string(),
            false => text,
        };
        match error.instance_path().as_str() {
            "" => bounded(text),
            place => bounded(format!("{place}: {text}")),
        }
    };
    let errors = validator.iter_errors(instance).filter(counts);
    errors.take(MAX_VIOLATIONS).map(said).collect()
}

/// Whether what is wrong is wrong whatever the values are.
fn is_of_form(error: &ValidationError<'_>) -> bool {
    use jsonschema::error::ValidationErrorKind as Wrong;
    match error.kind() {
        Wrong::Constant { expected_value } => !are_alike(expected_value, error.instance()),
        Wrong::Enum { options } => {
            let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
            !options.iter().any(|option| are_alike(option, error.instance()))
        }
        Wrong::ExclusiveMaximum { .. }
        | Wrong::ExclusiveMinimum { .. }
        | Wrong::Format { .. }
        | Wrong::MaxItems { .. }
        | Wrong::Maximum { .. }
        | Wrong::MaxLength { .. }
        | Wrong::MinItems { .. }
        | Wrong::Minimum { .. }
        | Wrong::MinLength { .. }
        | Wrong::MultipleOf { .. }
        | Wrong::Pattern { .. }
        | Wrong::UniqueItems => false,
        _ => true,
    }
}

/// Whether two values are of the same type.
fn are_alike(one: &Value, other: &Value) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    #[test]
    fn what_a_schema_does_not_allow_is_told_and_one_that_costs_too_much_is_not_evaluated() {
        let instance = json!({"rows": [{"x": 1.5, "name": "a"}]});
        let rows = |row: Value| json!({"properties": {"rows": {"items": row, "minItems": 2}}});
        assert_eq!(violations(&rows(json!(true)), &instance).len(), 1);
        assert!(
            violations_of_form(
                &rows(json!({"properties": {"x": {"minimum": 2, "enum": [3]}}})),
                &instance
            )
            .is_empty()
        );
        for row in [
            json!(false),
            json!({"required": ["y"]}),
            json!({"additionalProperties": false}),
            json!({"properties": {"x": {"const": "a"}}}),
            json!({"properties": {"x": {"enum": ["a", null]}}}),
        ] {
            let said = violations_of_form(&rows(row.clone()), &instance);
            assert!(
                said.len() == 1 && said[0].starts_with("/rows/0"),
                "{row}: {said:?}"
            );
        }
        let mut defs: Map<String, Value> = (0..24)
            .map(|i| {
                (
                    format!("a{i}"),
                    json!({"anyOf": vec![json!({"$ref": format!("#/$defs/a{}", i + 1)}); 4]}),
                )
            })
            .collect();
        defs.insert("a24".into(), json!(false));
        let said = violations(&json!({"$defs": defs, "$ref": "#/$defs/a0"}), &instance);
        assert!(said.len() == 1 && said[0].starts_with("no schema: "), "{said:?}");
    }
}
