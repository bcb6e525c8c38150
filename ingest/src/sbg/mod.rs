//! Inertial navigation of SBG Systems (Ellipse, Ekinox, Apogee, Quanta): its binary messages, sbgECom.
//!
//! - `frame`: messages in a run of bytes; `message`: what those say that tell how the vessel lies;
//! - `live`: poses of them as they come; `write`: poses → messages, for who sends as a unit does.
//!
//! `LIVE.md` beside this crate says what is heard, and what it means.

mod frame;
mod live;
mod message;
pub(crate) mod write;

pub(crate) use live::Sent;
