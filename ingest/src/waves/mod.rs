//! Waveforms that come as they are sampled: RTP, raw PCM and WAV without an end.
//!
//! - `form`: what the samples are, and how bytes become them; `sdp`: where a description says it;
//!   `wav`: where a WAV's header does;
//! - `rtp`: a packet's header; `blocks`: samples in blocks, and when each was taken;
//! - `live`: packets and bytes as they come; `sent`: waveforms as packets.
//!
//! `LIVE.md` beside this crate says what is heard, and what it means.

mod blocks;
mod form;
mod live;
mod rtp;
mod sdp;
pub(crate) mod sent;
mod wav;

pub(crate) use form::{Form, Kind};
pub(crate) use live::{Packets, Pipe};
pub(crate) use sdp::form_of;
