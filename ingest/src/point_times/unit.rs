//! Units of time fields, and what their names promise.

/// What a number of a time field counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Nanoseconds,
    Microseconds,
    Milliseconds,
    Seconds,
}

impl Unit {
    pub(crate) const ALL: [Unit; 4] = [
        Unit::Nanoseconds,
        Unit::Microseconds,
        Unit::Milliseconds,
        Unit::Seconds,
    ];

    /// One of it, in nanoseconds.
    pub(crate) const fn nanos(self) -> i64 {
        match self {
            Unit::Nanoseconds => 1,
            Unit::Microseconds => 1_000,
            Unit::Milliseconds => 1_000_000,
            Unit::Seconds => 1_000_000_000,
        }
    }

    /// One of it, in seconds.
    pub(crate) fn seconds(self) -> f64 {
        match self {
            Unit::Nanoseconds => 1e-9,
            Unit::Microseconds => 1e-6,
            Unit::Milliseconds => 1e-3,
            Unit::Seconds => 1.0,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Unit::Nanoseconds => "nanoseconds",
            Unit::Microseconds => "microseconds",
            Unit::Milliseconds => "milliseconds",
            Unit::Seconds => "seconds",
        }
    }
}

/// Names of time fields, in lower case, in the order in which they are looked for.
///
/// Sources: the point types of the drivers of Ouster (`t`, ns), Velodyne (`time`, s), Hesai and
/// RoboSense (`timestamp`, s) and Livox (`offset_time`, ns; `timestamp`, ns), as their public sources
/// declare them. Not among them is Nebula's `time_stamp`: it counts from the start of each packet.
pub(crate) const TIME_FIELDS: [&str; 15] = [
    "offset_nanos",
    "offset_s",
    "offset_time",
    "time_offset_ns",
    "t",
    "time",
    "timestamp",
    "timestamp_ns",
    "timestamp_us",
    "time_us",
    "time_offset",
    "timeoffset",
    "timestamps",
    "gps_time",
    "gpstime",
];

/// What a field's name and type promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// The name states it: this unit, after the scan's stamp.
    Exactly(Unit),
    /// This unit, whatever it counts from.
    InUnit(Unit),
    /// What most drivers mean: the numbers may tell otherwise.
    Usually(Unit),
}

impl Said {
    /// What a field of this name promises, `is_real` if its numbers are; nothing if it is no time.
    pub(crate) fn of(name: &str, is_real: bool) -> Option<Self> {
        let usual = if is_real { Unit::Seconds } else { Unit::Nanoseconds };
        match name.to_ascii_lowercase().as_str() {
            "offset_nanos" => Some(Said::Exactly(Unit::Nanoseconds)),
            "offset_s" => Some(Said::Exactly(Unit::Seconds)),
            "offset_time" | "time_offset_ns" | "timestamp_ns" => Some(Said::Usually(Unit::Nanoseconds)),
            "time_us" | "timestamp_us" => Some(Said::Usually(Unit::Microseconds)),
            "t" | "time" | "times" | "timestamp" | "timestamps" | "time_stamp" | "stamp" | "stamps"
            | "time_offset" | "timeoffset" | "gps_time" | "gpstime" => Some(Said::Usually(usual)),
            _ => None,
        }
    }
}
