//! Pings without a waveform: strength over range, and detections of the device.

use beluga_types::elementary::powf;
use beluga_types::{Beam, Detections, Direction, Profile, StrengthUnit};

use super::chain::{LISTENING, refusal};
use super::config::SonarConfig;
use super::echo::{BeamAxes, DetectionMethod, Echo, PingEchoes, Spread, steered, two_way_width_rad};
use super::picture;

/// An echo stands this many robust standard deviations above the median of its profile. Empirical:
/// strengths of devices are amplitudes, logarithms or eight bits with a gamma, so no false-alarm
/// rate can be stated for them.
const DEVIATIONS: f64 = 8.0;

/// And at least this share of the way from the median to the strongest value. Empirical.
const SHARE_OF_STRONGEST: f64 = 0.25;

/// One robust standard deviation in medians of absolute deviation, for a Gaussian.
const MAD_SIGMA: f64 = 1.4826;

/// Echoes of a profile: its stretches above an empirical threshold.
///
/// A wide beam gives arcs at the leading edge (half of the first rise), a narrow one the middle of
/// each stretch's strength. The level is the device's own number.
pub(crate) fn detect(ping: &Profile, config: &SonarConfig, sound_speed_m_per_s: f64) -> PingEchoes {
    if !(ping.interval_s.is_finite() && ping.interval_s > 0.0 && ping.first_s.is_finite()) {
        return refusal(format!(
            "profile has {} s between its values, expected a finite number above zero",
            ping.interval_s
        ));
    }
    let start = (2.0 * ping.blanking_m / sound_speed_m_per_s - ping.first_s) / ping.interval_s;
    let start = (start.ceil().max(0.0) as usize).min(ping.strength.len());
    let silence = match ping.unit {
        StrengthUnit::Amplitude => 0.0,
        StrengthUnit::Decibel => -200.0,
    };
    let strength: Vec<f64> = ping
        .strength
        .iter()
        .map(|&value| {
            if value.is_finite() {
                f64::from(value)
            } else {
                silence
            }
        })
        .collect();
    let beam = steered(&ping.beam, ping.steering_rad);
    let axes = BeamAxes::of(beam.direction.vector());
    let width = two_way_width_rad(&beam);
    let spread = Spread::of(&axes, width, config.arc_beyond_deg.to_radians());
    let seen = Seen { axes, width, spread };
    let mut stretches = match ping.transmitted {
        true => stretches(&strength, start),
        false => Vec::new(),
    };
    stretches.sort_by(|a, b| b.top.total_cmp(&a.top).then(a.start.cmp(&b.start)));
    stretches.truncate(config.max_detections_per_beam);
    stretches.sort_by_key(|stretch| stretch.start);
    let echoes: Vec<Echo> = stretches
        .iter()
        .map(|stretch| stretch.echo(&strength, 0, (ping.first_s, ping.interval_s), &seen))
        .collect();
    let echogram = (config.keep_echoes && !strength.is_empty()).then(|| {
        let axis = picture::Axis {
            first_s: ping.first_s,
            interval_s: ping.interval_s,
            sound_speed_m_per_s,
        };
        let power_of = |&value: &f64| match ping.unit {
            StrengthUnit::Amplitude => (value * value) as f32,
            StrengthUnit::Decibel => powf(10.0, 0.1 * value) as f32,
        };
        let power: Vec<f32> = strength.iter().map(power_of).collect();
        picture::of_rows(&[], &power, 1, &axis, &echoes)
    });
    PingEchoes {
        echoes,
        echogram,
        notes: match ping.transmitted {
            true => Vec::new(),
            false => vec![LISTENING.to_owned()],
        },
        ..PingEchoes::default()
    }
}

/// What the device detected, with angles as unit vectors and sigmas from its beam width.
///
/// The device states no sigma of its own: its times are taken to be good to a tenth of the beam's
/// width in angle and to 20 µs (1.5 cm), both divided by the square root of its quality.
pub(crate) fn pass_through(ping: &Detections, config: &SonarConfig) -> PingEchoes {
    const TIME_SIGMA_S: f64 = 20e-6;
    const WIDTH_SHARE: f64 = 0.1;
    let mut unusable = 0usize;
    let mut echoes = Vec::with_capacity(ping.detections.len());
    for (index, detection) in ping.detections.iter().enumerate() {
        let numbers = [
            detection.two_way_time_s,
            detection.receive_angle_rad,
            detection.transmit_tilt_rad,
            detection.transmit_delay_s,
            f64::from(detection.level_db),
        ];
        if numbers.iter().any(|value| !value.is_finite()) || detection.two_way_time_s <= 0.0 {
            unusable += 1;
            continue;
        }
        let beam = Beam::at(
            detection.receive_angle_rad,
            detection.transmit_tilt_rad,
            ping.beam_width_rad.map(|width| width * std::f64::consts::SQRT_2),
            ping.beam_width_rad.map(|width| width * std::f64::consts::SQRT_2),
        );
        let axes = BeamAxes::of(beam.direction.vector());
        let width = two_way_width_rad(&beam);
        let spread = Spread::of(&axes, width, config.arc_beyond_deg.to_radians());
        let quality = if detection.quality.is_finite() {
            f64::from(detection.quality).clamp(0.04, 1.0)
        } else {
            1.0
        };
        let trust = quality.sqrt();
        echoes.push(Echo {
            beam: index as u32,
            two_way_time_s: detection.two_way_time_s,
            early_s_per_m_per_s: 0.0,
            transmit_delay_s: detection.transmit_delay_s,
            direction: beam.direction,
            sigma_time_s: TIME_SIGMA_S / trust,
            sigma_along_rad: width[0] / 2.355,
            sigma_across_rad: width[1] * WIDTH_SHARE / trust,
            level_db: detection.level_db,
            snr_db: None,
            method: DetectionMethod::Device,
            half_angle_rad: spread.half_angle_rad,
            arc_plane: Direction::from_vector(spread.plane),
            floats: false,
        });
    }
    let notes = if unusable > 0 {
        vec!["detections without a finite angle and a time above zero were left out".to_owned()]
    } else {
        Vec::new()
    };
    PingEchoes {
        echoes,
        notes,
        ..PingEchoes::default()
    }
}

/// A stretch of a profile above the threshold.
pub(super) struct Stretch {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) top: f64,
    pub(super) floor: f64,
}

/// How a beam looks: its axes, its two-way widths along and across in rad, and what of them is an arc.
pub(super) struct Seen {
    pub(super) axes: BeamAxes,
    pub(super) width: [f64; 2],
    pub(super) spread: Spread,
}

impl Stretch {
    /// The echo it is: an arc of a wide beam at its leading edge, else the middle of its strength. Values
    /// begin at the first of the times and lie the second apart, in s of two ways.
    pub(super) fn echo(
        &self,
        strength: &[f64],
        beam: u32,
        (first_s, interval_s): (f64, f64),
        seen: &Seen,
    ) -> Echo {
        let Seen { axes, width, spread } = seen;
        let leading_edge = spread.half_angle_rad.is_some();
        let (place, sigma) = self.place(strength, leading_edge);
        Echo {
            beam,
            two_way_time_s: first_s + place * interval_s,
            early_s_per_m_per_s: 0.0,
            transmit_delay_s: 0.0,
            direction: Direction::from_vector(axes.direction),
            sigma_time_s: sigma * interval_s,
            sigma_along_rad: width[0] / 2.355,
            sigma_across_rad: width[1] / 2.355,
            level_db: self.top as f32,
            snr_db: None,
            method: match leading_edge {
                true => DetectionMethod::LeadingEdge,
                false => DetectionMethod::WeightedMeanTime,
            },
            half_angle_rad: spread.half_angle_rad,
            arc_plane: Direction::from_vector(spread.plane),
            floats: false,
        }
    }

    /// Its place in values from the first, and one sigma of that.
    pub(super) fn place(&self, strength: &[f64], leading_edge: bool) -> (f64, f64) {
        let height = |index: usize| (strength[index] - self.floor).max(0.0);
        if leading_edge {
            let first_top = (self.start..self.end)
                .find(|&i| i + 1 >= self.end || strength[i + 1] < strength[i])
                .unwrap_or(self.start);
            let half = 0.5 * height(first_top);
            let after = (self.start.saturating_sub(1)..=first_top)
                .find(|&i| height(i) >= half)
                .unwrap_or(first_top);
            if after == 0 {
                return (0.0, 0.5);
            }
            let (low, high) = (height(after - 1), height(after));
            let fraction = if high > low {
                ((half - low) / (high - low)).clamp(0.0, 1.0)
            } else {
                1.0
            };
            return (after as f64 - 1.0 + fraction, 0.5);
        }
        let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
        for index in self.start..self.end {
            let (weight, at) = (height(index), (index - self.start) as f64);
            sum += weight;
            first += weight * at;
            second += weight * at * at;
        }
        let middle = first / sum.max(f64::MIN_POSITIVE);
        let variance = (second / sum.max(f64::MIN_POSITIVE) - middle * middle).max(0.0);
        let cells = ((self.end - self.start) as f64).max(1.0);
        // A step of the profile is the least that is resolved; speckle leaves 1/sqrt(cells).
        (self.start as f64 + middle, (1.0 / 12.0 + variance / cells).sqrt())
    }
}

/// Stretches above the threshold behind the blanking, joined over gaps of one value.
fn stretches(strength: &[f64], start: usize) -> Vec<Stretch> {
    let usable = &strength[start..];
    if usable.len() < 8 {
        return Vec::new();
    }
    let floor = median(usable.to_vec());
    let sigma = MAD_SIGMA * median(usable.iter().map(|value| (value - floor).abs()).collect());
    let strongest = usable.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let threshold = floor + (DEVIATIONS * sigma).max(SHARE_OF_STRONGEST * (strongest - floor));
    let mut found: Vec<Stretch> = Vec::new();
    for (index, &value) in strength.iter().enumerate().skip(start) {
        if value <= threshold {
            continue;
        }
        match found.last_mut() {
            Some(last) if index - last.end <= 1 => {
                last.end = index + 1;
                last.top = last.top.max(value);
            }
            _ => found.push(Stretch {
                start: index,
                end: index + 1,
                top: value,
                floor,
            }),
        }
    }
    // What begins where the blanking ends, or with the first value, is the end of the device's own ringing.
    found.retain(|stretch| stretch.start > start);
    found
}

fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::Detection;

    fn profile(strength: Vec<f32>, width_deg: f64) -> Profile {
        let width = width_deg.to_radians() * std::f64::consts::SQRT_2;
        Profile {
            strength,
            unit: StrengthUnit::Amplitude,
            transmitted: true,
            first_s: 0.001,
            interval_s: 1e-4,
            beam: Beam::at(0.0, 0.0, [width; 2], [width; 2]),
            steering_rad: 0.0,
            sound_speed_m_per_s: None,
            blanking_m: 1.0,
        }
    }

    #[test]
    fn a_narrow_profile_gives_the_middle_and_a_wide_one_the_edge() {
        // Ringing in the first metre (1.33 ms at 1500 m/s), then an echo centred on 60.
        let mut strength = vec![2.0f32; 120];
        strength[0] = 250.0;
        for (index, value) in [(58, 40.0), (59, 120.0), (60, 200.0), (61, 120.0), (62, 40.0)] {
            strength[index] = value;
        }
        let narrow = detect(&profile(strength.clone(), 2.0), &SonarConfig::default(), 1500.0);
        assert_eq!(narrow.echoes.len(), 1, "the ringing is blanked");
        assert!((narrow.echoes[0].two_way_time_s - 0.007).abs() < 1e-9);
        assert_eq!(narrow.echoes[0].half_angle_rad, None);
        let wide = detect(&profile(strength, 25.0), &SonarConfig::default(), 1500.0);
        // Half of 198 above the floor is passed between 58 and 59.
        let place = 58.0 + (99.0 - 38.0) / 80.0;
        assert!((wide.echoes[0].two_way_time_s - (0.001 + place * 1e-4)).abs() < 1e-9);
        assert_eq!(wide.echoes[0].method, DetectionMethod::LeadingEdge);
        assert!(wide.echoes[0].half_angle_rad.is_some());
    }

    #[test]
    fn the_transmission_itself_is_no_echo() {
        let mut strength = vec![2.0f32; 120];
        strength[..3].fill(250.0);
        strength[60] = 200.0;
        let mut ping = profile(strength, 25.0);
        (ping.first_s, ping.blanking_m) = (0.0, 0.0);
        let found = detect(&ping, &SonarConfig::default(), 1500.0);
        assert_eq!(found.echoes.len(), 1, "{:?}", found.echoes);
        assert!((found.echoes[0].two_way_time_s - 0.006).abs() < 1e-4);
    }

    #[test]
    fn decibels_below_zero_are_found_and_shown_as_they_are() {
        let mut strength = vec![-110.0f32; 120];
        for (index, value) in [(59, -60.0), (60, -40.0), (61, -60.0)] {
            strength[index] = value;
        }
        let mut ping = profile(strength, 2.0);
        ping.unit = StrengthUnit::Decibel;
        let config = SonarConfig {
            keep_echoes: true,
            ..SonarConfig::default()
        };
        let found = detect(&ping, &config, 1500.0);
        assert_eq!(found.echoes.len(), 1);
        assert!((found.echoes[0].two_way_time_s - 0.007).abs() < 1e-9);
        assert_eq!(found.echoes[0].level_db, -40.0);
        let picture = found.echogram.unwrap();
        assert!(
            (picture.compressed_db[60] + 40.0).abs() < 1e-3
                && (picture.compressed_db[5] + 110.0).abs() < 1e-3
        );
    }

    #[test]
    fn flat_short_and_broken_profiles_have_no_echo() {
        let detect = |ping: &Profile| detect(ping, &SonarConfig::default(), 1500.0);
        assert!(detect(&profile(vec![7.0; 100], 2.0)).echoes.is_empty());
        assert!(detect(&profile(vec![7.0; 3], 2.0)).echoes.is_empty());
        assert!(detect(&profile(Vec::new(), 2.0)).echoes.is_empty());
        assert!(detect(&profile(vec![f32::NAN; 100], 2.0)).echoes.is_empty());
        let mut broken = profile(vec![7.0; 100], 2.0);
        broken.interval_s = 0.0;
        assert_eq!(detect(&broken).notes.len(), 1);
        let mut passive = profile((0..100).map(|i| (i % 50) as f32).collect(), 2.0);
        passive.transmitted = false;
        let heard = detect(&passive);
        assert!(heard.echoes.is_empty() && heard.notes[0].contains("listening"));
    }

    #[test]
    fn detections_of_the_device_pass_with_their_angles() {
        let detection = Detection {
            two_way_time_s: 0.02,
            receive_angle_rad: 0.6,
            transmit_tilt_rad: 0.02,
            transmit_delay_s: 0.003,
            sector: 1,
            level_db: -30.0,
            quality: 1.0,
        };
        let broken = Detection {
            two_way_time_s: f64::NAN,
            ..detection
        };
        let ping = Detections {
            detections: vec![broken, detection],
            sound_speed_m_per_s: None,
            beam_width_rad: [0.0175; 2],
        };
        let passed = pass_through(&ping, &SonarConfig::default());
        assert_eq!((passed.echoes.len(), passed.notes.len()), (1, 1));
        let echo = &passed.echoes[0];
        assert_eq!(
            (echo.beam, echo.transmit_delay_s, echo.method),
            (1, 0.003, DetectionMethod::Device)
        );
        assert!(
            echo.direction.vector().y < 0.0,
            "a positive angle is to starboard, -y"
        );
        assert!((echo.sigma_along_rad - 0.0175 / 2.355).abs() < 1e-6);
    }
}
