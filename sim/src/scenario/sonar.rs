//! The sonar.

use serde::{Deserialize, Serialize};

use super::WaterScenario;
use super::absolute::AbsoluteLevels;
use super::device::{ArrayShading, PulseShading, Quantity, SonarKind, Sweep};
use super::disturbance::{Hum, Neighbour};

/// The sonar. By default a multibeam by beams: a narrow transmit line along track crossed with
/// narrow receive beams. A file of `sim/devices/` is this table with a real device's numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SonarScenario {
    /// A device of [`super::DEVICES`], or the path of a file like theirs, whose numbers stand for
    /// those not named here. Nothing once they have been read.
    #[serde(skip_serializing)]
    pub device: Option<String>,
    /// What the device is, for people.
    pub model: String,
    /// What the device gives.
    pub kind: SonarKind,
    /// Whether the sound travels in air, at the speed of the water table's temperature.
    pub in_air: bool,
    /// Receive beams; 1 to 1024.
    pub beams: u16,
    /// Angle from the first beam's axis to the last one's, in degrees; 0 to 170.
    pub fan_deg: f64,
    /// Place of the mount: forward, starboard, down, in metres; -50 to 50.
    pub mount_m: [f64; 3],
    /// Roll of the mount, in degrees; negative looks to starboard.
    pub mount_roll_deg: f64,
    /// Pitch of the mount, in degrees; -180 to 180.
    pub mount_pitch_deg: f64,
    /// Heading of the mount, in degrees; -180 to 180.
    pub mount_heading_deg: f64,
    /// Width of a receive beam across track at -3 dB, in degrees, and of the transmit beam along
    /// track if nothing else is said; of a multibeam both are two-way widths. 0.2 to 10 for a fan,
    /// to 120 for all others.
    pub beam_width_deg: f64,
    /// One-way width of the transmit beam along track, in degrees; 0.2 to 120.
    pub transmit_along_deg: Option<f64>,
    /// One-way width of the transmit beam across track, in degrees, 0.2 to 120; everywhere without.
    pub transmit_across_deg: Option<f64>,
    /// One-way width of the receive beams along track, in degrees, 0.2 to 120; so wide that it does
    /// not matter without.
    pub receive_along_deg: Option<f64>,
    /// How the transmit arrays are shaded.
    pub transmit_shading: ArrayShading,
    /// How the receive arrays are shaded.
    pub receive_shading: ArrayShading,
    /// Whether the receive array is flat, so that beams widen away from its broadside and steer by
    /// the speed of sound at the head; else an arc, whose beams are all alike.
    pub flat_receiver: bool,
    /// Whether the receiver focuses at each range; else it takes every wave front for plane.
    pub focused: bool,
    /// Speed of sound that the device believes at its head, in m/s, 300 to 1700; the true one without.
    pub head_sound_speed_m_per_s: Option<f64>,
    /// Elements along and across track, of a device by elements; 2 to 256 together.
    pub elements: [u16; 2],
    /// From element to element, in wavelengths of the middle frequency; 0.1 to 20.
    pub element_spacing: f64,
    /// Of a scanning head: the sector it sweeps about straight down, in degrees; 1 to 360.
    pub scan_deg: f64,
    /// Of a scanning head: how far it turns from ping to ping, in degrees; 0.1 to 90.
    pub scan_step_deg: f64,
    /// Of a side-scan: each side's axis from straight down, in degrees; 0 to 90.
    pub side_deg: f64,
    /// Samples of a waveform for one value of a profile; 1 to 1000.
    pub samples_per_value: u16,
    /// What a profile's values are.
    pub profile: Quantity,
    /// Decibels from the least to the largest value of a profile in decibels; 10 to 200.
    pub profile_range_db: f64,
    /// Time-varied gain of a profile, in dB per decade of range; 0 to 60.
    pub tvg_spreading_db: f64,
    /// Time-varied gain of a profile, in dB per metre of range, two ways; 0 to 20.
    pub tvg_absorption_db_per_m: f64,
    /// What a peak must stand above the noise to be a detection, of a device that detects, in dB;
    /// 3 to 60.
    pub detection_db: f64,
    /// Pings per second; 0.1 to 30, and no faster than the range allows.
    pub rate_hz: f64,
    /// Range recorded, in metres; 2 to 200; from 0.5 in air.
    pub range_m: f64,
    /// Carrier frequency, in hertz.
    pub centre_hz: f64,
    /// Swept or constant frequency.
    pub pulse_kind: Sweep,
    /// Amplitude over the pulse.
    pub pulse_shading: PulseShading,
    /// Width of the linear sweep, in hertz; less than the sample rate. Not of a constant frequency.
    pub bandwidth_hz: f64,
    /// Length of the pulse, in seconds.
    pub pulse_s: f64,
    /// Complex samples per second.
    pub sample_rate_hz: f64,
    /// Whether the Doppler shift of a sweep is written out with its phase and a standing envelope,
    /// and not as the shift in time that it nearly is. That of a constant frequency always is.
    pub exact_doppler: bool,
    /// Power of the receiver noise per complex sample, in dB against the echo of a target of 0 dB
    /// at 1 m.
    pub noise_db: f64,
    /// Amplitude of a full-scale count, in dB against the same echo.
    pub full_scale_db: f64,
    /// Levels in absolute terms, from which the two above follow; none without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absolute: Option<AbsoluteLevels>,
    /// Bits of a sample, or of a profile's value; 4 to 16.
    pub bits: u8,
    /// Amplitude that leaks from each neighbouring channel, in dB; -120 to 0; none without.
    pub crosstalk_db: Option<f64>,
    /// The device's own hum.
    pub hum: Option<Hum>,
    /// Another device that pings at its own rate.
    pub neighbour: Option<Neighbour>,
    /// Echoes nearer than this are not recorded as valid, in metres.
    pub blanking_m: f64,
}

impl Default for SonarScenario {
    fn default() -> Self {
        Self {
            device: None,
            model: "simulated multibeam".into(),
            kind: SonarKind::Beams,
            in_air: false,
            beams: 256,
            fan_deg: 120.0,
            mount_m: [0.1, 0.45, 0.5],
            mount_roll_deg: -40.0,
            mount_pitch_deg: 0.6,
            mount_heading_deg: -0.9,
            beam_width_deg: 1.0,
            transmit_along_deg: None,
            transmit_across_deg: None,
            receive_along_deg: None,
            transmit_shading: ArrayShading::Hann,
            receive_shading: ArrayShading::Hann,
            flat_receiver: false,
            focused: true,
            head_sound_speed_m_per_s: None,
            elements: [1, 16],
            element_spacing: 0.5,
            scan_deg: 360.0,
            scan_step_deg: 1.0,
            side_deg: 60.0,
            samples_per_value: 1,
            profile: Quantity::Decibels,
            profile_range_db: 80.0,
            tvg_spreading_db: 0.0,
            tvg_absorption_db_per_m: 0.0,
            detection_db: 13.0,
            rate_hz: 15.0,
            range_m: 20.0,
            centre_hz: 300e3,
            pulse_kind: Sweep::Lfm,
            pulse_shading: PulseShading::Tukey(0.1),
            bandwidth_hz: 48e3,
            pulse_s: 1e-3,
            sample_rate_hz: 60e3,
            exact_doppler: false,
            noise_db: -105.0,
            full_scale_db: -40.0,
            absolute: None,
            bits: 16,
            crosstalk_db: None,
            hum: None,
            neighbour: None,
            blanking_m: 1.0,
        }
    }
}

impl SonarScenario {
    /// Speed of sound at the sonar, in m/s: the water's, or of air 331.3 sqrt(1 + T / 273.15) (L. Kinsler
    /// et al., "Fundamentals of Acoustics", Wiley 2000; 343.21 m/s at 20 °C).
    pub fn sound_speed_m_per_s(&self, water: &WaterScenario) -> f64 {
        if self.in_air {
            331.3 * (1.0 + water.temperature_deg_c / 273.15).sqrt()
        } else {
            water.sound_speed_m_per_s
        }
    }
}
