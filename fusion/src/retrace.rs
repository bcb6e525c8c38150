//! Sound traced anew: the soundings of a frame as another profile of the water has them.
//!
//! A sounding is a place; with the water it was placed through it is a ray, that is an angle at the
//! sonar and a time. The same angle and time through other water give the new place; of a flat array it is
//! the delays between elements that stay, and with them the sines of angles over the speed of sound. The ray is taken
//! to start at the sonar as it hung at the window's end. While the echo was heard it hung elsewhere, by
//! what the vessel moved in a window; that part is small against the ray, and only its share of the
//! *correction* is wrong (a tenth of a metre in ten: a hundredth of it). Sigmas stay.

use std::collections::BTreeMap;

use beluga_types::elementary::{asin, atan2, cos, sin};
use beluga_types::{
    Body, Medium, Rig, Sensor, SensorCalibration, SensorId, SensorKind, SolidarFrame, Stamp, Transform, Water,
};
use nalgebra::Vector3;

use crate::frame::AboveWater;
use crate::place::scaled_sines;
use crate::sonar::acoustics::ray::{Eigenray, Profile};
use crate::sonar::acoustics::sound_speed_of;

/// When a cast was taken, if that is known, and its levels: depth in metres, speed of sound in m/s.
pub type DatedCast<'a> = (Option<Stamp>, &'a [(f64, f64)]);

/// Casts, of which each frame takes the one that was taken nearest to it in time.
pub struct Retrace {
    rig: Rig,
    /// What the soundings were placed through, if that was a profile; else straight, at the speed that
    /// the frame names.
    was: Option<Profile>,
    now: Vec<(Option<Stamp>, Water, Profile)>,
}

/// What became of soundings.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Retraced {
    /// Soundings and arcs that have a new place.
    pub moved: u64,
    /// Those that stay: no ray of the old water leads there, or the frame names no speed.
    pub left: u64,
    /// The farthest that one moved, in metres.
    pub largest_m: f64,
    /// By how much the cast differs at a sonar from the water its soundings were placed through, at most,
    /// in m/s. A head that steers its beams by a speed of its own looks elsewhere where that is not the
    /// cast's: those of flat arrays are turned, other angles stay as they were told.
    pub at_head_m_per_s: f64,
}

impl Retraced {
    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self {
            moved: self.moved + other.moved,
            left: self.left + other.left,
            largest_m: self.largest_m.max(other.largest_m),
            at_head_m_per_s: self.at_head_m_per_s.max(other.at_head_m_per_s),
        }
    }

    fn count(&mut self, way_m: Option<f64>) {
        match way_m {
            Some(way_m) => {
                self.moved += 1;
                self.largest_m = self.largest_m.max(way_m);
            }
            None => self.left += 1,
        }
    }
}

impl Retrace {
    /// Soundings of this rig, whose `water` they were placed through, through these casts.
    /// Nothing without a cast, or if one of them,
    /// or the rig's own, is no profile of water.
    pub fn new(rig: &Rig, casts: &[DatedCast<'_>]) -> Option<Self> {
        let was = match &rig.water {
            Water::Profile(levels) => Some(Profile::new(levels)?),
            _ => None,
        };
        let cast = |(taken, levels): &DatedCast<'_>| {
            Some((*taken, Water::Profile((*levels).into()), Profile::new(levels)?))
        };
        let now: Vec<_> = casts.iter().map(cast).collect::<Option<_>>()?;
        (!now.is_empty()).then(|| Self {
            rig: rig.clone(),
            was,
            now,
        })
    }

    /// Places the soundings and arcs of a frame anew, those in water, and names the new mean speed of
    /// sound in its calibration.
    pub fn apply(&self, frame: &mut SolidarFrame) -> Retraced {
        let Some((_, water, now)) = self.cast_for(frame.window.end) else {
            return Retraced::default();
        };
        let sonars = self.sonars(frame);
        let mut done = Retraced::default();
        for sonar in sonars.values() {
            let depth_m = sonar.depth_m(&sonar.at);
            let was = match &self.was {
                Some(was) => Some(was.speed_at(depth_m)),
                None => sonar.speed_m_per_s,
            };
            let differs = was.map_or(0.0, |was| (now.speed_at(depth_m) - was).abs());
            done.at_head_m_per_s = done.at_head_m_per_s.max(differs);
        }
        let points = &mut frame.points;
        for i in 0..points.x.len() {
            let Some(sonar) = sonars.get(&SensorId(points.sensor[i])) else {
                continue;
            };
            if points.medium[i] != Medium::Water {
                continue;
            }
            let place = Vector3::new(points.x[i].into(), points.y[i].into(), points.z[i].into());
            let moved = self.anew(now, sonar, &sonar.at, &place);
            if let Some(moved) = moved {
                (points.x[i], points.y[i], points.z[i]) = (moved.x as f32, moved.y as f32, moved.z as f32);
            }
            done.count(moved.map(|moved| (moved - place).norm()));
        }
        let arcs = &mut frame.arcs;
        for i in 0..arcs.range_m.len() {
            let Some(sonar) = sonars.get(&SensorId(arcs.sensor[i])) else {
                continue;
            };
            let column = |columns: &[Vec<f32>; 3]| {
                Vector3::new(columns[0][i].into(), columns[1][i].into(), columns[2][i].into())
            };
            let origin: Vector3<f64> = column(&arcs.origin);
            let place = origin + column(&arcs.direction) * f64::from(arcs.range_m[i]);
            let moved = self.anew(now, sonar, &origin, &place);
            let beam = moved.and_then(|moved| (moved - origin).try_normalize(1e-9));
            if let (Some(moved), Some(beam)) = (moved, beam) {
                arcs.range_m[i] = (moved - origin).norm() as f32;
                for axis in 0..3 {
                    arcs.direction[axis][i] = beam[axis] as f32;
                }
            }
            done.count(moved.map(|moved| (moved - place).norm()));
        }
        for calibration in &mut frame.calibration {
            if let Some(sonar) = sonars.get(&calibration.sensor) {
                let speed = sound_speed_of(water, sonar.rest_m.max(0.0));
                calibration.sound_speed_m_per_s = Some(speed.m_per_s);
            }
        }
        done
    }

    /// The cast nearest in time; one without a time is as good as any.
    fn cast_for(&self, time: Stamp) -> Option<&(Option<Stamp>, Water, Profile)> {
        let away = |taken: Option<Stamp>| taken.map_or(0, |taken| time.nanos_since(taken).unsigned_abs());
        self.now.iter().min_by_key(|(taken, ..)| away(*taken))
    }

    /// The sonars of a frame that listen in water.
    fn sonars(&self, frame: &SolidarFrame) -> BTreeMap<SensorId, Sonar> {
        let above = AboveWater::new(&frame.world_from_body, frame.waterline.as_ref());
        let sonar = |calibration: &SensorCalibration| {
            let spec = self.rig.sensor(calibration.sensor)?;
            let hears = spec.kind == SensorKind::Sonar && spec.medium == Medium::Water;
            let rest_m = spec.mount.down_m + self.rig.vessel.waterline_m.unwrap_or(0.0);
            let at = calibration.body_from_sensor.translation();
            let sonar = Sonar {
                at,
                body_from_sensor: spec.flat_array.then_some(calibration.body_from_sensor),
                above,
                rest_m,
                speed_m_per_s: calibration.sound_speed_m_per_s,
            };
            hears.then_some((calibration.sensor, sonar))
        };
        frame.calibration.iter().filter_map(sonar).collect()
    }

    /// Where a place lies now that was heard from `at`.
    fn anew(
        &self,
        now: &Profile,
        sonar: &Sonar,
        at: &Vector3<f64>,
        place: &Vector3<f64>,
    ) -> Option<Vector3<f64>> {
        let (up, depth_m, beam) = (sonar.up(), sonar.depth_m(at), place - at);
        let rise_m = beam.dot(&up);
        let level = beam - up * rise_m;
        let along_m = level.norm();
        let ray = match &self.was {
            Some(was) => was.towards(depth_m, along_m, depth_m - rise_m)?,
            None => Eigenray {
                declination_rad: atan2(-rise_m, along_m),
                time_s: beam.norm() / sonar.speed_m_per_s.filter(|speed| *speed > 0.0)?,
            },
        };
        let level = level.try_normalize(1e-9).unwrap_or_default();
        let start = level * cos(ray.declination_rad) - up * sin(ray.declination_rad);
        let start = self.turned(now, sonar, depth_m, &start)?;
        let climb = start.dot(&up).clamp(-1.0, 1.0);
        let level = (start - up * climb).try_normalize(1e-9).unwrap_or_default();
        let end = now.trace(depth_m, -asin(climb), ray.time_s)?;
        let moved = at + level * end.along_m - up * (end.depth_m - depth_m);
        moved.iter().all(|value| value.is_finite()).then_some(moved)
    }

    /// Where a beam looks that looked along `start` in the old water: the delays of a flat array stay, and
    /// with them sines over speeds.
    fn turned(
        &self,
        now: &Profile,
        sonar: &Sonar,
        depth_m: f64,
        start: &Vector3<f64>,
    ) -> Option<Vector3<f64>> {
        let Some(body_from_sensor) = &sonar.body_from_sensor else {
            return Some(*start);
        };
        let was_m_per_s = match &self.was {
            Some(was) => was.speed_at(depth_m),
            None => sonar.speed_m_per_s?,
        };
        let in_sensor = body_from_sensor.rotation().inverse() * start;
        let scale = now.speed_at(depth_m) / was_m_per_s;
        Some(body_from_sensor.rotation() * scaled_sines(&in_sensor, scale)?)
    }
}

/// A sonar in the water, at a window's end.
struct Sonar {
    /// In `Body`.
    at: Vector3<f64>,
    /// Of a flat array, whose angles follow the speed of sound at its head.
    body_from_sensor: Option<Transform<Body, Sensor>>,
    above: Option<AboveWater>,
    /// Its depth at rest, in metres; for where the waterline is not known.
    rest_m: f64,
    speed_m_per_s: Option<f64>,
}

impl Sonar {
    fn up(&self) -> Vector3<f64> {
        self.above.map_or_else(Vector3::z, |above| above.up())
    }

    /// Depth of a place beside this sonar, in metres.
    fn depth_m(&self, at: &Vector3<f64>) -> f64 {
        match self.above {
            Some(above) => -above.height_m(at),
            None => self.rest_m - (at - self.at).z,
        }
    }
}
