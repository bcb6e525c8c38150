//! The rig of the simulated vessel: what a recording states, and what is true.

use beluga_types::{Attitude, Geodetic, Mount, Origin, Rig, SensorId, SensorKind, SensorSpec, Vessel, Water};

use crate::scenario::{GnssScenario, ImuScenario, Scenario};
use crate::vessel::WATERLINE_M;

/// The lidar's place in the rig.
pub(crate) const LIDAR: SensorId = SensorId(0);
/// The sonar's place in the rig.
pub(crate) const SONAR: SensorId = SensorId(1);
/// The navigation's place in the rig.
pub(crate) const NAV: SensorId = SensorId(2);
/// The satellite receiver's name in the rig, if it is there.
pub(crate) const GNSS: &str = "gnss";
/// The inertial unit's name in the rig, if it is there.
pub(crate) const IMU: &str = "imu";

/// A harbour on the southern Baltic; the still water lies 38 m above the ellipsoid there.
fn origin() -> Origin {
    Origin {
        anchor: Geodetic::from_degrees(54.17, 12.10, 38.0),
        epsg: Some(25_833),
        vertical_datum: None,
    }
}

/// The rig of a scenario. It lists navigation even if it is withheld.
pub(crate) fn build(scenario: &Scenario) -> Rig {
    let mut lidar = SensorSpec::new("lidar", SensorKind::Lidar);
    lidar.model = Some("simulated spinning lidar".into());
    lidar.reference = true;
    lidar.mount = mount([0.6, 0.3, -2.1], [0.5, -0.8, 1.5]);

    let mut sonar = SensorSpec::new("sonar", SensorKind::Sonar);
    crate::sonar::describe(scenario, &mut sonar);

    let mut nav = SensorSpec::new("nav", SensorKind::Nav);
    nav.model = Some("simulated inertial navigation".into());

    let gnss = scenario.nav.gnss.as_ref().map(|gnss| {
        let mut spec = SensorSpec::new(GNSS, SensorKind::Nav);
        spec.model = Some("simulated satellite receiver".into());
        spec.mount = gnss_mount(gnss);
        spec
    });
    let imu = scenario.nav.imu.as_ref().map(|imu| {
        let mut spec = SensorSpec::new(IMU, SensorKind::Nav);
        spec.model = Some("simulated inertial unit".into());
        spec.mount = imu_mount(imu);
        spec
    });

    Rig {
        origin: Some(origin()),
        vessel: Vessel {
            waterline_m: scenario.site.waterline.then_some(WATERLINE_M),
        },
        water: Water::SoundSpeed(scenario.sonar.sound_speed_m_per_s(&scenario.water)),
        sensors: [lidar, sonar, nav].into_iter().chain(gnss).chain(imu).collect(),
    }
}

/// A mount at forward, starboard, down in metres, turned by roll, pitch, heading in degrees.
pub(crate) fn mount(place_m: [f64; 3], attitude_deg: [f64; 3]) -> Mount {
    Mount {
        forward_m: place_m[0],
        starboard_m: place_m[1],
        down_m: place_m[2],
        attitude: Attitude::from_degrees(attitude_deg),
    }
}

/// Where the antenna sits; it is turned as the vessel is.
fn gnss_mount(gnss: &GnssScenario) -> Mount {
    mount(gnss.antenna_m, [0.0; 3])
}

/// Where the inertial unit sits.
pub(crate) fn imu_mount(imu: &ImuScenario) -> Mount {
    mount(imu.place_m, imu.attitude_deg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::Beam;

    #[test]
    fn a_room_has_no_waterline() {
        let waterline = |level| build(&Scenario::named(level).unwrap()).vessel.waterline_m;
        assert_eq!((waterline("s6"), waterline("s1")), (None, Some(WATERLINE_M)));
    }

    #[test]
    fn the_rig_keeps_its_promises() {
        let rig = build(&Scenario::demo()).checked().unwrap();
        assert_eq!(rig.reference_lidar(), Some(LIDAR));
        assert_eq!(rig.id_of("sonar"), Some(SONAR));
        assert_eq!(rig.id_of("nav"), Some(NAV));
    }

    #[test]
    fn the_fan_reaches_from_beneath_the_keel_to_the_horizon_at_starboard() {
        let rig = build(&Scenario::demo());
        let sonar = rig.sensor(SONAR).unwrap();
        let beams = sonar.beams.as_ref().unwrap();
        let in_body = |beam: &Beam| (sonar.body_from_sensor() * beam.direction).vector();
        let (first, last) = (in_body(&beams[0]), in_body(&beams[beams.len() - 1]));
        assert!(first.y > 0.4 && first.z < -0.85, "port of straight down: {first}");
        assert!(
            last.y < -0.99 && last.z.abs() < 0.02,
            "starboard, along the water: {last}"
        );
        let [along, across] = beams[0].two_way_width_rad();
        assert!((along.to_degrees() - 1.0).abs() < 0.002 && (across.to_degrees() - 1.0).abs() < 0.002);
    }
}
