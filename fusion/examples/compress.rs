//! Pulse compression of many pings to their envelope on one thread: CPU time, and how much of it is FFT.
//!
//! `compress real|iq needed|every RATE_HZ START_HZ END_HZ SECONDS CENTRE_HZ SAMPLES PINGS ENVELOPES [ROUNDS]` reads
//! little-endian `f32` samples (real, or I and Q in turn) and writes the first ping's envelope and the last's: at the
//! rate that the pulse's band needs, or at every sample.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program, not the room"
)]

use beluga_fusion::sonar::pulse::{MatchedFilter, Sampling, Scratch};
use beluga_fusion::sonar::{ReplicaWindow, Transforms};
use beluga_types::{Pulse, PulseKind, Shading};
use realfft::RealFftPlanner;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

#[path = "cpu/mod.rs"]
mod cpu;

type Failure = Box<dyn std::error::Error>;

/// The samples of every ping, as the filter takes them.
fn pings(path: &str, iq: bool) -> Result<Vec<[f32; 2]>, Failure> {
    let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let (words, _) = bytes.as_chunks::<4>();
    Ok(match iq {
        true => words
            .as_chunks::<2>()
            .0
            .iter()
            .map(|pair| pair.map(f32::from_le_bytes))
            .collect(),
        false => words
            .iter()
            .map(|word| [f32::from_le_bytes(*word), 0.0])
            .collect(),
    })
}

/// CPU time of the filter's transforms alone, on as many blocks.
fn transforms_ms(filter: &MatchedFilter, iq: bool, blocks: usize, step: usize) -> f64 {
    let length = filter.block_samples();
    let mut planner = FftPlanner::<f32>::new();
    let (forward, inverse) = (
        planner.plan_fft_forward(length),
        planner.plan_fft_inverse(length / step),
    );
    let real = RealFftPlanner::<f32>::new().plan_fft_forward(length);
    let mut values = vec![Complex::new(1.0f32, 0.5); length];
    let mut inner = vec![
        Complex::default();
        forward
            .get_inplace_scratch_len()
            .max(inverse.get_inplace_scratch_len())
    ];
    let (mut numbers, mut half, mut spare) = (
        real.make_input_vec(),
        real.make_output_vec(),
        real.make_scratch_vec(),
    );
    let before = cpu::milliseconds();
    for _ in 0..blocks {
        // Kept from growing without end.
        values.fill(Complex::new(1.0, 0.5));
        if iq {
            forward.process_with_scratch(&mut values, &mut inner);
        } else {
            numbers.fill(1.0);
            real.process_with_scratch(&mut numbers, &mut half, &mut spare)
                .expect("the buffers were made for this plan");
        }
        inverse.process_with_scratch(&mut values[..length / step], &mut inner);
    }
    std::hint::black_box((&values, &half));
    cpu::milliseconds() - before
}

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [
        kind,
        outputs,
        rate,
        start,
        end,
        seconds,
        centre,
        samples,
        path,
        out,
        rest @ ..,
    ] = words.as_slice()
    else {
        return Err("usage: compress real|iq needed|every RATE_HZ START_HZ END_HZ SECONDS CENTRE_HZ SAMPLES PINGS ENVELOPES [ROUNDS]".into());
    };
    let iq = kind == "iq";
    let pulse = Pulse {
        kind: PulseKind::Lfm,
        start_hz: start.parse()?,
        end_hz: end.parse()?,
        duration_s: seconds.parse()?,
        shading: Shading::Rectangular,
    };
    let sampling = Sampling {
        rate_hz: rate.parse()?,
        centre_hz: centre.parse()?,
        iq,
        samples: samples.parse()?,
    };
    let rounds = rest.first().map_or(Ok(5), |word| word.parse::<usize>())?;
    let made = match outputs.as_str() {
        "needed" => MatchedFilter::new,
        "every" => MatchedFilter::at_every_sample,
        other => return Err(format!("`{other}` is neither `needed` nor `every`").into()),
    };
    let filter = made(&pulse, sampling, ReplicaWindow::Matched, Transforms::Fastest)?;
    let step = sampling.samples / filter.output_samples();
    let pings = pings(path, iq)?;
    let count = pings.len() / sampling.samples;
    let mut scratch = Scratch::default();
    let mut envelope = vec![0.0f32; filter.output_samples()];
    let mut kept = Vec::new();
    let mut spent = Vec::new();
    for _ in 0..rounds.max(1) {
        kept.clear();
        let mut took = 0.0;
        for (number, ping) in pings.chunks_exact(sampling.samples).enumerate() {
            let before = cpu::milliseconds();
            filter.envelope(ping, &mut scratch, &mut envelope);
            took += cpu::milliseconds() - before;
            if number == 0 || number + 1 == count {
                kept.extend(envelope.iter().flat_map(|value| value.to_le_bytes()));
            }
        }
        spent.push(took);
    }
    std::fs::write(out, kept)?;
    spent.sort_by(f64::total_cmp);
    let median = spent[spent.len() / 2];
    let valid = filter.block_samples() - (sampling.rate_hz * pulse.duration_s) as usize;
    let blocks = sampling.samples.div_ceil(valid) * count;
    let transforms = transforms_ms(&filter, iq, blocks, step);
    println!(
        "{{\"pings\": {count}, \"cpu_ms_median\": {median:.3}, \"cpu_ms_least\": {:.3}, \"transforms_ms\": {transforms:.3}, \"block\": {}, \"step\": {step}}}",
        spent[0],
        filter.block_samples()
    );
    Ok(())
}
