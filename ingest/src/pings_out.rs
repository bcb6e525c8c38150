//! A sonar's recording, written ping by ping: WAV files and the table that says which ping is where.

use std::path::{Path, PathBuf};

use beluga_types::{Measurement, SensorSpec, SonarPing};

use crate::error::Error;
use crate::exact::{degrees, number, optional};
use crate::pings::{OPTIONAL, REQUIRED};
use crate::pulses::{LISTENING, PulseRow};
use crate::wav::WavOut;
use crate::writer::TableOut;

/// The pings of one sonar.
pub(crate) struct PingsOut {
    folder: PathBuf,
    name: String,
    table: TableOut,
    wav: Option<WavOut>,
    files: u64,
}

impl PingsOut {
    /// Starts a table and, with the first ping, the WAV files beside it.
    pub(crate) fn create(table: &Path, name: &str) -> Result<Self, Error> {
        let header = format!("{},{}\n", REQUIRED.join(","), OPTIONAL.join(","));
        Ok(Self {
            folder: table.parent().unwrap_or(Path::new(".")).to_owned(),
            name: name.to_owned(),
            table: TableOut::create(table.to_owned(), &header)?,
            wav: None,
            files: 0,
        })
    }

    /// Writes a ping; what was transmitted is found in `pulses` or put there.
    pub(crate) fn push(
        &mut self,
        measurement: &Measurement,
        ping: &SonarPing,
        spec: &SensorSpec,
        pulses: &mut Vec<PulseRow>,
    ) -> Result<(), Error> {
        let no_place = |what: &str| Error::Unsupported {
            what: format!(
                "{what} of sensor `{}`, which only a tape (`.mcap`) holds,",
                spec.name
            ),
            path: self.folder.clone(),
        };
        let (waveforms, pulse, steering_rad, speed, blanking_m) = match ping {
            SonarPing::Beams(ping) if spec.beams.as_deref() != Some(&*ping.beams) => {
                return Err(no_place("a ping with other beams than the rig's"));
            }
            SonarPing::Beams(ping) => {
                let speed = ping.sound_speed_m_per_s;
                (
                    &ping.waveforms,
                    Some(ping.pulse),
                    ping.steering_rad,
                    speed,
                    ping.blanking_m,
                )
            }
            SonarPing::Elements(ping) if !ping.positions.is_empty() => {
                return Err(no_place("a ping with its own element positions"));
            }
            SonarPing::Elements(ping) if ping.beam.is_some() => {
                return Err(no_place("a ping of a transducer's sectors"));
            }
            SonarPing::Elements(ping) if spec.beams.is_some() && ping.pulse.is_some() => {
                return Err(no_place("a ping by elements, since the rig has beams,"));
            }
            SonarPing::Elements(ping) => (
                &ping.waveforms,
                ping.pulse,
                0.0,
                ping.sound_speed_m_per_s,
                ping.blanking_m,
            ),
            SonarPing::Profile(_) => return Err(no_place("a profile")),
            SonarPing::Detections(_) => return Err(no_place("a ping of detections")),
            SonarPing::Image(_) => return Err(no_place("an image")),
        };
        if waveforms.receiver().is_some() {
            return Err(no_place("a receiver's filter stages"));
        }
        let rate = waveforms.sample_rate_hz();
        let row = PulseRow {
            pulse,
            centre_hz: waveforms.values().is_iq().then(|| waveforms.centre_hz()),
            scale: waveforms.scale(),
            sample_rate_hz: Some(rate).filter(|rate| rate.round() != *rate),
        };
        let pulse_id = if row == LISTENING {
            String::new()
        } else {
            let known = pulses.iter().position(|known| *known == row);
            let id = known.unwrap_or_else(|| {
                pulses.push(row);
                pulses.len() - 1
            });
            id.to_string()
        };
        if self.wav.as_ref().is_some_and(|wav| !wav.takes(waveforms)) {
            self.wav.take().map_or(Ok(()), WavOut::finish)?;
        }
        let wav = match &mut self.wav {
            Some(wav) => wav,
            None => {
                self.files += 1;
                let path = self.folder.join(file_name(&self.name, self.files - 1));
                self.wav.insert(WavOut::create(&path, waveforms)?)
            }
        };
        let start = wav.append(waveforms)?;
        let line = format!(
            "{},{},{},{},{start},{},{pulse_id},{},{},{},{}\n",
            measurement.seq,
            measurement.stamp.nanos(),
            measurement.received.nanos(),
            file_name(&self.name, self.files - 1),
            waveforms.shape().samples,
            number(degrees(steering_rad)),
            optional(speed),
            number(blanking_m),
            number(waveforms.first_sample_s()),
        );
        self.table.push(&line)
    }

    /// Ends the last WAV file and the table.
    pub(crate) fn finish(self) -> Result<(), Error> {
        self.wav.map_or(Ok(()), WavOut::finish)?;
        self.table.finish()
    }
}

fn file_name(name: &str, index: u64) -> String {
    format!("{name}-{index:03}.wav")
}
