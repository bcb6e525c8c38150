//! Inertial navigation of SBG Systems (Ellipse, Ekinox, Apogee, Quanta): its binary messages, sbgECom.
//!
//! - `frame`: messages in a run of bytes; `message`: what those say that tell how the vessel lies;
//! - `live`: poses of them as they come.
//!
//! `LIVE.md` beside this crate says what is heard, and what it means.

mod frame;
mod live;
mod message;

pub(crate) use live::Sent;
