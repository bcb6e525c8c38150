//! What can be chosen about the sonar chain.

use serde::{Deserialize, Serialize};

use super::fft::Transforms;
use crate::error::Error;

/// Settings of pulse compression and detection. Works as it is; every field has a unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SonarConfig {
    /// Window on the replica of a swept pulse that was transmitted without one of its own.
    pub window: ReplicaWindow,
    /// Weight on the elements of an array of which beams are formed; `matched` weighs all alike.
    pub array_window: ReplicaWindow,
    /// How the training cells speak for the noise.
    pub cfar: CfarKind,
    /// Chance that a sample of pure noise passes, behind the matched filter (1e-9 to 0.1).
    pub false_alarm_rate: f64,
    /// Independent training cells, both sides together (an even number, 4 to 256).
    pub training_cells: usize,
    /// Independent cells on either side of the tested one that do not train (1 to 64).
    pub guard_cells: usize,
    /// Echoes whose peak is not this far above the noise are dropped, in dB.
    pub min_snr_db: f64,
    /// Most echoes of one beam and ping; the strongest stay (1 to 1024).
    pub max_detections_per_beam: usize,
    /// Beams wider than this in one axis, two ways at -3 dB, give arcs, in degrees.
    pub arc_beyond_deg: f64,
    /// An echo this much weaker than a neighbouring beam at the same range is that beam's echo
    /// seen from the side, in dB. Farther beams are held to the pattern of an unshaded array.
    pub neighbour_rejection_db: f64,
    /// Fourier transforms: `fastest`, or `portable`, with which a recording gives the same frame bytes on every
    /// CPU, at the price of slower transforms.
    pub transforms: Transforms,
    /// Whether to keep each ping as a picture.
    pub keep_echoes: bool,
}

impl Default for SonarConfig {
    fn default() -> Self {
        Self {
            window: ReplicaWindow::Hann,
            array_window: ReplicaWindow::Matched,
            cfar: CfarKind::Soca,
            false_alarm_rate: 1e-6,
            training_cells: 32,
            guard_cells: 2,
            min_snr_db: 14.0,
            max_detections_per_beam: 8,
            arc_beyond_deg: 8.0,
            neighbour_rejection_db: 12.0,
            transforms: Transforms::default(),
            keep_echoes: false,
        }
    }
}

impl SonarConfig {
    /// Checks every number against its range, so that none is bent in silence.
    ///
    /// # Errors
    /// [`Error::Config`] at the first that is outside.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let near = self.clamped();
        let number = |count: usize| count as f64;
        for (field, found, inside, expected) in [
            (
                "sonar.false_alarm_rate",
                self.false_alarm_rate,
                near.false_alarm_rate,
                "1e-9 to 0.1",
            ),
            (
                "sonar.training_cells",
                number(self.training_cells),
                number(near.training_cells),
                "an even number, 4 to 256",
            ),
            (
                "sonar.guard_cells",
                number(self.guard_cells),
                number(near.guard_cells),
                "1 to 64",
            ),
            ("sonar.min_snr_db", self.min_snr_db, near.min_snr_db, "-20 to 100"),
            (
                "sonar.max_detections_per_beam",
                number(self.max_detections_per_beam),
                number(near.max_detections_per_beam),
                "1 to 1024",
            ),
            (
                "sonar.arc_beyond_deg",
                self.arc_beyond_deg,
                near.arc_beyond_deg,
                "0.1 to 360",
            ),
            (
                "sonar.neighbour_rejection_db",
                self.neighbour_rejection_db,
                near.neighbour_rejection_db,
                "3 to 100",
            ),
        ] {
            if found != inside {
                return Err(Error::Config {
                    field,
                    found,
                    expected,
                });
            }
        }
        Ok(())
    }

    /// The same with every number inside its range; what is not a number takes its default.
    pub(crate) fn clamped(&self) -> Self {
        let default = Self::default();
        let number = |value: f64, low: f64, high: f64, default: f64| {
            if value.is_finite() {
                value.clamp(low, high)
            } else {
                default
            }
        };
        Self {
            window: self.window,
            array_window: self.array_window,
            cfar: self.cfar,
            false_alarm_rate: number(self.false_alarm_rate, 1e-9, 0.1, default.false_alarm_rate),
            training_cells: self.training_cells.clamp(4, 256) / 2 * 2,
            guard_cells: self.guard_cells.clamp(1, 64),
            min_snr_db: number(self.min_snr_db, -20.0, 100.0, default.min_snr_db),
            max_detections_per_beam: self.max_detections_per_beam.clamp(1, 1024),
            arc_beyond_deg: number(self.arc_beyond_deg, 0.1, 360.0, default.arc_beyond_deg),
            neighbour_rejection_db: number(
                self.neighbour_rejection_db,
                3.0,
                100.0,
                default.neighbour_rejection_db,
            ),
            transforms: self.transforms,
            keep_echoes: self.keep_echoes,
        }
    }
}

/// Weight on the replica: trades a little signal for low sidelobes in range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplicaWindow {
    /// The pulse as transmitted: no loss, sidelobes at -13 dB.
    Matched,
    /// Raised cosine: 1.76 dB loss, sidelobes at -31 dB that fall off fast.
    Hann,
    /// Raised cosine on a pedestal: 1.35 dB loss, sidelobes at -42 dB that hardly fall off; a pulse
    /// whose length times band is below a few hundred does not reach them.
    Hamming,
    /// Taylor, 5 sidelobes at -35 dB: 0.93 dB loss, narrower than `hann`.
    Taylor,
}

/// How the training cells speak for the noise. The multipliers of all are exact for independent cells
/// of exponential power, which echo strengths of 8 bits, logarithms or gammas are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CfarKind {
    /// Cell averaging: the mean of both sides.
    Ca,
    /// Greatest of: the louder side. Fewest false alarms where the noise has a step.
    Goca,
    /// Order statistic: three quarters up the sorted cells. Sees what stands among many others; only
    /// cells that pass a gate are sorted, and the gate loses nothing.
    Os,
    /// Smallest of: the quieter side. Finds what stands beside something strong.
    Soca,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_inside_their_ranges() {
        assert_eq!(SonarConfig::default().clamped(), SonarConfig::default());
    }

    #[test]
    fn a_number_that_would_be_bent_is_refused() {
        let with = |training_cells| SonarConfig {
            training_cells,
            ..SonarConfig::default()
        };
        assert!(with(256).check().is_ok());
        for training_cells in [2, 31, 257, 258] {
            let refused = with(training_cells).check().unwrap_err().to_string();
            assert!(refused.contains("an even number, 4 to 256"), "{refused}");
        }
    }

    #[test]
    fn senseless_numbers_are_brought_back() {
        let config = SonarConfig {
            false_alarm_rate: f64::NAN,
            training_cells: 0,
            min_snr_db: 1e9,
            ..SonarConfig::default()
        }
        .clamped();
        assert_eq!(
            (config.false_alarm_rate, config.training_cells, config.min_snr_db),
            (1e-6, 4, 100.0)
        );
    }
}
