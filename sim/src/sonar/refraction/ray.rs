//! Rays through layers of constant gradient, exactly: within a layer a ray is an arc of a circle.
//!
//! F. Jensen, W. Kuperman, M. Porter, H. Schmidt, "Computational Ocean Acoustics", 2nd ed., Springer
//! 2011, section 3.3. The sums are written so that they lose no digits where a gradient or an angle
//! is small: with cosines C from the vertical, (cos a - cos b) / (p g) = p Δz (c_a + c_b) / (C_a + C_b),
//! and the time along an arc with chord s is (2/g) asinh(g s / (2 √(c_a c_b))).

use super::profile::{Profile, Slice};

/// A turning point is looked for in steps of this part of a layer.
const TURN_STEPS: u32 = 12;
/// Rays that run level for longer than this below their deeper end are not looked for, in metres.
const DEEPEST_TURN_M: f64 = 500.0;
/// An eigenray meets its target this closely, in metres.
const MISS_M: f64 = 1e-9;

/// The ray between two points of stratified water.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Eigenray {
    /// Travel time, in seconds.
    pub(crate) time_s: f64,
    /// Angle below the horizontal at which it leaves the first point, in radians.
    pub(crate) departure_rad: f64,
    /// Angle below the horizontal at which it runs on through the second point.
    pub(crate) arrival_rad: f64,
    /// The distance in even water over which pressure falls as much, in metres. The same both ways: the
    /// root of the ray tube's cross section over its solid angle and over the ratio of the speeds at
    /// its ends.
    pub(crate) spreading_m: f64,
}

/// A ray that leaves at a horizontal slowness: how far it comes, how long it takes.
#[derive(Clone, Copy, Debug, Default)]
struct Reach {
    /// Horizontal distance, in metres.
    distance_m: f64,
    time_s: f64,
    /// Change of the distance with the tangent of the angle from the vertical at the fastest depth.
    per_tangent_m: f64,
}

/// The ray between two depths at a horizontal distance that does not turn between them, or turns once
/// above or below both of them. Nothing where no such ray goes: a shadow.
///
/// Where several rays go, it is the one nearest to the straight way. `depths_m` not below zero.
pub(crate) fn eigenray(profile: &Profile, depths_m: [f64; 2], distance_m: f64) -> Option<Eigenray> {
    let [upper, lower] = [depths_m[0].min(depths_m[1]), depths_m[0].max(depths_m[1])];
    let downward = depths_m[1] >= depths_m[0];
    direct(profile, [upper, lower], distance_m, downward).or_else(|| turning(profile, depths_m, distance_m))
}

/// A ray's cosine from the vertical where the speed is `speed`, if its tangent is `tangent` where it
/// is `fastest`.
fn cosine(tangent: f64, fastest: f64, speed: f64) -> f64 {
    let slower = (fastest - speed) * (fastest + speed) / (fastest * fastest);
    ((1.0 + tangent * tangent * slower) / (1.0 + tangent * tangent))
        .max(0.0)
        .sqrt()
}

/// Through whole layers at a tangent.
fn through(slices: impl Iterator<Item = Slice>, tangent: f64, fastest: f64) -> Reach {
    let square = 1.0 + tangent * tangent;
    let slowness = tangent / (fastest * square.sqrt());
    // dp/dτ = 1 / (c (1 + τ²)^(3/2)).
    let per_tangent = 1.0 / (fastest * square * square.sqrt());
    slices.fold(Reach::default(), |sum, slice| {
        let thickness = slice.thickness_m();
        let [one, two] = slice.speeds;
        let (cos_one, cos_two) = (cosine(tangent, fastest, one), cosine(tangent, fastest, two));
        let cosines = cos_one + cos_two;
        let step = slowness * thickness * (one + two) / cosines;
        let bend = slowness * (one * one / cos_one + two * two / cos_two) / cosines;
        let per_slowness = thickness * (one + two) / cosines * (1.0 + slowness * bend);
        Reach {
            distance_m: sum.distance_m + step,
            time_s: sum.time_s + arc_s(step.hypot(thickness), slice.gradient(), slice.speeds),
            per_tangent_m: sum.per_tangent_m + per_slowness * per_tangent,
        }
    })
}

/// Travel time along a ray with a chord, where the gradient is constant.
fn arc_s(chord_m: f64, gradient: f64, speeds: [f64; 2]) -> f64 {
    let mean = (speeds[0] * speeds[1]).sqrt();
    let x = 0.5 * gradient * chord_m / mean;
    let part = if x.abs() < 1e-4 {
        1.0 - x * x / 6.0
    } else {
        x.asinh() / x
    };
    chord_m / mean * part
}

fn direct(profile: &Profile, [upper, lower]: [f64; 2], distance_m: f64, downward: bool) -> Option<Eigenray> {
    let thickness = lower - upper;
    let slices = || profile.slices(upper, lower);
    let ends = [profile.speed_at(upper), profile.speed_at(lower)];
    let fastest = slices()
        .flat_map(|slice| slice.speeds)
        .fold(ends[0].max(ends[1]), f64::max);
    if thickness < MISS_M {
        // Level: straight if the water is even there, else it turns.
        let even = profile.speed_at(upper - 0.01) == profile.speed_at(upper + 0.01);
        return even.then(|| Eigenray {
            time_s: distance_m / fastest,
            departure_rad: 0.0,
            arrival_rad: 0.0,
            spreading_m: distance_m,
        });
    }
    // The distance grows with the tangent, at first evenly. The way of the ray that runs level at the
    // fastest depth bounds it, unless the water is even there.
    let mut low = 0.0;
    let mut high = f64::INFINITY;
    let mut tangent = distance_m / thickness;
    let mut reach = through(slices(), tangent, fastest);
    for _ in 0..200 {
        let miss = reach.distance_m - distance_m;
        if miss.abs() < MISS_M {
            break;
        }
        if miss > 0.0 {
            high = tangent;
        } else {
            low = tangent;
        }
        let newton = tangent - miss / reach.per_tangent_m;
        tangent = if newton > low && newton < high {
            newton
        } else if high.is_finite() {
            0.5 * (low + high)
        } else {
            2.0 * tangent + 1.0
        };
        if tangent > 1e12 {
            return None;
        }
        reach = through(slices(), tangent, fastest);
    }
    if (reach.distance_m - distance_m).abs() > 1e-6 {
        return None;
    }
    let cosines = ends.map(|speed| cosine(tangent, fastest, speed));
    let angles = cosines.map(f64::asin);
    let sign = if downward { 1.0 } else { -1.0 };
    let (from, to) = if downward { (0, 1) } else { (1, 0) };
    // r |dr/dp| cos cos / (c c p), with p and dr/dp by the tangent.
    let square = 1.0 + tangent * tangent;
    let per_tangent = if tangent > 1e-9 {
        distance_m / tangent
    } else {
        reach.per_tangent_m
    };
    let area = per_tangent * reach.per_tangent_m * (fastest * square).powi(2) * cosines[0] * cosines[1]
        / (ends[0] * ends[1]);
    Some(Eigenray {
        time_s: reach.time_s,
        departure_rad: sign * angles[from],
        arrival_rad: sign * angles[to],
        spreading_m: area.sqrt(),
    })
}

/// From a depth to the depth where the ray runs level, and the change of distance with the ray's
/// level-speed.
fn to_turn(profile: &Profile, depth: f64, turn: f64) -> Option<Leg> {
    let level = profile.speed_at(turn);
    let (upper, lower) = (depth.min(turn), depth.max(turn));
    let slowness = 1.0 / level;
    let mut leg = Leg::default();
    for slice in profile.slices(upper, lower) {
        let [one, two] = slice.speeds;
        let fast = one.max(two);
        let is_last = (slice.depths_m[0] - turn).abs() < MISS_M || (slice.depths_m[1] - turn).abs() < MISS_M;
        if fast > level || (!is_last && fast >= level) {
            return None;
        }
        let cos = |speed: f64| ((level - speed) * (level + speed)).max(0.0).sqrt() / level;
        let (a, b) = (cos(one), cos(two));
        if a + b <= 0.0 {
            return None;
        }
        let step = slowness * slice.thickness_m() * (one + two) / (a + b);
        leg.distance_m += step;
        leg.time_s += arc_s(step.hypot(slice.thickness_m()), slice.gradient(), slice.speeds);
        // By the level-speed v: x = |√(v² - a²) - √(v² - b²)| / |g| between the speeds a and b.
        let gradient = slice.gradient().abs();
        let (slower, faster) = (a.max(b), a.min(b));
        leg.per_speed_s += if gradient < 1e-9 {
            -slice.thickness_m() * one / (level * level * slower.powi(3))
        } else if is_last {
            1.0 / (slower * gradient)
        } else {
            (1.0 / slower - 1.0 / faster) / gradient
        };
    }
    Some(leg)
}

/// One side of a ray that turns.
#[derive(Clone, Copy, Debug, Default)]
struct Leg {
    distance_m: f64,
    time_s: f64,
    per_speed_s: f64,
}

fn turning(profile: &Profile, depths_m: [f64; 2], distance_m: f64) -> Option<Eigenray> {
    let [upper, lower] = [depths_m[0].min(depths_m[1]), depths_m[0].max(depths_m[1])];
    let at = |turn: f64| -> Option<[Leg; 2]> {
        Some([
            to_turn(profile, depths_m[0], turn)?,
            to_turn(profile, depths_m[1], turn)?,
        ])
    };
    let miss = |turn: f64| at(turn).map(|legs| legs[0].distance_m + legs[1].distance_m - distance_m);
    let below = turn_depths(profile, lower, DEEPEST_TURN_M, 1.0);
    let above = turn_depths(profile, upper, upper, -1.0);
    let found = first_root(below, &miss).or_else(|| first_root(above, &miss))?;
    let legs = at(found)?;
    let level = profile.speed_at(found);
    let speeds = depths_m.map(|depth| profile.speed_at(depth));
    let sines = speeds.map(|speed| ((level - speed) * (level + speed)).max(0.0).sqrt() / level);
    let sign = if found > lower { 1.0 } else { -1.0 };
    // r |dr/dp| sin sin / (c c p), with p = 1 / v.
    let per_speed = (legs[0].per_speed_s + legs[1].per_speed_s).abs();
    let area = distance_m * per_speed * level.powi(3) * sines[0] * sines[1] / (speeds[0] * speeds[1]);
    Some(Eigenray {
        time_s: legs[0].time_s + legs[1].time_s,
        departure_rad: sign * sines[0].asin(),
        arrival_rad: -sign * sines[1].asin(),
        spreading_m: if sines[0].min(sines[1]) > 1e-6 {
            area.sqrt()
        } else {
            distance_m
        },
    })
}

/// Depths to try for a turning point, away from a starting depth; they follow the levels.
fn turn_depths(profile: &Profile, start_m: f64, reach_m: f64, sign: f64) -> Vec<f64> {
    let end = start_m + sign * reach_m;
    let mut edges: Vec<f64> = profile
        .levels_m()
        .iter()
        .copied()
        .filter(|level| (level - start_m) * sign > 0.0 && (end - level) * sign > 0.0)
        .collect();
    edges.push(end);
    if sign < 0.0 {
        edges.sort_by(|a, b| b.total_cmp(a));
    }
    let mut depths = Vec::new();
    let mut from = start_m;
    for edge in edges {
        depths.extend((0..=TURN_STEPS).map(|i| {
            // Closer where the ray still runs nearly level.
            let part = (f64::from(i) / f64::from(TURN_STEPS)).powi(3);
            from + (edge - from) * part
        }));
        from = edge;
    }
    depths
}

/// The first depth at which the miss passes zero upwards, between depths in order.
fn first_root(depths: Vec<f64>, miss: &dyn Fn(f64) -> Option<f64>) -> Option<f64> {
    let mut before: Option<(f64, f64)> = None;
    for depth in depths {
        let Some(value) = miss(depth) else {
            before = None;
            continue;
        };
        if let Some((start, short)) = before
            && short <= 0.0
            && value >= 0.0
        {
            let (mut low, mut high) = (start, depth);
            for _ in 0..100 {
                let middle = 0.5 * (low + high);
                if miss(middle).is_some_and(|value| value < 0.0) {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            return Some(0.5 * (low + high));
        }
        before = Some((depth, value));
    }
    None
}
