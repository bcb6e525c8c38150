//! A sound-speed profile: layers in each of which the speed is a linear function of depth.

/// Speed of sound by depth. Above the first and below the last level the speed stays as it is there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Profile {
    /// Depths in metres below the still water, rising.
    depths_m: Vec<f64>,
    /// Speeds at the depths, in m/s.
    speeds: Vec<f64>,
    /// Travel time straight down from the surface to each depth, in seconds.
    times_s: Vec<f64>,
}

/// A piece of a layer between two depths, with the speeds at its ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Slice {
    pub(super) depths_m: [f64; 2],
    pub(super) speeds: [f64; 2],
}

impl Slice {
    pub(super) fn thickness_m(&self) -> f64 {
        self.depths_m[1] - self.depths_m[0]
    }

    /// Change of speed per metre of depth, in 1/s.
    pub(super) fn gradient(&self) -> f64 {
        (self.speeds[1] - self.speeds[0]) / self.thickness_m()
    }
}

impl Profile {
    /// From (depth, speed) pairs with rising depths and speeds above zero; at least one.
    pub(crate) fn new(levels: &[[f64; 2]]) -> Self {
        let mut profile = Self {
            depths_m: levels.iter().map(|level| level[0]).collect(),
            speeds: levels.iter().map(|level| level[1]).collect(),
            times_s: Vec::with_capacity(levels.len()),
        };
        let first = profile.depths_m[0] / profile.speeds[0];
        let mut sum = first;
        profile.times_s.push(first);
        for pair in levels.windows(2) {
            sum += vertical_s(pair[1][0] - pair[0][0], [pair[0][1], pair[1][1]]);
            profile.times_s.push(sum);
        }
        profile
    }

    /// Depths at which the gradient changes.
    pub(crate) fn levels_m(&self) -> &[f64] {
        &self.depths_m
    }

    /// Speed at a depth, in m/s.
    pub(crate) fn speed_at(&self, depth_m: f64) -> f64 {
        let below = self.depths_m.partition_point(|level| *level <= depth_m);
        match (below.checked_sub(1), self.depths_m.get(below)) {
            (None, _) => self.speeds[0],
            (Some(above), None) => self.speeds[above],
            (Some(above), Some(next)) => {
                let part = (depth_m - self.depths_m[above]) / (next - self.depths_m[above]);
                self.speeds[above] + part * (self.speeds[below] - self.speeds[above])
            }
        }
    }

    /// Travel time straight down from the surface to a depth, in seconds.
    fn time_to(&self, depth_m: f64) -> f64 {
        let below = self.depths_m.partition_point(|level| *level <= depth_m);
        let Some(above) = below.checked_sub(1) else {
            return depth_m / self.speeds[0];
        };
        let speeds = [self.speeds[above], self.speed_at(depth_m)];
        self.times_s[above] + vertical_s(depth_m - self.depths_m[above], speeds)
    }

    /// Mean slowness between two depths, in s/m: the reciprocal of the harmonic mean speed.
    pub(crate) fn mean_slowness(&self, one_m: f64, other_m: f64) -> f64 {
        /// Nearer to each other, the speed at the middle says the same without a difference of sums.
        const CLOSE_M: f64 = 1e-3;
        let apart = other_m - one_m;
        if apart.abs() < CLOSE_M {
            return 1.0 / self.speed_at(0.5 * (one_m + other_m));
        }
        (self.time_to(other_m) - self.time_to(one_m)) / apart
    }

    /// The layers between two depths, from the upper one down.
    pub(super) fn slices(&self, upper_m: f64, lower_m: f64) -> impl Iterator<Item = Slice> + '_ {
        let first = self.depths_m.partition_point(|level| *level <= upper_m);
        let end = self.depths_m.partition_point(|level| *level < lower_m);
        let edge = move |place: usize| {
            if place < first {
                (upper_m, self.speed_at(upper_m))
            } else if place < end {
                (self.depths_m[place], self.speeds[place])
            } else {
                (lower_m, self.speed_at(lower_m))
            }
        };
        let count = if upper_m < lower_m {
            end.max(first) - first + 1
        } else {
            0
        };
        (0..count).map(move |i| {
            let top = if i == 0 {
                (upper_m, self.speed_at(upper_m))
            } else {
                edge(first + i - 1)
            };
            let bottom = edge(first + i);
            Slice {
                depths_m: [top.0, bottom.0],
                speeds: [top.1, bottom.1],
            }
        })
    }
}

/// Travel time straight through a layer: the integral of dz/c, which is thickness over the speeds'
/// logarithmic mean.
fn vertical_s(thickness_m: f64, speeds: [f64; 2]) -> f64 {
    let x = (speeds[1] - speeds[0]) / speeds[0];
    let part = if x.abs() < 1e-4 {
        1.0 - x * (0.5 - x * (1.0 / 3.0 - 0.25 * x))
    } else {
        x.ln_1p() / x
    };
    thickness_m / speeds[0] * part
}
