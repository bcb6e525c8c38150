//! Sonars that speak Blue Robotics' Ping protocol: Ping1D, Ping2 and S500 look down, a Ping360 turns.
//!
//! - `frame`: messages in a run of bytes; `message`: what those say that hold echoes;
//! - `live`: their profiles as they come; `question`: what a device is asked for.
//!
//! `LIVE.md` beside this crate says what is heard, and what it means.

mod frame;
mod live;
mod message;
mod question;

pub(crate) use live::Sent;
pub(crate) use question::{models, questions};
