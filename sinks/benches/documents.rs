//! How many documents of 4 kB are read in a second, on one core and over threads, and what bombs cost.
//!
//! `cargo bench -p beluga-sinks --bench documents`

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::hint::black_box;
use std::time::Duration;

use beluga_sinks::document::{Profile, read};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// A document of 4096 bytes: all fields of the guide, two schemas, code, a history.
fn document() -> String {
    let whole = include_str!("../tests/documents/05_guide_complete.maml.md");
    let (front, rest) = whole.split_once("## History").unwrap();
    let prose = "The apron is surveyed from the water at both tides, the lidar above and the sonar below. ";
    let mut text = format!("{front}## Execution Plan\n");
    while text.len() + rest.len() + 100 < 4096 {
        text.push_str(prose);
        text.push('\n');
    }
    text.push_str("\n## History");
    text.push_str(rest);
    let missing = 4096 - text.len();
    text.insert_str(text.len() - 1, &" ".repeat(missing));
    assert_eq!(text.len(), 4096);
    assert_eq!(read(text.as_bytes(), Some(Profile::Guide)).findings, []);
    text
}

/// Of this thread: what others do on the machine does not count.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn reading(criterion: &mut Criterion) {
    let text = document();
    let mut group = criterion.benchmark_group("sinks/document");
    group.throughput(Throughput::Elements(1));
    let bare = text
        .replace("## Input_Schema", "## Input")
        .replace("## Output_Schema", "## Output");
    for (name, text) in [("read/4kB", &text), ("read/4kB without schemas", &bare)] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| {
                let began = cpu_time();
                for _ in 0..times {
                    black_box(read(black_box(text.as_bytes()), None));
                }
                cpu_time() - began
            });
        });
    }
    for threads in [1, 2] {
        const EACH: usize = 2000;
        group.throughput(Throughput::Elements((threads * EACH) as u64));
        group.bench_function(format!("threads/{threads}"), |bencher| {
            bencher.iter(|| {
                std::thread::scope(|scope| {
                    for _ in 0..threads {
                        scope.spawn(|| {
                            (0..EACH)
                                .filter(|_| read(black_box(text.as_bytes()), None).is_valid())
                                .count()
                        });
                    }
                });
            });
        });
    }
    group.finish();
}

fn bombs(criterion: &mut Criterion) {
    let yaml = |inner: &str| format!("---\nschema: maml-v1.0\ncontext: {inner}\n---\n");
    let mut group = criterion.benchmark_group("sinks/document/bomb");
    group.sample_size(10);
    for (name, text) in [
        ("deep", yaml(&"[".repeat(500_000))),
        ("wide", yaml(&format!("[{}]", "a, ".repeat(300_000)))),
        ("quotes", format!("{}{}", yaml("a"), "> ".repeat(400_000))),
        ("brackets", format!("{}{}", yaml("a"), "[".repeat(800_000))),
        ("headings", format!("{}{}", yaml("a"), "## x\n".repeat(200_000))),
        ("fences", format!("{}{}", yaml("a"), "```\n".repeat(250_000))),
        ("stars", format!("{}{}", yaml("a"), "*a ".repeat(330_000))),
        (
            "ticks",
            format!(
                "{}{}",
                yaml("a"),
                (1..1300).map(|n| "`".repeat(n) + " ").collect::<String>()
            ),
        ),
        (
            "history",
            format!("{}## History\n{}", yaml("a"), "x\n".repeat(500_000)),
        ),
        ("controls", format!("{}{}", yaml("a"), "\u{7}".repeat(1_000_000))),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| read(black_box(text.as_bytes()), None))
        });
    }
    group.finish();
}

criterion_group!(benches, reading, bombs);
criterion_main!(benches);
