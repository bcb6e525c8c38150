//! The way sound takes through water whose speed changes with depth.
//!
//! Between two levels of a profile speed is linear in depth, with gradient g. Snell's law keeps
//! cos φ / c, φ being the angle below the horizontal, so that dφ/dt = -g cos φ whatever the speed.
//! With q the inverse Gudermannian of φ (sinh q = tan φ) this is dq/dt = -g: every ray is
//! q(t) = q₀ - g t, exactly, also one that runs level or turns, where the textbook form in the angle
//! from the vertical (e.g. Jensen, Kuperman, Porter, Schmidt, "Computational Ocean Acoustics", part 3.3)
//! divides by zero. From it c = c₀ cosh q₀ / cosh q, and a step runs c₀ cos φ sinh(g t) / g level and
//! (c - c₀) / g down.

use beluga_types::elementary::{acosh, asinh, atan, atan2, cosh, sin_cos, sinh, tan, tanh};
use nalgebra::Vector2;

/// Steepest ray followed: this far from the vertical, in rad. A straight one is 1 µm off at 1 km.
const LEAST_FROM_VERTICAL_RAD: f64 = 1e-9;
/// Weaker gradients bend nothing that could be measured, in 1/s: 5 µm/s of speed over 50 m.
const LEVEL_GRADIENT: f64 = 1e-7;
/// Layers a ray passes at most: a ray caught between two levels crosses them without end.
const MOST_CROSSINGS: usize = 100_000;
/// Speeds a level may state, in m/s.
const SPEEDS_M_PER_S: std::ops::RangeInclusive<f64> = 1300.0..=1800.0;

/// A sound-speed profile as layers of constant gradient. Above the first level and below the last
/// speed stays what it is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    depths_m: Vec<f64>,
    speeds_m_per_s: Vec<f64>,
}

/// A point on a ray.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival {
    /// Level distance from the start, in metres.
    pub along_m: f64,
    /// Depth, in metres.
    pub depth_m: f64,
    /// Angle below the horizontal, in rad.
    pub declination_rad: f64,
}

/// A ray between two places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Eigenray {
    /// Angle below the horizontal at the start, in rad.
    pub declination_rad: f64,
    /// One-way travel time, in seconds.
    pub time_s: f64,
}

impl Profile {
    /// A profile of (depth in metres, speed in m/s). Nothing if there is no level, if depths do not
    /// rise, or if a speed is outside 1300 to 1800 m/s.
    pub fn new(levels: &[(f64, f64)]) -> Option<Self> {
        let rises = levels.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let usable = levels
            .iter()
            .all(|(depth, speed)| depth.is_finite() && SPEEDS_M_PER_S.contains(speed));
        (!levels.is_empty() && rises && usable).then(|| Self {
            depths_m: levels.iter().map(|level| level.0).collect(),
            speeds_m_per_s: levels.iter().map(|level| level.1).collect(),
        })
    }

    /// Speed at a depth, in m/s.
    pub fn speed_at(&self, depth_m: f64) -> f64 {
        let layer = self.layer_of(depth_m);
        layer.speed_at(depth_m)
    }

    /// Where sound is after `time_s` that starts at `depth_m`, `declination_rad` below the horizontal.
    ///
    /// Exact but for rounding. Neither surface nor bed end a ray: what comes back from them is the
    /// caller's to judge. Nothing if a number is not finite or the time is negative, or if the ray is
    /// caught in a duct for more than 100 000 layers.
    pub fn trace(&self, depth_m: f64, declination_rad: f64, time_s: f64) -> Option<Arrival> {
        if !(depth_m.is_finite() && declination_rad.is_finite() && time_s >= 0.0 && time_s.is_finite()) {
            return None;
        }
        let steepest = std::f64::consts::FRAC_PI_2 - LEAST_FROM_VERTICAL_RAD;
        let mut q = asinh(tan(declination_rad.clamp(-steepest, steepest)));
        let (mut along_m, mut depth_m, mut left_s) = (0.0, depth_m, time_s);
        for _ in 0..MOST_CROSSINGS {
            let layer = self.layer_ahead(depth_m, q);
            let (step_s, at_border) = match layer.exit(depth_m, q) {
                Some(exit) if exit.time_s < left_s => (exit.time_s, Some(exit)),
                _ => (left_s, None),
            };
            let moved = layer.step(depth_m, q, step_s);
            along_m += moved.along_m;
            q -= layer.gradient * step_s;
            depth_m = at_border.map_or(depth_m + moved.down_m, |exit| exit.depth_m);
            left_s -= step_s;
            if at_border.is_none() {
                return Some(Arrival {
                    along_m,
                    depth_m,
                    declination_rad: atan(sinh(q)),
                });
            }
        }
        None
    }

    /// The direct ray from a depth to a place `along_m` away at another depth: [`Self::trace`] turned
    /// round, by Newton's method from the straight way. Nothing where it finds none, as in a shadow.
    pub fn towards(&self, depth_m: f64, along_m: f64, to_depth_m: f64) -> Option<Eigenray> {
        const STEPS: usize = 50;
        const CLOSE_M: f64 = 1e-7;
        let goal = Vector2::new(along_m, to_depth_m - depth_m);
        let straight_m = goal.norm();
        let mut ray = Eigenray {
            declination_rad: atan2(goal.y, goal.x),
            time_s: straight_m / self.speed_at(0.5 * (depth_m + to_depth_m)),
        };
        for _ in 0..STEPS {
            let end = self.trace(depth_m, ray.declination_rad, ray.time_s)?;
            let miss = goal - Vector2::new(end.along_m, end.depth_m - depth_m);
            if miss.norm() < CLOSE_M {
                return Some(ray);
            }
            // As if the ray were straight from here on: along its end it lacks time, across it angle.
            let (sin, cos) = sin_cos(end.declination_rad);
            ray.time_s += (miss.x * cos + miss.y * sin) / self.speed_at(end.depth_m);
            ray.declination_rad += (miss.y * cos - miss.x * sin) / straight_m.max(CLOSE_M);
            ray.time_s = ray.time_s.max(0.0);
        }
        None
    }

    /// The layer a depth lies in; of two that meet there, the lower.
    fn layer_of(&self, depth_m: f64) -> Layer {
        self.layer(self.depths_m.partition_point(|&level| level <= depth_m))
    }

    /// The layer a ray goes on in: at a border the one it heads for; level, the one that bends it in.
    fn layer_ahead(&self, depth_m: f64, q: f64) -> Layer {
        let below = self.layer_of(depth_m);
        if depth_m > below.top_m || below.top_m == f64::NEG_INFINITY {
            return below;
        }
        let above = self.layer(self.depths_m.partition_point(|&level| level < depth_m));
        let turns_up = q == 0.0 && below.gradient >= 0.0 && above.gradient > 0.0;
        if q < 0.0 || turns_up { above } else { below }
    }

    /// The layer above the level with this index.
    fn layer(&self, index: usize) -> Layer {
        let (depths, speeds) = (&self.depths_m, &self.speeds_m_per_s);
        let last = depths.len() - 1;
        if index == 0 {
            return Layer {
                top_m: f64::NEG_INFINITY,
                bottom_m: depths[0],
                known: (depths[0], speeds[0]),
                gradient: 0.0,
            };
        }
        let known = (depths[index - 1], speeds[index - 1]);
        if index > last {
            return Layer {
                top_m: depths[last],
                bottom_m: f64::INFINITY,
                known,
                gradient: 0.0,
            };
        }
        let gradient = (speeds[index] - known.1) / (depths[index] - known.0);
        Layer {
            top_m: known.0,
            bottom_m: depths[index],
            known,
            gradient: if gradient.abs() < LEVEL_GRADIENT {
                0.0
            } else {
                gradient
            },
        }
    }
}

/// Water between two levels.
struct Layer {
    top_m: f64,
    bottom_m: f64,
    /// A depth, and the speed there.
    known: (f64, f64),
    /// In m/s per metre of depth.
    gradient: f64,
}

#[derive(Clone, Copy)]
struct Exit {
    time_s: f64,
    depth_m: f64,
}

struct Moved {
    along_m: f64,
    down_m: f64,
}

impl Layer {
    fn speed_at(&self, depth_m: f64) -> f64 {
        self.known.1 + self.gradient * (depth_m - self.known.0)
    }

    /// How far a ray gets in a time within this layer.
    fn step(&self, depth_m: f64, q: f64, time_s: f64) -> Moved {
        let speed = self.speed_at(depth_m);
        let turned = self.gradient * time_s;
        // sinh(g t) / g and 2 sinh(g t / 2) / g, and their limits where the speed does not change.
        let (whole_s, half_s) = match turned.abs() < 1e-9 {
            true => (time_s, time_s),
            false => (
                sinh(turned) / self.gradient,
                2.0 * sinh(0.5 * turned) / self.gradient,
            ),
        };
        let end = q - turned;
        Moved {
            along_m: speed * whole_s / cosh(end),
            down_m: speed * half_s * sinh(0.5 * (q + end)) / cosh(end),
        }
    }

    /// Where and when a ray leaves, if it does.
    fn exit(&self, depth_m: f64, q: f64) -> Option<Exit> {
        if self.gradient == 0.0 {
            let border = if q > 0.0 { self.bottom_m } else { self.top_m };
            let down_m_per_s = self.known.1 * tanh(q);
            return (q != 0.0 && border.is_finite()).then(|| Exit {
                time_s: ((border - depth_m) / down_m_per_s).max(0.0),
                depth_m: border,
            });
        }
        // Speed that grows downwards bends up: the ray leaves below only if it gets there before it
        // turns. The other way round above.
        let (ahead, back) = match self.gradient > 0.0 {
            true => (self.bottom_m, self.top_m),
            false => (self.top_m, self.bottom_m),
        };
        let up = self.gradient.signum();
        let reaches = |border: f64| cosh(q) * self.speed_at(depth_m) / self.speed_at(border);
        let before_turning = (q * up > 0.0).then(|| reaches(ahead)).filter(|&cosh| cosh > 1.0);
        let (border, q_there) = match before_turning {
            Some(cosh) => (ahead, up * acosh(cosh)),
            None => (back, -up * acosh(reaches(back).max(1.0))),
        };
        Some(Exit {
            time_s: ((q - q_there) / self.gradient).max(0.0),
            depth_m: border,
        })
    }
}

#[cfg(test)]
#[path = "ray_tests.rs"]
mod tests;
