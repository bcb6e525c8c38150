//! Everything up to the timeline: recordings in, one ordered run of measurements out.
//!
//! - [`Recording::open`] reads a rig and finds its sources, [`Recording::timeline`] merges them.
//! - [`Recording::inputs`] and [`Recording::nameplates`] say what was read and what devices say of themselves.
//! - [`order::Order`] puts live measurements in order.
//! - [`live::Live`] hears the sensors of a rig now.
//! - [`send::Survey`] sends a recording as its sensors would.
//! - [`pace::play`] plays a timeline into a queue.
//! - [`cast`] reads profiles of the speed of sound.
//! - [`ek80`] reads files of Simrad echo sounders, [`kmall`] and [`kongsberg_all`] those of
//!   Kongsberg multibeams, [`xtf`] XTF, [`oculus`] streams of Oculus
//!   imaging sonars, [`aris`] files of ARIS, [`humminbird`] of
//!   Humminbird side imaging.
//! - [`cloud`] reads files of points, one scan each.
//! - [`capture`] reads packet captures, [`lidar`] makes scans of lidars' packets.
//! - [`ros`] reads bags of ROS 2 and MCAP files of others.
//! - [`tape`] writes a timeline as one MCAP file and reads it back.
//! - [`probe::probe`] says what a file or folder is, what it holds and what it lacks.
//! - [`folder::Writer`] writes the folder form of a recording, [`kitti::convert`] makes one of KITTI scans.
//!
//! Damage inside a recording becomes a counted [`Gap`](beluga_types::Gap) on the timeline; an
//! [`Error`] is only what leaves nothing to read. `RIG.md` and `RECORDING.md` beside this crate
//! describe the files, `EK80.md` those of Simrad, `SURVEY_SONAR.md` those of
//! survey sonars, `IMAGING_SONAR.md` those of imaging sonars, `LIDAR.md` lidars' packets, `ROS.md` bags, `LIVE.md` what is heard now.

pub mod aris;
mod beams;
mod calendar;
pub mod capture;
pub mod cast;
mod clock;
pub mod cloud;
mod columns;
mod common_time;
mod count;
pub mod ek80;
mod error;
mod event;
mod exact;
mod find;
pub mod folder;
mod gaps;
pub mod host_clock;
pub mod humminbird;
mod hydrophone;
mod inputs;
pub mod kitti;
pub mod kmall;
pub mod kongsberg_all;
mod las;
pub mod lidar;
pub mod live;
mod mavlink;
mod nameplate;
mod nav;
mod nmea;
pub mod oculus;
pub mod order;
pub mod pace;
mod pcd;
mod ping;
mod pings;
mod pings_out;
pub mod ply;
mod point_times;
mod posmv;
mod pps;
pub mod probe;
mod pulses;
mod r2sonic;
mod range;
mod regular;
pub mod rig_toml;
pub mod ros;
mod sbg;
mod scans;
pub mod send;
mod source;
mod stream;
mod survey;
mod table;
pub mod tape;
mod timeline;
pub mod wav;
mod waves;
mod writer;
pub mod xtf;

pub use clock::cause as clock_cause;
pub use common_time::apart;
pub use error::Error;
pub use event::Event;
pub use folder::Recording;
pub use inputs::{Input, Role};
pub use nameplate::Nameplate;
pub use pace::{Pace, play};
pub use timeline::Timeline;
