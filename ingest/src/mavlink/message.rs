//! What messages say that tell how the vehicle lies.
//!
//! Source: `common.xml` of the protocol; fields by size, the longest first, then as they are listed, with
//! those that came later behind them. Roll positive starboard down, pitch bow up, yaw clockwise from north.

use beluga_types::Attitude;
use nalgebra::UnitQuaternion;

use super::frame::{self, Parts};
use crate::nmea::turn_of;
use crate::survey::fields::Fields;

pub(super) const SYSTEM_TIME: u32 = 2;
pub(super) const GPS_RAW_INT: u32 = 24;
pub(super) const ATTITUDE: u32 = 30;
pub(super) const ATTITUDE_QUATERNION: u32 = 31;
pub(super) const GLOBAL_POSITION_INT: u32 = 33;

/// What one message says; `millis` counts since the autopilot was switched on, and comes round after 49 days.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// What time it is then, in microseconds of Unix time, if that is known.
    Time { millis: u32, unix_micros: Option<i64> },
    /// How the vehicle lies.
    Lying { millis: u32, turn: UnitQuaternion<f64> },
    /// Where it is, in degrees, and metres above the sea, if that is known.
    Place { millis: u32, place: Option<[f64; 3]> },
    /// What the receiver knows: the ellipsoid's distance from the sea there, and one sigma across and up, all in metres.
    Receiver {
        separation_m: Option<f64>,
        sigma_m: Option<[f64; 2]>,
    },
    /// Anything else: not used.
    Other,
}

/// Reads a message.
///
/// # Errors
/// If its numbers cannot be.
pub(crate) fn read(parts: &Parts<'_>) -> Result<Said, String> {
    let Some(payload) = frame::padded(parts) else {
        return Ok(Said::Other);
    };
    let mut fields = Fields::little(&payload, 0);
    Ok(match parts.number {
        SYSTEM_TIME => {
            let (unix, millis) = (fields.u64()?, fields.u32()?);
            // Before a receiver has told it, the time since it was switched on.
            const KNOWN_FROM: i64 = 1_000_000_000_000_000;
            let unix_micros = i64::try_from(unix).ok();
            Said::Time {
                millis,
                unix_micros: unix_micros.filter(|unix| *unix > KNOWN_FROM && *unix < 4 * KNOWN_FROM),
            }
        }
        GPS_RAW_INT => receiver(&mut fields)?,
        ATTITUDE => {
            let millis = fields.u32()?;
            let [roll_rad, pitch_rad, heading_rad] = fields.three()?;
            let attitude = Attitude {
                roll_rad,
                pitch_rad,
                heading_rad,
            };
            Said::Lying {
                millis,
                turn: attitude.east_north_up_from_body(),
            }
        }
        ATTITUDE_QUATERNION => quaternion(&mut fields)?,
        GLOBAL_POSITION_INT => {
            let millis = fields.u32()?;
            let [latitude, longitude, height] = [fields.i32()?, fields.i32()?, fields.i32()?].map(f64::from);
            let place = [latitude * 1e-7, longitude * 1e-7, height * 1e-3];
            if place[0].abs() > 90.0 || place[1].abs() > 180.0 {
                return Err(format!("expected a place, found {}° {}°", place[0], place[1]));
            }
            Said::Place {
                millis,
                // An autopilot that knows no place says 0.
                place: Some(place).filter(|place| place[..2] != [0.0, 0.0]),
            }
        }
        _ => Said::Other,
    })
}

fn receiver(fields: &mut Fields<'_>) -> Result<Said, String> {
    fields.skip(16)?;
    let above_sea_mm = fields.i32()?;
    // Dilutions, speed, course, kind of fix, satellites.
    fields.skip(8 + 2)?;
    let above_ellipsoid_mm = fields.i32()?;
    let (across_mm, up_mm) = (fields.u32()?, fields.u32()?);
    let metres = |millis: u32| f64::from(millis) * 1e-3;
    Ok(Said::Receiver {
        // Version 1 and old receivers do not tell it.
        separation_m: (above_ellipsoid_mm != 0)
            .then(|| (f64::from(above_ellipsoid_mm) - f64::from(above_sea_mm)) * 1e-3),
        sigma_m: (across_mm > 0 && up_mm > 0).then(|| [metres(across_mm), metres(up_mm)]),
    })
}

fn quaternion(fields: &mut Fields<'_>) -> Result<Said, String> {
    let millis = fields.u32()?;
    let w = f64::from(fields.f32()?);
    let [x, y, z] = fields.three()?;
    Ok(Said::Lying {
        millis,
        turn: turn_of([w, x, y, z])?,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    // Made by pymavlink 2.4: system 1, component 1.
    pub(in crate::mavlink) const TIME: &str = "fd0b00000001010200002091135552470600a08601d27a";
    pub(in crate::mavlink) const RECEIVER: &str = "fd2b0000000101180000f02af8050000000040013f2040503607b0040000500078000a000000030c64960000140000002800000005dd84";
    pub(in crate::mavlink) const ATTITUDE_2: &str =
        "fd1c00000001011e000068870100cdcccc3dcdcc4cbe0000803f0ad7233c0ad7a33c8fc2f53c62b1";
    pub(in crate::mavlink) const PLACE: &str =
        "fd1c00000001012100006887010040013f2040503607b0040000f401000001000200030061161f35";
    pub(in crate::mavlink) const QUATERNION: &str = "fd0800000001011f0000308801000000803f1f16";
    pub(in crate::mavlink) const HEARTBEAT: &str = "fd0900000001010000000000000002030004034ad7";
    pub(in crate::mavlink) const ATTITUDE_1: &str =
        "fe1c0001011e68870100cdcccc3dcdcc4cbe0000803f0ad7233c0ad7a33c8fc2f53ce22c";

    pub(in crate::mavlink) fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex
            .bytes()
            .map(|digit| (digit as char).to_digit(16).unwrap() as u8)
            .collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    fn said(hex: &str) -> Said {
        read(&frame::parts(&bytes(hex))).unwrap()
    }

    #[test]
    fn messages_say_what_their_maker_put_in() {
        assert_eq!(
            said(TIME),
            Said::Time {
                millis: 100_000,
                unix_micros: Some(1_767_268_800_500_000)
            }
        );
        let Said::Receiver {
            separation_m: Some(separation),
            sigma_m: Some(sigma),
        } = said(RECEIVER)
        else {
            panic!("{:?}", said(RECEIVER));
        };
        assert!((separation - 37.3).abs() < 1e-9);
        assert_eq!(sigma, [0.02, 0.04]);
        let Said::Place {
            millis: 100_200,
            place: Some(place),
        } = said(PLACE)
        else {
            panic!("{:?}", said(PLACE));
        };
        assert!((place[0] - 54.1).abs() < 1e-9 && (place[1] - 12.1).abs() < 1e-9 && place[2] == 1.2);
        let expected = Attitude {
            roll_rad: f64::from(0.1f32),
            pitch_rad: f64::from(-0.2f32),
            heading_rad: 1.0,
        };
        for hex in [ATTITUDE_1, ATTITUDE_2] {
            let Said::Lying {
                millis: 100_200,
                turn,
            } = said(hex)
            else {
                panic!("{:?}", said(hex));
            };
            assert!(turn.angle_to(&expected.east_north_up_from_body()) < 1e-9);
        }
        // Its zeros are left out: level, to the north.
        let Said::Lying {
            millis: 100_400,
            turn,
        } = said(QUATERNION)
        else {
            panic!("{:?}", said(QUATERNION));
        };
        assert!(turn.angle_to(&Attitude::default().east_north_up_from_body()) < 1e-9);
        assert_eq!(said(HEARTBEAT), Said::Other);
    }

    #[test]
    fn what_cannot_be_is_refused_and_what_is_not_known_is_not_made_up() {
        let parts = |number, payload| Parts {
            system: 1,
            number,
            payload,
        };
        assert!(
            read(&parts(ATTITUDE_QUATERNION, &[0; 4]))
                .unwrap_err()
                .contains("length 1")
        );
        let nan = [0, 0, 0, 0, 0, 0, 0xc0, 0x7f];
        assert!(
            read(&parts(ATTITUDE, &nan))
                .unwrap_err()
                .contains("expected numbers")
        );
        let far = [0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f];
        assert!(
            read(&parts(GLOBAL_POSITION_INT, &far))
                .unwrap_err()
                .contains("a place")
        );
        assert_eq!(
            read(&parts(GLOBAL_POSITION_INT, &[])),
            Ok(Said::Place {
                millis: 0,
                place: None
            })
        );
        assert_eq!(
            read(&parts(SYSTEM_TIME, &[1])),
            Ok(Said::Time {
                millis: 0,
                unix_micros: None
            })
        );
    }
}
