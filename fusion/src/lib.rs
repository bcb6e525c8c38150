//! beluga-fusion
