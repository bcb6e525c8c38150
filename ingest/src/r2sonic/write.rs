//! A ping as its packet `BTH0`: the twin of what reads it here.
//!
//! What the packet cannot hold: of a quality whether it is good or middling (a bit each for brightness and
//! collinearity); times are whole steps of a 65535th of the longest, angles of 0.001°, amplitudes of a 65535th of
//! the strongest.

use beluga_types::elementary::powf;
use beluga_types::{Detections, Stamp};

use super::packet::{Ping, Point};

/// From this quality on, both tests are said to be passed.
const GOOD: f32 = 0.75;
/// Angles are told in steps of this, in degrees: what devices state in hundredths is told exactly.
const ANGLE_STEP_DEG: f64 = 0.001;

/// A ping of these detections.
///
/// # Errors
/// If a detection says more than the packet has a place for: sectors of their own times or tilts.
pub(crate) fn of(detections: &Detections, stamp: Stamp, number: u32) -> Result<Ping, String> {
    let all = &detections.detections;
    let steering = all.first().map_or(0.0, |one| one.transmit_tilt_rad);
    if let Some(other) = all
        .iter()
        .find(|one| one.transmit_delay_s != 0.0 || one.transmit_tilt_rad != steering)
    {
        return Err(format!(
            "expected one transmission, found a sector {} s after it at {} rad",
            other.transmit_delay_s, other.transmit_tilt_rad
        ));
    }
    let [along, across] = detections.beam_width_rad.map(|width| width as f32);
    let nanos = stamp.nanos();
    let part = |number: i64| u32::try_from(number).map_err(|_| "expected a time of 1970 to 2106".to_owned());
    let mut points: Vec<Point> = all
        .iter()
        .map(|one| Point {
            two_way_time_s: one.two_way_time_s,
            angle_rad: one.receive_angle_rad,
            strength: powf(10.0, f64::from(one.level_db) / 20.0) as f32,
            quality: if one.quality >= GOOD { 0b11 } else { 0b01 },
        })
        .collect();
    points.sort_by(|one, other| one.angle_rad.total_cmp(&other.angle_rad));
    if points.is_empty() {
        // A beam that detected nothing: a ping without any is still one.
        points.push(Point::default());
    }
    Ok(Ping {
        time: [
            part(nanos.div_euclid(1_000_000_000))?,
            part(nanos.rem_euclid(1_000_000_000))?,
        ],
        number,
        sound_speed_m_per_s: detections.sound_speed_m_per_s.unwrap_or_default() as f32,
        frequency_hz: 400e3,
        width_rad: [along, across],
        steering_rad: steering as f32,
        points,
    })
}

/// The packet of a ping.
pub(crate) fn bytes(ping: &Ping) -> Vec<u8> {
    let mut sections = section(b"H0", header(ping));
    sections.extend(section(b"R0", times(&ping.points)));
    sections.extend(section(b"A2", angles(&ping.points)));
    sections.extend(section(b"I1", strengths(&ping.points)));
    sections.extend(section(b"Q0", qualities(&ping.points)));
    let mut bytes = b"BTH0".to_vec();
    bytes.extend((12 + sections.len() as u32).to_be_bytes());
    bytes.extend(0_u32.to_be_bytes());
    bytes.extend(sections);
    bytes
}

fn section(name: &[u8; 2], body: Vec<u8>) -> Vec<u8> {
    let length = 4 + body.len() as u16;
    [&name[..], &length.to_be_bytes(), &body].concat()
}

/// Fields that nobody reads here are nought.
fn header(ping: &Ping) -> Vec<u8> {
    let mut body = vec![0; 24];
    body.extend(ping.time.iter().flat_map(|part| part.to_be_bytes()));
    body.extend(ping.number.to_be_bytes());
    body.extend([0; 4]);
    for number in [ping.sound_speed_m_per_s, ping.frequency_hz] {
        body.extend(number.to_be_bytes());
    }
    body.extend([0; 8]);
    for number in [ping.width_rad[0], ping.width_rad[1], ping.steering_rad] {
        body.extend(number.to_be_bytes());
    }
    body.extend([0; 42]);
    body.extend((ping.points.len() as u16).to_be_bytes());
    body
}

/// How large a step is, so that the largest number is the last of 16 bits.
fn scale(numbers: impl Iterator<Item = f64>) -> f32 {
    let most = numbers.fold(0.0, f64::max);
    // Rounded up, or the largest would be beyond it.
    let scale = (most / f64::from(u16::MAX)) as f32;
    if f64::from(scale) * f64::from(u16::MAX) < most {
        scale.next_up()
    } else {
        scale
    }
}

fn steps(number: f64, scale: f32) -> u16 {
    let steps = if scale > 0.0 {
        number / f64::from(scale)
    } else {
        0.0
    };
    steps.round().clamp(0.0, f64::from(u16::MAX)) as u16
}

fn times(points: &[Point]) -> Vec<u8> {
    let scale = scale(points.iter().map(|point| point.two_way_time_s));
    let mut body = scale.to_be_bytes().to_vec();
    // A time is no time only where nothing was detected.
    let of = |point: &Point| steps(point.two_way_time_s, scale).max(u16::from(point.two_way_time_s > 0.0));
    body.extend(points.iter().flat_map(|point| of(point).to_be_bytes()));
    body
}

fn angles(points: &[Point]) -> Vec<u8> {
    let scale = ANGLE_STEP_DEG.to_radians() as f32;
    let first = points.first().map_or(0.0, |point| point.angle_rad) as f32;
    let mut body = [first.to_be_bytes(), scale.to_be_bytes()].concat();
    body.extend([0; 24]);
    let mut told = 0_u64;
    for point in points {
        let wanted = ((point.angle_rad - f64::from(first)) / f64::from(scale))
            .round()
            .max(0.0) as u64;
        let step = wanted.saturating_sub(told).min(u64::from(u16::MAX));
        told += step;
        body.extend((step as u16).to_be_bytes());
    }
    body
}

fn strengths(points: &[Point]) -> Vec<u8> {
    let scale = scale(points.iter().map(|point| f64::from(point.strength)));
    let mut body = scale.to_be_bytes().to_vec();
    let of = |point: &Point| steps(f64::from(point.strength), scale);
    body.extend(points.iter().flat_map(|point| of(point).to_be_bytes()));
    body
}

fn qualities(points: &[Point]) -> Vec<u8> {
    let word = |eight: &[Point]| {
        let bits = (0_u32..).zip(eight);
        bits.fold(0_u32, |word, (index, point)| {
            word | u32::from(point.quality & 0xf) << (28 - 4 * index)
        })
    };
    points
        .chunks(8)
        .flat_map(|eight| word(eight).to_be_bytes())
        .collect()
}

#[cfg(test)]
mod tests {
    use beluga_types::{Detection, Payload, SonarPing};

    use super::*;
    use crate::survey::played::Rows;

    /// A fan over a bed 6 m below that slopes, as a device would state it.
    fn fan(beams: u16) -> Detections {
        let detection = |beam: u16| {
            let across_deg = -60.0 + 120.0 * f64::from(beam) / f64::from(beams - 1);
            let across_deg = (across_deg * 100.0).round() / 100.0;
            Detection {
                two_way_time_s: 0.008 + 1e-5 * f64::from(beam),
                receive_angle_rad: across_deg.to_radians(),
                transmit_tilt_rad: 0.0,
                transmit_delay_s: 0.0,
                sector: 0,
                level_db: -40.0 + 0.1 * f32::from(beam),
                quality: if beam.is_multiple_of(3) { 1.0 } else { 0.5 },
            }
        };
        Detections {
            detections: (0..beams).map(detection).collect(),
            sound_speed_m_per_s: Some(1480.0),
            beam_width_rad: [0.0175, 0.0087],
        }
    }

    fn read(bytes: &[u8]) -> (Stamp, Option<u64>, Detections) {
        let mut rows = Rows::default();
        super::super::push(&super::super::ping(bytes).unwrap(), &mut rows);
        let row = rows.pop().unwrap().unwrap();
        let Payload::Sonar(ping) = row.what.payload else {
            panic!("no ping")
        };
        let SonarPing::Detections(detections) = (*ping).clone() else {
            panic!("no detections")
        };
        (row.stamp, row.seq, detections)
    }

    #[test]
    fn a_ping_is_read_back_within_what_its_packet_can_hold() {
        let (given, stamp) = (fan(256), Stamp::from_nanos(1_790_000_000_123_456_789));
        let packet = bytes(&of(&given, stamp, 77).unwrap());
        let (when, number, found) = read(&packet);
        assert_eq!((when, number), (stamp, Some(77)));
        assert_eq!(found.sound_speed_m_per_s, Some(1480.0));
        assert_eq!(found.detections.len(), 256);
        // 10.6 ms in 65535 steps, half a step at 1480 m/s there and back: 0.06 mm.
        for (found, given) in found.detections.iter().zip(&given.detections) {
            assert!((found.two_way_time_s - given.two_way_time_s).abs() < 0.83e-7);
            assert!((found.receive_angle_rad - given.receive_angle_rad).abs() < 0.5e-6);
            assert!((found.level_db - given.level_db).abs() < 0.02);
            assert_eq!(found.quality, given.quality);
        }
        for cut in 0..packet.len() {
            assert!(super::super::ping(&packet[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn a_ping_without_detections_is_one_and_sectors_have_no_place() {
        let mut none = fan(2);
        none.detections.clear();
        assert!(
            read(&bytes(&of(&none, Stamp::default(), 1).unwrap()))
                .2
                .detections
                .is_empty()
        );
        let mut sectors = fan(4);
        sectors.detections[2].transmit_delay_s = 0.002;
        assert!(
            of(&sectors, Stamp::default(), 1)
                .unwrap_err()
                .contains("one transmission")
        );
    }
}
