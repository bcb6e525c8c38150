//! Packets made from the manuals, whole and damaged: every model that no recording is at hand of,
//! every cut, changed bytes, and the seeds of the fuzz targets.

#![allow(clippy::unwrap_used)]

mod write;

#[path = "../../../fuzz/split.rs"]
mod split;

use std::path::{Path, PathBuf};

use beluga_ingest::lidar::drive::{self, Driven};
use split::{play, split};

const BANKS: [u16; 4] = [0xeeff, 0xddff, 0xccff, 0xbbff];

fn packets(of: impl Fn(u32) -> Vec<u8>, count: u32) -> Vec<Vec<u8>> {
    (0..count).map(of).collect()
}

fn driven(packets: &[Vec<u8>], step: u16) -> Driven {
    drive::scans(&split(&write::joined(packets, step))).unwrap()
}

fn returns(driven: &Driven) -> usize {
    driven.scans.iter().map(|(_, scan)| scan.len()).sum()
}

/// Every model, each with one firing in thirty-two (Hesai: one channel) that meets nothing.
#[test]
fn every_model_gives_its_returns() {
    for (product, step, banks, name, per_packet) in [
        (0x22, 1327, &BANKS[..1], "VLP-16", 372),
        (0x24, 1327, &BANKS[..1], "Puck Hi-Res", 372),
        (0x21, 553, &BANKS[..1], "HDL-32E", 372),
        (0x28, 664, &BANKS[..1], "VLP-32C", 372),
        (0xa1, 160, &BANKS[..], "Velodyne VLS-128,", 372),
        (0xa1, 173, &BANKS[..], "Velodyne VLS-128 5.2.3,", 372),
    ] {
        let found = driven(
            &packets(|count| write::velodyne(count, product, 0x37, step, banks), 40),
            50,
        );
        assert!(found.notes[0].contains(name), "{:?}", found.notes);
        assert_eq!(returns(&found), 40 * per_packet, "{name}");
        assert!(found.faults.is_empty(), "{name}: {:?}", found.faults);
    }
    type Of = fn(u32, u8) -> Vec<u8>;
    for (of, mode, name, step, per_packet) in [
        (write::xt_32 as Of, 0x37, "PandarXT-32", 40, 8 * 31),
        (write::xt_32, 0x39, "PandarXT-32", 40, 4 * 31),
        (write::qt_64, 0x38, "PandarQT (QT64)", 67, 4 * 63),
        (
            (|count, mode| write::pandar_40p(count, mode, true)) as Of,
            0x37,
            "Pandar40P",
            56,
            10 * 39,
        ),
        (
            (|count, mode| write::pandar_40p(count, mode, false)) as Of,
            0x39,
            "Pandar40P",
            56,
            5 * 39,
        ),
        (
            (|count, mode| write::pandar_64(count, mode, true)) as Of,
            0x37,
            "Pandar64",
            33,
            6 * 63,
        ),
        (
            (|count, mode| write::pandar_64(count, mode, false)) as Of,
            0x3b,
            "Pandar64",
            33,
            3 * 63,
        ),
    ] {
        let found = driven(&packets(|count| of(count, mode), 40), step);
        assert!(found.notes[0].contains(name), "{:?}", found.notes);
        assert!(
            found.notes[1].contains("clock: tells the time"),
            "{:?}",
            found.notes
        );
        assert_eq!(returns(&found), 40 * per_packet, "{name} {mode:#x}");
        assert!(found.faults.is_empty(), "{name}: {:?}", found.faults);
    }
    for (kind, name) in [
        (1, "coordinates in mm"),
        (2, "coordinates in cm"),
        (3, "distance and angles"),
    ] {
        let found = driven(&packets(|count| write::livox(count as u16, kind), 40), 48);
        assert!(found.notes[0].contains(name), "{:?}", found.notes);
        let (_, first) = &found.scans[0];
        assert!(
            (first.x()[0] - 10.0).abs() < 1e-3 && first.y()[0].abs() < 1.1,
            "{name}"
        );
        assert_eq!(returns(&found), 40 * 96 - 40, "{name}");
    }
}

/// Where returns of these packets are, and how many µs behind the first they were fired, as
/// velodyne-decoder 3.1.0 has them (which does not turn a VLS-128's first packet).
#[test]
fn models_without_a_recording_are_where_another_decoder_has_them() {
    type Row = (usize, [f64; 3], f64, u16);
    let check = |product: u8, step: u32, banks: &[u16], rows: &[Row]| {
        let found = driven(
            &packets(|count| write::velodyne(count, product, 0x37, step, banks), 12),
            (step / 10) as u16,
        );
        let (_, scan) = &found.scans[0];
        for (index, place, micros, ring) in rows {
            let own = [scan.x()[*index], scan.y()[*index], scan.z()[*index]].map(f64::from);
            for (own, there) in own.iter().zip(place) {
                // Azimuths are rounded to 0.01° there: 1.8 mm at 20 m.
                assert!((own - there).abs() < 2e-3, "{product:#x} {index}: {own} {there}");
            }
            let fired = f64::from(scan.offset_nanos().unwrap()[*index]) * 1e-3;
            assert!(
                (fired - micros).abs() < 0.05,
                "{product:#x} {index}: {fired} {micros}"
            );
            assert_eq!(scan.ring().unwrap()[*index], *ring, "{product:#x} {index}");
        }
    };
    check(
        0x28,
        664,
        &BANKS[..1],
        &[
            (0, [18.120_745, -0.442_861, -8.432_594], 0.0, 0),
            (5, [20.014_194, 0.482_146, 0.0], 4.608, 20),
            (100, [19.871_458, -0.693_927, -2.525_523], 175.104, 4),
            (300, [20.075_968, -1.122_421, 0.817_466], 523.008, 26),
            (743, [20.133_228, -1.086_853, -0.468_184], 1_306.816, 16),
        ],
    );
    check(
        0x24,
        1327,
        &BANKS[..1],
        &[
            (5, [9.993_066, -0.006_976, 0.579_272], 11.52, 10),
            (100, [9.986_432, -0.216_161, -0.811_735], 350.208, 4),
            (300, [9.985_455, -0.654_481, -1.047_165], 1_064.448, 3),
            (743, [9.800_548, -1.603_145, 1.743_668], 2_633.368, 15),
        ],
    );
    check(
        0xa1,
        173,
        &BANKS,
        &[
            (0, [19.461_191, -2.167_103, -4.057_914], 0.0, 4),
            (5, [19.932_552, 0.951_153, 1.604_338], 0.0, 113),
            (400, [20.023_813, 0.734_940, -1.772_505], 181.67, 25),
            (520, [20.009_739, -1.883_726, 0.843_411], 239.47, 93),
            (700, [20.103_363, -0.712_915, -0.003_501], 323.28, 71),
            (743, [20.084_942, 1.822_218, 0.150_918], 337.73, 75),
        ],
    );
}

#[test]
fn a_qt_128_has_its_file_or_is_refused() {
    let packets = packets(|count| write::qt_128(count, 0x37), 20);
    let refused = drive::scans(&split(&write::joined(&packets, 22)))
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("the angle correction file (CSV) of this QT128"),
        "{refused}"
    );
}

#[test]
fn an_hdl_64e_without_its_calibration_is_refused() {
    let packets = packets(|count| write::velodyne(count, 17, b'T', 288, &BANKS[..2]), 20);
    let refused = drive::scans(&split(&write::joined(&packets, 28)))
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("the calibration of this HDL-64E S2"),
        "{refused}"
    );
}

#[test]
fn every_cut_is_survived() {
    for (packets, step) in [
        (
            packets(|count| write::velodyne(count, 0x22, 0x39, 664, &BANKS[..1]), 2),
            66,
        ),
        (packets(|count| write::xt_32(count, 0x39), 2), 40),
        (packets(|count| write::pandar_40p(count, 0x37, true), 2), 56),
        (packets(|count| write::pandar_64(count, 0x37, true), 2), 33),
        (packets(|count| write::qt_64(count, 0x3b), 2), 67),
        (packets(|count| write::qt_128(count, 0x37), 2), 22),
        (packets(|count| write::livox(count as u16, 1), 2), 48),
    ] {
        let bytes = write::joined(&packets, step);
        (0..bytes.len()).for_each(|cut| play(&bytes[..cut]));
        // Cut within the datagram, as a capture with a short snapshot does.
        for cut in 0..packets[0].len() {
            play(&write::joined(
                &[packets[0][..cut].to_vec(), packets[1].clone()],
                step,
            ));
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
    for (_, whole) in seeds() {
        for _ in 0..150 {
            let mut bytes = whole.clone();
            for _ in 0..=next(6) {
                let place = next(bytes.len());
                bytes[place] = [0, 0xff, next(256) as u8][next(3)];
            }
            play(&bytes);
        }
    }
}

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(target)
}

/// What the fuzz targets start from.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let velodyne = |product, mode, step, banks: &[u16]| {
        let packets = packets(|count| write::velodyne(count, product, mode, step, banks), 4);
        write::joined(&packets, (step / 10) as u16)
    };
    let turned = {
        let mut packets = packets(
            |count| write::velodyne(count + 70, 0x22, 0x37, 1327, &BANKS[..1]),
            12,
        );
        packets.swap(3, 5);
        packets.remove(8);
        packets.push(packets[9].clone());
        write::joined(&packets, 133)
    };
    let hesai = |of: &dyn Fn(u32) -> Vec<u8>| write::joined(&packets(of, 4), 40);
    let livox = |kind| write::joined(&packets(|count| write::livox(count as u16, kind), 4), 48);
    vec![
        ("velodyne/vlp-16", velodyne(0x22, 0x37, 1327, &BANKS[..1])),
        ("velodyne/vlp-16-dual", velodyne(0x22, 0x39, 664, &BANKS[..1])),
        ("velodyne/vls-128", velodyne(0xa1, 0x37, 160, &BANKS)),
        ("velodyne/wrong-byte", turned),
        ("hesai/xt-32", hesai(&|count| write::xt_32(count, 0x39))),
        ("hesai/qt-64", hesai(&|count| write::qt_64(count, 0x37))),
        (
            "hesai/pandar-40p",
            hesai(&|count| write::pandar_40p(count, 0x37, false)),
        ),
        (
            "hesai/pandar-64",
            hesai(&|count| write::pandar_64(count, 0x39, true)),
        ),
        ("livox/mm", livox(1)),
        ("livox/cm", livox(2)),
        ("livox/angles", livox(3)),
    ]
}

/// With `BELUGA_WRITE_SEEDS` set they are written anew.
#[test]
fn the_seeds_of_the_fuzz_targets_are_those_and_survived() {
    let anew = std::env::var_os("BELUGA_WRITE_SEEDS").is_some();
    for (name, bytes) in seeds() {
        let path = corpus(name);
        if anew {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &bytes).unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name}");
    }
    for target in ["velodyne", "hesai", "livox"] {
        for seed in std::fs::read_dir(corpus(target)).unwrap() {
            play(&std::fs::read(seed.unwrap().path()).unwrap());
        }
    }
}
