//! Speed of the sonar chain's two heavy steps on one ping of 256 beams of 4096 samples, one thread.

use std::hint::black_box;

use beluga_fusion::sonar::cfar::{Cfar, Levels};
use beluga_fusion::sonar::pulse::{MatchedFilter, Sampling, Scratch};
use beluga_fusion::sonar::{CfarKind, ReplicaWindow};
use beluga_types::{Pulse, PulseKind, Shading};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const BEAMS: usize = 256;
const SAMPLES: usize = 4096;

/// Numbers without a pattern that matters here.
fn samples() -> Vec<[f32; 2]> {
    (0u32..SAMPLES as u32)
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
    let filter =
        MatchedFilter::new(&pulse, sampling, ReplicaWindow::Hann).expect("the pulse fits its samples");
    let channel = samples();
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

criterion_group!(benches, sonar);
criterion_main!(benches);
