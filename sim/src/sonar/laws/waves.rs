//! The water's mirror in a sea: where its waves have lifted it, and what its roughness takes.

use super::ways::shortest;
use super::*;
use crate::scenario::SeaScenario;
use crate::sonar::ghost::Ghosts;
use crate::sonar::mirror::WATER_SURFACE;
use crate::sonar::paths::{Law, NO_MIRROR, Paths, Scatterer};

fn by_water(change: impl Fn(&mut Scenario)) -> Sonar {
    sonar(|scenario| {
        scenario.water.multipath = 1;
        scenario.sonar.noise_db = -200.0;
        scenario.sonar.fan_deg = 170.0;
        change(scenario);
    })
}

/// The echo of one scatterer that the sound reaches by the water, at a ping; it comes straight back.
fn echo(sonar: &Sonar, ping: u64) -> (Posture, Arrival) {
    let scene = scene(vec![wall()]);
    let posture = Posture {
        ping,
        ..at(Vector3::new(0.3, 0.0, -1.3))
    };
    let mut paths = Paths::new(sonar, 1, &scene, &posture);
    let ghosts = Ghosts::new(&paths);
    let leg = &ghosts.legs[1];
    let scatterer = Scatterer {
        surface: 7,
        key: 3,
        point: leg.image.in_axes(&POINT),
        normal: leg.image.sensor_from_quay * Vector3::new(0.0, 0.6, 0.8),
        law: Law::Lambert,
        strength: 1e9,
        speckle: Complex::new(1.0, 0.0),
    };
    ghosts.collect(&mut paths, 1, &scatterer);
    let by_water = |arrival: &&Arrival| arrival.mirrors == [WATER_SURFACE, NO_MIRROR];
    (posture, *paths.arrivals.iter().find(by_water).unwrap())
}

const POINT: Vector3<f64> = Vector3::new(0.3, -5.0, -2.0);

/// Each ping against the shortest way by the curved surface as it stands when the sound meets it, and the
/// tone against how that changes.
#[test]
fn waves_lift_the_waters_mirror() {
    let sonar = by_water(|scenario| {
        scenario.vessel.sea = Some(SeaScenario {
            significant_height_m: 0.2,
            peak_period_s: 6.0,
            ..SeaScenario::default()
        });
    });
    let sea = sonar.sea.clone().unwrap();
    let c = sonar.sound_speed_m_per_s;
    let (mut worst, mut still, mut tone, mut loudest) = (0.0f64, 0.0f64, 0.0f64, 0.0f64);
    let mut before: Vec<Arrival> = Vec::new();
    for ping in 0..120 {
        let (posture, arrival) = echo(&sonar, ping);
        let back = (POINT - posture.origin).norm();
        // The water is met 1.3 of 3.3 metres up and down along the way out.
        let out = (POINT - Vector3::new(posture.origin.x, posture.origin.y, 1.3)).norm();
        let t = sonar.moment_s(ping) + out * 1.3 / 3.3 / c;
        let curved = |x: f64, y: f64| sea.surface(t, x, y).height_m;
        let expected = (back + shortest(&posture.origin, &POINT, &[WATER_SURFACE], &curved)) / c;
        let flat = (back + shortest(&posture.origin, &POINT, &[WATER_SURFACE], &|_, _| 0.0)) / c;
        worst = worst.max((arrival.delay_s - expected).abs());
        still = still.max((flat - expected).abs());
        before.push(arrival);
        if let [.., first, middle, last] = &before[..] {
            let seconds = 2.0 / sonar.device.rate_hz;
            let slower = -(last.delay_s - first.delay_s) / seconds;
            tone = tone.max((middle.doppler - slower).abs());
            loudest = loudest.max(slower.abs());
        }
    }
    println!(
        "echoes by a sea of 0.2 m, 120 pings: off the shortest way by {:.2} us at most; a still surface would be by {:.1} us",
        worst * 1e6,
        still * 1e6
    );
    println!("  relative Doppler shift up to {loudest:.2e}, off the change of delays by {tone:.1e}");
    assert!(worst < 3e-6 && still > 20e-6, "{worst} {still}");
    assert!(tone < 0.05 * loudest, "{tone} {loudest}");
}

/// The mean of the field over pings, against exp(-P²/2) with Rayleigh's parameter P = 2 k σ cos θ, and its
/// power, which stays.
#[test]
fn roughness_takes_the_mean_field() {
    const PINGS: u64 = 2_000;
    let smooth = by_water(|_| ());
    let (posture, whole) = echo(&smooth, 0);
    let image = Vector3::new(POINT.x, POINT.y, -POINT.z);
    let way = image - posture.origin;
    let cosine = way.z / way.norm();
    let k = TAU * smooth.pulse.centre_hz() / smooth.sound_speed_m_per_s;
    println!("mean field by a rough surface: Rayleigh parameter, expected, measured, power");
    for roughness_m in [0.3e-3, 0.8e-3, 1.5e-3] {
        let rough = by_water(|scenario| scenario.water.surface_roughness_m = Some(roughness_m));
        let (mut mean, mut power) = (Complex::new(0.0, 0.0), 0.0);
        for ping in 0..PINGS {
            let (_, arrival) = echo(&rough, ping);
            let ratio = arrival.amplitude / whole.amplitude;
            mean += Complex::new(f64::from(ratio.re), f64::from(ratio.im)) / PINGS as f64;
            power += f64::from(ratio.norm_sqr()) / PINGS as f64;
        }
        let parameter = 2.0 * k * roughness_m * cosine;
        let expected = (-0.5 * parameter * parameter).exp();
        println!("  {parameter:.3}: {expected:.4}, {:.4}, {power:.3}", mean.norm());
        assert!(
            (mean - Complex::new(expected, 0.0)).norm() < 0.05,
            "{mean} {expected}"
        );
        assert!((power - 1.0).abs() < 0.1, "{power}");
    }
}
