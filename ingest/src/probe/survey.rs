//! What the sensors of a recording give, counted on its timeline.

use std::collections::{BTreeMap, BTreeSet};

use beluga_types::{
    GapCause, LidarScan, Measurement, Payload, Pulse, PulseKind, Rig, SensorKind, SensorSpec, SonarImage,
    SonarPing, Stamp, Strengths, Water, Waveforms,
};
use serde::Serialize;

use crate::common_time::apart;

/// The most times between payloads that are kept for their median.
const MOST_INTERVALS: usize = 1 << 20;
/// The most kinds of a thing (pulses, shapes) that are told.
const MOST_KINDS: usize = 8;

/// What one sensor gives.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SensorProbe {
    /// Its name in the rig.
    pub name: String,
    /// `lidar`, `sonar` or `nav`.
    pub kind: String,
    /// Payloads.
    pub payloads: u64,
    /// First payload's time and last one's end, nanoseconds since 1970, the rig's offset applied.
    pub span_ns: Option<(i64, i64)>,
    /// What the rig adds to its times, in milliseconds.
    pub time_offset_ms: f64,
    /// Times from payload to payload.
    pub intervals: Option<Intervals>,
    /// Points of a lidar, and those left out because they were not finite.
    pub points: u64,
    /// Points that were left out.
    pub dropped_points: u64,
    /// What a payload is made of: columns of a scan, channels and samples of a ping, kinds of fixes.
    pub shapes: BTreeSet<String>,
    /// What a sonar transmitted.
    pub pulses: BTreeSet<String>,
    /// Payloads lost, by cause.
    pub lost: BTreeMap<&'static str, u64>,
    /// Where and how the first was lost.
    pub first_loss: Option<String>,
    #[serde(skip)]
    speeds: u64,
    #[serde(skip)]
    placed: u64,
    #[serde(skip)]
    timed: u64,
    #[serde(skip)]
    between: Vec<i64>,
    #[serde(skip)]
    last: Option<Stamp>,
}

/// Times from payload to payload, in seconds: the median and what 5 % and 95 % of them stay below.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Intervals {
    /// Half of them are shorter.
    pub median_s: f64,
    /// 5 % are shorter.
    pub low_s: f64,
    /// 5 % are longer.
    pub high_s: f64,
}

impl SensorProbe {
    fn new(spec: &SensorSpec) -> Self {
        Self {
            name: spec.name.clone(),
            kind: spec.kind.name().to_owned(),
            time_offset_ms: spec.time_offset_nanos as f64 * 1e-6,
            ..Self::default()
        }
    }

    fn take(&mut self, measurement: &Measurement) {
        match &measurement.payload {
            Payload::Gap(gap) => return self.lose(gap.cause, gap.lost, &gap.detail),
            Payload::Lidar(scan) => self.take_scan(scan),
            Payload::Sonar(ping) => self.take_ping(ping),
            Payload::Pose(_) => self.shape("position and attitude".into()),
            Payload::Gnss(_) => self.shape("position".into()),
            Payload::Attitude(_) => self.shape("attitude".into()),
            Payload::Imu(_) => self.shape("rotation rate and acceleration".into()),
            Payload::Velocity(_) => self.shape("velocity".into()),
            Payload::Depth(_) => self.shape("depth".into()),
            Payload::SoundSpeed(_) => self.shape("speed of sound".into()),
            _ => self.shape("other payloads".into()),
        }
        self.payloads += 1;
        let (start, end) = (measurement.stamp.nanos(), measurement.end.nanos());
        let (first, last) = self.span_ns.get_or_insert((start, end));
        *first = start.min(*first);
        *last = end.max(*last);
        if let Some(last) = self.last.replace(measurement.stamp)
            && self.between.len() < MOST_INTERVALS
        {
            self.between.push(measurement.stamp.nanos_since(last));
        }
    }

    fn lose(&mut self, cause: GapCause, lost: u64, detail: &str) {
        *self.lost.entry(cause.name()).or_default() += lost;
        self.first_loss.get_or_insert_with(|| detail.to_owned());
    }

    fn take_scan(&mut self, scan: &LidarScan) {
        self.points += scan.len() as u64;
        self.dropped_points += u64::from(scan.dropped());
        self.timed += u64::from(scan.offset_nanos().is_some());
        let mut columns = vec!["x y z"];
        columns.extend(scan.intensity().map(|_| "intensity"));
        columns.extend(scan.ring().map(|_| "ring"));
        columns.extend(scan.offset_nanos().map(|_| "time of each point"));
        self.shape(columns.join(", "));
    }

    fn take_ping(&mut self, ping: &SonarPing) {
        let (what, waves, pulse, speed) = match ping {
            SonarPing::Elements(ping) => {
                self.placed += u64::from(!ping.positions.is_empty() || ping.beam.is_some());
                (
                    "elements",
                    Some(&ping.waveforms),
                    ping.pulse.as_ref(),
                    ping.sound_speed_m_per_s,
                )
            }
            SonarPing::Beams(ping) => {
                self.placed += 1;
                (
                    "beams",
                    Some(&ping.waveforms),
                    Some(&ping.pulse),
                    ping.sound_speed_m_per_s,
                )
            }
            SonarPing::Profile(ping) => {
                self.placed += 1;
                self.shape("a profile of strength over range".into());
                ("", None, None, ping.sound_speed_m_per_s)
            }
            SonarPing::Image(ping) => {
                self.placed += 1;
                self.shape(image_words(ping));
                let tone = ping.centre_hz.map(|centre| format!("{} kHz", kilo(centre)));
                if self.pulses.len() < MOST_KINDS {
                    self.pulses.extend(tone);
                }
                ("", None, None, ping.sound_speed_m_per_s)
            }
            SonarPing::Detections(ping) => {
                self.placed += 1;
                self.shape("the device's own detections".into());
                ("", None, None, ping.sound_speed_m_per_s)
            }
        };
        self.speeds += u64::from(speed.is_some());
        if let Some(waves) = waves {
            self.shape(waves_words(what, waves));
            let pulse = pulse.map_or_else(|| "none: listening only".to_owned(), pulse_words);
            if self.pulses.len() < MOST_KINDS {
                self.pulses.insert(pulse);
            }
        }
    }

    fn shape(&mut self, words: String) {
        if self.shapes.len() < MOST_KINDS {
            self.shapes.insert(words);
        }
    }

    fn finish(mut self) -> Self {
        let between = &mut self.between;
        between.sort_unstable();
        let at = |share: f64| {
            let place = (share * (between.len() - 1) as f64).round() as usize;
            between[place] as f64 * 1e-9
        };
        self.intervals = (!between.is_empty()).then(|| Intervals {
            median_s: at(0.5),
            low_s: at(0.05),
            high_s: at(0.95),
        });
        self
    }
}

fn waves_words(what: &str, waves: &Waveforms) -> String {
    let shape = waves.shape();
    let iq = match waves.values().is_iq() {
        true if waves.centre_hz() == 0.0 => " I/Q".to_owned(),
        true => format!(" I/Q at {} kHz", kilo(waves.centre_hz())),
        false => String::new(),
    };
    format!(
        "{} {what} of {} samples at {} kHz{iq}",
        shape.channels,
        shape.samples,
        kilo(waves.sample_rate_hz())
    )
}

fn image_words(image: &SonarImage) -> String {
    let shape = image.shape();
    let bits = match image.strengths() {
        Strengths::U8(_) => 8,
        Strengths::U16(_) => 16,
        Strengths::U32(_) => 32,
    };
    let last_s = image.first_s + image.interval_s * (shape.samples as f64 - 0.5);
    let reach = match image.sound_speed_m_per_s {
        Some(speed) => format!("to {:.2} m", 0.5 * speed * last_s),
        None => format!("to {:.2} ms", last_s * 1e3),
    };
    format!(
        "an image of {} beams by {} cells {reach}, {bits} bits each",
        shape.channels, shape.samples
    )
}

/// A thousandth of it, to three decimals.
fn kilo(hz: f64) -> f64 {
    hz.round() / 1e3
}

fn pulse_words(pulse: &Pulse) -> String {
    let (start, end, length) = (kilo(pulse.start_hz), kilo(pulse.end_hz), pulse.duration_s * 1e3);
    match pulse.kind {
        PulseKind::Lfm => format!("LFM {start} to {end} kHz, {length:.3} ms"),
        PulseKind::Cw => format!("CW {start} kHz, {length:.3} ms"),
    }
}

/// Counts a timeline to its end.
pub(super) fn sensors(rig: &Rig, timeline: impl Iterator<Item = Measurement>) -> Vec<SensorProbe> {
    let mut sensors: Vec<SensorProbe> = rig.sensors.iter().map(SensorProbe::new).collect();
    for measurement in timeline {
        if let Some(sensor) = sensors.get_mut(usize::from(measurement.sensor.0)) {
            sensor.take(&measurement);
        }
    }
    sensors.into_iter().map(SensorProbe::finish).collect()
}

/// What a run would have to do without.
pub(super) fn lacks(rig: &Rig, sensors: &[SensorProbe]) -> Vec<String> {
    let mut lacks = Vec::new();
    let kind = |kind: SensorKind| {
        rig.sensors
            .iter()
            .zip(sensors)
            .filter(move |(spec, _)| spec.kind == kind)
    };
    let both = kind(SensorKind::Lidar).next().is_some() && kind(SensorKind::Sonar).next().is_some();
    if kind(SensorKind::Nav).next().is_none() {
        lacks.push(
            "no nav: the path comes from the lidar alone, and the cloud has no place on the Earth".to_owned(),
        );
    } else if rig.origin.is_none() {
        lacks.push("no origin and no place in nav: the cloud has no place on the Earth".to_owned());
    }
    for (spec, found) in kind(SensorKind::Lidar) {
        if found.payloads > found.timed && !spec.deskewed {
            lacks.push(format!(
                "`{}`: no times of points, so motion during a scan stays in it (`deskewed = true` if it was removed)",
                spec.name
            ));
        }
    }
    for (spec, found) in kind(SensorKind::Sonar) {
        let name = &spec.name;
        if found.pulses.contains("none: listening only") {
            lacks.push(format!(
                "`{name}`: no pulse (`pulses.csv` and `pulse_id`), so there are no echoes, only sound"
            ));
        }
        if found.placed < found.payloads {
            lacks.push(format!(
                "`{name}`: nothing says where its channels look (`beams` in the rig)"
            ));
        }
        if rig.water == Water::Unknown && found.speeds < found.payloads {
            lacks.push(format!(
                "`{name}`: no speed of sound (`[water]`): a default is taken"
            ));
        }
    }
    if both && rig.vessel.waterline_m.is_none() {
        lacks.push(
            "no `waterline_m` under `[vessel]`: what is above and below water is not told apart".to_owned(),
        );
    }
    let spans = sensors
        .iter()
        .map(|sensor| (sensor.name.as_str(), sensor.span_ns));
    lacks.extend(apart(spans));
    lacks
}

#[cfg(test)]
mod tests {
    use beluga_types::{Beam, Elements, SampleValues, Vessel, WaveformShape};

    use super::*;

    fn ping(beam: Option<Beam>) -> SonarPing {
        let shape = WaveformShape {
            channels: 1,
            samples: 2,
        };
        let values = SampleValues::IqF32(vec![[0.0; 2]; 2]);
        let pulse = Pulse {
            kind: PulseKind::Cw,
            start_hz: 38e3 + 0.1,
            end_hz: 38e3 + 0.1,
            duration_s: 1e-3,
            shading: beluga_types::Shading::Rectangular,
        };
        SonarPing::Elements(Elements {
            waveforms: Waveforms::new(shape, values, 1.0, 1e6 / 12.0, 0.0, 0.0).unwrap(),
            positions: Vec::new().into(),
            beam,
            pulse: Some(pulse),
            sound_speed_m_per_s: Some(1500.0),
            blanking_m: 0.0,
        })
    }

    fn lacks_of(beam: Option<Beam>) -> (String, Vec<String>) {
        let rig = Rig {
            origin: None,
            vessel: Vessel::default(),
            water: Water::Unknown,
            sensors: vec![SensorSpec::new("sonar", SensorKind::Sonar)],
        };
        let mut sensor = SensorProbe::new(&rig.sensors[0]);
        sensor.take_ping(&ping(beam));
        sensor.payloads = 1;
        let words = sensor.shapes.first().unwrap().clone() + ", " + sensor.pulses.first().unwrap();
        (words, lacks(&rig, &[sensor]))
    }

    #[test]
    fn a_ping_with_a_beam_of_its_own_looks_somewhere() {
        let is_told = |lacks: &[String]| lacks.iter().any(|lack| lack.contains("nothing says where"));
        assert!(is_told(&lacks_of(None).1));
        let beam = Beam::at(0.0, 0.0, [0.1; 2], [0.1; 2]);
        assert!(!is_told(&lacks_of(Some(beam)).1));
    }

    #[test]
    fn frequencies_are_told_to_the_hertz() {
        let (words, _) = lacks_of(None);
        assert_eq!(
            words,
            "1 elements of 2 samples at 83.333 kHz I/Q, CW 38 kHz, 1.000 ms"
        );
    }
}
