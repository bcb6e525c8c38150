//! Speed of the river end to end, in memory: `sample-data/quay` read, fused, and turned into frame
//! bytes. It is six seconds of data.

use std::path::Path;

use beluga_fusion::{Config, Fuser};
use beluga_ingest::Recording;
use beluga_sinks::{FrameHasher, arrow};
use beluga_types::{Measurement, Rig, SolidarFrame};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

fn read(folder: &Path) -> (Rig, Vec<Measurement>) {
    let recording = Recording::open(folder).expect("the sample data comes with the repository");
    let timeline = recording.timeline().expect("its files are whole").collect();
    (recording.rig().clone(), timeline)
}

fn fuse(rig: &Rig, timeline: Vec<Measurement>) -> Vec<SolidarFrame> {
    let mut fuser = Fuser::new(Config::default(), rig.clone()).expect("the default config is in range");
    let mut frames: Vec<SolidarFrame> = timeline
        .into_iter()
        .flat_map(|measurement| fuser.push(measurement))
        .collect();
    frames.extend(fuser.finish());
    frames
}

fn frame_bytes(frames: &[SolidarFrame]) -> [u8; 32] {
    let mut hasher = FrameHasher::new();
    for frame in frames {
        hasher.update(&arrow::encode(frame).expect("columns of a frame agree"));
    }
    hasher.finish()
}

fn river(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/quay");
    let (rig, timeline) = read(&folder);
    let frames = fuse(&rig, timeline.clone());
    let mut group = criterion.benchmark_group("river");
    group.sample_size(10);
    group.throughput(Throughput::Elements(timeline.len() as u64));
    group.bench_function("read/quay", |bencher| bencher.iter(|| read(&folder)));
    group.bench_function("fuse/quay", |bencher| {
        bencher.iter_batched(
            || timeline.clone(),
            |timeline| fuse(&rig, timeline),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("encode/quay", |bencher| bencher.iter(|| frame_bytes(&frames)));
    group.finish();
}

criterion_group!(benches, river);
criterion_main!(benches);
