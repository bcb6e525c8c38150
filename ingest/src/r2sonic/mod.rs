//! R2Sonic multibeams: what their packets `BTH0` say of a ping, in an XTF file or as they send it.
//!
//! `SURVEY_SONAR.md` beside this crate says what is read, what it means, and from where that is known.

mod live;
mod packet;
mod rows;
pub(crate) mod write;

pub use packet::{Ping, Point};

pub(crate) use live::Sent;
pub(crate) use packet::ping;
pub(crate) use rows::push;
