//! beluga-viz
