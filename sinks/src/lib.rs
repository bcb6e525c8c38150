//! beluga-sinks
