//! MAVLink: attitude and position of a vehicle with an autopilot (ArduPilot, PX4), versions 1 and 2.
//!
//! - `frame`: messages in a run of bytes; `message`: what those say that tell how the vehicle lies;
//! - `live`: poses of them as they come.
//!
//! `LIVE.md` beside this crate says what is heard, and what it means.

mod frame;
mod live;
mod message;

pub(crate) use live::Sent;
