//! What of the world stands behind a ping: the strongest scatterers of each beam and range cell.

use nalgebra::Vector3;

use super::paths::Arrival;
use super::{Sonar, facets};
use crate::world::World;

/// The echo of one surface by one kind of path in one resolution cell of one beam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Contribution {
    /// The beam whose axis is nearest to where the sound comes from.
    pub(crate) beam: u16,
    /// From transmit centre to the middle of the strongest part's pulse.
    pub(crate) delay_s: f64,
    /// The surface that scattered it: its place in the scene's list.
    pub(crate) surface: u32,
    /// How many mirrors the sound met; a ghost if any.
    pub(crate) order: u8,
    /// The surfaces of the mirrors in the order they were met.
    pub(crate) mirrors: [u32; 2],
    /// Where the strongest part's scatterer truly is, in `Quay`.
    pub(crate) point: [f32; 3],
    /// Power of all parts together, in dB against the echo of a target of 0 dB at 1 m.
    pub(crate) level_db: f32,
}

impl Sonar {
    /// What stands behind a ping: per beam, range cell of c/2B, surface and path, all parts louder
    /// together than `threshold_db` (dB against the echo of a target of 0 dB at 1 m); by beam, delay,
    /// order, surface. As costly as the ping's own paths.
    pub(crate) fn contributions(&self, world: &World, ping: u64, threshold_db: f32) -> Vec<Contribution> {
        let posture = self.posture(world, ping);
        let arrivals = facets::arrivals(self, world.scenario().seed, world.scene(), &posture);
        self.merged(&arrivals, threshold_db)
    }

    fn merged(&self, arrivals: &[Arrival], threshold_db: f32) -> Vec<Contribution> {
        let per_cell_s = self.cell_s();
        let mut parts: Vec<(u16, u64, &Arrival)> = arrivals
            .iter()
            .filter_map(|arrival| {
                let beam = self.nearest_beam(&arrival.from)?;
                Some((beam, (arrival.delay_s / per_cell_s) as u64, arrival))
            })
            .collect();
        let key =
            |part: &(u16, u64, &Arrival)| (part.0, part.1, part.2.order, part.2.surface, part.2.mirrors);
        parts.sort_by_key(key);
        parts
            .chunk_by(|one, two| key(one) == key(two))
            .filter_map(|cell| {
                let power: f32 = cell.iter().map(|part| part.2.amplitude.norm_sqr()).sum();
                let level_db = 10.0 * power.log10();
                let (beam, _, loudest) = cell
                    .iter()
                    .max_by(|a, b| a.2.amplitude.norm_sqr().total_cmp(&b.2.amplitude.norm_sqr()))?;
                (level_db > threshold_db).then(|| Contribution {
                    beam: *beam,
                    delay_s: loudest.delay_s,
                    surface: loudest.surface,
                    order: loudest.order,
                    mirrors: loudest.mirrors,
                    point: loudest.point.into(),
                    level_db,
                })
            })
            .collect()
    }

    /// The length of a resolution cell, 1/B, in seconds of two-way time.
    pub(crate) fn cell_s(&self) -> f64 {
        1.0 / self.pulse.bandwidth_hz()
    }

    /// For each beam of a fan the beams within its receive pattern, and the power with which it hears what
    /// comes from their axes; nothing of another device.
    pub(crate) fn neighbours(&self) -> Option<Vec<Vec<(u16, f32)>>> {
        let looks: Vec<f64> = self.across_rad.iter().map(|axis| self.look(*axis)).collect();
        let heard = |look: &f64| {
            let gains = looks
                .iter()
                .map(|other| self.receive.across.at(other - look).powi(2));
            (0u16..).zip(gains).filter(|(_, gain)| *gain > 0.0).collect()
        };
        self.device
            .kind
            .is_fan()
            .then(|| looks.iter().map(heard).collect())
    }

    /// The beam of a fan, or the side of a side-scan, whose axis is nearest to where sound comes from,
    /// if one is within its receive pattern; of other devices the only one.
    fn nearest_beam(&self, from: &Vector3<f64>) -> Option<u16> {
        if !self.device.kind.is_fan() {
            return Some(u16::from(self.beams.len() > 1 && from.y < 0.0));
        }
        let place = self.receive.place(from);
        let after = self.across_rad.partition_point(|axis| self.look(*axis) < place);
        let aside = |beam: &usize| {
            self.across_rad
                .get(*beam)
                .map(|axis| (self.look(*axis) - place).abs())
        };
        let (nearest, aside) = [after.saturating_sub(1), after]
            .into_iter()
            .filter_map(|beam| Some((beam, aside(&beam)?)))
            .min_by(|one, two| one.1.total_cmp(&two.1))?;
        (aside <= self.receive.reach).then_some(nearest as u16)
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::Scenario;
    use crate::sonar::facets;
    use crate::world::World;
    use nalgebra::Vector3;

    /// Every contribution lies on the surface it names, at the distance its delay tells, and together
    /// they are all the power that is heard.
    #[test]
    fn contributions_are_the_ping_told_by_cause() {
        let world = World::new(Scenario::sample()).unwrap();
        let sonar = crate::sonar::Sonar::new(world.scenario());
        let told = sonar.contributions(&world, 7, f32::NEG_INFINITY);
        let posture = sonar.posture(&world, 7);
        let arrivals = facets::arrivals(&sonar, 1, world.scene(), &posture);
        println!("{} contributions of {} arrivals", told.len(), arrivals.len());
        assert!(told.len() > 100 && told.len() < arrivals.len());
        for one in &told {
            let point = Vector3::from(one.point).cast::<f64>();
            let near = world.scene().surfaces[one.surface as usize].shape.nearest(&point);
            assert!((near - point).norm() < 1e-5, "{one:?}");
            let range = (point - posture.origin).norm();
            let by_delay = 0.5 * one.delay_s * sonar.sound_speed_m_per_s;
            assert!((range - by_delay).abs() < 0.02, "{one:?}: {range}");
            assert_eq!(one.order, 0);
        }
        let power: f64 = told
            .iter()
            .map(|one| 10f64.powf(0.1 * f64::from(one.level_db)))
            .sum();
        let whole: f64 = arrivals
            .iter()
            .map(|one| f64::from(one.amplitude.norm_sqr()))
            .sum();
        assert!(
            power <= whole * 1.0001 && power > 0.98 * whole,
            "{power} of {whole}"
        );
        let loud = sonar.contributions(&world, 7, -80.0);
        assert!(loud.len() < told.len() && loud.iter().all(|one| one.level_db > -80.0));
    }
}
