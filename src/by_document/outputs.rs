//! Output_Schema against the columns that frames have.
//!
//! A frame is described as `{"frame": [row], "points": [row, ...], "arcs": [row, ...]}`. Checked are the names and
//! the types of columns, before anything is fused: a schema that wants a column frames do not have is not met.

use beluga_sinks::arrow::{Column, tables};
use serde_json::Value;

/// What the schema wants and frames have not.
pub(crate) fn unmet(schema: Option<&Value>) -> Vec<String> {
    let mut unmet = Vec::new();
    let Some(schema) = schema else {
        return unmet;
    };
    let tables = tables();
    for name in wanted(schema) {
        let Some((_, columns)) = tables.iter().find(|(table, _)| *table == name) else {
            unmet.push(format!(
                "Output_Schema names `{name}`: a frame has frame, points, arcs"
            ));
            continue;
        };
        let table = &schema["properties"][name];
        if !is_type(table, "array") {
            unmet.push(format!("Output_Schema: `{name}` is an array"));
        }
        let rows = &table["items"];
        for column in wanted(rows) {
            match columns.iter().find(|found| found.name == column) {
                None => unmet.push(format!("Output_Schema: `{name}` has no column `{column}`")),
                Some(found) if !fits(found, &rows["properties"][column]) => unmet.push(format!(
                    "Output_Schema: `{name}.{column}` is {}, expected {}",
                    found.json_type, rows["properties"][column]["type"]
                )),
                Some(_) => {}
            }
        }
    }
    unmet
}

/// Names under `properties` and `required`, each once.
fn wanted(schema: &Value) -> Vec<&str> {
    let named = schema.get("properties").and_then(Value::as_object);
    let required = schema.get("required").and_then(Value::as_array);
    let mut names: Vec<&str> = named
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    names.extend(required.into_iter().flatten().filter_map(Value::as_str));
    names.sort_unstable();
    names.dedup();
    names
}

fn fits(column: &Column, schema: &Value) -> bool {
    is_type(schema, column.json_type) || (column.json_type == "integer" && is_type(schema, "number"))
}

/// Whether a schema allows this type, as far as it says.
fn is_type(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        None => true,
        Some(Value::Array(types)) => types.iter().any(|one| one == name),
        Some(one) => one == name,
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
            &["`points` has no column `colour`"],
        );
        check(
            points(json!({"properties": {"x": {"type": "string"}}})),
            &["`points.x` is number"],
        );
        check(
            json!({"properties": {"report": {"type": "string"}}}),
            &["names `report`"],
        );
        check(
            json!({"properties": {"arcs": {"type": "object"}}}),
            &["`arcs` is an array"],
        );
    }
}
