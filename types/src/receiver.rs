//! What a receiver does to the signal before it is recorded.

use crate::error::Error;

/// The digital stages between a transducer's signal and the recorded samples, first to last.
///
/// The signal is taken `rate_hz` times a second, the first time when transmission starts. Each
/// stage convolves with its coefficients from the first value on and keeps one value of
/// `decimation`, the first included. No carrier is taken away: behind the stages a frequency is
/// known modulo the sample rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Receiver {
    rate_hz: f64,
    stages: Vec<FilterStage>,
}

/// A filter of finite length, and how many of its values are dropped.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterStage {
    /// Complex coefficients (real, imaginary), first to last.
    pub coefficients: Vec<[f32; 2]>,
    /// One value of so many is kept; at least 1.
    pub decimation: u32,
}

impl Receiver {
    /// A receiver with these stages.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a rate that is not above zero, a decimation of zero or a stage
    /// without coefficients; [`Error::NotFinite`] for a coefficient that is not finite.
    pub fn new(rate_hz: f64, stages: Vec<FilterStage>) -> Result<Self, Error> {
        let range = |what, found: f64, good: bool, expected| match good {
            true => Ok(()),
            false => Err(Error::OutOfRange {
                what,
                found,
                expected,
            }),
        };
        range(
            "rate_hz",
            rate_hz,
            rate_hz.is_finite() && rate_hz > 0.0,
            "a finite number above zero",
        )?;
        for stage in &stages {
            let (taps, decimation) = (stage.coefficients.len(), stage.decimation);
            range("coefficients", taps as f64, taps > 0, "at least one")?;
            range(
                "decimation",
                f64::from(decimation),
                decimation > 0,
                "at least one",
            )?;
            let bad = |[re, im]: &[f32; 2]| !(re.is_finite() && im.is_finite());
            if let Some(index) = stage.coefficients.iter().position(bad) {
                return Err(Error::NotFinite {
                    what: "coefficient",
                    index,
                });
            }
        }
        Ok(Self { rate_hz, stages })
    }

    /// Samples per second before the first stage.
    pub fn rate_hz(&self) -> f64 {
        self.rate_hz
    }

    /// The stages, first to last.
    pub fn stages(&self) -> &[FilterStage] {
        &self.stages
    }

    /// Samples per second behind the last stage.
    pub fn output_rate_hz(&self) -> f64 {
        let kept = |rate, stage: &FilterStage| rate / f64::from(stage.decimation);
        self.stages.iter().fold(self.rate_hz, kept)
    }

    /// How long an impulse lasts behind the stages, in seconds.
    pub fn length_s(&self) -> f64 {
        let mut rate = self.rate_hz;
        let mut length = 0.0;
        for stage in &self.stages {
            length += (stage.coefficients.len() - 1) as f64 / rate;
            rate /= f64::from(stage.decimation);
        }
        length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(taps: usize, decimation: u32) -> FilterStage {
        FilterStage {
            coefficients: vec![[1.0, 0.0]; taps],
            decimation,
        }
    }

    #[test]
    fn rates_fall_and_lengths_add_from_stage_to_stage() {
        let receiver = Receiver::new(1.5e6, vec![stage(31, 6), stage(51, 4)]).unwrap();
        assert_eq!(receiver.output_rate_hz(), 62_500.0);
        assert!((receiver.length_s() - (30.0 / 1.5e6 + 50.0 / 250e3)).abs() < 1e-15);
    }

    #[test]
    fn what_is_no_receiver_is_refused() {
        assert!(Receiver::new(0.0, vec![stage(3, 1)]).is_err());
        assert!(Receiver::new(1e6, vec![stage(0, 1)]).is_err());
        assert!(Receiver::new(1e6, vec![stage(3, 0)]).is_err());
        let mut broken = stage(3, 1);
        broken.coefficients[2][1] = f32::NAN;
        assert!(Receiver::new(1e6, vec![broken]).is_err());
    }
}
