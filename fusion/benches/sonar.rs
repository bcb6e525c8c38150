//! Speed of the sonar chain's two heavy steps on one ping of 256 beams of 4096 samples, one thread, of compressing
//! long pings with a long pulse to their envelopes, and of forming the beams of planes.

use std::hint::black_box;

use beluga_fusion::sonar::beamform::Beamformer;
use beluga_fusion::sonar::cfar::{Cfar, Levels};
use beluga_fusion::sonar::pulse::{MatchedFilter, Sampling, Scratch};
use beluga_fusion::sonar::{CfarKind, ReplicaWindow, Transforms};
use beluga_types::{Elements, Point, Pulse, PulseKind, SampleValues, Shading, WaveformShape, Waveforms};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const BEAMS: usize = 256;
const SAMPLES: usize = 4096;

/// Numbers without a pattern that matters here.
fn samples(count: usize) -> Vec<[f32; 2]> {
    (0u32..count as u32)
        .map(|n| n.wrapping_mul(2_654_435_761) as f32 / u32::MAX as f32 - 0.5)
        .map(|value| [value, 0.5 - value])
        .collect()
}

fn sonar(criterion: &mut Criterion) {
    let pulse = Pulse {
        kind: PulseKind::Lfm,
        start_hz: 375e3,
        end_hz: 425e3,
        duration_s: 2e-3,
        shading: Shading::Rectangular,
    };
    let sampling = Sampling {
        rate_hz: 100e3,
        centre_hz: 400e3,
        iq: true,
        samples: SAMPLES,
    };
    let filter = MatchedFilter::new(&pulse, sampling, ReplicaWindow::Hann, Transforms::Fastest)
        .expect("the pulse fits its samples");
    let channel = samples(SAMPLES);
    let mut group = criterion.benchmark_group("fusion");
    group.throughput(Throughput::Elements((BEAMS * SAMPLES) as u64));
    let (mut scratch, mut compressed) = (Scratch::default(), Vec::new());
    group.bench_function("pulse/256x4096", |bencher| {
        bencher.iter(|| {
            for _ in 0..BEAMS {
                filter.compress(black_box(&channel), &mut scratch, &mut compressed);
            }
            compressed[0]
        });
    });
    let power: Vec<f32> = compressed.iter().map(|value| value.norm_sqr()).collect();
    let cfar = Cfar::new(CfarKind::Soca, 1e-6, 32, 2, filter.cell_samples());
    let mut levels = Levels::default();
    group.bench_function("cfar/256x4096", |bencher| {
        bencher.iter(|| {
            for _ in 0..BEAMS {
                cfar.levels(black_box(&power), filter.whole_samples(), &mut levels);
            }
            levels.noise[0]
        });
    });
    group.finish();
}

/// Pings of 65,536 samples with a replica of 4,097 to the envelope, one thread: `benches/anchors_sonar.py` runs a
/// thousand of the same beside other programs. Bytes are those of the samples.
fn long_pings(criterion: &mut Criterion) {
    const PINGS: usize = 4;
    const LONG: usize = 65_536;
    let mut group = criterion.benchmark_group("fusion");
    group.sample_size(20);
    let pulse = Pulse {
        kind: PulseKind::Lfm,
        start_hz: 100e3,
        end_hz: 200e3,
        duration_s: 4.096e-3,
        shading: Shading::Rectangular,
    };
    let channel = samples(LONG);
    for (word, iq, centre_hz) in [("iq", true, 150e3), ("real", false, 0.0)] {
        let sampling = Sampling {
            rate_hz: 1e6,
            centre_hz,
            iq,
            samples: LONG,
        };
        let filter = MatchedFilter::new(&pulse, sampling, ReplicaWindow::Matched, Transforms::Fastest)
            .expect("the pulse fits its samples");
        let (mut scratch, mut envelope) = (Scratch::default(), vec![0.0; filter.output_samples()]);
        let bytes = PINGS * LONG * if iq { 8 } else { 4 };
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(format!("pulse/{PINGS}x65536-4097/{word}"), |bencher| {
            bencher.iter(|| {
                for _ in 0..PINGS {
                    filter.envelope(black_box(&channel), &mut scratch, &mut envelope);
                }
                envelope[0]
            });
        });
    }
    group.finish();
}

/// Beams of planes of elements half a wavelength apart, of a ping of 2048 samples; all threads.
fn beams(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fusion");
    // A place that is off the grid by a hundredth of a millimetre makes it none.
    for (side, off_m, word) in [
        (8usize, 0.0, "rows"),
        (8, 1e-5, "elements"),
        (16, 0.0, "rows"),
        (16, 1e-5, "elements"),
    ] {
        let samples = 2048;
        let shape = WaveformShape {
            channels: side * side,
            samples,
        };
        let value = |n: usize| (n as u32).wrapping_mul(2_654_435_761) as f32 / u32::MAX as f32 - 0.5;
        let values = SampleValues::IqF32(
            (0..side * side * samples)
                .map(|n| [value(n), value(n + 7)])
                .collect(),
        );
        let pulse = Pulse {
            kind: PulseKind::Lfm,
            start_hz: 90e3,
            end_hz: 110e3,
            duration_s: 1e-3,
            shading: Shading::Rectangular,
        };
        let place = |n: usize| {
            let off_m = if n == 0 { off_m } else { 0.0 };
            Point::new(
                (n / side) as f64 * 6.8e-3 + off_m,
                (n % side) as f64 * 6.8e-3,
                0.0,
            )
        };
        let ping = Elements {
            waveforms: Waveforms::new(shape, values, 1.0, 25e3, 100e3, 0.0).expect("finite samples"),
            positions: (0..side * side).map(place).collect(),
            beam: None,
            pulse: Some(pulse),
            sound_speed_m_per_s: None,
            blanking_m: 3.0,
        };
        let former = Beamformer::new(&ping, &pulse, ReplicaWindow::Hamming, 1500.0, Transforms::Fastest)
            .expect("a plane");
        let beams = former.form(&ping).map_or(0, |formed| formed.beams.beams.len());
        group.throughput(Throughput::Elements((beams * samples) as u64));
        group.bench_function(
            format!("beamform/{side}x{side}-{beams}x{samples}/{word}"),
            |bencher| {
                bencher.iter(|| {
                    former
                        .form(black_box(&ping))
                        .map(|formed| formed.beams.beams.len())
                });
            },
        );
    }
    group.finish();
}

criterion_group!(benches, sonar, long_pings, beams);
criterion_main!(benches);
