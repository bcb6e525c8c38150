//! What a beam's receiver makes of its echoes: pulses that overlap are one, weak ones are none, and
//! the strongest (and the last) are reported.

use super::light::{Echo, INTENSITY_FULL, extinction_per_m};
use crate::random::Dice;
use crate::scenario::LidarScenario;

/// One sigma of the intensity, as a part of it.
const INTENSITY_SIGMA: f64 = 0.05;
/// Most returns of a beam.
pub(super) const MOST_RETURNS: usize = 2;

/// One pulse at the receiver.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Return {
    /// Measured range, in metres.
    pub(super) range_m: f64,
    /// Strength, corrected for spreading by range as devices do; 255 is full scale.
    pub(super) intensity: f64,
    /// The strongest echo of the pulse.
    pub(super) echo: Echo,
}

/// The receiver's fixed properties.
#[derive(Clone, Copy, Debug)]
pub(super) struct Receiver<'a> {
    pub(super) lidar: &'a LidarScenario,
    /// Lines of one beam.
    pub(super) sub_rays: usize,
    /// This ring's constant range error, in metres.
    pub(super) bias_m: f64,
}

impl Receiver<'_> {
    /// The returns of one beam, strongest first. Sorts the echoes by range.
    pub(super) fn returns(&self, echoes: &mut [Echo], dice: &Dice) -> [Option<Return>; MOST_RETURNS] {
        if echoes.is_empty() || dice.uniform(0) < self.lidar.dropout {
            return [None; MOST_RETURNS];
        }
        echoes.sort_by(|a, b| a.range_m.total_cmp(&b.range_m));
        let mut strongest: Option<Return> = None;
        let mut last = None;
        let mut rest = &*echoes;
        while let Some(first) = rest.first() {
            let end = rest.partition_point(|echo| echo.range_m <= first.range_m + self.lidar.resolution_m);
            let pulse = self.pulse(&rest[..end]);
            rest = &rest[end..];
            if !self.detects(&pulse) {
                continue;
            }
            last = Some(pulse);
            if strongest.is_none_or(|most| received(&pulse) > received(&most)) {
                strongest = last;
            }
        }
        let second = last.filter(|last| self.lidar.dual_return && Some(*last) != strongest);
        [
            strongest.map(|pulse| self.measured(pulse, 1, dice)),
            second.map(|pulse| self.measured(pulse, 2, dice)),
        ]
    }

    /// Echoes that overlap: their strengths add, and the range is the mean by received power.
    fn pulse(&self, echoes: &[Echo]) -> Return {
        let part = 1.0 / self.sub_rays as f64;
        let extinction = extinction_per_m(self.lidar.rain_mm_per_h);
        let clear = |range_m: f64| (-2.0 * extinction * range_m).exp();
        if let [echo] = echoes {
            return Return {
                range_m: echo.range_m,
                intensity: echo.strength * part * clear(echo.range_m),
                echo: *echo,
            };
        }
        let power = |echo: &Echo| echo.strength * clear(echo.range_m) / (echo.range_m * echo.range_m);
        let sum: f64 = echoes.iter().map(power).sum();
        // Echoes without any power (a surface seen along itself) have a plain mean.
        let range_m = if sum > 0.0 {
            echoes.iter().map(|echo| power(echo) * echo.range_m).sum::<f64>() / sum
        } else {
            echoes.iter().map(|echo| echo.range_m).sum::<f64>() / echoes.len() as f64
        };
        let strongest = echoes
            .iter()
            .copied()
            .reduce(|most, echo| if power(&echo) > power(&most) { echo } else { most });
        Return {
            range_m,
            intensity: sum * part * range_m * range_m,
            echo: strongest.expect("a pulse has at least one echo"),
        }
    }

    /// Whether the received power reaches that of a surface of 10 % at its stated range.
    fn detects(&self, pulse: &Return) -> bool {
        let limit = self.lidar.range_at_10_percent_m;
        limit == 0.0 || received(pulse) >= 0.1 * INTENSITY_FULL / (limit * limit)
    }

    /// With the errors of the measurement, from this draw of the dice.
    fn measured(&self, pulse: Return, draw: u64, dice: &Dice) -> Return {
        let [range_noise, intensity_noise] = dice.normal_pair(draw).map(f64::from);
        let intensity = pulse.intensity * (1.0 + INTENSITY_SIGMA * intensity_noise);
        Return {
            range_m: pulse.range_m + self.lidar.range_sigma_m * range_noise + self.bias_m,
            intensity: intensity.clamp(0.0, INTENSITY_FULL),
            echo: pulse.echo,
        }
    }
}

/// Power at the receiver, in units of a full-scale echo at 1 m.
fn received(pulse: &Return) -> f64 {
    pulse.intensity / (pulse.range_m * pulse.range_m)
}
