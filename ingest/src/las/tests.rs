//! LAS files made here, packed and plain.

use std::io::Cursor;

use laz::{LasZipCompressor, LazItemRecordBuilder, LazVlr};

use super::*;

/// What a file is made of.
struct Made {
    format: u8,
    standard: bool,
    scale: f64,
    offset: [f64; 3],
    packed: bool,
    keys: &'static [[u16; 4]],
    /// Raw x, y, z, intensity, GPS time, withheld.
    points: Vec<([i32; 3], u16, f64, bool)>,
}

impl Default for Made {
    fn default() -> Self {
        Self {
            format: 1,
            standard: true,
            scale: 0.001,
            offset: [392_000.0, 6_003_000.0, 0.0],
            packed: false,
            keys: &[[1024, 0, 1, 1], [3072, 0, 1, 25833], [3076, 0, 1, 9001]],
            points: (0..100)
                .map(|i| {
                    (
                        [1000 * i, -7 * i, 4 * i],
                        i as u16,
                        200_000_000.0 + 0.001 * f64::from(i),
                        i == 3,
                    )
                })
                .collect(),
        }
    }
}

impl Made {
    fn stride(&self) -> usize {
        if self.format < 6 { 28 } else { 30 }
    }

    fn records(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (place, intensity, time, withheld) in &self.points {
            let mut record = vec![0; self.stride()];
            for axis in 0..3 {
                record[4 * axis..4 * axis + 4].copy_from_slice(&place[axis].to_le_bytes());
            }
            record[12..14].copy_from_slice(&intensity.to_le_bytes());
            record[14] = if self.format < 6 { 0x09 } else { 0x11 };
            record[15] = match (withheld, self.format < 6) {
                (false, _) => 0,
                (true, true) => 0x80,
                (true, false) => 0x04,
            };
            let at = if self.format < 6 { 20 } else { 22 };
            record[at..at + 8].copy_from_slice(&time.to_le_bytes());
            bytes.extend(record);
        }
        bytes
    }

    fn bytes(&self) -> Vec<u8> {
        let size = if self.format < 6 { 227 } else { 375 };
        let mut head = vec![0u8; size];
        head[..4].copy_from_slice(b"LASF");
        head[6] = u8::from(self.standard);
        head[24] = 1;
        head[25] = if self.format < 6 { 2 } else { 4 };
        head[94..96].copy_from_slice(&(size as u16).to_le_bytes());
        head[104] = self.format | if self.packed { 0x80 } else { 0 };
        head[105..107].copy_from_slice(&(self.stride() as u16).to_le_bytes());
        let count = self.points.len() as u32;
        match self.format < 6 {
            true => head[107..111].copy_from_slice(&count.to_le_bytes()),
            false => head[247..255].copy_from_slice(&u64::from(count).to_le_bytes()),
        }
        for axis in 0..3 {
            let put = |head: &mut Vec<u8>, at: usize, value: f64| {
                head[at + 8 * axis..at + 8 * axis + 8].copy_from_slice(&value.to_le_bytes());
            };
            put(&mut head, 131, self.scale);
            put(&mut head, 155, self.offset[axis]);
            let at = |raw: i32| f64::from(raw) * self.scale + self.offset[axis];
            let places = || self.points.iter().map(|(place, ..)| at(place[axis]));
            let (low, high) = (
                places().fold(f64::MAX, f64::min),
                places().fold(f64::MIN, f64::max),
            );
            head[179 + 16 * axis..187 + 16 * axis].copy_from_slice(&high.to_le_bytes());
            head[187 + 16 * axis..195 + 16 * axis].copy_from_slice(&low.to_le_bytes());
        }
        let mut vlrs = Vec::new();
        let vlr = |user: &str, number: u16, data: &[u8]| {
            let mut vlr = vec![0u8; 54];
            vlr[2..2 + user.len()].copy_from_slice(user.as_bytes());
            vlr[18..20].copy_from_slice(&number.to_le_bytes());
            vlr[20..22].copy_from_slice(&(data.len() as u16).to_le_bytes());
            vlr.extend(data);
            vlr
        };
        if !self.keys.is_empty() {
            let mut keys = [1u16, 1, 0, self.keys.len() as u16]
                .map(u16::to_le_bytes)
                .concat();
            self.keys
                .iter()
                .flatten()
                .for_each(|word| keys.extend(word.to_le_bytes()));
            vlrs.push(vlr("LASF_Projection", 34735, &keys));
        }
        let packer = self.packed.then(|| {
            LazVlr::from_laz_items(LazItemRecordBuilder::default_for_point_format_id(self.format, 0).unwrap())
        });
        if let Some(packer) = &packer {
            let mut data = Vec::new();
            packer.write_to(&mut data).unwrap();
            vlrs.push(vlr("laszip encoded", 22204, &data));
        }
        head[100..104].copy_from_slice(&(vlrs.len() as u32).to_le_bytes());
        let vlrs = vlrs.concat();
        head[96..100].copy_from_slice(&((size + vlrs.len()) as u32).to_le_bytes());
        head.extend(vlrs);
        match packer {
            None => head.extend(self.records()),
            Some(packer) => {
                let mut out = Cursor::new(Vec::new());
                out.set_position(head.len() as u64);
                let mut packer = LasZipCompressor::new(&mut out, packer).unwrap();
                packer.compress_many(&self.records()).unwrap();
                packer.done().unwrap();
                drop(packer);
                head.extend(&out.into_inner()[head.len()..]);
            }
        }
        head
    }
}

fn read(bytes: &[u8]) -> Result<Cloud, Wrong> {
    let header = Header::parse(bytes)?;
    parse(bytes, &Local::by(&header, bytes)?)
}

#[test]
fn plain_and_packed_points_of_old_and_new_formats_are_the_same() {
    for (format, packed) in [(1, false), (1, true), (6, false), (6, true)] {
        let cloud = read(
            &Made {
                format,
                packed,
                ..Made::default()
            }
            .bytes(),
        )
        .unwrap();
        let scan = &cloud.scan;
        assert_eq!((scan.len(), scan.dropped()), (99, 1), "{format} {packed}");
        // x spans 0 to 99 m: the origin is at 49.5, rounded to 50; y 0 to -0.693: at 0.
        assert_eq!((scan.x()[0], scan.x()[98]), (-50.0, 49.0));
        assert!((scan.y()[98] + 0.693).abs() < 1e-6 && (scan.z()[98] - 0.396).abs() < 1e-6);
        assert_eq!(scan.intensity().unwrap()[98], 99.0);
        // An `f64` knows GPS time to 30 ns.
        assert!((scan.offset_nanos().unwrap()[98] - 99_000_000).abs() < 30);
        // Adjusted standard GPS time 2e8 is GPS time 1.2e9, 18 s after UTC.
        assert_eq!(
            cloud.start.unwrap().nanos(),
            (1_200_000_000 + 315_964_800 - 18) * 1_000_000_000
        );
    }
}

#[test]
fn millimetres_survive_coordinates_of_a_projection() {
    let offset = [33_392_000.0, 6_003_000.0, 0.0];
    let points = vec![([1, 0, 0], 0, 0.0, false), ([2, 0, 0], 0, 0.0, false)];
    let scan = read(
        &Made {
            offset,
            points,
            ..Made::default()
        }
        .bytes(),
    )
    .unwrap()
    .scan;
    assert!(
        (scan.x()[1] - scan.x()[0] - 0.001).abs() < 1e-7,
        "f32 of 33392000.002 would not know"
    );
}

#[test]
fn feet_become_metres_degrees_are_refused_and_own_coordinates_stay() {
    let feet = Made {
        keys: &[[1024, 0, 1, 1], [3076, 0, 1, 9003]],
        ..Made::default()
    };
    let scan = read(&feet.bytes()).unwrap().scan;
    assert!((scan.x()[98] - scan.x()[0] - 99.0 * 0.304_800_6).abs() < 1e-5);
    let degrees = Made {
        keys: &[[1024, 0, 1, 2]],
        ..Made::default()
    };
    assert!(read(&degrees.bytes()).unwrap_err().found.contains("degrees"));
    let own = Made {
        keys: &[],
        offset: [0.0; 3],
        ..Made::default()
    };
    assert_eq!(read(&own.bytes()).unwrap().scan.x()[0], 0.0);
}

#[test]
fn week_time_gives_offsets_but_no_day_and_a_long_file_neither() {
    let week = read(
        &Made {
            standard: false,
            ..Made::default()
        }
        .bytes(),
    )
    .unwrap();
    assert_eq!(week.start, None);
    assert!((week.scan.offset_nanos().unwrap()[98] - 99_000_000).abs() < 30);
    let mut long = Made::default();
    long.points[99].2 += 3.0;
    let long = read(&long.bytes()).unwrap();
    assert!(long.start.is_some() && long.scan.offset_nanos().is_none());
}

#[test]
fn a_cut_anywhere_is_refused() {
    for (format, packed) in [(1, false), (1, true), (6, true)] {
        let bytes = Made {
            format,
            packed,
            ..Made::default()
        }
        .bytes();
        let points = Header::parse(&bytes).unwrap().start;
        for end in (0..points).chain((points..bytes.len() - 200).step_by(7)) {
            assert!(
                read(&bytes[..end]).is_err(),
                "{format} {packed} {end} of {}",
                bytes.len()
            );
        }
    }
}

#[test]
fn counts_that_the_bytes_cannot_hold_are_refused_before_memory_is_taken() {
    for (format, packed, word) in [
        (1, false, "points of 28 bytes"),
        (1, true, "packed points"),
        (6, true, "packed"),
    ] {
        let mut bytes = Made {
            format,
            packed,
            ..Made::default()
        }
        .bytes();
        let at = if format < 6 { 107 } else { 247 };
        bytes[at..at + 4].copy_from_slice(&150_000_000u32.to_le_bytes());
        let wrong = read(&bytes).unwrap_err();
        assert!(wrong.expected.contains(word), "{wrong:?}");
    }
}

#[test]
fn points_that_the_header_does_not_count_are_refused() {
    for (format, packed, counts) in [
        (1, false, &[0u32, 5, 99][..]),
        (6, false, &[0, 5, 99]),
        // Of points packed one by one only whole chunks can be told.
        (1, true, &[0]),
        (6, true, &[0, 5, 99]),
    ] {
        let whole = Made {
            format,
            packed,
            ..Made::default()
        }
        .bytes();
        let at = if format < 6 { 107 } else { 247 };
        for count in counts {
            let mut bytes = whole.clone();
            bytes[at..at + 4].copy_from_slice(&count.to_le_bytes());
            assert!(read(&bytes).is_err(), "{format} {packed} {count}");
        }
        assert_eq!(read(&whole).unwrap().scan.len(), 99, "one is withheld");
    }
    let plain = |format, tail: usize| {
        let mut bytes = Made {
            format,
            ..Made::default()
        }
        .bytes();
        bytes.resize(bytes.len() + tail, 0);
        bytes
    };
    // Less than a point may fill up the file, and whatever the header says stands behind.
    assert!(read(&plain(1, 27)).is_ok());
    assert!(read(&plain(1, 28)).unwrap_err().found.contains("2828 bytes"));
    let mut bytes = plain(6, 300);
    assert!(read(&bytes).is_err());
    let end = bytes.len() as u64 - 300;
    bytes[235..243].copy_from_slice(&end.to_le_bytes());
    assert_eq!(read(&bytes).unwrap().scan.len(), 99);
}

#[test]
fn lengths_before_packed_layers_are_held_against_the_file() {
    let mut bytes = Made {
        format: 6,
        packed: true,
        ..Made::default()
    }
    .bytes();
    let start = Header::parse(&bytes).unwrap().start;
    let first_layer = start + 8 + 30 + 4;
    bytes[first_layer..first_layer + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(read(&bytes).unwrap_err().expected.contains("inside the file"));
}

#[test]
fn every_change_of_a_byte_or_two_is_survived() {
    // Steele and Vigna's splitmix64: seeded, the same every time.
    let mut state = 7u64;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 33
    };
    for (format, packed) in [(1, false), (1, true), (6, true)] {
        let whole = Made {
            format,
            packed,
            ..Made::default()
        }
        .bytes();
        for _ in 0..150 {
            let mut bytes = whole.clone();
            for _ in 0..2 {
                let at = next() as usize % bytes.len();
                bytes[at] = next() as u8;
            }
            if let Ok(cloud) = read(&bytes) {
                let scan = &cloud.scan;
                assert!(scan.len() + scan.dropped() as usize <= 8 * bytes.len());
                assert!(scan.x().iter().all(|x| x.is_finite()));
            }
        }
    }
}
