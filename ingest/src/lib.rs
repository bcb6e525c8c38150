//! beluga-ingest
