//! One ping as a picture of at most 256 range bins.

use beluga_types::elementary::log10;
use beluga_types::{Echogram, SensorId, Stamp, WaveformShape};

use super::echo::Echo;

/// Range bins of a picture at most.
const MOST_BINS: usize = 256;

/// Level of a bin without any sound, in dB.
const SILENCE_DB: f32 = -200.0;

/// Where samples lie in range.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    /// Two-way time of the first sample.
    pub(crate) first_s: f64,
    /// Two-way time from one sample to the next.
    pub(crate) interval_s: f64,
    /// Speed of sound.
    pub(crate) sound_speed_m_per_s: f64,
}

/// The picture of a ping from rows of raw power (or none) and of compressed power, `channels` each;
/// each bin shows the highest power in it. Sensor, stamp and number are the caller's to fill in.
pub(crate) fn of_rows(
    raw: &[f32],
    compressed: &[f32],
    channels: usize,
    axis: &Axis,
    echoes: &[Echo],
) -> Echogram {
    let samples = compressed.len() / channels.max(1);
    let bins = samples.min(MOST_BINS);
    let half_speed = 0.5 * axis.sound_speed_m_per_s;
    let step_m = half_speed * axis.interval_s * samples as f64 / bins.max(1) as f64;
    Echogram {
        sensor: SensorId(0),
        stamp: Stamp::default(),
        seq: 0,
        shape: WaveformShape {
            channels,
            samples: bins,
        },
        first_range_m: half_speed * axis.first_s + 0.5 * step_m,
        range_step_m: step_m,
        raw_db: thinned(raw, channels, bins),
        compressed_db: thinned(compressed, channels, bins),
        across_rad: Vec::new(),
        detected: echoes
            .iter()
            .map(|echo| (echo.beam, (half_speed * echo.two_way_time_s) as f32))
            .collect(),
    }
}

/// Rows of `bins` levels in dB.
fn thinned(power: &[f32], channels: usize, bins: usize) -> Vec<f32> {
    let samples = power.len() / channels.max(1);
    if samples == 0 || bins == 0 {
        return Vec::new();
    }
    let level = |row: &[f32], bin: usize| {
        let first = bin * samples / bins;
        let last = ((bin + 1) * samples / bins).max(first + 1).min(samples);
        let top = row[first.min(samples - 1)..last]
            .iter()
            .fold(0.0f32, |top, &power| top.max(power));
        ((10.0 * log10(f64::from(top))) as f32).max(SILENCE_DB)
    };
    power
        .chunks_exact(samples)
        .flat_map(|row| (0..bins).map(move |bin| level(row, bin)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_shows_its_highest_sample() {
        let mut power = vec![0.0f32; 2 * 1024];
        power[1024 + 517] = 100.0;
        let axis = Axis {
            first_s: 0.01,
            interval_s: 1e-5,
            sound_speed_m_per_s: 1500.0,
        };
        let picture = of_rows(&[], &power, 2, &axis, &[]);
        assert_eq!((picture.shape.channels, picture.shape.samples), (2, 256));
        assert!(picture.raw_db.is_empty());
        assert_eq!(picture.compressed_db[256 + 517 / 4], 20.0);
        assert_eq!(picture.compressed_db[0], -200.0);
        assert!((picture.range_step_m - 0.03).abs() < 1e-12);
        assert!((picture.first_range_m - 7.515).abs() < 1e-12);
    }
}
