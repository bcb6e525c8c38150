//! What a picture may be told.

use crate::map_colour::MapColour;
use crate::sonar_colour::SonarColour;

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Lidar points of the newest frame at most; the map has its own budget.
    pub lidar_points_per_frame: usize,
    /// Sonar points of the newest frame at most.
    pub sonar_points_per_frame: usize,
    /// Points of the whole map at most: half for light, two fifths for sound, the rest for what is
    /// doubtful. What these take in memory and in time to draw is what a picture costs.
    pub map_points: usize,
    /// Edge of the cubes of which the map keeps one point each, metres; where there is no room for all,
    /// cubes are larger the farther they lie from the vessel.
    pub voxel_m: f64,
    /// Half width of a 95 % interval that a cell of the wall may have to be within tolerance, metres.
    pub tolerance_m: f64,
    /// What the colour of the map's points says.
    pub map_colour: MapColour,
    /// What that of the sonar's points says, where it is each sensor's own.
    pub sonar_colour: SonarColour,
    /// Whether the run keeps to its measurements' time, so that it tells something how late a frame
    /// is ([`crate::Recorder::late`]).
    pub paced: bool,
    /// Whether its sensors are heard now, so that there are queues at their edges.
    pub heard: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lidar_points_per_frame: 1_500,
            sonar_points_per_frame: 1_000,
            map_points: 160_000,
            voxel_m: 0.1,
            tolerance_m: 0.05,
            map_colour: MapColour::Sensor,
            sonar_colour: SonarColour::Level,
            paced: false,
            heard: false,
        }
    }
}
