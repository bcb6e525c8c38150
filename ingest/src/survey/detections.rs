//! A device's detections on their way to a ping: what cannot be is refused by its name.

use std::ops::RangeInclusive;

use beluga_types::elementary::log10;
use beluga_types::{Detection, Detections};

use super::head::{Head, Look};

/// Speeds of sound in water, in m/s: from near freezing fresh to hot, salt and deep.
pub(crate) const WATER_M_PER_S: RangeInclusive<f64> = 1350.0..=1650.0;
/// The longest a sounding may take, in seconds: there and back in the deepest sea.
const LONGEST_S: f64 = 30.0;
/// How late a sector may be sent, in seconds.
const LATEST_S: f64 = 10.0;
/// Angles against an array's face at most: beyond there is nothing in front of it.
const WIDEST_RAD: f64 = std::f64::consts::FRAC_PI_2;
/// The width that is taken of beams of which nothing is said.
const WIDTH_RAD: f64 = std::f64::consts::PI / 180.0;

/// One detection as a device states it, with the numbers that go on as they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw {
    pub(crate) look: Look,
    pub(crate) delay_s: f64,
    pub(crate) sector: u16,
    pub(crate) level_db: f32,
    pub(crate) quality: f32,
}

/// A ping, when its last echo came in nanoseconds after its stamp, and what was left out of it.
pub(crate) struct Ping {
    pub(crate) detections: Detections,
    pub(crate) last_offset_nanos: i64,
    pub(crate) refused: Option<String>,
}

/// The ping of these detections, seen from the head.
///
/// # Errors
/// If the speed of sound at the head is none of water.
pub(crate) fn ping(
    head: &Head,
    speed_m_per_s: f64,
    width_rad: [f64; 2],
    raw: impl Iterator<Item = Raw>,
) -> Result<Ping, String> {
    if !WATER_M_PER_S.contains(&speed_m_per_s) {
        let (least, most) = WATER_M_PER_S.into_inner();
        return Err(format!(
            "expected a speed of sound of {least} to {most} m/s at the head, found {speed_m_per_s}"
        ));
    }
    let mut detections = Vec::with_capacity(raw.size_hint().0);
    let (mut last_s, mut refused, mut first) = (0f64, 0u64, None);
    for raw in raw {
        match detection(head, speed_m_per_s, &raw) {
            Ok(detection) => {
                last_s = last_s.max(detection.transmit_delay_s + detection.two_way_time_s);
                detections.push(detection);
            }
            Err(wrong) => {
                refused += 1;
                first.get_or_insert(wrong);
            }
        }
    }
    let usable = |width: f64| width > 0.0 && width <= std::f64::consts::PI;
    Ok(Ping {
        detections: Detections {
            detections,
            sound_speed_m_per_s: Some(speed_m_per_s),
            beam_width_rad: width_rad.map(|width| if usable(width) { width } else { WIDTH_RAD }),
        },
        last_offset_nanos: (last_s * 1e9).round() as i64,
        refused: first.map(|first| format!("{refused} detection(s) left out, the first: {first}")),
    })
}

fn detection(head: &Head, speed_m_per_s: f64, raw: &Raw) -> Result<Detection, String> {
    let look = &raw.look;
    let time_s = look.two_way_time_s;
    if !(time_s > 0.0 && time_s <= LONGEST_S) {
        return Err(format!(
            "expected a travel time above 0, to {LONGEST_S} s, found {time_s}"
        ));
    }
    for (what, angle) in [
        ("receive angle", look.angle_rad),
        ("transmit tilt", look.tilt_rad),
    ] {
        if !(-WIDEST_RAD..=WIDEST_RAD).contains(&angle) {
            let degrees = angle.to_degrees();
            return Err(format!("expected a {what} within ±90°, found {degrees}°"));
        }
    }
    if !(-LATEST_S..=LATEST_S).contains(&raw.delay_s) {
        let found = raw.delay_s;
        return Err(format!(
            "expected a sector's delay within {LATEST_S} s, found {found}"
        ));
    }
    let seen = head
        .see(look, speed_m_per_s)
        .ok_or("expected angles and a time that meet in one place, found none")?;
    Ok(Detection {
        two_way_time_s: seen.two_way_time_s,
        receive_angle_rad: seen.across_rad,
        transmit_tilt_rad: seen.along_rad,
        transmit_delay_s: raw.delay_s,
        sector: raw.sector,
        level_db: if raw.level_db.is_finite() {
            raw.level_db
        } else {
            0.0
        },
        quality: raw.quality,
    })
}

/// A quality from 0 to 1 of a standard deviation of the range, as a share of it.
///
/// -log10 of the share is the quality factor of X. Lurton and J.-M. Augustin, "A measurement quality
/// factor for swath bathymetry sounders", IEEE J. Ocean. Eng. 35 (2010): 1 is bad, 4 the best.
pub(crate) fn quality(share: f64) -> f32 {
    if !(share > 0.0 && share.is_finite()) {
        return 0.0;
    }
    ((-log10(share) - 1.0) / 3.0).clamp(0.0, 1.0) as f32
}

#[cfg(test)]
mod tests {
    use beluga_types::Mount;

    use super::*;

    fn raw(angle_rad: f64, two_way_time_s: f64, delay_s: f64) -> Raw {
        Raw {
            look: Look {
                tilt_rad: 0.0,
                angle_rad,
                two_way_time_s,
                part: 1,
            },
            delay_s,
            sector: 2,
            level_db: -30.0,
            quality: 0.5,
        }
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_name() {
        let head = Head::single(Mount::default());
        let of = |raw: Raw, speed| {
            ping(
                &head,
                speed,
                [0.01, 0.0],
                [raw, self::raw(0.1, 0.02, 0.0)].into_iter(),
            )
        };
        for (bad, words) in [
            (raw(0.1, -0.01, 0.0), "travel time above 0"),
            (raw(0.1, f64::NAN, 0.0), "travel time above 0"),
            (raw(1.6, 0.01, 0.0), "receive angle within ±90°"),
            (raw(0.1, 0.01, f64::INFINITY), "a sector's delay"),
        ] {
            let ping = of(bad, 1500.0).unwrap();
            assert_eq!(ping.detections.detections.len(), 1);
            let refused = ping.refused.unwrap();
            assert!(
                refused.contains(words) && refused.starts_with("1 detection(s)"),
                "{refused}"
            );
        }
        for speed in [1349.0, 1651.0, f64::NAN, 0.0] {
            assert!(of(raw(0.1, 0.01, 0.0), speed).is_err());
        }
        let ping = of(raw(0.1, 0.01, 0.03), 1500.0).unwrap();
        assert_eq!((ping.last_offset_nanos, ping.refused), (40_000_000, None));
        assert_eq!(ping.detections.beam_width_rad, [0.01, WIDTH_RAD]);
    }

    #[test]
    fn quality_is_that_of_the_paper() {
        let close = |share, expected: f32| assert!((quality(share) - expected).abs() < 1e-6);
        close(0.1, 0.0);
        close(0.01, 1.0 / 3.0);
        close(1e-4, 1.0);
        close(1e-9, 1.0);
        close(f64::NAN, 0.0);
        close(-1.0, 0.0);
    }
}
