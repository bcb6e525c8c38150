//! Frames out: the encrypted, signed MAML record and exports.
//!
//! - [`FrameBytes`]: a frame as three Arrow IPC streams, the bytes a record keeps.
//! - [`maml`]: the record: written, read back, verified.
//! - [`arrow`]: frames to these streams and back, and a folder of Arrow files.
//! - [`ply`]: points in `World` as one PLY file.

pub mod arrow;
mod error;
mod frame_bytes;
pub mod maml;
pub mod ply;

pub use error::Error;
pub use frame_bytes::{FrameBytes, FrameHasher, MAX_FRAME_BYTES};
