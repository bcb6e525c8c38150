//! Small files of points of every kind.

use std::io::Cursor;

use beluga_types::LidarScan;
use laz::{LasZipCompressor, LazItemRecordBuilder, LazVlr};

pub(crate) fn scan() -> LidarScan {
    LidarScan::new(vec![1.0, -2.5, 1e-7], vec![0.0, 3.0, 4.0], vec![5.0, -0.0, 7.0])
        .unwrap()
        .with_intensity(vec![0.5, 255.0, 0.0])
        .unwrap()
        .with_ring(vec![0, 63, 65_535])
        .unwrap()
        .with_offset_nanos(vec![-1, 0, 99_999_999])
        .unwrap()
        .with_dropped(3)
}

pub(crate) fn reals(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

pub(crate) fn ascii_ply() -> Vec<u8> {
    b"ply\r\nformat ascii 1.0\r\nelement camera 1\r\nproperty list uchar int id\r\nelement vertex 3\r\n\
        property double z\r\nproperty float y\r\nproperty int x\r\nproperty float intensity\r\n\
        property float time\r\nelement face 1\r\nproperty list uchar int vertex_indices\r\nend_header\r\n\
        2 7 8\r\n3.5 2 1 0.25 0.001\r\nnan 0 4 9 0\r\n-3 0 4 9 0\r\n3 0 1 1\r\n"
        .to_vec()
}

/// Big-endian, a list among the vertices, and elements before them.
pub(crate) fn listed_ply() -> Vec<u8> {
    let mut bytes = b"ply\nformat binary_big_endian 1.0\nelement none 9\nelement vertex 2\n\
        property list uchar short flags\nproperty float x\nproperty short y\nproperty double z\n\
        property uint t\nend_header\n"
        .to_vec();
    for index in 0..2u8 {
        bytes.extend([2, 0, index, 1, 0]);
        bytes.extend((1.5 + f32::from(index)).to_be_bytes());
        bytes.extend((-2i16).to_be_bytes());
        bytes.extend(3f64.to_be_bytes());
        bytes.extend((u32::from(index) * 50_000).to_be_bytes());
    }
    bytes
}

fn pcd_header(points: usize, encoding: &str) -> Vec<u8> {
    format!(
        "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z intensity ring t\nSIZE 4 4 4 4 2 4\nTYPE F F F F U U\n\
        COUNT 1 1 1 1 1 1\nWIDTH {points}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {points}\nDATA {encoding}\n"
    )
    .into_bytes()
}

pub(crate) fn ascii_pcd() -> Vec<u8> {
    let text = "1 2 3 0.5 7 0\nnan 0 0 0 8 10\n-4 5 -6.5 9 9 99000000\n";
    [&pcd_header(3, "ascii"), text.as_bytes()].concat()
}

pub(crate) fn binary_pcd() -> Vec<u8> {
    let mut bytes = pcd_header(3, "binary");
    for (values, ring, t) in [
        ([1.0, 2.0, 3.0, 0.5], 7u16, 0u32),
        ([f32::NAN, 0.0, 0.0, 0.0], 8, 10),
        ([-4.0, 5.0, -6.5, 9.0], 9, 99_000_000),
    ] {
        bytes.extend(reals(&values));
        bytes.extend(ring.to_le_bytes());
        bytes.extend(t.to_le_bytes());
    }
    bytes
}

/// Forty points, column by column; of the packed bytes some are literals, some refer back.
pub(crate) fn compressed_pcd() -> Vec<u8> {
    let points = 40u16;
    let column = |step: f32| (0..points).map(move |index| f32::from(index) * step);
    let mut plain: Vec<u8> = [0.5, 0.0, -1.0, 1.0]
        .into_iter()
        .flat_map(|step| column(step).flat_map(f32::to_le_bytes))
        .collect();
    plain.extend((0..points).flat_map(|index| (index / 8).to_le_bytes()));
    plain.extend((0..points).flat_map(|index| (u32::from(index) * 1_000_000).to_le_bytes()));
    let packed = lzf(&plain);
    let mut bytes = pcd_header(usize::from(points), "binary_compressed");
    bytes.extend((packed.len() as u32).to_le_bytes());
    bytes.extend((plain.len() as u32).to_le_bytes());
    bytes.extend(packed);
    bytes
}

/// Runs of one byte as references one byte back, all else as literals.
fn lzf(plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut rest = plain;
    while !rest.is_empty() {
        let run = rest.iter().take_while(|byte| **byte == rest[0]).count();
        let (literals, length) = (run.min(1), run.saturating_sub(1));
        packed.push(literals as u8 - 1);
        packed.push(rest[0]);
        let referred = match length {
            0..=2 => 0,
            3..=8 => {
                packed.extend([((length - 2) as u8) << 5, 0]);
                length
            }
            _ => {
                let length = length.min(264);
                packed.extend([7 << 5, (length - 9) as u8, 0]);
                length
            }
        };
        rest = &rest[1 + referred..];
    }
    packed
}

/// Bytes of a point by its format, without what a maker has added.
const LENGTHS: [usize; 9] = [20, 28, 26, 34, 57, 63, 30, 36, 38];
/// Points of a file; one of them is withheld.
const POINTS: usize = 40;

fn record(format: u8, extra: usize, index: usize) -> Vec<u8> {
    let mut record = vec![0; LENGTHS[usize::from(format)] + extra];
    let number = index as i32;
    for (at, value) in [
        (0, 1000 * number),
        (4, -7 * number * number),
        (8, 4 * (number % 7)),
    ] {
        record[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    record[12..14].copy_from_slice(&(index as u16 * 3).to_le_bytes());
    let is_new = format >= 6;
    record[14] = if is_new { 0x11 } else { 0x09 };
    record[15] = match (index == 3, is_new) {
        (false, _) => 0,
        (true, false) => 0x80,
        (true, true) => 0x04,
    };
    let time = 200_000_000.0 + 0.001 * index as f64;
    let at = if is_new { 22 } else { 20 };
    if !matches!(format, 0 | 2) {
        record[at..at + 8].copy_from_slice(&time.to_le_bytes());
    }
    for byte in record.iter_mut().skip(if is_new { 30 } else { 28 }) {
        *byte = (index * index) as u8;
    }
    record
}

fn vlr(user: &str, number: u16, data: &[u8]) -> Vec<u8> {
    let mut vlr = vec![0; 54];
    vlr[2..2 + user.len()].copy_from_slice(user.as_bytes());
    vlr[18..20].copy_from_slice(&number.to_le_bytes());
    vlr[20..22].copy_from_slice(&(data.len() as u16).to_le_bytes());
    vlr.extend(data);
    vlr
}

/// A file of this format whose points have `extra` bytes more; packed if there is a packer, whose
/// points may have others.
pub(crate) fn las(format: u8, extra: usize, packer: Option<&LazVlr>) -> Vec<u8> {
    let (size, minor) = if format >= 6 { (375, 4) } else { (227, 2) };
    let system = match format >= 6 {
        true => vlr(
            "LASF_Projection",
            2112,
            b"PROJCS[\"UTM\",GEOGCS[\"g\",UNIT[\"degree\",0.0174]],UNIT[\"metre\",1.0],AUTHORITY[\"EPSG\",\"25833\"]]\0",
        ),
        false => {
            let keys = [1u16, 1, 0, 3, 1024, 0, 1, 1, 3072, 0, 1, 25833, 3076, 0, 1, 9001];
            vlr("LASF_Projection", 34735, &keys.map(u16::to_le_bytes).concat())
        }
    };
    let mut vlrs = system;
    if let Some(packer) = packer {
        let mut data = Vec::new();
        packer.write_to(&mut data).unwrap();
        vlrs.extend(vlr("laszip encoded", 22204, &data));
    }
    let stride = LENGTHS[usize::from(format)] + extra;
    let mut bytes = vec![0; size];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, b"LASF");
    put(6, &[1]);
    put(24, &[1, minor]);
    put(94, &(size as u16).to_le_bytes());
    put(96, &((size + vlrs.len()) as u32).to_le_bytes());
    put(100, &(1 + u32::from(packer.is_some())).to_le_bytes());
    put(104, &[format | if packer.is_some() { 0x80 } else { 0 }]);
    put(105, &(stride as u16).to_le_bytes());
    put(
        if format >= 6 { 247 } else { 107 },
        &(POINTS as u32).to_le_bytes(),
    );
    for (axis, (offset, most, least)) in [
        (392_000.0f64, 392_039.0f64, 392_000.0f64),
        (6_003_000.0, 6_003_000.0, 6_002_989.0),
        (0.0, 0.024, 0.0),
    ]
    .into_iter()
    .enumerate()
    {
        put(131 + 8 * axis, &0.001f64.to_le_bytes());
        put(155 + 8 * axis, &offset.to_le_bytes());
        put(179 + 16 * axis, &most.to_le_bytes());
        put(187 + 16 * axis, &least.to_le_bytes());
    }
    bytes.extend(vlrs);
    let added = packer.map_or(stride, |packer| packer.items_size() as usize) - LENGTHS[usize::from(format)];
    let records = (0..POINTS).map(|index| record(format, added, index));
    match packer {
        None => bytes.extend(records.flatten()),
        Some(packer) => bytes.extend(packed(packer, records, bytes.len())),
    }
    bytes
}

/// Packed points as they lie from `start` on; chunks of unlike sizes where the packer allows such.
fn packed(packer: &LazVlr, records: impl Iterator<Item = Vec<u8>>, start: usize) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    out.set_position(start as u64);
    let mut packing = LasZipCompressor::new(&mut out, packer.clone()).unwrap();
    for (index, record) in records.enumerate() {
        if matches!(index, 5 | 22) && packer.uses_variable_size_chunks() {
            packing.finish_current_chunk().unwrap();
        }
        packing.compress_one(&record).unwrap();
    }
    packing.done().unwrap();
    drop(packing);
    out.into_inner().split_off(start)
}

/// A file of the first LASzip: one chunk, and no table of it.
pub(crate) fn one_chunk(format: u8) -> Vec<u8> {
    let items = LazItemRecordBuilder::default_for_point_format_id(format, 0).unwrap();
    let packer = LazVlr::from_laz_items(items);
    let mut bytes = las(format, 0, Some(&packer));
    let record = bytes
        .windows(14)
        .position(|window| window == b"laszip encoded")
        .unwrap()
        + 52;
    bytes[record] = 1;
    let start = u32::from_le_bytes(*bytes[96..].first_chunk().unwrap()) as usize;
    let table = u64::from_le_bytes(*bytes[start..].first_chunk().unwrap()) as usize;
    bytes.truncate(table);
    bytes.drain(start..start + 8);
    bytes
}
