//! The pose at a window's end: scan on map, with navigation as a prior where there is any.

mod in_map;

use std::sync::Arc;

use beluga_types::elementary::Squared;
use beluga_types::{Body, LidarScan, PoseSource, Sensor, Stamp, Transform, Window, World};
use nalgebra::{Matrix3, Matrix6, Vector3, Vector6};

use crate::anchor::Anchor;
use crate::columns::Sight;
use crate::config::Config;
use crate::deskew::sweep_chosen;
use crate::motion::MotionModel;
use crate::nav::{NavBuffer, NavPose};
use crate::odometry::{Alignment, Map, Odometry, Prior, Thinned};
use crate::solve::inverse;
use crate::trajectory::Trajectory;
use in_map::Seeking;

/// Sigmas at which an axis counts as half held: rad and metres.
const HALF_HELD: (f64, f64) = (0.01, 0.1);
/// Smallest sigmas stated of any pose: rad and metres.
const MIN_SIGMA: (f64, f64) = (1e-5, 1e-4);
/// Time without a pose after which a scan that fits worse than others did is believed, in seconds.
const BELIEVED_AFTER_S: f64 = 0.55;
/// The same for a scan that fits nowhere: the map begins anew.
const LOST_AFTER_S: f64 = 1.0;

/// A sweep of the reference lidar.
#[derive(Clone)]
pub(crate) struct ReferenceScan {
    pub(crate) scan: Arc<LidarScan>,
    pub(crate) stamp: Stamp,
    pub(crate) deskewed: bool,
    pub(crate) body_from_sensor: Transform<Body, Sensor>,
}

/// How the pose of a window was found.
pub(crate) struct Found {
    pub(crate) covariance: Matrix6<f64>,
    pub(crate) localizability: [f64; 6],
    pub(crate) source: PoseSource,
}

/// Everything that knows where the body is.
pub(crate) struct Estimator {
    pub(crate) nav: NavBuffer,
    odometry: Odometry,
    trajectory: Trajectory,
    anchor: Anchor,
    motion: MotionModel,
    afloat: bool,
    /// The scans that began the map, while their motion is not known.
    first: Option<(Stamp, Vec<ReferenceScan>)>,
    /// When a scan or a fix last said where the body is.
    known: Option<Stamp>,
    /// What is sought in a saved map, until it is found.
    seeking: Option<Seeking>,
}

impl Estimator {
    /// `afloat` says that the vehicle floats upright on level water.
    pub(crate) fn new(config: &Config, afloat: bool) -> Self {
        Self {
            nav: NavBuffer::new(&config.nav),
            odometry: Odometry::new(&config.odometry),
            trajectory: Trajectory::default(),
            anchor: Anchor::new(config),
            motion: MotionModel::new(),
            afloat,
            first: None,
            known: None,
            seeking: None,
        }
    }

    pub(crate) fn odometry(&self) -> &Odometry {
        &self.odometry
    }

    pub(crate) fn map_from_body_at(&self, stamp: Stamp) -> Transform<Map, Body> {
        self.trajectory.at(stamp)
    }

    pub(crate) fn world_from_body_at(&self, stamp: Stamp) -> Transform<World, Body> {
        self.anchor.world_from_map() * self.trajectory.at(stamp)
    }

    pub(crate) fn body_from_body(&self, to: Stamp, from: Stamp) -> Transform<Body, Body> {
        self.trajectory.body_from_body(to, from)
    }

    /// What a user should know of navigation beside the lidar; nothing if they agree as they state.
    pub(crate) fn tension_note(&self) -> Option<String> {
        /// Differences that are believed: twice what is stated happens to an honest device now and then.
        const LARGEST: f64 = 2.0;
        let tension = self.anchor.tension().filter(|tension| *tension > LARGEST)?;
        Some(format!(
            "navigation and lidar move apart {tension:.1} times as far as navigation states: its sigma is too small, or a clock or a mount is off"
        ))
    }

    pub(crate) fn twist(&self) -> Vector6<f64> {
        self.trajectory.twist()
    }

    /// Finds the pose at the window's end and extends the map.
    pub(crate) fn locate(&mut self, window: &Window, scans: &[ReferenceScan], in_range: (f64, f64)) -> Found {
        if let Some(lost) = self.seek(window, scans, in_range) {
            return lost;
        }
        let before = self.trajectory.last();
        let even = self
            .motion
            .guess(&self.trajectory, self.known, window.end, self.upright());
        let guess = self.guess(window, &even);
        let even = even.mean;
        let guessed = guess.mean;
        let nav = self.nav.at(window.end);
        if let Some(nav) = &nav {
            self.anchor.tie(nav, &guessed);
        }
        self.begin(window, scans, &guessed, nav.is_some());
        self.trajectory.set(window.end, guessed);
        if let Some((stamp, from)) = before {
            self.anchor
                .travel(&from, &guessed, window.end.seconds_since(stamp));
        }
        let found = if scans.iter().all(|scan| scan.scan.is_empty()) {
            None
        } else {
            self.on_map(window, scans, in_range, &guess, &even)
        };
        let found = found.unwrap_or_else(|| self.without_scan(window, nav));
        if found.source != PoseSource::Prediction || self.known.is_none() {
            self.known = Some(window.end);
        }
        found
    }

    /// Which axes the vessel itself holds: roll, pitch and height, if it floats.
    fn upright(&self) -> [bool; 6] {
        [true, true, false, false, false, true].map(|axis| axis && self.afloat)
    }

    /// Where the body should be, and how well that is known: the last pose and nav's motion since,
    /// else the last twist.
    fn guess(&self, window: &Window, even: &Prior) -> Prior {
        if let Some((stamp, pose)) = self.trajectory.last()
            && let Some((moved, covariance)) = self.nav.moved(stamp, window.end, self.anchor.correlation_s())
            && let Some(information) = inverse(&covariance)
        {
            let by_nav = Prior {
                mean: pose * moved,
                information,
            };
            // The even motion has its say too: nav may be noisier than the body is restless.
            let both = self.motion.seen(even.clone()).and_then(|even| by_nav.and(&even));
            return both.unwrap_or(by_nav);
        }
        even.clone()
    }

    /// At the very first scan: how the body moved during it, if nav says so.
    fn begin(&mut self, window: &Window, scans: &[ReferenceScan], guess: &Transform<Map, Body>, nav: bool) {
        if self.trajectory.last().is_some() || !nav {
            return;
        }
        let first = scans.iter().map(|scan| scan.stamp).min().unwrap_or(window.start);
        if let Some((body_end_from_body, _)) = self.nav.moved(window.end, first, self.anchor.correlation_s())
        {
            self.trajectory.set(first, *guess * body_end_from_body);
        }
    }

    /// Lays the scans on the map; nothing if they do not hold there.
    ///
    /// They are deskewed by the guessed motion and not again by the one found: that would take the
    /// error of the last pose into this one with its sign turned, scan by scan.
    fn on_map(
        &mut self,
        window: &Window,
        scans: &[ReferenceScan],
        in_range: (f64, f64),
        guess: &Prior,
        even: &Transform<Map, Body>,
    ) -> Option<Found> {
        let mut thinned = self.swept(window, scans, in_range);
        let (nav, prior) = self.prior(window, guess, &guess.mean);
        let Some(mut alignment) = self.odometry.align(&thinned.coarse, &guess.mean, &prior) else {
            self.begin_map(window, scans, &thinned, guess);
            return None;
        };
        if !self.is_lost(window, BELIEVED_AFTER_S) && !self.odometry.believes(&alignment, guess) {
            return None;
        }
        if let Some(first) = self.first.take() {
            self.begin_again(window, &first, in_range, &alignment);
            thinned = self.swept(window, scans, in_range);
            let found = alignment.map_from_body;
            alignment = self.odometry.align(&thinned.coarse, &found, &prior)?;
        }
        self.odometry.learn(&guess.mean, &alignment);
        self.trajectory.set(window.end, alignment.map_from_body);
        self.odometry.insert(&thinned.fine, &alignment.map_from_body);
        Some(self.settle(window, nav, even, &alignment, &prior))
    }

    /// Whether nobody has said for so long where the body is.
    fn is_lost(&self, window: &Window, after_s: f64) -> bool {
        self.known
            .is_none_or(|known| window.end.seconds_since(known) > after_s)
    }

    /// Begins the map with a scan, or anew where the old one was left behind.
    fn begin_map(&mut self, window: &Window, scans: &[ReferenceScan], thinned: &Thinned, guess: &Prior) {
        if self.odometry.map().is_empty() {
            let alone = self.nav.at(window.end).is_none();
            self.first = alone.then(|| (window.end, scans.to_vec()));
        } else if !self.is_lost(window, LOST_AFTER_S) {
            return;
        }
        self.odometry.insert(&thinned.fine, &guess.mean);
    }

    /// Begins the map again: only the second scan tells how the body moved during the first.
    ///
    /// Both were taken as if at rest, and err by the same half of the motion; so their difference
    /// is right.
    fn begin_again(
        &mut self,
        window: &Window,
        (first_end, scans): &(Stamp, Vec<ReferenceScan>),
        in_range: (f64, f64),
        second: &Alignment,
    ) {
        let start = self.trajectory.at(*first_end);
        self.trajectory.set(*first_end, start);
        self.trajectory.set(window.end, second.map_from_body);
        let then = Window {
            start: *first_end,
            end: *first_end,
        };
        let thinned = self.swept(&then, scans, in_range);
        self.odometry.restart();
        self.odometry.insert(&thinned.fine, &start);
    }

    fn settle(
        &mut self,
        window: &Window,
        nav: bool,
        even: &Transform<Map, Body>,
        alignment: &Alignment,
        prior: &Prior,
    ) -> Found {
        let nav = nav.then(|| self.nav_at_end(window)).flatten();
        let covariance = self.anchor.update(
            nav.as_ref(),
            &alignment.map_from_body,
            &alignment.information,
            prior,
        );
        let localizability = localizability(&alignment.information);
        if let (Some(nav), Some(on_map)) = (&nav, inverse(&(alignment.information + prior.information))) {
            let pose = &alignment.map_from_body;
            self.anchor.learn(window.end, nav, pose, &on_map, &localizability);
        }
        // Whether a motion is carried on is asked of all the scan says: what it says of it is then
        // tested by the next one.
        let seen = self::localizability(&alignment.used);
        self.motion.learn(even, &alignment.map_from_body, &seen);
        if nav.is_none() {
            let upright = self.upright();
            let dt_s = window.end.seconds_since(window.start).max(0.0);
            self.anchor
                .add(&self.motion.unheld(&alignment.held, dt_s, upright));
        }
        Found {
            covariance: with_floor(covariance),
            localizability,
            source: if nav.is_some() {
                PoseSource::OdometryAndNav
            } else {
                PoseSource::Odometry
            },
        }
    }

    /// What is believed before the scan is looked at: the motion since the last pose, and with nav
    /// also the place; and whether it was there.
    fn prior(&mut self, window: &Window, guess: &Prior, near: &Transform<Map, Body>) -> (bool, Prior) {
        let dt_s = window.end.seconds_since(window.start).max(1e-3);
        let motion = guess.clone();
        if let Some(nav) = self.nav_at_end(window)
            && let Some(place) = self.anchor.prior(&nav, near)
            && let Some(both) = motion.and(&place)
        {
            return (true, both);
        }
        if self.afloat
            && self.nav.last().is_none()
            && let Some(both) = motion.and(&upright(&guess.mean, dt_s))
        {
            return (false, both);
        }
        (false, motion)
    }

    fn nav_at_end(&self, window: &Window) -> Option<NavPose> {
        let end = window.end;
        self.nav.at_end(window.start, end, |stamp| {
            self.trajectory.body_from_body(stamp, end)
        })
    }

    /// The pose without a scan that holds: nav less the error that is known of it, else carried on.
    fn without_scan(&mut self, window: &Window, nav: Option<NavPose>) -> Found {
        if let Some(nav) = nav {
            self.anchor.restate(&nav);
            let map_from_world = self.anchor.world_from_map().inverse();
            let stamps: Vec<Stamp> = self.nav.stamps(window.start, window.end).collect();
            for stamp in stamps.into_iter().chain([window.end]) {
                if let Some(pose) = self.nav.at(stamp) {
                    let pose = self.anchor.corrected(&pose);
                    self.trajectory.set(stamp, map_from_world * pose.world_from_body);
                }
            }
            let nav = self.anchor.corrected(&nav);
            return Found {
                covariance: with_floor(nav.covariance),
                localizability: inverse(&nav.covariance)
                    .map_or([0.0; 6], |information| localizability(&information)),
                source: PoseSource::Nav,
            };
        }
        let unseen_s = self
            .known
            .map_or(0.0, |known| window.end.seconds_since(known).max(0.0));
        let grown = MotionModel::unseen(unseen_s);
        Found {
            covariance: with_floor(self.anchor.covariance() + grown),
            localizability: [0.0; 6],
            source: PoseSource::Prediction,
        }
    }

    /// The points of the scans that work, in `Body` at the window's end.
    fn swept(&mut self, window: &Window, scans: &[ReferenceScan], in_range: (f64, f64)) -> Thinned {
        let mut thinned = Thinned::default();
        for scan in scans {
            let mount = &scan.body_from_sensor;
            thinned.coarse.sight = Sight {
                from: mount.translation().cast::<f32>().into(),
                spin: (mount.rotation_matrix() * Vector3::z()).cast::<f32>().into(),
            };
            let chosen = self.odometry.thin(&scan.scan, in_range);
            sweep_chosen(
                &scan.scan,
                scan.stamp,
                scan.deskewed,
                &scan.body_from_sensor,
                [
                    (&chosen.fine, &mut thinned.fine),
                    (&chosen.coarse, &mut thinned.coarse),
                ],
                |stamp| self.trajectory.body_from_body(window.end, stamp),
            );
        }
        thinned
    }
}

/// A vessel floats upright at the height of the water: what that says of its pose.
///
/// `World` is its pose at the first measurement, so height, roll and pitch stay near zero there.
fn upright(near: &Transform<Map, Body>, dt_s: f64) -> Prior {
    /// Roll or pitch in swell, one sigma in rad.
    const TILT_RAD: f64 = 0.05;
    /// Heave, one sigma in metres.
    const HEAVE_M: f64 = 0.2;
    /// Time over which swell goes the same way, in seconds.
    const SAME_WAY_S: f64 = 1.0;
    let turn = near.rotation_matrix();
    // The turn that takes the body's up to the map's, about an axis in its deck.
    let up_in_body = turn.transpose() * Vector3::z();
    let tilt = Vector3::z().cross(&up_in_body);
    let fall = turn.transpose() * Vector3::new(0.0, 0.0, -near.translation().z);
    let inflation = (2.0 * SAME_WAY_S / dt_s).max(1.0);
    let mut information = Matrix6::zeros();
    let vertical = up_in_body * up_in_body.transpose();
    let level = (Matrix3::identity() - vertical) / (TILT_RAD * TILT_RAD * inflation);
    information.fixed_view_mut::<3, 3>(0, 0).copy_from(&level);
    let height = vertical / (HEAVE_M * HEAVE_M * inflation);
    information.fixed_view_mut::<3, 3>(3, 3).copy_from(&height);
    Prior {
        mean: near.perturbed(&Vector6::new(tilt.x, tilt.y, tilt.z, fall.x, fall.y, fall.z)),
        information,
    }
}

/// One minus what remains of a wide prior's variance when the information is added, per axis.
fn localizability(information: &Matrix6<f64>) -> [f64; 6] {
    let variance = |axis: usize| {
        if axis < 3 {
            HALF_HELD.0.squared()
        } else {
            HALF_HELD.1.squared()
        }
    };
    let wide = Matrix6::from_fn(|row, column| if row == column { variance(row).recip() } else { 0.0 });
    let Some(left) = inverse(&(information + wide)) else {
        return [0.0; 6];
    };
    [0, 1, 2, 3, 4, 5].map(|axis| (1.0 - left[(axis, axis)] / variance(axis)).clamp(0.0, 1.0))
}

fn with_floor(covariance: Matrix6<f64>) -> Matrix6<f64> {
    let (turn, place) = (MIN_SIGMA.0.squared(), MIN_SIGMA.1.squared());
    covariance + Matrix6::from_diagonal(&Vector6::new(turn, turn, turn, place, place, place))
}
