//! Applanix POS MV: position and attitude of a vessel in the groups that it sends over Ethernet.
//!
//! - `frame`: groups and messages in a run of bytes; `message`: what groups say that tell how the vessel lies;
//! - `live`: poses of them as they come.
//!
//! `LIVE.md` beside this crate says what is heard, and what it means.

mod frame;
mod live;
mod message;

pub(crate) use live::Sent;
