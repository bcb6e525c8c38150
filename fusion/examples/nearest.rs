//! Nearest neighbours on the odometry's map: the CPU time of a million.
//!
//! `nearest POINTS QUERIES [KEPT]` reads little-endian `f32` triples. The map of 1 m voxels is made of
//! the points; those it keeps are written to KEPT, so that others can be asked about the same.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program, not the room"
)]

use beluga_fusion::PointMap;

#[path = "cpu/mod.rs"]
mod cpu;

/// Edge of a voxel, and farthest neighbour, in metres.
const VOXEL_M: f64 = 1.0;
const REACH_M: f32 = 1.0;
/// How often the queries are asked.
const ROUNDS: usize = 7;

type Failure = Box<dyn std::error::Error>;

fn triples(path: &str) -> Result<Vec<[f32; 3]>, Failure> {
    let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let (words, _) = bytes.as_chunks::<4>();
    let (triples, _) = words.as_chunks::<3>();
    Ok(triples
        .iter()
        .map(|triple| triple.map(f32::from_le_bytes))
        .collect())
}

fn main() -> Result<(), Failure> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let (points, queries) = match paths.as_slice() {
        [points, queries, ..] => (triples(points)?, triples(queries)?),
        _ => return Err("usage: nearest POINTS QUERIES [KEPT]".into()),
    };
    let before = cpu::milliseconds();
    let mut map = PointMap::new(VOXEL_M);
    map.insert(&points);
    let build = cpu::milliseconds() - before;
    let kept = map.points();
    let mut spent = Vec::new();
    let mut sum = 0.0;
    let mut found = 0;
    for _ in 0..ROUNDS {
        let before = cpu::milliseconds();
        let neighbours = map.nearest(&queries, REACH_M);
        spent.push(cpu::milliseconds() - before);
        let within = neighbours.iter().flatten();
        sum = within
            .clone()
            .map(|one| f64::from(one.distance_m * one.distance_m))
            .sum::<f64>();
        found = within.count();
    }
    spent.sort_by(f64::total_cmp);
    println!(
        "{{\"points\": {}, \"queries\": {}, \"found\": {found}, \"sum_of_squares_m2\": {sum:.3}, \"build_cpu_ms\": {build:.3}, \"cpu_ms_median\": {:.3}}}",
        kept.len(),
        queries.len(),
        spent[spent.len() / 2],
    );
    if let Some(path) = paths.get(2) {
        let bytes: Vec<u8> = kept
            .iter()
            .flatten()
            .flat_map(|value| (*value as f32).to_le_bytes())
            .collect();
        std::fs::write(path, bytes)?;
    }
    Ok(())
}
