//! What floats before a simulated quay is labelled, and the quay is not.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what is wrong by failing, and prints what it measured"
)]

use beluga_fusion::{Config, Fuser};
use beluga_sim::{Kind, Scenario, World};
use beluga_types::{Label, Medium};

/// Three balls of a hand's width in the water between vessel and wall, as fish would hang there. The vessel passes at
/// 1 m/s; a ball is in the beams for a quarter of a second.
const SCENE: &str = r#"
duration_s = 6.0

[vessel]
speed_m_per_s = 1.0

[lidar]
rings = 16
columns = 256

[[solid]]
id = "one"
kind = "object"
shape = "sphere"
size_m = [0.1, 0.1, 0.1]
place_m = [2.0, -3.0, -3.0]

[[solid]]
id = "two"
kind = "object"
shape = "sphere"
size_m = [0.1, 0.1, 0.1]
place_m = [3.0, -5.0, -2.5]

[[solid]]
id = "three"
kind = "object"
shape = "sphere"
size_m = [0.1, 0.1, 0.1]
place_m = [4.0, -2.0, -4.0]
"#;

#[test]
fn what_floats_is_labelled_and_the_quay_is_not() {
    let world = World::new(Scenario::from_toml(SCENE).unwrap()).unwrap();
    let scene = world.truth().scene;
    let quay_from_world = scene.world_from_quay().inverse();
    let mut fuser = Fuser::new(Config::default(), world.rig().clone()).unwrap();
    let mut frames: Vec<_> = world.measurements().flat_map(|one| fuser.push(one)).collect();
    frames.extend(fuser.finish());
    // Of what floats and of everything else: how many points, and how many of them are labelled.
    let mut counts = [[0u32; 2]; 2];
    for frame in &frames {
        for i in (0..frame.points.len()).filter(|&i| frame.points.medium[i] == Medium::Water) {
            let place = (quay_from_world * frame.point_in_world(i)).vector();
            let nearest = scene.nearest(&place, 0.3).map(|nearest| nearest.kind);
            let count = &mut counts[usize::from(nearest != Some(Kind::Object))];
            count[0] += 1;
            count[1] += u32::from(frame.points.label[i] == Label::Volume);
        }
    }
    println!(
        "of the balls {} of {} labelled, of all else {} of {}",
        counts[0][1], counts[0][0], counts[1][1], counts[1][0]
    );
    let notes = fuser.notes();
    println!("{notes:#?}");
    assert!(
        counts[0][0] >= 6 && counts[0][1] * 10 >= counts[0][0] * 9,
        "{counts:?}"
    );
    assert!(
        counts[1][0] > 10_000 && counts[1][1] * 1000 <= counts[1][0],
        "{counts:?}"
    );
    let all: u32 = counts.iter().map(|count| count[1]).sum();
    let told = notes
        .iter()
        .find(|note| note.contains("labelled `volume`"))
        .unwrap();
    assert!(told.starts_with(&format!("`sonar`: {all} of ")), "{told}");
}
