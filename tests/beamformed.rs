//! Beams formed of an array's elements against the beams that the simulator makes of the same sound.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what is wrong by failing, and prints what it measured"
)]

use std::ops::Range;

use beluga_fusion::sonar::beamform::Beamformer;
use beluga_fusion::sonar::pulse::{MatchedFilter, Sampling, Scratch};
use beluga_fusion::sonar::{ReplicaWindow, Transforms};
use beluga_sim::{ArrayShading, Scenario, World};
use beluga_types::elementary::{asin, ln, log10};
use beluga_types::{Beam, Beams, Elements, Measurement, Payload, SonarPing};

/// Quiet pings of an array before the quay: wall, bed and what stands there, as thousands of scatterers; and small balls
/// that hang in the water, nearer than all of that and each at a range of its own.
fn world(sonar: &str) -> World {
    let mut text = format!(
        "duration_s = 1.0\n[lidar]\nrings = 1\ncolumns = 16\n[sonar]\n{sonar}\nnoise_db = -200.0\nrange_m = 15.0\n"
    );
    for (number, (port_m, up_m)) in [
        (-0.6, -3.0),
        (-1.6, -3.2),
        (-2.8, -3.0),
        (-3.8, -2.6),
        (-4.8, -2.2),
        (0.5, -5.5),
    ]
    .into_iter()
    .enumerate()
    {
        let size = "[0.01, 0.01, 0.01]";
        text += &format!(
            "[[solid]]\nid = \"{number}\"\nkind = \"pile\"\nshape = \"sphere\"\nsize_m = {size}\nplace_m = [0.4, {port_m}, {up_m}]\n"
        );
    }
    World::new(Scenario::from_toml(&text).unwrap()).unwrap()
}

fn pings(world: &World) -> Vec<(u64, Elements)> {
    let elements = |measurement: Measurement| match measurement.payload {
        Payload::Sonar(ping) => match ping.as_ref() {
            SonarPing::Elements(elements) => Some((measurement.seq, elements.clone())),
            _ => None,
        },
        _ => None,
    };
    world.measurements().filter_map(elements).collect()
}

/// Compressed power of every beam.
fn compressed(beams: &Beams) -> Vec<Vec<f32>> {
    let waveforms = &beams.waveforms;
    let sampling = Sampling {
        rate_hz: waveforms.sample_rate_hz(),
        centre_hz: waveforms.centre_hz(),
        iq: true,
        samples: waveforms.shape().samples,
    };
    let window = ReplicaWindow::Hann;
    let filter = MatchedFilter::new(&beams.pulse, sampling, window, Transforms::Portable).unwrap();
    let (mut scratch, mut samples) = (Scratch::default(), Vec::new());
    let row = |channel: usize| {
        waveforms.read_channel(channel, &mut samples);
        let mut power = vec![0.0; filter.output_samples()];
        filter.power(&samples, &mut scratch, &mut power);
        power
    };
    (0..waveforms.shape().channels).map(row).collect()
}

/// Sine across track of a beam's direction, positive to starboard.
fn sine(beam: &Beam) -> f64 {
    -beam.direction.vector().y
}

/// Largest differences between both: of whole beams' levels in dB; of the balls' peaks in dB and in degrees of bearing;
/// and how many peaks there are.
struct Apart {
    beam_db: f64,
    peak_db: f64,
    bearing_deg: f64,
    peaks: usize,
}

/// Nothing but the balls is nearer than this.
const ALONE_M: f64 = 6.3;

/// Peaks are looked at down to 20 dB below the loudest ball of a ping.
const LOUD: f32 = 0.01;

/// A peak is the loudest of its beam for so many samples to either side.
const BESIDE: usize = 2;

/// The beam of a run that hears a sample loudest, where it is a lobe's top: not at the run's end, and no flatter than
/// where sounds from several places run into each other (the lobe of one, of beams half a width apart, bends by 1.39 nepers).
fn top(rows: &[Vec<f32>], run: &Range<usize>, sample: usize) -> Option<usize> {
    const LEAST_BEND: f64 = 1.0;
    let at = |beam: usize| f64::from(rows[beam][sample]);
    let top = run.clone().max_by(|&a, &b| at(a).total_cmp(&at(b)))?;
    let is_inside = top > run.start && top + 1 < run.end;
    let bend = || 2.0 * ln(at(top)) - ln(at(top - 1)) - ln(at(top + 1));
    (is_inside && bend() > LEAST_BEND).then_some(top)
}

/// The bearing of a sample's sound by a parabola through the logarithms of three beams.
fn bearing_deg(rows: &[Vec<f32>], beams: &[Beam], top: usize, sample: usize) -> f64 {
    let [before, here, after] = [top - 1, top, top + 1].map(|beam| ln(f64::from(rows[beam][sample])));
    let step = 0.5 * (before - after) / (before - 2.0 * here + after);
    let apart = 0.5 * (sine(&beams[top + 1]) - sine(&beams[top - 1]));
    asin(sine(&beams[top]) + step * apart).to_degrees()
}

fn apart(world: &World, window: ReplicaWindow, shading: ArrayShading, speed_share: f64) -> Apart {
    let mut found = Apart {
        beam_db: 0.0,
        peak_db: 0.0,
        bearing_deg: 0.0,
        peaks: 0,
    };
    for (seq, elements) in pings(world) {
        let (pulse, speed) = (elements.pulse.unwrap(), elements.sound_speed_m_per_s.unwrap());
        let former = Beamformer::new(
            &elements,
            &pulse,
            window,
            speed * speed_share,
            Transforms::Portable,
        )
        .unwrap();
        let formed = former.form(&elements).unwrap().beams;
        let ideal = world.ideal_beams(seq, &formed.beams, shading).unwrap();
        found.compare(&formed, &ideal, speed);
    }
    found
}

impl Apart {
    /// Takes the beams of one ping.
    fn compare(&mut self, formed: &Beams, ideal: &Beams, speed_m_per_s: f64) {
        let beams = &formed.beams;
        let rows = [formed, ideal].map(compressed);
        // Rows of beams that look alike along track, and not so far aside that they hear what lies one wavelength
        // on, which a filled aperture does not.
        let looks = |beam: &Beam| sine(beam).abs() < 0.6 && beam.direction.vector().x.abs() < 0.3;
        let interpolation = rows[0][0].len() / formed.waveforms.shape().samples;
        let sample_at = |range_m: f64| {
            (2.0 * range_m / speed_m_per_s * formed.waveforms.sample_rate_hz()) as usize * interpolation
        };
        let [blanked, alone] = [formed.blanking_m, ALONE_M].map(sample_at);
        let level = |row: &[f32]| row[blanked..].iter().map(|&power| f64::from(power)).sum::<f64>();
        for (beam, (one, other)) in rows[0].iter().zip(&rows[1]).enumerate() {
            if looks(&beams[beam]) {
                let off_db = 10.0 * log10(level(one) / level(other));
                self.beam_db = self.beam_db.max(off_db.abs());
            }
        }
        for run in runs(beams, looks) {
            let loudest = rows[1][run.clone()]
                .iter()
                .flat_map(|row| &row[blanked..alone])
                .fold(0.0f32, |top, &power| top.max(power));
            for sample in blanked..alone {
                let here = run.clone().map(|beam| rows[1][beam][sample]).fold(0.0, f32::max);
                if here < LOUD * loudest {
                    continue;
                }
                let is_peak = |&top: &usize| {
                    let around = sample.saturating_sub(BESIDE)..(sample + BESIDE + 1).min(rows[1][top].len());
                    rows[1][top][around]
                        .iter()
                        .all(|&power| power <= rows[1][top][sample])
                };
                if let Some(top) = top(&rows[1], &run, sample).filter(is_peak) {
                    let [one, other] = [0, 1].map(|which| bearing_deg(&rows[which], beams, top, sample));
                    let off_db = 10.0 * log10(f64::from(rows[0][top][sample] / rows[1][top][sample]));
                    self.peak_db = self.peak_db.max(off_db.abs());
                    self.bearing_deg = self.bearing_deg.max((one - other).abs());
                    self.peaks += 1;
                }
            }
        }
    }
}

/// Runs of neighbouring beams of the table that have the same place along track.
fn runs(beams: &[Beam], looks: impl Fn(&Beam) -> bool) -> Vec<Range<usize>> {
    let along = |beam: &Beam| beam.direction.vector().x;
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (index, beam) in beams.iter().enumerate().filter(|(_, beam)| looks(beam)) {
        match runs.last_mut() {
            Some(run) if run.end == index && (along(&beams[run.start]) - along(beam)).abs() < 1e-9 => {
                run.end = index + 1;
            }
            _ => runs.push(index..index + 1),
        }
    }
    runs
}

const LINE: &str = "device = \"hydrophone-line-16\"\nelements = [1, 32]";
const PLANE: &str = "device = \"hydrophone-plane-8x8\"";

#[test]
fn beams_of_elements_are_those_the_simulator_makes() {
    println!("array  shading   beams dB  peaks dB  bearings deg  peaks");
    // Whole beams of a line hear a little of what lies a wavelength on, behind Taylor's far lobes at -35 dB.
    for (name, device, window, shading, most_db) in [
        ("line", LINE, ReplicaWindow::Hann, ArrayShading::Hann, 0.2),
        ("line", LINE, ReplicaWindow::Hamming, ArrayShading::Hamming, 0.2),
        ("line", LINE, ReplicaWindow::Taylor, ArrayShading::Taylor, 0.3),
        ("plane", PLANE, ReplicaWindow::Hann, ArrayShading::Hann, 0.2),
    ] {
        let found = apart(&world(device), window, shading, 1.0);
        println!(
            "{name:<6} {:<9} {:8.3} {:9.3} {:13.4} {:6}",
            format!("{shading:?}"),
            found.beam_db,
            found.peak_db,
            found.bearing_deg,
            found.peaks
        );
        assert!(found.peaks > 15, "{name}, {shading:?}: {} peaks", found.peaks);
        assert!(
            found.beam_db < most_db,
            "{name}, {shading:?}: {} dB",
            found.beam_db
        );
        assert!(found.peak_db < 0.2, "{name}, {shading:?}: {} dB", found.peak_db);
        assert!(
            found.bearing_deg < 0.1,
            "{name}, {shading:?}: {}°",
            found.bearing_deg
        );
    }
}

#[test]
fn a_wrong_speed_of_sound_or_shading_is_seen() {
    let world = world(LINE);
    let faster = apart(&world, ReplicaWindow::Hann, ArrayShading::Hann, 1.01);
    let other = apart(&world, ReplicaWindow::Hann, ArrayShading::Taylor, 1.0);
    println!(
        "1 % faster {:.3}°, another shading {:.2} dB",
        faster.bearing_deg, other.beam_db
    );
    assert!(faster.bearing_deg > 0.1 && other.beam_db > 0.2);
}
