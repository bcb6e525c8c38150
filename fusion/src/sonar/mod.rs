//! The sonar chain: from a ping as the device gives it to echoes with direction, time and sigmas.
//!
//! Compress the pulse, find what stands above the noise, ask the neighbouring beams, measure. What
//! sound does on its way (speed, absorption) is in [`acoustics`].

pub mod acoustics;
mod across;
mod array;
pub mod beamform;
pub mod cfar;
mod chain;
mod column;
mod config;
mod detect;
mod echo;
mod fft;
mod fit;
mod image;
mod pair;
pub mod peak;
mod phase;
mod picture;
mod polar;
mod prepared;
mod profile;
pub mod pulse;
mod replica;
mod resolve;
mod response;
mod sectors;
mod stages;
#[cfg(test)]
pub(crate) mod synthetic;

pub(crate) use chain::SonarChain;
pub use config::{CfarKind, ReplicaWindow, SonarConfig};
pub(crate) use echo::Echo;
pub use fft::Transforms;
