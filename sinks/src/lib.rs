//! Frames out: the encrypted, signed MAML record and exports.
//!
//! - [`FrameBytes`]: a frame as three Arrow IPC streams, the bytes a record keeps.
//! - [`document`]: MAML documents, read and reported on.
//! - [`maml`]: the record: written, read back, verified.
//! - [`arrow`]: frames to these streams and back, and a folder of Arrow files.
//! - [`ply`], [`las`], [`csv`]: points as one file; [`trajectory`]: poses as one file.
//! - [`graph`]: what came of what, as tables for graph databases.
//! - [`place`]: into which system coordinates an export puts them.

pub mod arrow;
pub mod csv;
pub mod document;
mod error;
mod export_error;
mod frame_bytes;
mod fresh;
pub mod graph;
pub mod las;
pub mod maml;
pub mod place;
pub mod ply;
mod regular;
pub mod trajectory;

pub use error::Error;
pub use export_error::ExportError;
pub use frame_bytes::{FrameBytes, FrameHasher, MAX_FRAME_BYTES};
pub use fresh::part_of;
pub use regular::{open_regular, read_regular, read_regular_text};
