//! Whether a path is free.

use nalgebra::Vector3;

use super::Scene;
use crate::error::Error;

/// A path is followed in steps no shorter than this, in metres.
const STEP_M: f64 = 0.02;
/// Farther than this from a path nothing is asked, in metres.
const REACH_M: f64 = 20.0;
/// Rays that ask whether a point lies inside something go this far, in metres.
const FAR_M: f64 = 1000.0;

impl Scene {
    /// Whether a path between points in `Quay` goes through nothing, comes nowhere closer than
    /// `clearance_m` to a surface (to 2 cm along the path), and begins outside everything.
    ///
    /// # Errors
    /// [`Error::Site`] with the first place that is not free, and what is there.
    pub fn check_path(&self, points: &[Vector3<f64>], clearance_m: f64) -> Result<(), Error> {
        self.check_place("the path's beginning", points.first())?;
        for pair in points.windows(2) {
            self.check_leg(&pair[0], &pair[1], clearance_m)?;
        }
        Ok(())
    }

    /// Whether a place in `Quay` lies outside everything solid.
    ///
    /// # Errors
    /// [`Error::Site`] if it lies inside something or behind a wall.
    pub(crate) fn check_place(&self, what: &str, place: Option<&Vector3<f64>>) -> Result<(), Error> {
        match place {
            Some(place) if self.is_inside(place) => Err(Error::Site {
                part: format!("{what}, at {}", written(place)),
                problem: "it lies inside something solid".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Follows a leg in steps as long as it is free all around (J. Hart, "Sphere tracing", The Visual
    /// Computer 12 (1996)).
    fn check_leg(&self, from: &Vector3<f64>, to: &Vector3<f64>, clearance_m: f64) -> Result<(), Error> {
        let (way, length) = (to - from, (to - from).norm());
        let mut along = 0.0;
        loop {
            let place = from + way * (along / length.max(STEP_M));
            let near = self.nearest(&place, clearance_m + REACH_M);
            let distance = near.map_or(clearance_m + REACH_M, |near| near.signed_m.abs());
            if let Some(near) = near.filter(|_| distance < clearance_m) {
                return Err(Error::Site {
                    part: format!("the path at {}", written(&place)),
                    problem: format!(
                        "it comes to {distance:.2} m of surface {} ({:?}), and `site.clearance_m` is \
                         {clearance_m}",
                        near.surface, near.kind
                    ),
                });
            }
            if along < length {
                along = (along + (distance - clearance_m).max(STEP_M)).min(length);
            } else {
                break;
            }
        }
        // Without a clearance the steps could jump over a surface.
        match self.cast(from, &way, 0.0, 1.0) {
            Some((surface, hit)) => Err(Error::Site {
                part: format!("the path at {}", written(&(from + way * hit.distance))),
                problem: format!(
                    "it goes through surface {surface} ({:?})",
                    self.surfaces[surface as usize].kind
                ),
            }),
            None => Ok(()),
        }
    }

    /// Whether most of what a point sees in fourteen directions shows its back. A vote, because walls
    /// have no thickness and piles may have no lids.
    fn is_inside(&self, point: &Vector3<f64>) -> bool {
        let mut fronts = 0;
        let mut backs = 0;
        for direction in directions() {
            if let Some((_, hit)) = self.cast(point, &direction, 0.0, FAR_M) {
                if hit.normal.dot(&direction) > 0.0 {
                    backs += 1;
                } else {
                    fronts += 1;
                }
            }
        }
        backs > fronts
    }
}

/// Along the axes and the diagonals, all a little turned, so that they meet no edges of what stands
/// along the axes.
fn directions() -> impl Iterator<Item = Vector3<f64>> {
    let nudge = Vector3::new(0.013, 0.007, 0.019);
    (-1..=1)
        .flat_map(|x| (-1..=1).flat_map(move |y| (-1..=1).map(move |z| [x, y, z])))
        .filter(|direction: &[i32; 3]| matches!(direction.iter().filter(|part| **part != 0).count(), 1 | 3))
        .map(move |direction| (Vector3::from(direction.map(f64::from)) + nudge).normalize())
}

fn written(place: &Vector3<f64>) -> String {
    format!("[{:.2}, {:.2}, {:.2}] m", place.x, place.y, place.z)
}
