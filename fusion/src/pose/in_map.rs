//! A run that begins in a saved map: until the body is found there, its pose is where that map's survey
//! began, or where navigation says, and is not believed.

use beluga_types::elementary::Squared;
use beluga_types::{Body, PoseSource, Transform, Window, World};
use nalgebra::{Matrix6, Vector6};

use super::{Anchor, Estimator, Found, ReferenceScan};
use crate::config::Config;
use crate::nav::NavPose;
use crate::odometry::Map;
use crate::saved::{Around, SavedMap, Seek};
use crate::trajectory::Trajectory;

/// How far from where the map's survey began a body without navigation is looked for, in metres and
/// in rad to each side.
const REACH: (f64, f64) = (10.0, std::f64::consts::PI);
/// Sigmas of navigation within which it is looked for, and the least and the most that is: metres.
const NAV_SIGMAS: f64 = 3.0;
const NAV_REACH_M: (f64, f64) = (1.0, 10.0);
/// To each side of navigation's heading at least, in rad.
const NAV_REACH_RAD: f64 = 0.05;

/// What is sought, and from where.
pub(super) struct Seeking {
    seek: Seek,
    start: Transform<Map, Body>,
}

/// A pose in `World` in a map that lies in `World`.
fn in_map(world_from_body: &Transform<World, Body>) -> Transform<Map, Body> {
    Transform::new(world_from_body.rotation(), world_from_body.translation())
}

impl Estimator {
    /// An estimator that knows a map, and nothing yet of where the body is.
    pub(crate) fn in_map(config: &Config, saved: SavedMap) -> Self {
        // The water need not be as high as it was then.
        let mut estimator = Self::new(config, false);
        estimator.anchor = Anchor::on_saved_map(config, saved.covariance());
        estimator.seeking = saved.start.map(|start| Seeking {
            seek: Seek::new(),
            start: in_map(&start),
        });
        estimator.odometry.hold(saved.map);
        estimator
    }

    /// Why the body has not been found in the map, if it is sought still.
    pub(crate) fn not_found(&self) -> Option<&str> {
        let seeking = self.seeking.as_ref()?;
        Some(seeking.seek.reason().unwrap_or("there was no scan to look with"))
    }

    /// Looks for the body, if it is sought still. Gives what is to be said of the window where it is
    /// not found; found, the trajectory begins at the window's end.
    pub(super) fn seek(
        &mut self,
        window: &Window,
        scans: &[ReferenceScan],
        in_range: (f64, f64),
    ) -> Option<Found> {
        let mut seeking = self.seeking.take()?;
        let nav = self.nav.at(window.end);
        let around = around(nav.as_ref(), &seeking.start);
        self.trajectory = Trajectory::default();
        self.trajectory.set(window.end, around.centre);
        let thinned = self.swept(window, scans, in_range);
        let found = if scans.iter().all(|scan| scan.scan.is_empty()) {
            None
        } else {
            seeking.seek.find(&mut self.odometry, &thinned.coarse, &around)
        };
        if let Some(pose) = found {
            self.trajectory = Trajectory::default();
            self.trajectory.set(window.end, pose);
            return None;
        }
        self.seeking = Some(seeking);
        let (turn, place) = (around.reach_rad.squared(), around.reach_m.squared());
        Some(Found {
            covariance: Matrix6::from_diagonal(&Vector6::new(turn, turn, turn, place, place, place)),
            localizability: [0.0; 6],
            source: PoseSource::Prediction,
        })
    }
}

fn around(nav: Option<&NavPose>, start: &Transform<Map, Body>) -> Around {
    let Some(nav) = nav else {
        return Around {
            centre: *start,
            reach_m: REACH.0,
            reach_rad: REACH.1,
        };
    };
    let sigma = |from: usize| {
        let variance = nav.covariance.diagonal().fixed_rows::<3>(from).max();
        NAV_SIGMAS * variance.max(0.0).sqrt()
    };
    Around {
        centre: in_map(&nav.world_from_body),
        reach_m: sigma(3).clamp(NAV_REACH_M.0, NAV_REACH_M.1),
        reach_rad: sigma(0).clamp(NAV_REACH_RAD, REACH.1),
    }
}
