//! Files of points whose bytes are anything: read or refused, and no more points than bytes can hold.

#![allow(clippy::unwrap_used)]

mod write;

use std::path::{Path, PathBuf};

use beluga_ingest::{cloud, ply};
use beluga_types::LidarScan;
use laz::{LazItemRecordBuilder, LazVlr, LazVlrBuilder};

/// Files by the first byte of a seed, as the fuzz target takes it.
const NAMES: [&str; 5] = ["any.ply", "any.pcd", "any.las", "any.bin", "any.xyz32"];
/// The most points of a byte: binary numbers of a byte each, LZF's longest references over such,
/// what is allowed of LASzip, and a point's numbers.
const MOST_OF_A_BYTE: [f64; 5] = [1.0 / 3.0, 264.0 / 9.0, 8.0, 1.0 / 16.0, 1.0 / 12.0];

fn read(seed: &[u8]) -> Option<LidarScan> {
    let (first, bytes) = seed.split_first()?;
    let kind = usize::from(*first) % NAMES.len();
    let scan = cloud::parse(bytes, Path::new(NAMES[kind])).ok()?;
    let most = bytes.len() as f64 * MOST_OF_A_BYTE[kind];
    assert!(
        scan.len() as f64 <= most,
        "{} points of {} bytes",
        scan.len(),
        bytes.len()
    );
    let near = |axis: &[f32]| axis.iter().all(|value| value.abs() <= 1e6);
    assert!(near(scan.x()) && near(scan.y()) && near(scan.z()));
    assert!(
        scan.intensity()
            .into_iter()
            .flatten()
            .all(|value| value.is_finite())
    );
    Some(scan)
}

/// What fuzzing starts from: name, first byte, points, file.
fn made() -> Vec<(&'static str, u8, usize, Vec<u8>)> {
    let usual = |format, extra| LazVlrBuilder::default().with_point_format(format, extra).unwrap();
    let of_15 = |format, extra| usual(format, extra).with_fixed_chunk_size(15).build();
    let any = |format, extra| usual(format, extra).with_variable_chunk_size().build();
    let first = LazVlr::from_laz_items(LazItemRecordBuilder::version_1_of::<laz::las::Point1>(0));
    let cut_point = [1.0, 2.0, 3.0, 0.5, f32::NAN, 0.0, 0.0, 0.0, -4.0, 5.0, 6.0, 1.0];
    vec![
        ("binary.ply", 0, 3, ply::encode(&write::scan())),
        ("ascii.ply", 0, 2, write::ascii_ply()),
        ("lists.ply", 0, 2, write::listed_ply()),
        ("ascii.pcd", 1, 2, write::ascii_pcd()),
        ("binary.pcd", 1, 2, write::binary_pcd()),
        ("compressed.pcd", 1, 40, write::compressed_pcd()),
        ("plain.las", 2, 39, write::las(1, 0, None)),
        ("plain-14.las", 2, 39, write::las(6, 2, None)),
        ("first.laz", 2, 39, write::las(1, 0, Some(&first))),
        ("one-chunk.laz", 2, 39, write::one_chunk(1)),
        ("chunks.laz", 2, 39, write::las(3, 3, Some(&of_15(3, 3)))),
        ("unlike-chunks.laz", 2, 39, write::las(0, 0, Some(&any(0, 0)))),
        ("layers.laz", 2, 39, write::las(6, 0, Some(&usual(6, 0).build()))),
        ("layers-chunks.laz", 2, 39, write::las(8, 2, Some(&of_15(8, 2)))),
        ("unlike-layers.laz", 2, 39, write::las(7, 0, Some(&any(7, 0)))),
        ("scan.bin", 3, 2, write::reals(&cut_point)),
        ("scan.xyz32", 4, 2, write::reals(&[1.0, 2.0, 3.0, -4.0, 5.0, 6.0])),
    ]
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/clouds")
}

/// With `BELUGA_MAKE_CORPUS` set they are written anew.
#[test]
fn the_seeds_of_the_fuzz_target_are_those_and_read() {
    let anew = std::env::var_os("BELUGA_MAKE_CORPUS").is_some();
    for (name, kind, points, bytes) in made() {
        let seed = [&[kind], &bytes[..]].concat();
        let path = corpus().join(name);
        if anew {
            std::fs::create_dir_all(corpus()).unwrap();
            std::fs::write(&path, &seed).unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), seed, "{name}");
        assert_eq!(read(&seed).map(|scan| scan.len()), Some(points), "{name}");
    }
}

/// What fuzzing found among them.
#[test]
fn the_corpus_and_every_cut_of_it_is_survived() {
    for entry in std::fs::read_dir(corpus()).unwrap() {
        let seed = std::fs::read(entry.unwrap().path()).unwrap();
        for end in 0..=seed.len() {
            read(&seed[..end]);
        }
    }
}

#[test]
fn changed_bytes_are_survived() {
    // A seeded sequence (xorshift) of places and values.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for (_, kind, _, bytes) in made() {
        for _ in 0..100 {
            let mut seed = [&[kind], &bytes[..]].concat();
            for _ in 0..=next(4) {
                let place = 1 + next(seed.len() - 1);
                seed[place] = [0, 0xff, b'9', next(256) as u8][next(4)];
            }
            read(&seed);
        }
    }
}

fn refused(bytes: &[u8], name: &str) -> String {
    cloud::parse(bytes, Path::new(name)).unwrap_err().to_string()
}

/// No field, so no bytes: nothing in the file bounds the count.
#[test]
fn points_of_no_field_are_refused_before_memory_is_taken() {
    for encoding in ["ascii", "binary", "binary_compressed"] {
        let mut bytes = format!("VERSION 0.7\nPOINTS 99999999999999\nDATA {encoding}\n").into_bytes();
        if encoding == "binary_compressed" {
            bytes.extend([0; 8]);
        }
        let error = refused(&bytes, "none.pcd");
        assert!(error.contains("expected a field `x`"), "{error}");
    }
}

/// Models for so many bytes take a gigabyte, however short the file is.
#[test]
fn points_with_thousands_of_added_bytes_are_refused_where_they_are_packed() {
    for format in [1, 6] {
        let packer = LazVlrBuilder::default()
            .with_point_format(format, 0)
            .unwrap()
            .build();
        let mut bytes = write::las(format, 0, Some(&packer));
        bytes[105..107].copy_from_slice(&40_000u16.to_le_bytes());
        let error = refused(&bytes, "wide.laz");
        assert!(error.contains("at most 1024 bytes added"), "{error}");
    }
}

/// `laz` goes to the next chunk by the record or the table; a chunk that says otherwise would send it
/// into bytes whose lengths nobody has checked.
#[test]
fn chunks_that_have_other_counts_than_is_said_are_refused() {
    let whole = write::las(
        6,
        0,
        Some(&LazVlrBuilder::default().with_point_format(6, 0).unwrap().build()),
    );
    let record = whole
        .windows(14)
        .position(|bytes| bytes == b"laszip encoded")
        .unwrap()
        - 2
        + 54;
    for (size, found) in [(1u32, "40"), (39, "40"), (0, "0 in 0 chunk(s)")] {
        let mut bytes = whole.clone();
        bytes[record + 12..record + 16].copy_from_slice(&size.to_le_bytes());
        let error = refused(&bytes, "other.laz");
        assert!(error.contains(&format!("found {found}")), "{size}: {error}");
    }
    assert!(cloud::parse(&whole, Path::new("whole.laz")).is_ok());
}

#[test]
fn an_ending_that_is_none_is_told() {
    let error = refused(b"ply", "a.obj");
    assert_eq!(
        error,
        "ending: expected ply, pcd, las, laz, bin or xyz32, found `obj`: a.obj"
    );
}
