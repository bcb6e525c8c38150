//! One channel as the file goes on: what is known of it, and the ping that its samples are.

use std::collections::BTreeMap;
use std::sync::Arc;

use beluga_types::{
    Beam, Elements, FilterStage, Profile, Receiver, SampleValues, SonarPing, StrengthUnit, WaveformShape,
    Waveforms,
};

use super::filter::StageOf;
use super::samples::{SampleHead, SampleKind};
use super::xml::{Channel, Said, Transmission};
use crate::range::{MAX_FIRST_SAMPLE_S, MAX_PAYLOAD_S};

/// Speed of sound by which the blanking is told in metres, where the file has none, in m/s.
const SOUND_SPEED_M_PER_S: f64 = 1500.0;

/// What is known of one channel.
pub(super) struct State {
    channel: Channel,
    transmission: Result<Transmission, String>,
    stages: BTreeMap<i16, FilterStage>,
    receiver: Option<Arc<Receiver>>,
    /// A stage has been lost since the first was heard.
    lacks_stage: bool,
    sound_speed_m_per_s: Option<f64>,
    setting: Option<Arc<Setting>>,
}

/// What a ping's samples mean.
pub(super) struct Setting {
    pub(super) transmission: Transmission,
    receiver: Option<Arc<Receiver>>,
    lacks_stage: bool,
    width_rad: Option<[f64; 2]>,
    sound_speed_m_per_s: Option<f64>,
}

impl State {
    pub(super) fn new(channel: Channel) -> Self {
        Self {
            channel,
            transmission: Err("no parameters stand before it".into()),
            stages: BTreeMap::new(),
            receiver: None,
            lacks_stage: false,
            sound_speed_m_per_s: None,
            setting: None,
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.channel.id
    }

    /// Takes what a document says of this channel; whether it was its parameters.
    pub(super) fn hear(&mut self, said: Said) -> bool {
        match said {
            Said::Environment(speed) => {
                self.sound_speed_m_per_s = speed;
                self.setting = None;
                false
            }
            Said::Parameters(channels) => {
                let own = channels.into_iter().rev().find(|(id, _)| *id == self.channel.id);
                let Some((_, transmission)) = own else {
                    return false;
                };
                if self.transmission != transmission {
                    self.transmission = transmission;
                    self.setting = None;
                }
                true
            }
            Said::Configuration(_) | Said::Other => false,
        }
    }

    /// A stage of this channel's receiver has been lost: complex samples mean nothing until its
    /// stages come anew, from the first on.
    pub(super) fn lose_stage(&mut self) {
        self.lacks_stage = true;
        self.setting = None;
    }

    /// Takes a stage of this channel's receiver.
    ///
    /// # Errors
    /// If there is no such stage.
    pub(super) fn filter(&mut self, of: StageOf) -> Result<(), String> {
        if of.channel != self.channel.id {
            return Ok(());
        }
        self.setting = None;
        self.lacks_stage &= of.number != 1;
        self.stages.insert(of.number, of.stage);
        let stages = self.stages.values().cloned().collect();
        let receiver =
            Receiver::new(self.channel.receiver_rate_hz, stages).map_err(|wrong| wrong.to_string());
        self.receiver = receiver.as_ref().ok().cloned().map(Arc::new);
        self.lacks_stage |= receiver.is_err();
        receiver.map(|_| ())
    }

    /// What the next samples mean.
    ///
    /// # Errors
    /// If the file has not said it.
    pub(super) fn setting(&mut self) -> Result<Arc<Setting>, String> {
        if let Some(setting) = &self.setting {
            return Ok(Arc::clone(setting));
        }
        let setting = Arc::new(Setting {
            transmission: self.transmission.clone()?,
            receiver: self.receiver.clone(),
            lacks_stage: self.lacks_stage,
            width_rad: self.channel.width_rad,
            sound_speed_m_per_s: self.sound_speed_m_per_s,
        });
        self.setting = Some(Arc::clone(&setting));
        Ok(setting)
    }
}

impl Setting {
    /// From the start of transmission, which the file's times name, to its centre.
    pub(super) fn centre_s(&self) -> f64 {
        self.transmission
            .pulse
            .map_or(0.0, |pulse| 0.5 * pulse.duration_s)
    }

    /// The ping, and when its last sample was taken, in nanoseconds after the transmit centre.
    ///
    /// # Errors
    /// If samples and settings do not fit each other.
    pub(super) fn ping(&self, head: &SampleHead, bytes: &[u8]) -> Result<(SonarPing, i64), String> {
        let interval_s = self.transmission.interval_s;
        let first_s = f64::from(head.first) * interval_s - self.centre_s();
        let length_s = head.count as f64 * interval_s;
        if length_s > MAX_PAYLOAD_S || first_s.abs() > MAX_FIRST_SAMPLE_S {
            return Err(format!(
                "expected at most {MAX_PAYLOAD_S} s, found {length_s} s from {first_s} s on"
            ));
        }
        let beam = self.width_rad.map(|width| Beam::at(0.0, 0.0, width, width));
        if head.kind == SampleKind::Power {
            let end_s = first_s + (head.count - 1) as f64 * interval_s;
            return Ok((
                SonarPing::Profile(self.profile(head, bytes, beam, first_s)),
                nanos(end_s),
            ));
        }
        if self.lacks_stage {
            return Err("a stage of the receiver before it cannot be read".into());
        }
        let values = head.sectors(bytes);
        let shape = WaveformShape {
            channels: values.len() / head.count,
            samples: head.count,
        };
        let waveforms = Waveforms::new(
            shape,
            SampleValues::IqF32(values),
            1.0,
            1.0 / interval_s,
            0.0,
            first_s,
        )
        .and_then(|waveforms| match &self.receiver {
            Some(receiver) => waveforms.with_receiver(Arc::clone(receiver)),
            None => Ok(waveforms),
        })
        .map_err(|wrong| wrong.to_string())?;
        let end = waveforms.last_offset_nanos();
        let ping = Elements {
            waveforms,
            positions: Arc::from([]),
            beam,
            pulse: self.transmission.pulse,
            sound_speed_m_per_s: self.sound_speed_m_per_s,
            blanking_m: self.blanking_m(true),
        };
        Ok((SonarPing::Elements(ping), end))
    }

    /// Power over range. Its times already are without the receiver's delay.
    fn profile(&self, head: &SampleHead, bytes: &[u8], beam: Option<Beam>, first_s: f64) -> Profile {
        // Nothing is said of the beam: it is the half space below.
        let anywhere = Beam::at(0.0, 0.0, [std::f64::consts::PI; 2], [std::f64::consts::PI; 2]);
        Profile {
            strength: head.power_db(bytes),
            unit: StrengthUnit::Decibel,
            transmitted: self.transmission.pulse.is_some(),
            first_s,
            interval_s: self.transmission.interval_s,
            beam: beam.unwrap_or(anywhere),
            steering_rad: 0.0,
            sound_speed_m_per_s: self.sound_speed_m_per_s,
            blanking_m: self.blanking_m(false),
        }
    }

    /// While a part of the transmission is still heard, no echo is: as far as sound goes in the
    /// length of the pulse, of complex samples the pulse smeared over the receiver.
    fn blanking_m(&self, is_complex: bool) -> f64 {
        let Some(pulse) = self.transmission.pulse else {
            return 0.0;
        };
        let receiver = self.receiver.as_ref().filter(|_| is_complex);
        let length_s = pulse.duration_s + receiver.map_or(0.0, |receiver| receiver.length_s());
        let speed = self.sound_speed_m_per_s.unwrap_or(SOUND_SPEED_M_PER_S);
        0.5 * speed * length_s
    }
}

fn nanos(seconds: f64) -> i64 {
    (seconds.max(0.0) * 1e9).round() as i64
}
