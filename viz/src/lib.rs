//! Frames as a picture: a rerun recording (`.rrd`) with its layout, and the viewer for it, served to
//! a browser on this machine ([`Viewer`]).
//!
//! ```no_run
//! # fn run(rig: &beluga_types::Rig, frames: Vec<beluga_types::SolidarFrame>) -> Result<(), beluga_viz::Error> {
//! let mut recorder = beluga_viz::Recorder::create("run.rrd".as_ref(), rig)?;
//! for frame in &frames {
//!     recorder.frame(frame)?;
//! }
//! recorder.finish()
//! # }
//! ```
//!
//! What is shown is thinned for the eye; nothing here is computed from and nothing is kept for
//! measuring. Everything lies on one timeline, [`TIMELINE`]: when the sensors measured, never when
//! it was drawn.
//!
//! | entity | what | unit |
//! |---|---|---|
//! | `map/lidar`, `map/sonar` | points up to the cursor, in `World`, one per voxel: light in warm grey by intensity, sound in viridis by level | m |
//! | `map/doubtful` | mirrors, detours, movers, volume echoes and bridged points, in red | m |
//! | `now/lidar`, `now/sonar` | points of the newest frame that has any | m |
//! | `now/fan` | rays from the sonar to its newest points | m |
//! | `vessel`, `vessel/hull`, `vessel/sensors` | the pose with `Body` axes; a nominal hull; where the sensors sit | m |
//! | `path` | where the vessel has been | m |
//! | `water` | the waterline as a surface | m |
//! | `sonar/NAME/waterfall` | loudest beam over range (right) and pings (newest on top), per range bin | 0 to 255, from noise to loud |
//! | `sonar/NAME/fan` | the newest ping, unfolded to where its beams look; detections as dots | 0 to 255, from noise to loud |
//! | `plot/height/…` | `z` of the vessel and of the waterline, in `World` | m |
//! | `plot/attitude/…` | `roll` (+ starboard down), `pitch` (+ bow up) | deg |
//! | `plot/heading` | clockwise; from true north if the rig has an origin | deg |
//! | `plot/sigma/…` | one sigma of the pose: `horizontal`, `vertical` (m), `rotation` (deg) | m, deg |
//! | `plot/held/…` | how well the weakest axis of `rotation`, `translation` was held | 0 to 1 |
//! | `plot/points/…` | points per frame: `lidar`, `sonar`, `arcs` | count |
//! | `log` | notes, gaps, changes of how the pose is found | text |

mod camera;
mod colour;
mod coverage;
mod echo;
mod error;
mod face;
mod fan;
mod header;
mod layout;
mod notes;
mod pace;
mod plots;
mod recorder;
mod scene;
mod seam;
mod section;
#[cfg(test)]
mod specimen;
mod strip;
mod thin;
mod tiles;
mod unwrapped;
mod viewer;
mod wall;
mod waterfall;

pub use error::Error;
pub use notes::Level;
pub use recorder::{Options, Recorder};
pub use viewer::{Feed, Ports, Viewer};

/// The timeline everything lies on: when the sensors measured, UTC.
pub const TIMELINE: &str = "data_time";
