//! beluga-sim
