//! What a lidar's beams can say of the surface they meet: they go out in rings, dense along each, with
//! nothing between them.

use nalgebra::Vector3;

/// Sine of the angle between beam and plane below which the plane may be the beams' own, and from
/// which it is a surface.
///
/// One laser's beams sweep a cone. Where it runs over a corner, its points lie in that cone as in a
/// plane, with a normal across the beams: a surface that is not there and moves with the lidar. Beams
/// that meet a plane so flatly say hardly anything of its place anyhow. Of false planes at a quay the
/// sine is below 0.03; of a wall 8 m away, seen along 80 m of it, 0.1.
const GRAZING: (f64, f64) = (0.04, 0.10);

/// How far a plane that a beam has met is a surface and not the beams' own, 0 to 1.
pub(super) fn surface(normal: &Vector3<f64>, beam: &Vector3<f64>) -> f64 {
    let sine = normal.dot(beam).abs() / beam.norm().max(f64::MIN_POSITIVE);
    ((sine - GRAZING.0) / (GRAZING.1 - GRAZING.0)).clamp(0.0, 1.0)
}

/// The two directions in which a point says where it lies beside the nearest of a voxel that is no plane,
/// and how far it does, 0 to 1: across the surface, which the beam measures, and on it along the laser's
/// ring, which is dense.
///
/// From one ring to the next nothing is seen, for decimetres. Whatever stands there, the nearest point of
/// the map is mostly one of the same laser a scan earlier, at the height the ring has now: it would say that
/// nothing has risen or pitched, whatever has. (Planes know better: a voxel's plane is of all its rings.)
pub(super) fn sampled(
    normal: &Vector3<f64>,
    beam: &Vector3<f64>,
    spin: &Vector3<f64>,
) -> [(Vector3<f64>, f64); 2] {
    const LEAST_SINE: f64 = 0.1;
    let from_ring_to_ring = beam.cross(&spin.cross(beam));
    let along_ring = normal.cross(&from_ring_to_ring);
    let (length, most) = (along_ring.norm(), from_ring_to_ring.norm());
    let ring = match length > LEAST_SINE * most {
        true => (along_ring / length, 1.0),
        false => (Vector3::zeros(), 0.0),
    };
    [(*normal, surface(normal, beam)), ring]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::Spread;
    use beluga_types::elementary::{atan2, cos, sin, tan};

    /// One ring, 4° above the horizon, on both sides of a corner 30 m away: the points lie in a plane as
    /// well as any can, which no beam meets. A wall at 8 m is one as far as 60 m along it.
    #[test]
    fn the_cone_of_a_ring_is_no_surface_and_a_wall_is() {
        let corner = Vector3::<f64>::new(28.0, -12.0, 0.0);
        let mut spread = Spread::default();
        for i in -20..=20 {
            let bearing = atan2(corner.y, corner.x) + 0.002 * f64::from(i);
            let level = Vector3::new(cos(bearing), sin(bearing), tan(4f64.to_radians()));
            let reach: f64 = (corner.x / level.x).min(corner.y / level.y);
            let point = level * reach - corner;
            spread.add(point.cast::<f32>().into());
        }
        let plane = spread.plane();
        let normal = Vector3::from(plane.normal).cast::<f64>();
        assert!(plane.flat > 0.9 && normal.z.abs() > 0.9, "{plane:?}");
        let beam = corner + Vector3::from(plane.centre).cast::<f64>();
        assert_eq!(surface(&normal, &beam), 0.0);
        assert!(surface(&Vector3::y(), &Vector3::new(60.0, -8.0, 1.0)) > 0.99);
        assert!(surface(&Vector3::y(), &Vector3::zeros()).abs() < 1e-9);
    }

    /// A wall to starboard that runs off at 30°, met upwards; a floor; and what a ring draws as a plane.
    #[test]
    fn a_point_is_known_across_its_surface_and_along_its_ring() {
        let (beam, up) = (Vector3::new(0.0, 6.0, 2.0), Vector3::z());
        let turn = 30f64.to_radians();
        let normal = Vector3::new(sin(turn), cos(turn), 0.0);
        let [across, along] = sampled(&normal, &beam, &up);
        assert_eq!(across, (normal, 1.0));
        let wanted = Vector3::new(cos(turn), -sin(turn), 0.0);
        assert!(
            (along.0.dot(&wanted).abs() - 1.0).abs() < 0.02 && along.1 == 1.0,
            "{along:?}"
        );
        assert!(along.0.dot(&normal).abs() < 1e-12);
        let [across, along] = sampled(&up, &Vector3::new(3.0, 0.0, -2.0), &up);
        assert_eq!((across, along), ((up, 1.0), (along.0, 1.0)));
        assert!((along.0.y.abs() - 1.0).abs() < 1e-12);
        let between_rings = beam.cross(&up.cross(&beam)).normalize();
        assert!(
            sampled(&between_rings, &beam, &up)
                .iter()
                .all(|(_, part)| *part < 1e-9)
        );
        assert!(
            sampled(&up, &(7.0 * up), &up)
                .iter()
                .all(|(axis, _)| axis.norm().is_finite())
        );
    }
}
