//! A device as the scenario describes it: what the rig states of it and what no ping changes.

use std::sync::Arc;

use beluga_types::{Beam, Medium, Pulse, SensorSpec};
use nalgebra::Vector3;

use super::arrays::{Receive, Transmit};
use super::doppler::Doppler;
use super::hearing::Sector;
use super::level;
use super::loss::Loss;
use super::matched::Matched;
use super::receiver::Receiver;
use super::waveform::Synthesis;
use super::{Sonar, air, refraction, samples, transmissions};
use crate::faults::Growth;
use crate::rig::mount;
use crate::scenario::{Scenario, SonarKind, SonarScenario, Sweep};
use crate::vessel::Sea;

/// How wide the line that a fan's sonar lights up is across track: more than any fan.
const TRANSMIT_ACROSS_RAD: f64 = std::f64::consts::PI;
/// How wide a receive beam is said to be along track where its pattern does not matter.
const RECEIVE_ALONG_RAD: f64 = 0.5;
/// Scatterers stand this part of the range resolution apart.
const CELL_PER_RESOLUTION: f64 = 1.2;
/// The same for arrays by elements, whose beams are wide: a cell of a beam holds many all the same.
const CELL_PER_ELEMENT_RESOLUTION: f64 = 2.4;
/// Humidity of air, in percent.
const HUMIDITY: f64 = 50.0;
/// Twice the fastest that sonar and scatterer approach each other, in m/s.
const FASTEST_M_PER_S: f64 = 16.0;

/// Writes what the rig states of the sonar: mounting, medium, beams, and what the device corrects.
pub(crate) fn describe(scenario: &Scenario, spec: &mut SensorSpec) {
    let sonar = &scenario.sonar;
    spec.model = Some(sonar.model.clone());
    let attitude_deg = [
        sonar.mount_roll_deg,
        sonar.mount_pitch_deg,
        sonar.mount_heading_deg,
    ];
    spec.mount = mount(sonar.mount_m, attitude_deg);
    if sonar.in_air {
        spec.medium = Medium::Air;
    }
    spec.flat_array = sonar.flat_receiver;
    if sonar.kind == SonarKind::Beams {
        spec.beams = Some(beams(sonar));
    }
    if sonar.kind.is_profile() && (sonar.tvg_spreading_db > 0.0 || sonar.tvg_absorption_db_per_m > 0.0) {
        spec.corrected.push("tvg".into());
    }
}

/// The beams of a device: a fan, evenly spaced in angle from port to starboard; one of a scanning
/// head; two of a side-scan; none of an array by its elements.
fn beams(sonar: &SonarScenario) -> Arc<[Beam]> {
    let width = sonar.beam_width_deg.to_radians();
    let wide = |width_deg: Option<f64>, other: f64| width_deg.map_or(other, f64::to_radians);
    let transmit = [
        wide(sonar.transmit_along_deg, width),
        wide(sonar.transmit_across_deg, TRANSMIT_ACROSS_RAD),
    ];
    let receive_along = wide(sonar.receive_along_deg, RECEIVE_ALONG_RAD);
    let beam = |across_rad: f64| {
        // A flat array is seen shorter from the side.
        let stretch = if sonar.flat_receiver {
            across_rad.cos()
        } else {
            1.0
        };
        Beam::at(across_rad, 0.0, transmit, [receive_along, width / stretch])
    };
    match sonar.kind {
        SonarKind::Beams | SonarKind::Detections => {
            let fan = sonar.fan_deg.to_radians();
            let count = sonar.beams;
            (0..count)
                .map(|i| {
                    let fraction = f64::from(i) / f64::from(count.max(2) - 1);
                    beam(fan * (fraction - 0.5))
                })
                .collect()
        }
        SonarKind::Elements => Arc::from([]),
        SonarKind::Scanning => Arc::from([beam(0.0)]),
        SonarKind::SideScan => {
            let side = sonar.side_deg.to_radians();
            Arc::from([beam(-side), beam(side)])
        }
    }
}

/// The places of an array's elements about the acoustic centre, row by row along track.
fn elements(sonar: &SonarScenario, wavelength_m: f64) -> Vec<Vector3<f64>> {
    let step = sonar.element_spacing * wavelength_m;
    let [along, across] = sonar.elements;
    let from_middle = |i: u16, count: u16| (f64::from(i) - 0.5 * f64::from(count - 1)) * step;
    (0..along)
        .flat_map(|i| {
            (0..across).map(move |k| Vector3::new(from_middle(i, along), -from_middle(k, across), 0.0))
        })
        .collect()
}

fn pulse(sonar: &SonarScenario) -> Pulse {
    let half = match sonar.pulse_kind {
        Sweep::Lfm => 0.5 * sonar.bandwidth_hz,
        Sweep::Cw => 0.0,
    };
    Pulse {
        kind: sonar.pulse_kind.into(),
        start_hz: sonar.centre_hz - half,
        end_hz: sonar.centre_hz + half,
        duration_s: sonar.pulse_s,
        shading: sonar.pulse_shading.into(),
    }
}

/// Cells of scatterers for each resolution cell, as their lengths in range.
pub(crate) fn cells_per_resolution(kind: SonarKind) -> f64 {
    match kind {
        SonarKind::Elements => CELL_PER_ELEMENT_RESOLUTION,
        _ => CELL_PER_RESOLUTION,
    }
}

fn loss(scenario: &Scenario) -> Loss {
    let (sonar, water) = (&scenario.sonar, &scenario.water);
    if sonar.in_air {
        return Loss::even(air::db_per_m(sonar.centre_hz, water.temperature_deg_c, HUMIDITY));
    }
    Loss::new(water, sonar.centre_hz)
}

/// The sea, if sound is mirrored by it.
fn sea(scenario: &Scenario) -> Option<Sea> {
    let vessel = &scenario.vessel;
    let mirrors = scenario.water.multipath > 0 && !scenario.sonar.in_air;
    let sea = vessel.sea.as_ref().filter(|_| mirrors);
    sea.map(|sea| Sea::new(sea, vessel, scenario.seed))
}

impl Sonar {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let sonar = &scenario.sonar;
        let beams = beams(sonar);
        let pulse = pulse(sonar);
        let c = sonar.sound_speed_m_per_s(&scenario.water);
        let wavelength_m = c / sonar.centre_hz;
        let samples = samples(scenario);
        let record_s = samples as f64 / sonar.sample_rate_hz;
        let written_out = sonar.exact_doppler || sonar.pulse_kind == Sweep::Cw;
        let doppler =
            written_out.then(|| Doppler::new(pulse.centre_hz(), pulse.duration_s, FASTEST_M_PER_S / c));
        let terms = doppler.as_ref().map_or(1, Doppler::terms);
        let compresses = sonar.kind == SonarKind::Detections || sonar.kind.is_profile();
        let sides = if sonar.kind == SonarKind::SideScan { 2 } else { 1 };
        let farthest_m = 0.5 * c * (record_s + 0.5 * sonar.pulse_s);
        let receive = Receive::new(sonar, wavelength_m, sonar.blanking_m);
        let device = level::related(sonar, &scenario.water, &receive);
        let mut built = Self {
            count: transmissions(scenario) * sides,
            across_rad: beams.iter().map(Beam::across_rad).collect(),
            beams,
            elements: match sonar.kind {
                SonarKind::Elements => elements(sonar, wavelength_m),
                _ => Vec::new(),
            },
            pulse,
            sound_speed_m_per_s: c,
            head_sound_speed_m_per_s: sonar.head_sound_speed_m_per_s.unwrap_or(c),
            loss: loss(scenario),
            refraction: (!sonar.in_air)
                .then(|| refraction::of(&scenario.water, farthest_m))
                .flatten(),
            water: scenario.water.clone(),
            sea: sea(scenario),
            multipath: scenario.water.multipath,
            specular: scenario.water.specular,
            transmit: Transmit::new(sonar),
            receive,
            sector: Sector::All,
            synthesis: Synthesis::new(&pulse, sonar.sample_rate_hz, samples, terms),
            doppler,
            matched: compresses.then(|| Matched::new(&pulse, sonar.sample_rate_hz, samples)),
            receiver: Receiver::new(&device, &pulse),
            samples,
            sample_rate_hz: sonar.sample_rate_hz,
            farthest_m,
            cell_m: cells_per_resolution(sonar.kind) * 0.5 * c / pulse.bandwidth_hz(),
            blanking_m: sonar.blanking_m,
            in_air: sonar.in_air,
            growth: Growth::new(scenario),
            device,
        };
        built.sector = built.sector_heard();
        built
    }
}
