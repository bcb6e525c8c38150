//! Output_Schema against the columns that frames have.
//!
//! A frame is described as `{"frame": [row], "points": [row, ...], "arcs": [row, ...]}`. The schema is held against one
//! with a row in each table and a value of its type in each column, before anything is fused: names and types are
//! known then, sizes and values are not, and nothing is said of them.

use beluga_sinks::arrow::{Column, tables};
use beluga_sinks::document::violations_of_form;
use serde_json::{Map, Value, json};

/// What the schema wants and frames have not. What it names that no frame has is told too: such a schema was
/// written for something else.
pub(crate) fn unmet(schema: Option<&Value>) -> Vec<String> {
    let Some(schema) = schema else {
        return Vec::new();
    };
    let tables = tables();
    let mut unmet = Vec::new();
    for (name, table) in properties(schema) {
        match tables.iter().find(|(known, _)| known == name) {
            None => unmet.push(format!(
                "Output_Schema names `{name}`: a frame has frame, points, arcs"
            )),
            Some((_, columns)) => {
                let is_column = |name: &str| columns.iter().any(|column| column.name == name);
                let others = properties(&table["items"]).filter(|(column, _)| !is_column(column));
                unmet.extend(
                    others.map(|(column, _)| format!("Output_Schema: `{name}` has no column `{column}`")),
                );
            }
        }
    }
    unmet.extend(
        violations_of_form(schema, &frame(&tables))
            .into_iter()
            .map(|said| format!("Output_Schema: {said}")),
    );
    unmet
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let named = schema.get("properties").and_then(Value::as_object);
    named.into_iter().flatten()
}

/// A frame as a schema sees it.
fn frame(tables: &[(&str, Vec<Column>)]) -> Value {
    let row = |columns: &[Column]| -> Map<String, Value> {
        let cell = |column: &Column| (column.name.clone(), specimen(column.json_type));
        columns.iter().map(cell).collect()
    };
    let table = |(name, columns): &(&str, Vec<Column>)| ((*name).to_owned(), json!([row(columns)]));
    tables.iter().map(table).collect::<Map<_, _>>().into()
}

/// A value of a type.
fn specimen(json_type: &str) -> Value {
    match json_type {
        "integer" => json!(1),
        "number" => json!(0.5),
        "boolean" => json!(true),
        "array" => json!([]),
        "object" => json!({}),
        _ => json!(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_are_those_of_frames() {
        let check = |schema: Value, expected: &[&str]| {
            let unmet = unmet(Some(&schema));
            assert_eq!(unmet.len(), expected.len(), "{schema}: {unmet:?}");
            for (found, expected) in unmet.iter().zip(expected) {
                assert!(found.contains(expected), "{found}");
            }
        };
        check(beluga_sinks::maml::DocumentFields::default().output_schema, &[]);
        let points = |rows: Value| json!({"properties": {"points": {"type": "array", "items": rows}}});
        check(points(json!({"required": ["x", "y", "z", "sigma_range_m"]})), &[]);
        check(
            points(json!({"properties": {"x": {"type": "number"}, "sensor": {"type": ["integer", "null"]}}})),
            &[],
        );
        check(points(json!({"properties": {"sensor": {"type": "number"}}})), &[]);
        check(
            points(json!({"required": ["colour"]})),
            &["/points/0: \"colour\" is a required property"],
        );
        check(
            points(json!({"properties": {"colour": {"type": "string"}}})),
            &["`points` has no column `colour`"],
        );
        check(
            points(json!({"properties": {"x": {"type": "string"}}})),
            &["/points/0/x: 0.5 is not of type \"string\""],
        );
        check(
            json!({"properties": {"report": {"type": "string"}}}),
            &["names `report`"],
        );
        check(
            json!({"properties": {"arcs": {"type": "object"}}}),
            &["/arcs: value is not of type \"object\""],
        );
        // However a schema is written, it is held against what frames have.
        check(json!({"type": "string"}), &["not of type \"string\""]);
        check(
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"required": ["report"]}}}),
            &["\"report\" is a required property"],
        );
        check(points(json!(false)), &["/points/0: False schema"]);
        check(
            points(json!({"properties": {"x": {}}, "additionalProperties": false})),
            &["/points/0: Additional properties are not allowed"],
        );
        check(
            points(json!({"properties": {"z": {"const": "deep"}}})),
            &["/points/0/z"],
        );
        // Of sizes and values nothing is known yet.
        check(
            json!({"properties": {"points": {"minItems": 100, "items": {"properties": {"z": {"maximum": -2, "multipleOf": 3}, "label": {"enum": [7, 8]}}}}}}),
            &[],
        );
    }
}
