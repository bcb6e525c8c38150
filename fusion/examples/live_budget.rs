//! What a live multibeam costs: 256 beams of 4,096 samples through compression, detection and geometry, as a
//! share of one core at 15 pings a second.
//!
//! The bed lies 15 m below: each beam hears forty scatterers of its footprint, in noise.

#![allow(clippy::print_stdout, reason = "a program, not the room")]

use std::sync::Arc;

use beluga_fusion::{Config, Fuser};
use beluga_types::elementary::{cos, sin_cos};
use beluga_types::{
    Beam, Beams, Measurement, Payload, Pulse, PulseKind, Rig, SampleValues, SensorId, SensorKind, SensorSpec,
    Shading, SonarPing, Stamp, Vessel, Water, WaveformShape, Waveforms,
};

#[path = "cpu/mod.rs"]
mod cpu;

const BEAMS: usize = 256;
const SAMPLES: usize = 4096;
const CENTRE_HZ: f64 = 300e3;
const PINGS_PER_S: f64 = 15.0;
const PINGS: u64 = 90;
const WARM: u64 = 15;
const SPEED_M_PER_S: f64 = 1480.0;
const DEPTH_M: f64 = 15.0;

type Failure = Box<dyn std::error::Error>;

/// A counter turned into numbers between 0 and 1: SplitMix64.
struct Chance(u64);

impl Chance {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn pulse() -> Pulse {
    Pulse {
        kind: PulseKind::Lfm,
        start_hz: CENTRE_HZ - 24e3,
        end_hz: CENTRE_HZ + 24e3,
        duration_s: 1e-3,
        shading: Shading::Rectangular,
    }
}

/// The axes of the fan, from straight down, in rad.
fn across_rad(beam: usize) -> f64 {
    (120.0 * (beam as f64 / (BEAMS - 1) as f64 - 0.5)).to_radians()
}

/// What one beam hears, as I and Q in counts.
fn channel(beam: usize, rate_hz: f64, chance: &mut Chance, counts: &mut Vec<[i16; 2]>) {
    let pulse = pulse();
    let mut row: Vec<[f64; 2]> = (0..SAMPLES)
        .map(|_| [chance.uniform(), chance.uniform()].map(|value| 40.0 * (value - 0.5)))
        .collect();
    for _ in 0..40 {
        let angle_rad = across_rad(beam) + (chance.uniform() - 0.5) * 1f64.to_radians();
        let delay_s = 2.0 * DEPTH_M / cos(angle_rad) / SPEED_M_PER_S;
        let phase = std::f64::consts::TAU * chance.uniform();
        let first = ((delay_s - 0.5 * pulse.duration_s) * rate_hz).ceil() as usize;
        for (index, value) in row
            .iter_mut()
            .enumerate()
            .skip(first)
            .take((pulse.duration_s * rate_hz) as usize)
        {
            let t = index as f64 / rate_hz - delay_s;
            let sweep = std::f64::consts::PI * pulse.bandwidth_hz() / pulse.duration_s * t * t;
            let (sin, cos) = sin_cos(phase + sweep);
            value[0] += 300.0 * cos;
            value[1] += 300.0 * sin;
        }
    }
    counts.extend(row.iter().map(|value| value.map(|part| part.round() as i16)));
}

fn run(rate_hz: f64) -> Result<(), Failure> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let beams: Arc<[Beam]> = (0..BEAMS)
        .map(|beam| Beam::at(across_rad(beam), 0.0, [0.0175, 2.5], [0.5, 0.0175]))
        .collect();
    let mut chance = Chance(1);
    let mut pings = Vec::new();
    for _ in 0..4 {
        let mut counts = Vec::with_capacity(BEAMS * SAMPLES);
        for beam in 0..BEAMS {
            channel(beam, rate_hz, &mut chance, &mut counts);
        }
        let shape = WaveformShape {
            channels: BEAMS,
            samples: SAMPLES,
        };
        let waveforms = Waveforms::new(shape, SampleValues::IqI16(counts), 1e-4, rate_hz, CENTRE_HZ, 0.0)?;
        let beams = Beams::new(waveforms, beams.clone(), pulse(), 0.0, None, 1.0)?;
        pings.push(Arc::new(SonarPing::Beams(beams)));
    }
    let rig = Rig {
        origin: None,
        vessel: Vessel::default(),
        water: Water::SoundSpeed(SPEED_M_PER_S),
        sensors: vec![SensorSpec::new("multibeam", SensorKind::Sonar)],
    };
    let mut fuser = Fuser::new(Config::default(), rig)?;
    let (mut spent, mut counted, mut soundings) = (0.0, 0u64, 0usize);
    for seq in 0..PINGS {
        let stamp = Stamp::from_nanos((seq as f64 / PINGS_PER_S * 1e9) as i64);
        let ping = &pings[seq as usize % pings.len()];
        let end = stamp.shifted_s(SAMPLES as f64 / rate_hz);
        let measurement = Measurement {
            seq,
            sensor: SensorId(0),
            stamp,
            end,
            received: end,
            payload: Payload::Sonar(Arc::clone(ping)),
        };
        let before = cpu::milliseconds();
        let frames = threads.install(|| fuser.push(measurement));
        if seq >= WARM {
            spent += cpu::milliseconds() - before;
            counted += 1;
            soundings += frames.iter().map(|frame| frame.points.len()).sum::<usize>();
        }
    }
    let each_ms = spent / counted as f64;
    println!(
        "    sampled at {:>3} kHz: {each_ms:.2} ms of CPU a ping, {:.0} soundings: {:.1} % of one core at {PINGS_PER_S} Hz",
        rate_hz * 1e-3,
        soundings as f64 / counted as f64,
        0.1 * each_ms * PINGS_PER_S,
    );
    Ok(())
}

fn main() -> Result<(), Failure> {
    println!(
        "live multibeam, {BEAMS} beams x {SAMPLES} samples (i16 I/Q) of a 48 kHz sweep, from samples to soundings, one thread"
    );
    // Below twice the band the filter interpolates, so that there are twice as many samples to look at.
    run(60e3)?;
    run(100e3)
}
