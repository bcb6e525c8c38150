//! What navigation gives, as messages: moment first, then every field as it is, bit by bit.

use beluga_types::{
    AttitudeFix, ClockState, DepthFix, Direction, Gap, GapCause, Geodetic, GnssFix, ImuSample, Measurement,
    Payload, PoseFix, SoundSpeedSample, Space, Stamp, Transform, VelocityFix,
};
use nalgebra::{Matrix3, Matrix6, Quaternion, UnitQuaternion, Vector3};

use super::cdr::{Decoder, Encoder, Wrong};
use super::schema::Kind;
use crate::range::is_time;

/// How far the length of a quaternion may be from 1.
const QUATERNION_SLACK: f64 = 1e-6;

/// When a measurement was, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) seq: u64,
    pub(super) stamp: Stamp,
    pub(super) end: Stamp,
    pub(super) received: Stamp,
}

impl Moment {
    pub(super) fn of(measurement: &Measurement) -> Self {
        Self {
            seq: measurement.seq,
            stamp: measurement.stamp,
            end: measurement.end,
            received: measurement.received,
        }
    }

    pub(super) fn put(&self, encoder: &mut Encoder) {
        encoder.put(self.seq);
        encoder.put(self.stamp.nanos());
        encoder.put(self.end.nanos());
        encoder.put(self.received.nanos());
    }

    pub(super) fn get(decoder: &mut Decoder<'_>) -> Result<Self, Wrong> {
        let seq = decoder.get()?;
        let mut stamp = || match decoder.get().map(Stamp::from_nanos)? {
            stamp if is_time(stamp) => Ok(stamp),
            _ => Err(Wrong::Value("a time before the year 2200")),
        };
        let (stamp, end, received) = (stamp()?, stamp()?, stamp()?);
        if end < stamp {
            return Err(Wrong::Value("an end that is not before its stamp"));
        }
        Ok(Self {
            seq,
            stamp,
            end,
            received,
        })
    }
}

/// Writes a fix after its moment; what is no fix leaves nothing.
pub(super) fn put(encoder: &mut Encoder, payload: &Payload) {
    match payload {
        Payload::Imu(sample) => {
            encoder.array(sample.rate_rad_per_s.vector().as_slice());
            encoder.array(sample.specific_force_m_per_s2.vector().as_slice());
        }
        Payload::Gnss(fix) => {
            let place = fix.place;
            encoder.array(&[place.latitude_rad, place.longitude_rad, place.height_m]);
            put_matrix(encoder, fix.covariance_m2.map(|matrix| matrix.transpose()));
        }
        Payload::Pose(fix) => {
            put_rotation(encoder, fix.world_from_body.rotation());
            encoder.array(fix.world_from_body.translation().as_slice());
            encoder.flag(fix.covariance.is_some());
            // Column-major inside, row-major outside.
            encoder.array(fix.covariance.unwrap_or_default().transpose().as_slice());
        }
        Payload::Attitude(fix) => {
            put_rotation(encoder, fix.world_from_body);
            put_matrix(encoder, fix.covariance_rad2.map(|matrix| matrix.transpose()));
        }
        Payload::Velocity(fix) => {
            encoder.array(fix.velocity_m_per_s.vector().as_slice());
            encoder.array(fix.sigma_m_per_s.as_slice());
            encoder.flag(fix.over_ground);
        }
        Payload::Depth(fix) => encoder.array(&[fix.depth_m, fix.sigma_m]),
        Payload::SoundSpeed(sample) => {
            encoder.put(sample.sound_speed_m_per_s);
            encoder.optional(sample.depth_m);
        }
        Payload::Clock(state) => {
            encoder.put(state.offset_nanos);
            encoder.put(state.sigma_nanos);
            encoder.flag(state.locked);
        }
        Payload::Gap(gap) => {
            encoder.put(gap.lost);
            encoder.text(gap.cause.name());
            encoder.text(&gap.detail);
        }
        _ => {}
    }
}

/// Reads a fix of this kind; nothing if the kind is none of navigation's.
pub(super) fn get(kind: Kind, decoder: &mut Decoder<'_>) -> Result<Option<Payload>, Wrong> {
    Ok(Some(match kind {
        Kind::Imu => Payload::Imu(ImuSample {
            rate_rad_per_s: direction(decoder)?,
            specific_force_m_per_s2: direction(decoder)?,
        }),
        Kind::Gnss => {
            let [latitude_rad, longitude_rad, height_m] = decoder.finites()?;
            Payload::Gnss(GnssFix {
                place: Geodetic {
                    latitude_rad,
                    longitude_rad,
                    height_m,
                },
                covariance_m2: matrix(decoder)?,
            })
        }
        Kind::Pose => {
            let rotation = rotation(decoder)?;
            let translation = Vector3::from(decoder.finites()?);
            let there = decoder.flag()?;
            let covariance = Matrix6::from_row_slice(&decoder.finites::<36>()?);
            Payload::Pose(PoseFix {
                world_from_body: Transform::new(rotation, translation),
                covariance: there.then_some(covariance),
            })
        }
        Kind::Attitude => Payload::Attitude(AttitudeFix {
            world_from_body: rotation(decoder)?,
            covariance_rad2: matrix(decoder)?,
        }),
        Kind::Velocity => Payload::Velocity(VelocityFix {
            velocity_m_per_s: direction(decoder)?,
            sigma_m_per_s: Vector3::from(decoder.finites()?),
            over_ground: decoder.flag()?,
        }),
        Kind::Depth => Payload::Depth(DepthFix {
            depth_m: decoder.finite()?,
            sigma_m: decoder.finite()?,
        }),
        Kind::SoundSpeed => Payload::SoundSpeed(SoundSpeedSample {
            sound_speed_m_per_s: decoder.finite()?,
            depth_m: decoder.optional()?,
        }),
        Kind::Clock => Payload::Clock(ClockState {
            offset_nanos: decoder.get()?,
            sigma_nanos: decoder.finite()?,
            locked: decoder.flag()?,
        }),
        Kind::Gap => Payload::Gap(Gap {
            lost: decoder.get()?,
            cause: cause(decoder.text()?)?,
            detail: decoder.text()?.to_owned(),
        }),
        _ => return Ok(None),
    }))
}

fn cause(word: &str) -> Result<GapCause, Wrong> {
    GapCause::ALL
        .into_iter()
        .find(|cause| cause.name() == word)
        .ok_or(Wrong::Value("corrupt, late, missing, overflow or truncated"))
}

fn direction<S: Space>(decoder: &mut Decoder<'_>) -> Result<Direction<S>, Wrong> {
    let [x, y, z] = decoder.finites()?;
    Ok(Direction::new(x, y, z))
}

fn put_rotation(encoder: &mut Encoder, rotation: UnitQuaternion<f64>) {
    encoder.array(&[rotation.w, rotation.i, rotation.j, rotation.k]);
}

/// The quaternion as it was written: to normalise it once more could change its last bit.
fn rotation(decoder: &mut Decoder<'_>) -> Result<UnitQuaternion<f64>, Wrong> {
    let [w, x, y, z] = decoder.finites()?;
    let quaternion = Quaternion::new(w, x, y, z);
    // A length beyond all numbers is not within the slack either.
    if (quaternion.norm() - 1.0).abs() <= QUATERNION_SLACK {
        Ok(UnitQuaternion::new_unchecked(quaternion))
    } else {
        Err(Wrong::Value("a quaternion of length 1"))
    }
}

/// A matrix that has been transposed: column by column it is the other row by row.
fn put_matrix(encoder: &mut Encoder, transposed: Option<Matrix3<f64>>) {
    encoder.flag(transposed.is_some());
    encoder.array(transposed.unwrap_or_default().as_slice());
}

fn matrix(decoder: &mut Decoder<'_>) -> Result<Option<Matrix3<f64>>, Wrong> {
    let there = decoder.flag()?;
    let matrix = Matrix3::from_row_slice(&decoder.finites::<9>()?);
    Ok(there.then_some(matrix))
}
