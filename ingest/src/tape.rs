//! The tape: a timeline as an MCAP file. Play a tape and you have played the run.
//!
//! `TAPE.md` beside this crate describes every topic and schema.
//!
//! - [`Writer`] writes measurements, lossless, in chunks that outlive a crash.
//! - [`Reader`] gives them back; damage becomes counted gaps.
//! - [`Parts`] writes one file or a row of them, of which the newest are kept; [`Row`] plays either as one.
//! - [`CloudWriter`] writes clouds for viewers.

pub(crate) mod cdr;
mod channels;
mod cloud;
mod cloud_writer;
mod decode;
mod echoes;
mod ending;
mod fixes;
pub(crate) mod head;
mod image;
mod opened;
mod part;
mod parts;
mod reader;
pub(crate) mod records;
mod rig;
mod row;
mod schema;
mod sonar_image;
pub(crate) mod summary;
pub(crate) mod views;
mod writer;

pub use cloud::{Column, Values};
pub use cloud_writer::CloudWriter;
pub(crate) use opened::{files, is_foreign, is_tape, open};
pub use parts::{Parts, Rotation};
pub use reader::Reader;
pub use row::Row;
pub use writer::Writer;

/// The profile that the file's header names: CDR messages with `ros2msg` schemas.
const PROFILE: &str = "ros2";
/// What wrote the file, as its header says.
const LIBRARY: &str = concat!("beluga-ingest/", env!("CARGO_PKG_VERSION"));
/// How the header of everything begins that was written here, in any version.
const OURS: &str = "beluga-ingest/";
/// In the metadata of a channel: what its messages are, and the name of their sensor.
const KIND: &str = "beluga_kind";
const SENSOR: &str = "beluga_sensor";
