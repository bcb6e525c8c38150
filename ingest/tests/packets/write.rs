//! Packets made from the manuals: synthetic. A wall stands 10 m ahead of every sensor.

/// A Velodyne's packet `count` at 10 Hz: 12 blocks, each a step of azimuth later.
pub(crate) fn velodyne(count: u32, product: u8, mode: u8, step_micros: u32, banks: &[u16]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let per_block = 36_000 * step_micros / 12 / 100_000;
    for block in 0..12_u32 {
        let column = (count * 12 + block) / banks.len() as u32;
        bytes.extend(banks[block as usize % banks.len()].to_le_bytes());
        let azimuth = column * per_block * banks.len() as u32 % 36_000;
        bytes.extend((azimuth as u16).to_le_bytes());
        for channel in 0..32_u16 {
            let distance = if channel == 7 {
                0
            } else {
                5_000 + channel + block as u16
            };
            bytes.extend(distance.to_le_bytes());
            bytes.push(channel as u8);
        }
    }
    bytes.extend((count * step_micros).to_le_bytes());
    bytes.extend([mode, product]);
    bytes
}

/// A Hesai's packet: head, blocks, and what stands behind them.
fn hesai(head: &[u8], blocks: u32, lasers: u16, unit: usize, count: u32, lead: &[u8]) -> Vec<u8> {
    let mut bytes = head.to_vec();
    for block in 0..blocks {
        bytes.extend(lead);
        bytes.extend((((count * blocks + block) * 18 % 36_000) as u16).to_le_bytes());
        for channel in 0..lasers {
            let distance = if channel == 7 { 0 } else { 2_500 + channel };
            bytes.extend(distance.to_le_bytes());
            bytes.push(channel as u8);
            bytes.resize(bytes.len() + unit - 3, 255);
        }
    }
    bytes
}

/// 2026-01-01T00:00:00Z.
const DATE: [u8; 6] = [126, 1, 1, 0, 0, 0];

pub(crate) fn xt_32(count: u32, mode: u8) -> Vec<u8> {
    let head = [0xee, 0xff, 6, 1, 0, 0, 32, 8, 1, 4, 2, 1];
    let mut bytes = hesai(&head, 8, 32, 4, count, &[]);
    bytes.extend([0; 10]);
    bytes.extend([mode, 0x58, 2]);
    bytes.extend(DATE);
    bytes.extend((400 * count).to_le_bytes());
    bytes.push(0x42);
    bytes.extend((u32::MAX - 1).wrapping_add(count).to_le_bytes());
    bytes
}

pub(crate) fn qt_64(count: u32, mode: u8) -> Vec<u8> {
    let head = [0xee, 0xff, 3, 1, 0, 0, 64, 4, 1, 4, 2, 1];
    let mut bytes = hesai(&head, 4, 64, 4, count, &[]);
    bytes.extend([0; 10]);
    bytes.extend([0x58, 2]);
    bytes.extend((667 * count).to_le_bytes());
    bytes.extend([mode, 0x42]);
    bytes.extend(DATE);
    bytes.extend(count.to_le_bytes());
    bytes
}

/// With functional safety and a number, without a signature.
pub(crate) fn qt_128(count: u32, mode: u8) -> Vec<u8> {
    let head = [0xee, 0xff, 3, 2, 0, 0, 128, 2, 1, 4, 1, 0b101];
    let mut bytes = hesai(&head, 2, 128, 4, count, &[]);
    bytes.extend([0; 4 + 17]);
    bytes.extend([0, 0, 0, 0, 0, (count & 1) as u8, 0, 0, 0, 0, 0, 0, mode, 0x58, 2]);
    bytes.extend(DATE);
    bytes.extend((222 * count).to_le_bytes());
    bytes.push(0x42);
    bytes.extend(count.to_le_bytes());
    bytes.extend([0; 4]);
    bytes
}

/// The tail of a Pandar40P and a Pandar64, which count years from 2000.
fn old_tail(micros: u32, mode: u8, number: Option<u32>) -> Vec<u8> {
    let mut bytes = vec![0; 8];
    bytes.extend([0x58, 2]);
    bytes.extend(micros.to_le_bytes());
    bytes.extend([mode, 0x42, 26, 1, 1, 0, 0, 0]);
    bytes.extend(number.iter().flat_map(|number| number.to_le_bytes()));
    bytes
}

pub(crate) fn pandar_40p(count: u32, mode: u8, numbered: bool) -> Vec<u8> {
    let mut bytes = hesai(&[], 10, 40, 3, count, &[0xff, 0xee]);
    bytes.extend(old_tail(count * 556, mode, numbered.then_some(count)));
    bytes
}

pub(crate) fn pandar_64(count: u32, mode: u8, numbered: bool) -> Vec<u8> {
    let mut bytes = hesai(&[0xee, 0xff, 64, 6, 0, 4, 0, 0], 6, 64, 3, count, &[]);
    bytes.extend(old_tail(count * 333, mode, numbered.then_some(count)));
    bytes
}

/// A Livox's packet of 96 samples of one kind.
pub(crate) fn livox(count: u16, kind: u8) -> Vec<u8> {
    let mut data = Vec::new();
    for sample in 0..96_u16 {
        let x = if sample == 10 {
            0
        } else {
            10_000 + i32::from(sample)
        };
        let y = if sample == 10 { 0 } else { 100 };
        match kind {
            1 => data.extend([x, y, 0].iter().flat_map(|axis| axis.to_le_bytes())),
            2 => data.extend(
                [x / 10, y, 0]
                    .iter()
                    .flat_map(|axis| (*axis as i16).to_le_bytes()),
            ),
            _ => {
                data.extend(x.to_le_bytes());
                data.extend([9_000_u16, 0].iter().flat_map(|angle| angle.to_le_bytes()));
            }
        }
        data.extend([sample as u8, 0]);
    }
    let mut bytes = vec![0];
    bytes.extend((36 + data.len() as u16).to_le_bytes());
    bytes.extend(
        [4750, 96, count]
            .iter()
            .flat_map(|field: &u16| field.to_le_bytes()),
    );
    bytes.extend([0, kind, 0]);
    bytes.extend([0; 16]);
    bytes.extend((u64::from(count) * 480_000).to_le_bytes());
    bytes.extend(data);
    bytes
}

/// As the fuzz targets read them, each so many tens of µs after the one before.
pub(crate) fn joined(packets: &[Vec<u8>], step: u16) -> Vec<u8> {
    let of = |packet: &Vec<u8>| {
        let head = [(packet.len() as u16).to_le_bytes(), step.to_le_bytes()].concat();
        [head, packet.clone()].concat()
    };
    packets.iter().flat_map(of).collect()
}
