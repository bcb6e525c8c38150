//! Where the step irons of one ladder stand along the wall, taken together.
//!
//! A sonar sees a step iron of 0.4 m with a beam that is 0.14 m to 0.17 m wide along the wall: three or
//! four cells of speckle. Their levels are Rayleigh-distributed and say little about where the iron
//! ends, so the middle of one iron's echo is uncertain by about 2.5 cm however many pings there are
//! (pings closer than half the array's length see the same speckle). The irons of a ladder have
//! independent speckle and one side rail: the straight line through fifteen of them is good to
//! 2.5 cm · √(4/15) at its ends and half of that in its middle.
//!
//! An iron that is out of line by more than the beam is wide would be seen to be. It keeps its own
//! place, and does not bend the line.

/// Irons a line is drawn through, at least: fewer say little more together than alone.
const LEAST: usize = 5;

/// Places along the wall, each moved onto the straight line through all of them (least squares); those
/// more than `reach_m` off it stay as they are. `irons` are pairs of height up the face and place
/// along it, in metres; the result has their order.
pub(super) fn straightened(irons: &[[f64; 2]], reach_m: f64) -> Vec<f64> {
    let mut in_line: Vec<usize> = (0..irons.len()).collect();
    while in_line.len() >= LEAST {
        let line = Line::through(in_line.iter().map(|&i| &irons[i]));
        let off = |i: usize| (irons[i][1] - line.at(irons[i][0])).abs();
        let worst = in_line.iter().copied().max_by(|&a, &b| off(a).total_cmp(&off(b)));
        match worst {
            Some(worst) if off(worst) > reach_m => in_line.retain(|&i| i != worst),
            _ => {
                let mut places: Vec<f64> = irons.iter().map(|[_, along]| *along).collect();
                for &i in &in_line {
                    places[i] = line.at(irons[i][0]);
                }
                return places;
            }
        }
    }
    irons.iter().map(|[_, along]| *along).collect()
}

/// A place along the wall as a linear function of height.
struct Line {
    middle: [f64; 2],
    slope: f64,
}

impl Line {
    fn through<'a>(irons: impl Iterator<Item = &'a [f64; 2]> + Clone) -> Self {
        let count = irons.clone().count() as f64;
        let middle = [0, 1].map(|axis| irons.clone().map(|iron| iron[axis]).sum::<f64>() / count);
        let moment = |axis: usize| -> f64 {
            irons
                .clone()
                .map(|iron| (iron[0] - middle[0]) * (iron[axis] - middle[axis]))
                .sum()
        };
        let spread = moment(0);
        Self {
            middle,
            slope: if spread > 0.0 { moment(1) / spread } else { 0.0 },
        }
    }

    fn at(&self, up: f64) -> f64 {
        self.middle[1] + self.slope * (up - self.middle[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaning(i: usize) -> f64 {
        12.0 + 0.02 * 0.3 * i as f64
    }

    fn ladder(error: impl Fn(usize) -> f64) -> Vec<[f64; 2]> {
        (0..15)
            .map(|i| [-4.35 + 0.3 * i as f64, leaning(i) + error(i)])
            .collect()
    }

    fn worst(found: &[f64], except: &[usize]) -> f64 {
        (0..found.len())
            .filter(|i| !except.contains(i))
            .map(|i| (found[i] - leaning(i)).abs())
            .fold(0.0, f64::max)
    }

    #[test]
    fn a_leaning_ladder_is_found_through_its_scatter() {
        let irons = ladder(|i| if i % 2 == 0 { 0.04 } else { -0.04 });
        assert!(worst(&straightened(&irons, 0.15), &[]) < 0.004);
        assert!(worst(&straightened(&ladder(|_| 0.0), 0.15), &[]) < 1e-12);
    }

    #[test]
    fn an_iron_out_of_line_keeps_its_place_and_does_not_bend_the_line() {
        let bent = |i| match i {
            3 => 0.25,
            11 => -0.3,
            _ => 0.0,
        };
        let irons = ladder(bent);
        let found = straightened(&irons, 0.15);
        assert!(worst(&found, &[3, 11]) < 1e-12, "{found:?}");
        assert_eq!([found[3], found[11]], [irons[3][1], irons[11][1]]);
    }

    #[test]
    fn a_few_irons_stand_alone() {
        let irons = [[0.0, 1.0], [0.3, 1.1], [0.6, 0.9], [0.9, 1.0]];
        assert_eq!(straightened(&irons, 0.5), [1.0, 1.1, 0.9, 1.0]);
        let level = [[0.3, 1.0], [0.3, 1.1], [0.3, 0.9], [0.3, 1.0], [0.3, 1.0]];
        assert!(
            straightened(&level, 0.5)
                .iter()
                .all(|place| (place - 1.0).abs() < 1e-12)
        );
        assert!(straightened(&[], 0.5).is_empty());
    }
}
