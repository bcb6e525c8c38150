//! Every level through the room's door.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use std::fs;

use beluga_sim::{Scenario, Shape, Truth, World};
use beluga_types::{Measurement, Payload};

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

#[test]
fn the_truth_keeps_every_shape_and_object() {
    let world = short("s1");
    let written = world.truth();
    let folder = tempfile::tempdir().unwrap();
    written.write(folder.path()).unwrap();
    let read = Truth::read(folder.path()).unwrap();
    assert_eq!(read.scenario, written.scenario);
    assert_eq!(read.scene.surfaces(), written.scene.surfaces());
    assert_eq!(read.scene.objects(), written.scene.objects());
    assert_eq!(read.scene.objects().len(), 8);
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
