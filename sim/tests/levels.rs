//! Every level through the room's door.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use std::fs;

use beluga_sim::{Scenario, Shape, Truth, TruthWriter, World};
use beluga_types::{Measurement, Payload};
use serde_json::Value;

/// A level made small: one second, a few beams and columns.
fn short(level: &str) -> World {
    let mut scenario = Scenario::named(level).unwrap();
    scenario.duration_s = 1.0;
    scenario.lidar.rings = 16;
    scenario.lidar.columns = 90;
    scenario.sonar.beams = 8;
    scenario.sonar.rate_hz = 3.0;
    World::new(scenario).unwrap()
}

#[test]
fn every_level_gives_its_first_second() {
    for level in Scenario::levels() {
        let world = short(level);
        let measurements: Vec<Measurement> = world.measurements().collect();
        let scans = measurements.iter().filter_map(|m| match &m.payload {
            Payload::Lidar(scan) => Some(scan.len()),
            _ => None,
        });
        let pings = measurements
            .iter()
            .filter(|m| matches!(m.payload, Payload::Sonar(_)))
            .count();
        let (scans, points) = scans.fold((0, 0), |(scans, points), len| (scans + 1, points + len));
        assert!(scans == 9 && pings >= 2, "{level}: {scans} scans, {pings} pings");
        assert!(points > 1_500, "{level}: {points} points");
    }
}

/// The same but for rounding.
fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            (one.as_f64().unwrap() - other.as_f64().unwrap()).abs() < 1e-9
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len() && one.iter().all(|(key, value)| alike(value, &other[key]))
        }
        _ => one == other,
    }
}

#[test]
fn the_truth_keeps_every_shape_and_object() {
    let world = short("s1");
    let written = world.truth();
    let folder = tempfile::tempdir().unwrap();
    let writer = TruthWriter::create(folder.path(), &world, "s1").unwrap();
    writer.finish(None).unwrap();
    let read = Truth::read(folder.path()).unwrap();
    assert_eq!(read.scenario, written.scenario);
    // Numbers may differ in the last digit.
    assert_eq!(read.scene.surfaces().len(), written.scene.surfaces().len());
    for (one, other) in read.scene.surfaces().iter().zip(written.scene.surfaces()) {
        let [one, other] = [one, other].map(|surface| serde_json::to_value(surface).unwrap());
        assert!(alike(&one, &other), "{one} {other}");
    }
    assert_eq!(read.scene.objects().len(), 8);
    for (one, other) in read.scene.objects().iter().zip(written.scene.objects()) {
        let [one, other] = [one, other].map(|object| serde_json::to_value(object).unwrap());
        assert!(alike(&one, &other), "{one} {other}");
    }
    let has = |is: fn(&Shape) -> bool| read.scene.surfaces().iter().any(|surface| is(&surface.shape));
    assert!(has(|shape| matches!(shape, Shape::Rectangle { .. })));
    assert!(has(|shape| matches!(shape, Shape::Cylinder { .. })));
    assert!(has(|shape| matches!(shape, Shape::Disc { .. })));
    assert!(has(|shape| matches!(shape, Shape::Sphere { .. })));
    assert!(has(|shape| matches!(shape, Shape::Triangle { .. })));
}

#[test]
fn a_mesh_is_read_from_beside_its_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let mesh = "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n\
                element face 4\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n\
                3 0 2 1\n3 0 1 3\n3 0 3 2\n3 1 2 3\n";
    fs::write(folder.path().join("rock.ply"), mesh).unwrap();
    let path = folder.path().join("site.toml");
    let text = "duration_s = 1.0\n[[solid]]\nid = \"rock\"\nkind = \"bed\"\nshape = \"mesh\"\nfile = \"rock.ply\"\n\
                place_m = [0.0, 6.0, -7.0]\n";
    fs::write(&path, text).unwrap();
    let scenario = Scenario::find(path.to_str().unwrap()).unwrap();
    assert_eq!(
        (scenario.solid[0].faces.len(), &scenario.solid[0].file),
        (4, &None)
    );
    let truth = World::new(scenario).unwrap().truth();
    let triangles = truth
        .scene
        .surfaces()
        .iter()
        .filter(|surface| matches!(surface.shape, Shape::Triangle { .. }));
    assert_eq!(triangles.count(), 4);
    fs::write(
        folder.path().join("rock.ply"),
        mesh.replacen("3 1 2 3", "3 1 2 9", 1),
    )
    .unwrap();
    let error = World::new(Scenario::read(&path).unwrap())
        .unwrap_err()
        .to_string();
    assert!(error.contains("rock") && error.contains("corner 9"), "{error}");
    fs::write(folder.path().join("rock.ply"), mesh.replacen("1 0 0", "1 0", 1)).unwrap();
    let error = Scenario::read(&path).unwrap_err().to_string();
    assert!(error.contains("rock.ply") && error.contains("line 11"), "{error}");
}
