//! The rig as the recording states it.

use std::sync::Arc;

use beluga_types::{Mount, Rig, Water};

use super::{Faults, turned};

impl Faults {
    /// What is stated where this rig is true: mounts, speed of sound and waterline with their errors.
    pub(crate) fn stated(&self, rig: &Rig) -> Rig {
        let mut stated = rig.clone();
        for spec in &mut stated.sensors {
            if let Some(wrong) = self.scenario.mount.get(&spec.name) {
                let Mount {
                    forward_m,
                    starboard_m,
                    down_m,
                    ..
                } = spec.mount;
                let by_deg = [wrong.roll_deg, wrong.pitch_deg, wrong.heading_deg];
                spec.mount = Mount {
                    forward_m: forward_m + wrong.forward_m,
                    starboard_m: starboard_m + wrong.starboard_m,
                    down_m: down_m + wrong.down_m,
                    ..turned(spec.mount, by_deg)
                };
            }
        }
        stated.water = self.water(&rig.water);
        if let Some(waterline_m) = &mut stated.vessel.waterline_m {
            *waterline_m += self.scenario.tide.error_m;
        }
        stated
    }

    fn water(&self, water: &Water) -> Water {
        let told = &self.scenario.sound_speed;
        if let Some(speed) = told.stated_m_per_s {
            return Water::SoundSpeed(speed + told.error_m_per_s);
        }
        match water {
            Water::SoundSpeed(speed) => Water::SoundSpeed(speed + told.error_m_per_s),
            Water::Profile(points) => {
                let wrong = points
                    .iter()
                    .map(|(depth, speed)| (*depth, speed + told.error_m_per_s));
                Water::Profile(wrong.collect::<Arc<[_]>>())
            }
            other => other.clone(),
        }
    }
}
