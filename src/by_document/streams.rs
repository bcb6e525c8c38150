//! Input_Schema against what a recording has.
//!
//! A recording is described as `{"recording": name, "lidar": [...], "sonar": [...], "nav": [...]}`, each stream
//! an object of `name`, `medium`, and `model` if the rig tells it.

use beluga_sinks::document::violations;
use beluga_types::{Rig, SensorKind, SensorSpec};
use serde_json::{Map, Value, json};

/// A recording's streams, as a schema sees them.
fn described(name: &str, rig: &Rig) -> Value {
    let of = |kind: SensorKind| -> Value {
        let sensors = rig.sensors.iter().filter(|sensor| sensor.kind == kind);
        sensors.map(stream).collect()
    };
    json!({
        "recording": name,
        "lidar": of(SensorKind::Lidar),
        "sonar": of(SensorKind::Sonar),
        "nav": of(SensorKind::Nav)
    })
}

fn stream(sensor: &SensorSpec) -> Value {
    let mut stream = Map::new();
    stream.insert("name".into(), sensor.name.as_str().into());
    stream.insert("medium".into(), sensor.medium.name().into());
    if let Some(model) = &sensor.model {
        stream.insert("model".into(), model.as_str().into());
    }
    stream.into()
}

/// What the schema wants and the recording has not. What it names that no recording can have is told too: such
/// a schema was written for something else.
pub(crate) fn unmet(schema: Option<&Value>, name: &str, rig: &Rig) -> Vec<String> {
    let Some(schema) = schema else {
        return Vec::new();
    };
    let recording = described(name, rig);
    let mut unmet = Vec::new();
    let named = schema.get("properties").and_then(Value::as_object);
    for property in named.into_iter().flatten().map(|(property, _)| property) {
        if recording.get(property).is_none() {
            unmet.push(format!(
                "Input_Schema names `{property}`: a recording has recording, lidar, sonar, nav"
            ));
        }
    }
    unmet.extend(
        violations(schema, &recording)
            .into_iter()
            .map(|said| format!("Input_Schema: {said}")),
    );
    unmet
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::{Vessel, Water};

    #[test]
    fn what_is_wanted_and_missing_is_told() {
        let rig = Rig {
            origin: None,
            vessel: Vessel::default(),
            water: Water::Unknown,
            sensors: vec![
                SensorSpec::new("front", SensorKind::Lidar),
                SensorSpec::new("multibeam", SensorKind::Sonar),
            ],
        };
        let check = |schema: Value, expected: &[&str]| {
            let unmet = unmet(Some(&schema), "quay", &rig);
            assert_eq!(unmet.len(), expected.len(), "{schema}: {unmet:?}");
            for (found, expected) in unmet.iter().zip(expected) {
                assert!(found.contains(expected), "{found}");
            }
        };
        check(
            json!({"properties": {"recording": {"type": "string"}}, "required": ["recording"]}),
            &[],
        );
        check(
            json!({"properties": {"sonar": {"minItems": 1}, "lidar": {"minItems": 1}}}),
            &[],
        );
        check(json!({"properties": {"nav": {"minItems": 1}}}), &["/nav"]);
        check(
            json!({"properties": {"sonar": {"items": {"properties": {"medium": {"const": "air"}}}}}}),
            &["/sonar/0/medium"],
        );
        check(json!({"required": ["camera"]}), &["camera"]);
        check(
            json!({"properties": {"echo_levels": {}}}),
            &["names `echo_levels`"],
        );
        assert!(super::unmet(None, "quay", &rig).is_empty());
    }
}
