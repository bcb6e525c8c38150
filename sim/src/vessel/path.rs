//! Where the vessel means to be: along a curve, at a planned speed.

use std::f64::consts::TAU;

use super::jet::Jet;
use super::spline::Spline;
use crate::scenario::VesselScenario;

/// The planned way.
#[derive(Clone, Debug)]
pub(super) enum Path {
    /// Along x, for ever.
    Straight {
        /// Speed, in m/s.
        speed_m_per_s: f64,
    },
    /// Through knots.
    Curve {
        /// The curve.
        spline: Spline,
        /// Speed from knot to knot.
        legs: Vec<Leg>,
    },
}

/// Speed between two knots. From the first speed to the second it changes as
/// `x - sin(2πx) / 2π` of the leg's time, so acceleration starts and ends at zero and half of the
/// change is the mean: the leg's time is its length over the mean of both speeds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    start_s: f64,
    start_m: f64,
    duration_s: f64,
    speeds_m_per_s: [f64; 2],
}

/// A place on the way, and how it moves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planned {
    pub(super) x: Jet,
    pub(super) y: Jet,
    /// Direction of travel, anticlockwise from x, in radians.
    pub(super) course: Jet,
}

impl Path {
    pub(super) fn new(vessel: &VesselScenario) -> Self {
        if vessel.path.len() < 2 {
            return Path::Straight {
                speed_m_per_s: vessel.speed_m_per_s,
            };
        }
        let spline = Spline::new(&vessel.path);
        let lengths = spline.knot_lengths();
        let speed = |knot: usize| {
            let given = vessel.speeds_m_per_s.get(knot);
            given.copied().unwrap_or(vessel.speed_m_per_s)
        };
        let mut start_s = 0.0;
        let legs = (0..lengths.len() - 1)
            .map(|knot| {
                let speeds_m_per_s = [speed(knot), speed(knot + 1)];
                let way = lengths[knot + 1] - lengths[knot];
                let leg = Leg {
                    start_s,
                    start_m: lengths[knot],
                    duration_s: 2.0 * way / (speeds_m_per_s[0] + speeds_m_per_s[1]),
                    speeds_m_per_s,
                };
                start_s += leg.duration_s;
                leg
            })
            .collect();
        Path::Curve { spline, legs }
    }

    /// Where the plan is after `t` seconds, further along the way by `surge` less `surge_at_start_m`.
    pub(super) fn at(&self, t: f64, surge: Jet, surge_at_start_m: f64) -> Planned {
        let start = Jet::constant(surge_at_start_m);
        match self {
            Path::Straight { speed_m_per_s } => Planned {
                x: Jet::new(speed_m_per_s * t, *speed_m_per_s, 0.0) + surge - start,
                y: Jet::default(),
                course: Jet::default(),
            },
            Path::Curve { spline, legs } => {
                let way = way(legs, t) + surge - start;
                let place = spline.at(way.value);
                let (v, a) = (way.rate, way.acceleration);
                let bend = v * v * place.curvature;
                let (ahead, left) = (place.ahead, [-place.ahead.y, place.ahead.x]);
                Planned {
                    x: Jet::new(place.point.x, v * ahead.x, a * ahead.x + bend * left[0]),
                    y: Jet::new(place.point.y, v * ahead.y, a * ahead.y + bend * left[1]),
                    course: Jet::new(
                        ahead.y.atan2(ahead.x),
                        v * place.curvature,
                        v * v * place.change + a * place.curvature,
                    ),
                }
            }
        }
    }

    /// When the last knot is reached, in seconds.
    #[cfg(test)]
    pub(super) fn end_s(&self) -> f64 {
        match self {
            Path::Straight { .. } => f64::INFINITY,
            Path::Curve { legs, .. } => legs.last().map_or(0.0, |leg| leg.start_s + leg.duration_s),
        }
    }
}

/// Metres gone after `t` seconds. Before the first leg and after the last one speed is constant.
fn way(legs: &[Leg], t: f64) -> Jet {
    let after = legs.partition_point(|leg| leg.start_s <= t);
    let leg = legs[after.max(1) - 1];
    let [from, to] = leg.speeds_m_per_s;
    let (since, duration) = (t - leg.start_s, leg.duration_s);
    if since < 0.0 {
        return Jet::new(leg.start_m + from * since, from, 0.0);
    }
    if since > duration {
        let end = leg.start_m + 0.5 * (from + to) * duration;
        return Jet::new(end + to * (since - duration), to, 0.0);
    }
    let x = since / duration;
    let (sin, cos) = (TAU * x).sin_cos();
    let change = to - from;
    Jet::new(
        leg.start_m + from * since + change * duration * (0.5 * x * x + (cos - 1.0) / (TAU * TAU)),
        from + change * (x - sin / TAU),
        change * (1.0 - cos) / duration,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> VesselScenario {
        VesselScenario {
            path: vec![[0.0, 0.0], [6.0, 0.0], [30.0, 0.0], [36.0, 0.0]],
            speeds_m_per_s: vec![0.0, 1.5, 1.5, 0.0],
            ..VesselScenario::default()
        }
    }

    #[test]
    fn it_accelerates_cruises_and_stops_at_the_last_knot() {
        let path = Path::new(&lines());
        assert!(
            (path.end_s() - (8.0 + 16.0 + 8.0)).abs() < 1e-9,
            "{}",
            path.end_s()
        );
        let at = |t: f64| path.at(t, Jet::default(), 0.0).x;
        assert_eq!(at(0.0).rate, 0.0);
        assert!((at(8.0).value - 6.0).abs() < 1e-9 && (at(8.0).rate - 1.5).abs() < 1e-9);
        assert!((at(16.0).rate - 1.5).abs() < 1e-9 && at(16.0).acceleration.abs() < 1e-9);
        assert!((at(100.0).value - 36.0).abs() < 1e-9 && at(100.0).rate == 0.0);
        let h = 1e-4;
        for i in 0..330 {
            let t = 0.1 * f64::from(i) + 0.01;
            let [before, now, after] = [t - h, t, t + h].map(at);
            assert!((now.rate - (after.value - before.value) / (2.0 * h)).abs() < 1e-6);
            assert!((now.acceleration - (after.rate - before.rate) / (2.0 * h)).abs() < 1e-6);
        }
    }
}
