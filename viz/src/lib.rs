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
//! The file has all of it over time: the newest points, section and numbers once a second, the vessel
//! four times, fans and waterfalls every few seconds. Browsers that look on while it is made get only
//! the newest, except of `plot`, `states` and `log`; so neither they nor this grow with the run.
//!
//! With a lidar and a sonar the dominant upright face near the vessel is looked for; where there is
//! one it is shown as a section, unwrapped, and with the strip nobody saw. *Covered* is a share of
//! its cells (0.2 m) between toe and crest, along the stretch that was passed: those with at least
//! five points. *In tolerance* is the share of covered cells whose mean has a 95 % half width, along
//! the wall's normal, of at most [`Options::tolerance_m`]: σ²/n + JΣJᵀ of its points. Toe and crest
//! are the lowest and highest covered cell of the middle column. No truth is known here.
//!
//! | entity | what | unit |
//! |---|---|---|
//! | `header` | datum, where the pose comes from, sound speed, clock, covered, in tolerance, seam | text |
//! | `map/lidar/E_N`, `map/sonar/E_N` | tiles of 32 m in `World`: the mean of each voxel's points, light in warm grey by intensity (by height where there is none), sound in viridis by level; sent when a tile is whole, before that now and then, and when far voxels have been made coarser | m |
//! | `map/structure/E_N`, `map/bed/…`, `map/surface/…`, `map/unknown/…` | instead of these two where colours say what points are of ([`MapColour::Label`]) | m |
//! | `map/doubtful/E_N` | mirrors, detours, movers, volume echoes and bridged points, in red | m |
//! | `now/lidar`, `now/sonar` | points of the newest frame that has any; of sound those of its newest ping | m |
//! | `now/fan` | that ping as a sheet from the sonar to what it heard | m |
//! | `vessel`, `vessel/hull`, `vessel/sensors` | the pose with `Body` axes; a nominal hull; where the sensors sit | m |
//! | `vessel/sight` | nothing to be seen: what an eye looks at that goes with the vessel | m |
//! | `path/N` | where the vessel has been, in pieces | m |
//! | `water` | the waterline as a surface, up to the wall | m |
//! | `wall/strip` | edges of what light and sound saw of the wall, and the height between | m |
//! | `wall/unwrapped/…` | cells of the wall, chainage to the right: within the tolerance, within twice of it, worse, too few points; hatched where nothing was seen | cells of 0.1 m |
//! | `section/…` | a slice of half a metre across the wall where the sonar hears it: both clouds, waterline, hull, 95 % of single points along the normal (ten times too long), and the seam | m, level counted down |
//! | `sonar/NAME/waterfall/raw`, `…/compressed` | loudest beam over range (down) and pings (newest at the right) | 0 to 255, from noise to loud |
//! | `sonar/NAME/waterfall/detected` | where any beam detected something | yes or no |
//! | `sonar/NAME/fan` | the newest ping, unfolded to where its beams look; detections as dots | 0 to 255, from noise to loud |
//! | `plot/height` | `z` of the vessel and of the waterline, in `World` | m |
//! | `plot/attitude` | roll (+ starboard down), pitch (+ bow up) | deg |
//! | `plot/heading` | clockwise; from true north if the rig has an origin | deg |
//! | `plot/sigma` | one sigma of the pose: horizontal, vertical, rotation | m, m, deg |
//! | `plot/held` | how well the weakest axis of rotation and of translation was held | 0 to 1 |
//! | `plot/residual` | how far the sonar lies off the lidar map, where the test could be made: distance, rotation; the seam and its 95 % | cm, 0.1 deg, mm, mm |
//! | `plot/latency` | the slowest frame of each second, from the moment its data were complete at the run's pace to the picture; only where a run is paced | ms |
//! | `plot/points` | points of a frame: lidar, sonar, arcs; payloads lost in the second before | count |
//! | `plot/stages` | how long frames take up to each stage of the run, 99 % of the newest 256; only where a run is paced | ms |
//! | `plot/queue` | how full each sensor's queue is at its edge; only of sensors that are heard now | % |
//! | `lights`, `lights/words` | a lamp for each sensor: green OK, grey WAIT, yellow WARN, red FAIL, with rate or reason | |
//! | `states/NAME` | the same over time, when it changes | |
//! | `sensors` | the same as a table: rates, losses by cause, last seen, clock, queue, reason and remedy | text |
//! | `log` | notes, gaps, changes of how the pose is found | text |

mod camera;
mod cells;
mod colour;
mod coverage;
mod echo;
mod error;
mod face;
mod fan;
mod header;
mod layout;
mod lights;
mod map_colour;
mod notes;
mod options;
mod pace;
mod plots;
mod recorder;
mod scene;
mod seam;
mod section;
mod sonar_colour;
#[cfg(test)]
mod specimen;
mod strip;
mod thin;
mod tile;
mod tiles;
mod unwrapped;
mod viewer;
mod wall;
mod waterfall;

pub use error::Error;
pub use map_colour::MapColour;
pub use notes::Level;
pub use options::Options;
pub use recorder::Recorder;
pub use sonar_colour::SonarColour;
pub use viewer::{Feed, PORT, Viewer};

/// The timeline everything lies on: when the sensors measured, UTC.
pub const TIMELINE: &str = "data_time";
