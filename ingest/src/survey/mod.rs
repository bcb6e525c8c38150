//! What readers of survey sonars have in common: datagrams one after the other, the head that
//! several arrays make, and the rows of one sensor.
//!
//! `SURVEY_SONAR.md` beside this crate describes the formats.

pub(crate) mod calendar;
pub(crate) mod chosen;
pub(crate) mod damage;
pub(crate) mod detections;
pub(crate) mod fields;
pub(crate) mod format;
pub(crate) mod head;
pub(crate) mod install;
pub(crate) mod join;
pub(crate) mod nmea;
pub(crate) mod number;
pub(crate) mod played;
pub(crate) mod walk;
pub(crate) mod water;
pub(crate) mod widths;
