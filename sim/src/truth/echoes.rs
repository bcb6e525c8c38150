//! What stands behind a sounding: the echoes that a beam heard at its time.

use super::returns::SONAR_BYTES;
use crate::scenario::Scenario;
use crate::score::TrueReturn;
use crate::sonar::{Sonar, VOLUME};

/// A sounding is made of what arrives within so many resolution cells, 1/B, of its time.
const CELLS: f64 = 2.0;
/// What a beam hears more faintly than this part of its axis comes by a side lobe: from where it does not
/// look. Power.
const MAIN_LOBE: f32 = 0.1;

/// The echoes of one ping of a fan, as the truth tells them.
#[derive(Clone, Debug)]
pub(super) struct Echoes {
    /// For each beam the beams next to it, and the power with which it hears what comes from their axes.
    heard: std::sync::Arc<[Vec<(u16, f32)>]>,
    window_s: f64,
    /// By beam and delay.
    echoes: Vec<Echo>,
}

/// One record.
#[derive(Clone, Copy, Debug)]
struct Echo {
    beam: u16,
    delay_s: f64,
    power: f32,
    surface: u32,
    order: u8,
    ghost: bool,
}

impl Echoes {
    /// No echo, of a fan that hears by beams; nothing of another device, whose echoes are told without a
    /// direction.
    pub(super) fn of(scenario: &Scenario) -> Option<Self> {
        let sonar = Sonar::new(scenario);
        let heard = sonar.neighbours()?;
        Some(Self {
            heard: heard.into(),
            window_s: CELLS * sonar.cell_s(),
            echoes: Vec::new(),
        })
    }

    /// The echoes of a ping by their records; what is cut or not a number is left out.
    pub(super) fn with(&self, bytes: &[u8]) -> Self {
        let (records, _) = bytes.as_chunks::<SONAR_BYTES>();
        let mut echoes: Vec<Echo> = records.iter().filter_map(Echo::read).collect();
        echoes.sort_by(|a, b| (a.beam.cmp(&b.beam)).then(a.delay_s.total_cmp(&b.delay_s)));
        Self {
            echoes,
            ..self.clone()
        }
    }

    /// What a sounding of a beam at a two-way time was made of; nothing if nothing loud arrived then.
    ///
    /// The loudest part names surface and order. It is a ghost if what came straight from surfaces within
    /// the main lobe was fainter than all else together.
    pub(super) fn behind(&self, beam: u32, delay_s: f64) -> Option<TrueReturn> {
        let near = self.heard.get(usize::try_from(beam).ok()?)?;
        let (mut direct, mut else_where) = (0.0f64, 0.0f64);
        let mut loudest: Option<(f32, Echo)> = None;
        for &(other, gain) in near {
            let from = self
                .echoes
                .partition_point(|echo| (echo.beam, echo.delay_s) < (other, delay_s - self.window_s));
            let heard = self.echoes[from..]
                .iter()
                .take_while(|echo| echo.beam == other && echo.delay_s <= delay_s + self.window_s);
            for echo in heard {
                let power = gain * echo.power;
                if echo.ghost || gain < MAIN_LOBE {
                    else_where += f64::from(power);
                } else {
                    direct += f64::from(power);
                }
                if loudest.is_none_or(|(most, _)| power > most) {
                    loudest = Some((power, *echo));
                }
            }
        }
        let (_, loudest) = loudest?;
        Some(TrueReturn {
            surface: (loudest.surface != VOLUME).then_some(loudest.surface),
            order: loudest.order,
            position: None,
            ghost: else_where > direct,
        })
    }
}

impl Echo {
    /// `delay` f64, `point` 3 × f32, `level` f32, `surface` u32, `beam` u16, `order` u8, `ghost` u8.
    fn read(record: &[u8; SONAR_BYTES]) -> Option<Self> {
        let delay_s = f64::from_le_bytes(*record.first_chunk()?);
        let level_db = f32::from_le_bytes(*record[20..].first_chunk()?);
        (delay_s.is_finite() && level_db.is_finite()).then_some(Self {
            beam: u16::from_le_bytes(*record[28..].first_chunk()?),
            delay_s,
            power: 10f32.powf(0.1 * level_db.clamp(-300.0, 300.0)),
            surface: u32::from_le_bytes(*record[24..].first_chunk()?),
            order: record[30],
            ghost: record[31] != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(beam: u16, delay_s: f64, level_db: f32, order: u8, ghost: bool) -> Vec<u8> {
        let mut record = vec![0; SONAR_BYTES];
        record[..8].copy_from_slice(&delay_s.to_le_bytes());
        record[20..24].copy_from_slice(&level_db.to_le_bytes());
        record[24..28].copy_from_slice(&7u32.to_le_bytes());
        record[28..30].copy_from_slice(&beam.to_le_bytes());
        record[30] = order;
        record[31] = ghost.into();
        record
    }

    /// Three beams; the middle one hears the outer ones' axes with a half and by a side lobe.
    fn fan() -> Echoes {
        Echoes {
            heard: vec![
                vec![(0, 1.0), (1, 0.5)],
                vec![(0, 0.5), (1, 1.0), (2, 0.001)],
                vec![(1, 0.5), (2, 1.0)],
            ]
            .into(),
            window_s: 40e-6,
            echoes: Vec::new(),
        }
    }

    /// Whether the sounding of beam 1 at 10 ms is a ghost, and of what order its loudest part is.
    fn told(echoes: &[(u16, f64, f32, u8, bool)]) -> Option<(bool, u8)> {
        let bytes: Vec<u8> = echoes
            .iter()
            .flat_map(|&(beam, delay_s, level_db, order, ghost)| {
                record(beam, delay_s, level_db, order, ghost)
            })
            .collect();
        let told = fan().with(&bytes).behind(1, 10e-3)?;
        assert_eq!((told.surface, told.position), (Some(7), None));
        Some((told.ghost, told.order))
    }

    #[test]
    fn a_sounding_is_what_most_of_its_power_was() {
        assert_eq!(told(&[]), None, "nothing was heard");
        assert_eq!(told(&[(1, 10.05e-3, -60.0, 0, false)]), None, "later");
        assert_eq!(told(&[(1, 9.95e-3, -60.0, 0, false)]), None, "earlier");
        assert_eq!(told(&[(1, 10.03e-3, -60.0, 0, false)]), Some((false, 0)));
        assert_eq!(told(&[(1, 9.97e-3, -60.0, 1, true)]), Some((true, 1)));
        let (wall, image) = ((1, 10e-3, -60.0, 0, false), (1, 10e-3, -62.0, 2, true));
        assert_eq!(told(&[image, wall]), Some((false, 0)));
        assert_eq!(
            told(&[image, wall, image]),
            Some((true, 0)),
            "together they are louder"
        );
        // Beam 0 is heard with a half: -58 dB there is -61 dB here.
        assert_eq!(told(&[(0, 10e-3, -58.0, 1, true), wall]), Some((false, 0)));
        assert_eq!(told(&[(0, 10e-3, -56.0, 1, true), wall]), Some((true, 1)));
        // A loud echo of beam 2 comes to beam 1 by a side lobe only: no surface stands where beam 1 looks.
        assert_eq!(told(&[(2, 10e-3, -20.0, 0, false)]), Some((true, 0)));
        assert_eq!(told(&[(2, 10e-3, -40.0, 0, false), wall]), Some((false, 0)));
    }

    #[test]
    fn records_that_are_none_are_left_out() {
        let mut bytes = record(1, f64::NAN, -60.0, 0, false);
        bytes.extend(record(1, 10e-3, f32::INFINITY, 0, false));
        bytes.extend(&record(1, 10e-3, -60.0, 1, true)[..31]);
        let echoes = fan().with(&bytes);
        assert!(echoes.echoes.is_empty());
        assert_eq!(echoes.behind(3, 10e-3), None, "a beam that the fan has not");
        assert_eq!(echoes.behind(1, f64::NAN), None);
    }

    /// A fan's own pattern: half the power at half the width to each side.
    #[test]
    fn a_beam_hears_its_neighbours_by_the_pattern() {
        let scenario = Scenario::sample();
        let echoes = Echoes::of(&scenario).unwrap();
        let beams = usize::from(scenario.sonar.beams);
        assert_eq!(echoes.heard.len(), beams);
        let middle = &echoes.heard[beams / 2];
        let gain = |beam: usize| {
            middle
                .iter()
                .find(|(other, _)| usize::from(*other) == beam)
                .map(|(_, gain)| *gain)
        };
        assert!((gain(beams / 2).unwrap() - 1.0).abs() < 1e-6);
        assert!(gain(beams / 2 + 1).unwrap() < 1.0 && gain(0).is_none());
        let mut by_elements = scenario;
        by_elements.sonar.kind = crate::scenario::SonarKind::Elements;
        assert!(Echoes::of(&by_elements).is_none());
    }
}
