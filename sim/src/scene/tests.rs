//! Generators against hits worked out by hand, and whole scenes against what must hold everywhere.

use nalgebra::Vector3;

use super::*;
use crate::random::{Dice, Source};
use crate::scenario::Scenario;
use crate::world::World;

fn scene(text: &str) -> Scene {
    build(&Scenario::from_toml(text).unwrap(), 24.0).unwrap()
}

/// A bare quay at 8 m without batter and slope, 3 m high, its toe 7.5 m deep.
fn bare(more: &str) -> Scene {
    scene(&format!(
        "[quay]\nbatter_deg = 0.0\nbed_slope_deg = 0.0\n[site]\nmodules = false\n{more}"
    ))
}

/// Kind and distance of what a ray meets; it must look back at the ray.
fn cast(scene: &Scene, origin: [f64; 3], direction: [f64; 3]) -> (Kind, f64) {
    let direction = Vector3::from(direction).normalize();
    let (surface, hit) = scene
        .cast(&Vector3::from(origin), &direction, 0.0, 500.0)
        .unwrap_or_else(|| panic!("nothing from {origin:?} along {direction}"));
    assert!(hit.normal.dot(&direction) < 0.0, "the back of surface {surface}");
    (scene.surfaces[surface as usize].kind, hit.distance)
}

fn check(scene: &Scene, origin: [f64; 3], direction: [f64; 3], kind: Kind, distance: f64) {
    let found = cast(scene, origin, direction);
    assert!(
        found.0 == kind && (found.1 - distance).abs() < 1e-6,
        "{found:?} from {origin:?}, expected {kind:?} at {distance}"
    );
}

const STARBOARD: [f64; 3] = [0.0, -1.0, 0.0];
const PORT: [f64; 3] = [0.0, 1.0, 0.0];
const DOWN: [f64; 3] = [0.0, 0.0, -1.0];
const UP: [f64; 3] = [0.0, 0.0, 1.0];
const AHEAD: [f64; 3] = [1.0, 0.0, 0.0];
const AFT: [f64; 3] = [-1.0, 0.0, 0.0];

#[test]
fn recess_undercut_and_berm_are_where_they_are_said() {
    let scene = bare(
        "[[site.relief]]\nat_m = [5.0, 9.0]\nwidth_m = 1.5\nup_m = [-1.5, 1.5]\noff_m = -0.4\n\
         [[site.relief]]\nat_m = [15.0]\nwidth_m = 4.0\nup_m = [-9.0, -5.0]\noff_m = -0.8\n\
         [[site.relief]]\nat_m = [22.0]\nwidth_m = 4.0\nup_m = [-9.0, -6.0]\noff_m = 0.9\n",
    );
    for x in [5.0, 9.0] {
        check(&scene, [x, 0.0, 1.0], STARBOARD, Kind::Wall, 8.4);
        check(&scene, [x, 0.0, 1.6], STARBOARD, Kind::Wall, 8.0);
        // Its four sides, from inside.
        check(&scene, [x, -8.2, 0.0], AHEAD, Kind::Wall, 0.75);
        check(&scene, [x, -8.2, 0.0], AFT, Kind::Wall, 0.75);
        check(&scene, [x, -8.2, 0.0], UP, Kind::Wall, 1.5);
        check(&scene, [x, -8.2, 0.0], DOWN, Kind::Wall, 1.5);
    }
    check(&scene, [7.0, 0.0, 0.0], STARBOARD, Kind::Wall, 8.0);
    check(&scene, [15.0, 0.0, -6.0], STARBOARD, Kind::Wall, 8.8);
    check(&scene, [15.0, -8.5, -6.0], UP, Kind::Wall, 1.0);
    check(&scene, [15.0, -8.5, -6.0], DOWN, Kind::Bed, 1.5);
    check(&scene, [22.0, 0.0, -7.0], STARBOARD, Kind::Wall, 7.1);
    check(&scene, [22.0, -7.5, -3.0], DOWN, Kind::Wall, 3.0);
    check(&scene, [25.0, -7.5, -7.0], AFT, Kind::Wall, 1.0);
    check(&scene, [19.0, -7.5, -7.0], AHEAD, Kind::Wall, 1.0);
    // The score takes the wall's toe from its first surface.
    let Shape::Rectangle { corner, .. } = scene.surfaces[0].shape else {
        panic!("the wall begins with a rectangle");
    };
    assert!(scene.surfaces[0].kind == Kind::Wall && (corner.z + 7.5).abs() < 1e-9);
}

#[test]
fn sheet_piles_are_waves_between_two_planes() {
    let scene = bare("[[site.sheet]]\nalong_m = [2.0, 14.5]\npitch_m = 1.2\ndepth_m = 0.4\n");
    // Ten waves, 12 m, in the middle: from 2.25 to 14.25.
    for wave in [0.0, 5.0, 9.0] {
        let start = 2.25 + wave * 1.2;
        check(&scene, [start + 0.6, 0.0, 0.0], STARBOARD, Kind::Sheet, 8.4);
        check(&scene, [start + 0.05, 0.0, 0.0], STARBOARD, Kind::Sheet, 8.0);
        check(&scene, [start + 1.15, 0.0, -7.0], STARBOARD, Kind::Sheet, 8.0);
        // Half-way down a flank.
        check(&scene, [start + 0.3, 0.0, 2.0], STARBOARD, Kind::Sheet, 8.2);
        check(&scene, [start + 0.9, 0.0, 2.0], STARBOARD, Kind::Sheet, 8.2);
    }
    check(&scene, [2.2, 0.0, 0.0], STARBOARD, Kind::Wall, 8.0);
    check(&scene, [14.3, 0.0, 0.0], STARBOARD, Kind::Wall, 8.0);
}

#[test]
fn what_is_fixed_to_the_wall_stands_on_it() {
    let scene = bare(
        "deck = true\n[[site.piles]]\nat_m = [4.0]\noff_m = 1.0\nradius_m = 0.3\ntop_m = 2.0\n\
         [[site.fenders]]\nat_m = [8.0]\n[[site.bollards]]\nat_m = [10.0]\n[[site.ladders]]\nat_m = [12.0]\n\
         [[site.chains]]\nat_m = [16.0]\n",
    );
    check(&scene, [4.0, 0.0, 0.0], STARBOARD, Kind::Pile, 6.7);
    check(&scene, [4.0, -7.0, 5.0], DOWN, Kind::Pile, 3.0);
    check(&scene, [8.0, 0.0, 0.0], STARBOARD, Kind::Fender, 7.7);
    check(&scene, [10.0, -8.5, 9.0], DOWN, Kind::Bollard, 5.4);
    check(&scene, [10.0, 0.0, 3.5], STARBOARD, Kind::Bollard, 8.275);
    check(&scene, [11.0, -9.0, 9.0], DOWN, Kind::Side, 6.0);
    check(&scene, [12.0, 0.0, -4.35], STARBOARD, Kind::Rung, 7.8 - 0.0175);
    assert_eq!(scene.rungs.len(), 24);
    let links = scene.surfaces.iter().filter(|s| s.kind == Kind::Chain).count();
    assert!(links > 200, "{links}");
    // The first link is flat along the wall: its two bars stand beside the middle.
    let radius = 0.5 * 0.17 * 0.6 * 0.25;
    let aside = 16.0 + 0.3 * 0.25 - radius;
    check(
        &scene,
        [aside, 0.0, 1.9],
        STARBOARD,
        Kind::Chain,
        8.0 - 0.12 - radius,
    );
}

#[test]
fn a_pier_has_round_noses_and_a_hole() {
    let scene = bare(
        "[[site.piers]]\nplace_m = [10.0, 6.0]\nsize_m = [6.0, 2.0]\nturn_deg = 90.0\ntop_m = 5.0\n\
         scour_depth_m = 1.5\nscour_reach_m = 3.0\n",
    );
    check(&scene, [10.0, 0.0, 1.0], PORT, Kind::Pier, 3.0);
    check(&scene, [0.0, 6.0, 1.0], AHEAD, Kind::Pier, 9.0);
    check(&scene, [20.0, 6.0, 1.0], AFT, Kind::Pier, 9.0);
    check(&scene, [10.0, 6.0, 9.0], DOWN, Kind::Pier, 4.0);
    check(&scene, [10.0, 3.5, 9.0], DOWN, Kind::Pier, 4.0);
    let (kind, depth) = cast(&scene, [8.95, 6.0, 0.0], DOWN);
    assert!(kind == Kind::Bed && (depth - 9.0).abs() < 0.15, "{depth}");
    check(&scene, [-2.0, -2.0, 0.0], DOWN, Kind::Bed, 7.5);
    // Nothing is seen under the wall's toe.
    check(&scene, [10.0, 0.0, -7.4], STARBOARD, Kind::Wall, 8.0);
}

#[test]
fn a_hull_floats_where_it_is_moored() {
    let scene = bare(
        "[[site.hulls]]\nplace_m = [12.0, 9.0]\nlength_m = 18.0\nbeam_m = 5.0\ndraught_m = 2.0\n\
         freeboard_m = 1.5\n",
    );
    check(&scene, [12.0, 0.0, 0.7], PORT, Kind::Hull, 6.5);
    check(&scene, [12.0, 9.0, 9.0], DOWN, Kind::Hull, 7.5);
    check(&scene, [12.0, 9.0, -7.0], UP, Kind::Hull, 5.0);
    check(&scene, [-5.0, 9.0, 1.0], AHEAD, Kind::Hull, 8.0);
    let (kind, distance) = cast(&scene, [40.0, 9.001, 1.0], AFT);
    assert!(kind == Kind::Hull && (distance - 19.0).abs() < 0.01, "{distance}");
}

#[test]
fn tank_tunnel_and_room_look_inwards() {
    let tank = scene("[site]\n[site.tank]\nlength_m = 30\nwidth_m = 14\ndepth_m = 5\n");
    check(&tank, [12.0, 0.0, -1.0], STARBOARD, Kind::Wall, 7.0);
    check(&tank, [12.0, 0.0, -1.0], PORT, Kind::Side, 7.0);
    check(&tank, [12.0, 0.0, -1.0], AHEAD, Kind::Side, 15.0);
    check(&tank, [12.0, 0.0, -1.0], AFT, Kind::Side, 15.0);
    check(&tank, [12.0, 0.0, -1.0], DOWN, Kind::Bed, 4.0);
    let tunnel = scene("[site.tunnel]\nwidth_m = 9\ndepth_m = 3\nsides_m = 2\narch_m = 3\n");
    check(&tunnel, [5.0, 0.0, 1.0], STARBOARD, Kind::Wall, 4.5);
    check(&tunnel, [5.0, 0.0, 1.0], PORT, Kind::Tunnel, 4.5);
    check(&tunnel, [5.0, 0.0, 1.0], UP, Kind::Tunnel, 4.0);
    check(&tunnel, [5.0, 0.0, 1.0], DOWN, Kind::Bed, 4.0);
    let text = "[site]\nwaterline = false\n[site.room]\nlength_m = 18\nwidth_m = 8\n";
    let room = scene(text);
    check(&room, [12.5, 0.0, 1.0], STARBOARD, Kind::Glass, 4.0);
    check(&room, [12.5, 0.0, 1.0], PORT, Kind::Glass, 4.0);
    check(&room, [12.0, 0.0, 1.0], STARBOARD, Kind::Frame, 3.97);
    check(&room, [12.5, 0.0, 1.0], UP, Kind::Panel, 2.0);
    check(&room, [12.5, 0.0, 1.0], DOWN, Kind::Bed, 2.5);
    check(&room, [12.5, 0.0, 1.0], AHEAD, Kind::Panel, 8.5);
    assert!(room.top_z(0.0).is_infinite() && tunnel.top_z(0.5) == 0.5);
}

#[test]
fn every_object_fills_its_box_and_looks_outwards() {
    for class in crate::scenario::ObjectClass::ALL {
        let name = format!("{class:?}").to_lowercase();
        for (on, place) in [("bed", "[10.0, 2.0]"), ("wall", "[10.0, -3.0]")] {
            let scene = bare(&format!(
                "[[object]]\nid = \"one\"\nclass = \"{name}\"\non = \"{on}\"\nplace_m = {place}\nturn_deg = 20.0\n"
            ));
            let [object] = scene.objects() else {
                panic!("one object");
            };
            assert_eq!((object.class, object.id.as_str()), (class, "one"));
            let rotation = Transform::<World2, Quay>::from_wxyz(object.wxyz, [0.0; 3])
                .unwrap()
                .rotation_matrix();
            let centre = Vector3::from(object.centre);
            let [first, end] = object.surfaces.map(|id| id as usize);
            assert!(first < end && end == scene.surfaces.len());
            let mut reach = Vector3::<f64>::zeros();
            for surface in &scene.surfaces[first..end] {
                assert_eq!(surface.kind, Kind::Object);
                for i in 0..200 {
                    let dice = Dice::new(4, Source::Swell, i, 0);
                    let away = Vector3::new(dice.normal(0), dice.normal(1), dice.normal(2)) * 9.0;
                    let near = surface.shape.nearest(&(centre + away)) - centre;
                    reach = reach.sup(&(rotation.transpose() * near).abs());
                }
            }
            let half = Vector3::from(object.size) * 0.5;
            for axis in 0..3 {
                assert!(reach[axis] <= half[axis] + 0.012, "{name}: {reach} in {half}");
                assert!(
                    reach[axis] >= 0.85 * half[axis] - 0.012,
                    "{name}: {reach} in {half}"
                );
            }
            // From all around, nothing shows its back.
            for i in 0..2_000 {
                let dice = Dice::new(5, Source::Swell, i, 0);
                let away = Vector3::new(dice.normal(0), dice.normal(1), dice.normal(2)).normalize();
                let aim = centre + rotation * half.map(|h| h * (2.0 * dice.uniform(7) - 1.0));
                let origin = aim + away * 6.0;
                if let Some((surface, hit)) = scene.cast(&origin, &-away, 0.0, 12.0)
                    && surface as usize >= first
                {
                    assert!(hit.normal.dot(&away) > 0.0, "{name}");
                }
            }
        }
    }
}

/// Some space to turn boxes into.
#[derive(Clone, Copy, Debug)]
enum World2 {}

impl Space for World2 {
    const NAME: &'static str = "World2";
}

/// From the vessel's way, all that is seen looks back, in every direction; but for step irons, which have
/// no ends.
#[test]
fn no_scene_shows_its_back_to_the_vessel() {
    for level in Scenario::levels() {
        let scenario = Scenario::named(level).unwrap();
        let path = scenario.vessel.speed_m_per_s * scenario.duration_s;
        let world = World::new(scenario).unwrap();
        let scene = world.scene();
        let mut met = 0;
        for i in 0..20_000 {
            let dice = Dice::new(9, Source::Swell, i, 0);
            let origin = Vector3::new(path * dice.uniform(6), 0.0, 1.5 - 2.0 * dice.uniform(7));
            let direction = Vector3::new(dice.normal(0), dice.normal(1), dice.normal(2)).normalize();
            if let Some((surface, hit)) = scene.cast(&origin, &direction, 0.0, 60.0) {
                let kind = scene.surfaces[surface as usize].kind;
                let is_back = hit.normal.dot(&direction) > 0.0;
                assert!(
                    !is_back || kind == Kind::Rung,
                    "{level}: the back of a {kind:?} from {origin} along {direction}"
                );
                met += 1;
            }
        }
        assert!(met > 6_000, "{level}: {met}");
    }
}

#[test]
fn a_path_that_is_not_free_is_refused() {
    let scene = bare("[[site.piles]]\nat_m = [10.0]\noff_m = 8.6\n");
    let refusal = |points: &[[f64; 3]], clearance: f64| {
        let points: Vec<Vector3<f64>> = points.iter().copied().map(Vector3::from).collect();
        scene
            .check_path(&points, clearance)
            .map_err(|error| error.to_string())
    };
    // The pile's mantle is 0.4 m to port of the path.
    assert_eq!(refusal(&[[0.0, 0.0, -0.3], [20.0, 0.0, -0.3]], 0.39), Ok(()));
    let error = refusal(&[[0.0, 0.0, -0.3], [20.0, 0.0, -0.3]], 0.41).unwrap_err();
    assert!(error.contains("Pile"), "{error}");
    let through = [[0.0, 0.0, -0.3], [5.0, 0.0, -0.3], [5.0, -12.0, -0.3]];
    for clearance in [0.0, 0.5] {
        let error = refusal(&through, clearance).unwrap_err();
        assert!(error.contains("Wall") && error.contains("[5.00, "), "{error}");
    }
    for inside in [[3.0, -8.5, -1.0], [10.0, 0.6, -2.0], [3.0, 0.0, -9.0]] {
        let error = refusal(&[inside], 0.0).unwrap_err();
        assert!(error.contains("inside"), "{error}");
    }
    assert_eq!(refusal(&[[3.0, -7.0, -1.0]], 0.0), Ok(()));
    assert_eq!(refusal(&[], 0.5), Ok(()));
}

#[test]
fn worlds_that_cannot_be_are_refused() {
    let refusal = |text: &str| match Scenario::from_toml(text).and_then(World::new) {
        Ok(_) => panic!("{text}"),
        Err(error) => error.to_string(),
    };
    let mesh = |faces: &str| {
        format!(
            "[[solid]]\nid = \"wreck\"\nshape = \"mesh\"\nplace_m = [5.0, 9.0, -4.0]\nvertices_m = [[0.0, 0.0, 0.0], \
             [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]\nfaces = {faces}\n"
        )
    };
    let whole = "[[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]";
    World::new(Scenario::from_toml(&mesh(whole)).unwrap()).unwrap();
    let error = refusal(&mesh("[[0, 2, 1], [0, 1, 3], [0, 3, 2]]"));
    assert!(error.contains("wreck") && error.contains("open"), "{error}");
    let error = refusal("[[site.piers]]\nplace_m = [12.0, 0.0]\n");
    assert!(
        error.contains("site.clearance_m") && error.contains("Pier"),
        "{error}"
    );
    let error = refusal("[[solid]]\nid = \"b\"\nsize_m = [6.0, 6.0, 6.0]\n");
    assert!(error.contains("inside"), "{error}");
    let error = refusal("[[site.sheet]]\nalong_m = [0.0, 5.0]\n[[site.sheet]]\nalong_m = [4.0, 9.0]\n");
    assert!(error.contains("meet"), "{error}");
    let error = refusal("[[solid]]\nid = \"m\"\nshape = \"mesh\"\nfile = \"m.ply\"\n");
    assert!(error.contains("m.ply"), "{error}");
}
