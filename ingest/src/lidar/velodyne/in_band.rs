//! An HDL-64E's calibration, which it sends byte by byte in the last two bytes of its packets.
//!
//! Each packet carries the kind and the value of a status. Sixteen packets make a round: hours `H`,
//! minutes `M`, seconds `S`, day `D`, month `N`, year `Y`, GPS `G`, temperature `T`, version `V`, and
//! seven bytes of a memory of 260 × 7, which begins `UNIT#`: two thresholds, then 28 bytes for each
//! laser, of which the first 21 are its id and its corrections. An S3 (whose first of the seven is
//! told as a warning, `W`) ends the memory with a CRC-16 (polynomial 0x8005) over the corrections of
//! all lasers, an S2 with the memory's length. Source: HDL-64E S2.1 and S3 User Manuals, appendix E
//! on the status; the memory's layout checked against velodyne-decoder 3.1, `hdl64e.py`.

use super::calibration::{Calibration, Laser};
use super::model::Model;
use super::packet::Packet;

/// Bytes of the memory.
const MEMORY: usize = 260 * 7;
const BEGINS: &[u8; 5] = b"UNIT#";
/// Lasers, and where they stand.
const LASERS: usize = 64;
const FIRST: usize = 7;
const EACH: usize = 28;
/// Bytes of a laser's id and corrections.
const USED: usize = 21;
/// Statuses that are not of the memory.
const OTHERS: &[u8; 9] = b"HMSDNYGTV";

/// The calibration in these packets, in their order, nothing if it is not whole.
pub(super) fn calibration<'a>(packets: impl Iterator<Item = Packet<'a>>) -> Option<(Model, Calibration)> {
    let mut memory = Vec::new();
    let mut is_s3 = false;
    for packet in packets {
        let (kind, value) = (packet.mode(), packet.product());
        if OTHERS.contains(&kind) {
            continue;
        }
        is_s3 |= kind == b'W';
        memory.push(value);
        // A memory that began before the recording: all that stands before its beginning goes.
        let is_begun = |memory: &[u8]| {
            let known = memory.len().min(BEGINS.len());
            memory[..known] == BEGINS[..known]
        };
        while !memory.is_empty() && !is_begun(&memory) {
            memory.remove(0);
        }
        if memory.len() == MEMORY {
            if let Some(lasers) = lasers(&memory, is_s3) {
                let model = if is_s3 { Model::Hdl64eS3 } else { Model::Hdl64eS2 };
                return Some((model, lasers));
            }
            memory.clear();
        }
    }
    None
}

fn lasers(memory: &[u8], is_s3: bool) -> Option<Calibration> {
    let told = u16::from_le_bytes([memory[MEMORY - 2], memory[MEMORY - 1]]);
    let each = || memory[FIRST..FIRST + LASERS * EACH].chunks_exact(EACH);
    let expected = match is_s3 {
        true => crc16(each().flat_map(|laser| &laser[1..USED])),
        false => MEMORY as u16,
    };
    if told != expected {
        return None;
    }
    let mut lasers = Vec::with_capacity(LASERS);
    for (id, bytes) in each().enumerate() {
        if usize::from(bytes[0]) != id {
            return None;
        }
        lasers.push(laser(bytes)?);
    }
    Some(Calibration {
        distance_unit_m: Model::Hdl64eS2.distance_unit_m(),
        lasers,
    })
}

/// Angles in hundredths of a degree, lengths in mm.
fn laser(bytes: &[u8]) -> Option<Laser> {
    let number = |place: usize| {
        let at = 1 + 2 * place;
        f64::from(i16::from_le_bytes([bytes[at], bytes[at + 1]]))
    };
    let elevation_rad = (1e-2 * number(0)).to_radians();
    (elevation_rad.abs() < std::f64::consts::FRAC_PI_2).then_some(Laser {
        elevation_rad,
        rotation_rad: (1e-2 * number(1)).to_radians(),
        distance_m: 1e-3 * number(2),
        near_m: Some([1e-3 * number(3), 1e-3 * number(4)]),
        up_m: 1e-3 * number(5),
        beside_m: 1e-3 * number(6),
        rise_m: 0.0,
    })
}

fn crc16<'a>(bytes: impl Iterator<Item = &'a u8>) -> u16 {
    bytes.fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc: u16, _| {
            (crc << 1) ^ if crc & 0x8000 == 0 { 0 } else { 0x8005 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::packet::LENGTH;
    use super::*;

    /// The status of a unit: synthetic, after the manuals.
    fn packets(is_s3: bool, rounds: usize, from: usize) -> Vec<Vec<u8>> {
        let mut memory = b"UNIT#\x18\x18".to_vec();
        for id in 0..LASERS as i16 {
            let numbers = [
                100 - 10 * id,
                5 * id,
                1200 + id,
                1300,
                1400,
                210,
                26 - 52 * (id % 2),
                24,
                13,
            ];
            let mut laser = vec![id as u8];
            laser.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
            laser.extend([40, 255]);
            laser.resize(EACH, 0);
            memory.extend(laser);
        }
        memory.resize(MEMORY, 0);
        let end = match is_s3 {
            true => crc16(
                memory[FIRST..FIRST + LASERS * EACH]
                    .chunks(EACH)
                    .flat_map(|laser| &laser[1..USED]),
            ),
            false => MEMORY as u16,
        };
        memory[MEMORY - 2..].copy_from_slice(&end.to_le_bytes());
        let status = (0..rounds).flat_map(|round| {
            let memory = &memory[round % 260 * 7..][..7];
            let first = if is_s3 { b'W' } else { b'1' };
            let own = [first, b'2', b'3', b'4', b'5', b'6', b'7']
                .into_iter()
                .zip(memory.iter().copied());
            let others = OTHERS.iter().map(|kind| (*kind, 17));
            others.chain(own).collect::<Vec<_>>()
        });
        status
            .skip(from)
            .map(|(kind, value)| {
                let mut bytes = vec![0; LENGTH];
                bytes[..2].copy_from_slice(&[0xff, 0xee]);
                bytes[LENGTH - 2..].copy_from_slice(&[kind, value]);
                bytes
            })
            .collect()
    }

    fn read(packets: &[Vec<u8>]) -> Option<(Model, Calibration)> {
        calibration(packets.iter().map(|bytes| Packet::new(bytes).unwrap()))
    }

    #[test]
    fn a_unit_s_own_calibration_is_read_from_wherever_the_recording_starts() {
        for (is_s3, model) in [(false, Model::Hdl64eS2), (true, Model::Hdl64eS3)] {
            for from in [0, 1, 16 * 100 + 5] {
                let (found, calibration) = read(&packets(is_s3, 520, from)).unwrap();
                assert_eq!(found, model);
                let laser = calibration.lasers[63];
                assert!((laser.elevation_rad.to_degrees() + 5.3).abs() < 1e-9);
                assert!((laser.rotation_rad.to_degrees() - 3.15).abs() < 1e-9);
                let [across, ahead] = laser.near_m.unwrap();
                let found = [laser.distance_m, across, ahead, laser.up_m, laser.beside_m];
                for (found, expected) in found.iter().zip([1.263, 1.3, 1.4, 0.21, -0.026]) {
                    assert!((found - expected).abs() < 1e-9, "{found} {expected}");
                }
            }
        }
    }

    #[test]
    fn half_of_it_or_a_wrong_byte_is_none() {
        assert_eq!(read(&packets(false, 259, 0)), None);
        let mut damaged = packets(true, 260, 0);
        damaged[16 * 21 + 11][LENGTH - 1] ^= 1;
        assert_eq!(read(&damaged), None);
    }

    #[test]
    fn the_check_sum_is_that_of_its_standard() {
        // CRC-16/UMTS of "123456789".
        assert_eq!(crc16(b"123456789".iter()), 0xfee8);
    }
}
