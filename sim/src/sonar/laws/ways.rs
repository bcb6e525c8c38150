//! Echoes by mirrors arrive when they should.

use super::*;
use crate::sonar::ghost::Ghosts;
use crate::sonar::mirror::WATER_SURFACE;
use crate::sonar::paths::{Law, NO_MIRROR, Paths, Scatterer};

/// All echoes of one scatterer before a wall, over a bed, under the surface, by at most two mirrors:
/// each as late as the shortest way that touches its mirrors (Fermat), found by descent.
#[test]
fn echoes_by_mirrors_arrive_to_a_microsecond() {
    let sonar = sonar(|scenario| {
        scenario.water.multipath = 2;
        scenario.sonar.noise_db = -200.0;
        scenario.sonar.fan_deg = 170.0;
    });
    let scene = scene(vec![wall(), bed(-7.0, [30.0, 12.0])]);
    let posture = at(Vector3::new(0.3, 0.0, -1.3));
    let point = Vector3::new(0.3, -5.0, -4.0);
    let mut paths = Paths::new(&sonar, 1, &scene, &posture);
    let ghosts = Ghosts::new(&paths);
    // A face towards each side, so that every way meets one.
    let faces = [
        [0.0, 0.0, 1.0],
        [0.0, 0.0, -1.0],
        [0.0, 1.0, 0.0],
        [0.0, -1.0, 0.0],
    ];
    for face in faces.map(Vector3::from) {
        for (out, leg) in ghosts.legs.iter().enumerate() {
            let scatterer = Scatterer {
                surface: 7,
                key: 3,
                point: leg.image.in_axes(&point),
                normal: leg.image.sensor_from_quay * face,
                law: Law::Lambert,
                strength: 1e9,
                speckle: Complex::new(1.0, 0.0),
            };
            ghosts.collect(&mut paths, out, &scatterer);
        }
    }
    let surface_of = |id: u32| (id != NO_MIRROR).then_some(id);
    println!("echoes by mirrors: mirrors, expected and measured time in microseconds");
    let mut worst = 0.0f64;
    let mut seen = Vec::new();
    for arrival in &paths.arrivals {
        let mirrors: Vec<u32> = arrival.mirrors.into_iter().filter_map(surface_of).collect();
        // Which of the mirrors were met on the way out is not told: the shortest of all splits counts.
        let expected = (0..=mirrors.len())
            .map(|split| {
                let back: Vec<u32> = mirrors[split..].iter().rev().copied().collect();
                let still = |_, _| 0.0;
                let out = shortest(&posture.origin, &point, &mirrors[..split], &still);
                let back = shortest(&posture.origin, &point, &back, &still);
                (out + back) / sonar.sound_speed_m_per_s
            })
            .min_by(|a, b| {
                (a - arrival.delay_s)
                    .abs()
                    .total_cmp(&(b - arrival.delay_s).abs())
            })
            .unwrap();
        let error = arrival.delay_s - expected;
        worst = worst.max(error.abs());
        if !seen.contains(&mirrors) {
            println!(
                "  {mirrors:?}: {:.4} {:.4}",
                expected * 1e6,
                arrival.delay_s * 1e6
            );
            seen.push(mirrors);
        }
        assert_eq!(
            arrival.order as usize,
            arrival.mirrors.iter().filter(|id| **id != NO_MIRROR).count()
        );
    }
    println!(
        "  {} echoes of {} kinds, worst {worst:.1e} s",
        paths.arrivals.len(),
        seen.len()
    );
    assert!(seen.len() >= 8 && worst < 1e-8, "{} {worst}", seen.len());
}

/// Length of the shortest way between two points that touches planes in order, by descent over the
/// places of touch: nothing is mirrored here. The water stands at a height at each place.
pub(super) fn shortest(
    from: &Vector3<f64>,
    to: &Vector3<f64>,
    planes: &[u32],
    water_z: &dyn Fn(f64, f64) -> f64,
) -> f64 {
    let on = |plane: u32, u: f64, v: f64| match plane {
        WATER_SURFACE => Vector3::new(u, v, water_z(u, v)),
        0 => Vector3::new(u, -8.0, v),
        _ => Vector3::new(u, v, -7.0),
    };
    let length = |free: &[f64]| {
        let mut here = *from;
        let mut sum = 0.0;
        for (i, plane) in planes.iter().enumerate() {
            let next = on(*plane, free[2 * i], free[2 * i + 1]);
            sum += (next - here).norm();
            here = next;
        }
        sum + (to - here).norm()
    };
    let mut free = vec![-1.0; 2 * planes.len()];
    let mut step = 2.0;
    while step > 1e-9 {
        let before = length(&free);
        for i in 0..free.len() {
            for way in [step, -step] {
                let here = length(&free);
                free[i] += way;
                if length(&free) >= here {
                    free[i] -= way;
                }
            }
        }
        if length(&free) >= before {
            step *= 0.7;
        }
    }
    length(&free)
}
