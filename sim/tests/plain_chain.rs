//! A plain chain over simulated pings, true poses given: the waveforms, conventions, truth and score
//! must fit together. Matched filter and energy centroid per beam, nothing clever.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Arc;

use beluga_sim::{Scenario, Score, Scorer, World};
use beluga_types::{
    ArcTable, Beams, Body, FrameStatus, Label, Measurement, Medium, Payload, Point, PointTable, PoseSource,
    Pulse, Sensor, Shading, SharedStates, SolidarFrame, SonarPing, SonarRegistration, Stamp, Transform,
    Window, World as WorldSpace,
};
use nalgebra::{Matrix6, Vector6};
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// Two seconds before a ladder, with the demo's own sensors.
fn scenario() -> Scenario {
    let mut scenario = Scenario::demo();
    scenario.duration_s = 2.0;
    scenario.nav.withheld = true;
    scenario
}

fn replica(pulse: &Pulse, rate_hz: f64) -> Vec<Complex<f32>> {
    let Shading::Tukey(taper) = pulse.shading else {
        panic!("the simulated pulse has tapered ends");
    };
    let half = (0.5 * pulse.duration_s * rate_hz).floor() as i32;
    let sweep = (pulse.end_hz - pulse.start_hz) / pulse.duration_s;
    (-half..=half)
        .map(|i| {
            let t = f64::from(i) / rate_hz;
            let from_edge = (0.5 - (t / pulse.duration_s).abs()) / taper;
            let window = if from_edge > 0.5 {
                1.0
            } else {
                0.5 - 0.5 * (std::f64::consts::TAU * from_edge).cos()
            };
            let value = Complex::from_polar(window, std::f64::consts::PI * sweep * t * t);
            Complex::new(value.re as f32, value.im as f32)
        })
        .collect()
}

/// A matched filter in one transform, planned once.
struct Compressor {
    length: usize,
    half: usize,
    filter: Vec<Complex<f32>>,
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
}

impl Compressor {
    fn new(beams: &Beams) -> Self {
        let pulse = replica(&beams.pulse, beams.waveforms.sample_rate_hz());
        let length = (beams.waveforms.shape().samples + pulse.len()).next_power_of_two();
        let mut planner = FftPlanner::new();
        let forward = planner.plan_fft_forward(length);
        // The replica's first sample is half a pulse before its centre.
        let half = pulse.len() / 2;
        let mut filter = pulse;
        filter.resize(length, Complex::default());
        forward.process(&mut filter);
        Self {
            length,
            half,
            filter: filter.iter().map(Complex::conj).collect(),
            forward,
            inverse: planner.plan_fft_inverse(length),
        }
    }

    /// Power; bin i is an echo whose pulse centre came at sample i.
    fn power(&self, beams: &Beams, beam: usize) -> Vec<f32> {
        let mut row = Vec::new();
        beams.waveforms.read_channel(beam, &mut row);
        let mut signal: Vec<Complex<f32>> = row.iter().map(|[i, q]| Complex::new(*i, *q)).collect();
        signal.resize(self.length, Complex::default());
        self.forward.process(&mut signal);
        for (value, filter) in signal.iter_mut().zip(&self.filter) {
            *value *= filter;
        }
        self.inverse.process(&mut signal);
        (0..row.len())
            .map(|i| signal[(i + self.length - self.half) % self.length].norm_sqr())
            .collect()
    }
}

/// Places (in bins) and powers of the echoes of one beam: clusters above a threshold, as centroids.
fn echoes(power: &[f32], first: usize) -> Vec<[f64; 2]> {
    const GAP: usize = 3;
    let loudest = power[first..].iter().copied().fold(0.0, f32::max);
    let mut sorted = power[first..].to_vec();
    sorted.sort_by(f32::total_cmp);
    let noise = sorted[sorted.len() / 4];
    let threshold = (loudest * 0.05).max(noise * 60.0);
    let mut found: Vec<(usize, [f64; 2])> = Vec::new();
    for (i, &value) in power.iter().enumerate().skip(first) {
        if value < threshold {
            continue;
        }
        let weight = f64::from(value);
        match found.last_mut() {
            Some((last, [place, sum])) if i - *last <= GAP => {
                *place += weight * i as f64;
                *sum += weight;
                *last = i;
            }
            _ => found.push((i, [weight * i as f64, weight])),
        }
    }
    found
        .into_iter()
        .map(|(_, [place, sum])| [place / sum, sum])
        .collect()
}

fn frame(world_from_body: Transform<WorldSpace, Body>, end: Stamp, points: PointTable) -> SolidarFrame {
    SolidarFrame {
        index: 0,
        window: Window {
            start: end.shifted_s(-0.1),
            end,
        },
        inputs: Vec::new(),
        gaps: Vec::new(),
        clocks: Vec::new(),
        world_from_body,
        pose_covariance: Matrix6::identity(),
        localizability: [1.0; 6],
        twist: Vector6::zeros(),
        shared: SharedStates::default(),
        waterline: None,
        calibration: Vec::new(),
        status: FrameStatus {
            pose_source: PoseSource::Nav,
            sonar_registration: SonarRegistration::NotTried,
        },
        points,
        arcs: ArcTable::default(),
    }
}

fn push(table: &mut PointTable, seq: u64, point: Point<Body>, medium: Medium, level: f32) {
    let p = point.vector();
    table.x.push(p.x as f32);
    table.y.push(p.y as f32);
    table.z.push(p.z as f32);
    table.offset_nanos.push(0);
    table.sensor.push(0);
    table.medium.push(medium);
    table.level.push(level);
    table.snr_db.push(None);
    table.sigma_range_m.push(0.01);
    table.sigma_along_m.push(0.01);
    table.sigma_across_m.push(0.01);
    table.label.push(Label::Unknown);
    table.source_seq.push(seq);
    table.source_index.push(0);
}

/// Every detection of a ping, placed between its transmit and its receive pose.
fn sonar_points(world: &World, measurement: &Measurement, beams: &Beams, table: &mut PointTable) {
    let body_from_sensor = world.rig().sensor(measurement.sensor).unwrap().body_from_sensor();
    let body_from_world = world.pose_at(measurement.stamp).inverse();
    let c = beams.sound_speed_m_per_s.unwrap();
    let rate = beams.waveforms.sample_rate_hz();
    let first = (2.0 * beams.blanking_m / c * rate) as usize;
    let compressor = Compressor::new(beams);
    for (i, beam) in beams.beams.iter().enumerate() {
        for [place, power] in echoes(&compressor.power(beams, i), first) {
            let delay = place / rate;
            let on_axis = Point::<Sensor>::from_vector(beam.direction.vector() * (0.5 * c * delay));
            let half_way = world.pose_at(measurement.stamp.shifted_s(0.5 * delay)) * body_from_sensor;
            push(
                table,
                measurement.seq,
                body_from_world * (half_way * on_axis),
                Medium::Water,
                10.0 * (power as f32).log10(),
            );
        }
    }
}

fn lidar_points(world: &World, measurement: &Measurement, table: &mut PointTable) {
    let Payload::Lidar(scan) = &measurement.payload else {
        return;
    };
    let body_from_sensor = world.rig().sensor(measurement.sensor).unwrap().body_from_sensor();
    let body_from_world = world.pose_at(measurement.stamp).inverse();
    for (i, &offset) in scan.offset_nanos().unwrap().iter().enumerate() {
        let point = Point::<Sensor>::new(scan.x()[i].into(), scan.y()[i].into(), scan.z()[i].into());
        let then = world.pose_at(measurement.stamp.shifted_nanos(offset.into())) * body_from_sensor;
        push(
            table,
            measurement.seq,
            body_from_world * (then * point),
            Medium::Air,
            100.0,
        );
    }
}

fn score() -> Score {
    let world = World::new(scenario()).unwrap();
    let mut scorer = Scorer::new(world.truth());
    for measurement in world.measurements() {
        let mut table = PointTable::default();
        match &measurement.payload {
            Payload::Sonar(ping) => {
                let SonarPing::Beams(beams) = ping.as_ref() else {
                    panic!("the multibeam gives beams");
                };
                sonar_points(&world, &measurement, beams, &mut table);
            }
            _ => lidar_points(&world, &measurement, &mut table),
        }
        scorer.add(&frame(world.pose_at(measurement.stamp), measurement.stamp, table));
    }
    scorer.finish()
}

#[test]
fn a_plain_chain_finds_wall_bed_and_rungs() {
    let score = score();
    println!("{score}");
    assert!(score.trajectory.unaligned_m < 1e-4, "the poses are the true ones");
    assert!(score.lidar.median_m < 0.012 && score.lidar.bias_m.abs() < 0.003);
    assert!(score.sonar_wall.median_m < 0.03 && score.sonar_wall.bias_m.abs() < 0.01);
    assert!(score.sonar_bed.median_m < 0.03 && score.sonar_bed.bias_m.abs() < 0.01);
    assert!(score.rungs_above.recovered >= score.rungs_above.passed - 1);
    assert!(score.rungs_below.median_m.unwrap() < 0.03);
    assert_eq!(score.rungs_below.recovered, score.rungs_below.passed);
    assert!(score.coverage.fraction.unwrap() > 0.9);
}
