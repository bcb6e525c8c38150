//! The hull of a moored ship, as a closed mesh.

use std::f64::consts::FRAC_PI_2;

use nalgebra::Vector3;

use super::mesh::Mesh;
use crate::scenario::HullScenario;

/// Sections from the transom to the last one before the stem.
const SECTIONS: u32 = 24;
/// Steps from the deck's edge to the keel.
const STEPS: u32 = 9;
/// Exponent of the superellipse below the water; 2 would be an ellipse.
const BILGE: f64 = 3.0;

/// The hull about its middle at the waterline: x to the bow, z up.
pub(super) fn mesh(hull: &HullScenario) -> Mesh {
    let ring = 2 * STEPS + 1;
    let mut vertices: Vec<Vector3<f64>> = Vec::new();
    for section in 0..SECTIONS {
        let part = f64::from(section) / f64::from(SECTIONS);
        let x = (part - 0.5) * hull.length_m;
        let half = 0.5 * hull.beam_m * breadth(part);
        for step in 0..ring {
            // Down the starboard side to the keel, and up the port side.
            let (out, z) = outline(hull, step.min(2 * STEPS - step));
            let side = (f64::from(step) - f64::from(STEPS)).signum();
            vertices.push(Vector3::new(x, side * half * out, z));
        }
    }
    for step in 0..=STEPS {
        vertices.push(Vector3::new(0.5 * hull.length_m, 0.0, outline(hull, step).1));
    }
    let id = |section: u32, step: u32| {
        if section < SECTIONS {
            section * ring + step
        } else {
            SECTIONS * ring + step.min(2 * STEPS - step)
        }
    };
    let mut faces = Vec::new();
    let mut triangle = |a: u32, b: u32, c: u32| {
        if a != b && b != c && c != a {
            faces.push([a, b, c]);
        }
    };
    for section in 0..SECTIONS {
        for step in 0..2 * STEPS {
            let [a, b] = [id(section, step), id(section, step + 1)];
            let [c, d] = [id(section + 1, step + 1), id(section + 1, step)];
            triangle(a, b, c);
            triangle(a, c, d);
        }
        // The deck.
        let [a, b] = [id(section, 0), id(section + 1, 0)];
        let [c, d] = [id(section + 1, 2 * STEPS), id(section, 2 * STEPS)];
        triangle(a, b, c);
        triangle(a, c, d);
    }
    // The transom.
    let keel = id(0, STEPS);
    for step in 0..2 * STEPS {
        triangle(keel, id(0, step + 1), id(0, step));
    }
    triangle(keel, id(0, 0), id(0, 2 * STEPS));
    Mesh { vertices, faces }
}

/// Half the breadth as a part of half the beam: a little narrower at the transom, full amidships, rounded
/// to nothing at the stem.
fn breadth(part: f64) -> f64 {
    const SHOULDER: f64 = 0.6;
    if part < SHOULDER {
        0.85 + 0.15 * (part / 0.25).min(1.0)
    } else {
        1.0 - ((part - SHOULDER) / (1.0 - SHOULDER)).powf(2.2)
    }
}

/// Half-breadth (as a part) and height of a step from the deck's edge, zero, to the keel.
fn outline(hull: &HullScenario, step: u32) -> (f64, f64) {
    if step == 0 {
        return (1.0, hull.freeboard_m);
    }
    if step == STEPS {
        return (0.0, -hull.draught_m);
    }
    let angle = FRAC_PI_2 * f64::from(step - 1) / f64::from(STEPS - 1);
    let (sin, cos) = angle.sin_cos();
    (cos.powf(2.0 / BILGE), -hull.draught_m * sin.powf(2.0 / BILGE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hull_is_a_sound_solid() {
        for (length_m, beam_m) in [(18.0, 5.0), (120.0, 20.0), (3.0, 1.0)] {
            let hull = HullScenario {
                length_m,
                beam_m,
                ..HullScenario::default()
            };
            let mesh = mesh(&hull);
            mesh.check(false).unwrap();
            let widest = mesh.vertices.iter().map(|v| v.y).fold(0.0, f64::max);
            let longest = mesh.vertices.iter().map(|v| v.x).fold(0.0, f64::max);
            assert!((widest - 0.5 * beam_m).abs() < 1e-9 && (longest - 0.5 * length_m).abs() < 1e-9);
        }
    }
}
