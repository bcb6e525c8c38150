//! The sonar.

use serde::{Deserialize, Serialize};

use super::absolute::AbsoluteLevels;
use super::device::{ArrayShading, PulseShading, Quantity, SonarKind, Sweep};
use super::disturbance::{Hum, Neighbour};
use super::{WaterScenario, within};
use crate::error::Error;

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

impl SonarScenario {
    pub(super) fn check(&self, water: &WaterScenario) -> Result<(), Error> {
        if let Some(name) = &self.device {
            return Err(Error::Device {
                name: name.clone(),
                why: "its numbers have not been read: a scenario's text names a device, or `SonarScenario::of_device`"
                    .into(),
            });
        }
        self.check_pulse(water)?;
        self.check_arrays()?;
        self.check_receiver()?;
        self.check_size(water)
    }

    fn check_pulse(&self, water: &WaterScenario) -> Result<(), Error> {
        let c = self.sound_speed_m_per_s(water);
        let fastest = 0.5 * c / self.range_m;
        let widest = 0.9 * self.sample_rate_hz;
        let nearest = if self.in_air { 0.5 } else { 2.0 };
        within(
            "sonar.range_m",
            self.range_m,
            nearest,
            200.0,
            "2 to 200, in air 0.5 to 200",
        )?;
        within(
            "sonar.rate_hz",
            self.rate_hz,
            0.1,
            fastest.min(30.0),
            "0.1 to 30, and below c / (2 range)",
        )?;
        within("sonar.centre_hz", self.centre_hz, 10e3, 1e6, "10e3 to 1e6")?;
        within(
            "sonar.sample_rate_hz",
            self.sample_rate_hz,
            1e3,
            500e3,
            "1e3 to 500e3",
        )?;
        within("sonar.pulse_s", self.pulse_s, 1e-5, 2e-2, "1e-5 to 2e-2")?;
        match self.pulse_kind {
            Sweep::Lfm => within(
                "sonar.bandwidth_hz",
                self.bandwidth_hz,
                500.0,
                widest,
                "500 to 0.9 times the sample rate",
            )?,
            Sweep::Cw => within(
                "sonar.pulse_s",
                self.pulse_s,
                1.0 / widest,
                2e-2,
                "at least 1 / (0.9 sample rate): a shorter pulse is wider than the receiver's band",
            )?,
        }
        if let PulseShading::Tukey(taper) = self.pulse_shading {
            within(
                "sonar.pulse_shading",
                taper,
                0.0,
                1.0,
                "`tukey:` with a taper of 0 to 1",
            )?;
        }
        within("sonar.noise_db", self.noise_db, -200.0, 0.0, "-200 to 0")?;
        within(
            "sonar.full_scale_db",
            self.full_scale_db,
            -200.0,
            40.0,
            "-200 to 40",
        )?;
        within(
            "sonar.blanking_m",
            self.blanking_m,
            0.25 * c * self.pulse_s,
            self.range_m,
            "c pulse / 4, while which the device transmits, to the range",
        )
    }

    fn check_arrays(&self) -> Result<(), Error> {
        let widest = if self.kind.is_fan() { 10.0 } else { 120.0 };
        let widest_fan = if self.flat_receiver { 150.0 } else { 170.0 };
        let [along, across] = self.elements.map(f64::from);
        let fewest = if self.kind == SonarKind::Elements {
            2.0
        } else {
            1.0
        };
        for (key, found, low, high, expected) in [
            ("sonar.beams", self.beams.into(), 1.0, 1024.0, "1 to 1024"),
            (
                "sonar.fan_deg",
                self.fan_deg,
                0.0,
                widest_fan,
                "0 to 170, 150 of a flat receiver",
            ),
            (
                "sonar.mount_roll_deg",
                self.mount_roll_deg,
                -90.0,
                90.0,
                "-90 to 90",
            ),
            (
                "sonar.mount_pitch_deg",
                self.mount_pitch_deg,
                -180.0,
                180.0,
                "-180 to 180",
            ),
            (
                "sonar.mount_heading_deg",
                self.mount_heading_deg,
                -180.0,
                180.0,
                "-180 to 180",
            ),
            (
                "sonar.beam_width_deg",
                self.beam_width_deg,
                0.2,
                widest,
                "0.2 to 10, or 120 without a fan",
            ),
            (
                "sonar.elements",
                along.min(across),
                1.0,
                256.0,
                "at least 1 along and 1 across",
            ),
            (
                "sonar.elements",
                along * across,
                fewest,
                256.0,
                "2 to 256: one element has no aperture",
            ),
            (
                "sonar.element_spacing",
                self.element_spacing,
                0.1,
                20.0,
                "0.1 to 20",
            ),
            ("sonar.scan_deg", self.scan_deg, 1.0, 360.0, "1 to 360"),
            ("sonar.scan_step_deg", self.scan_step_deg, 0.1, 90.0, "0.1 to 90"),
            ("sonar.side_deg", self.side_deg, 0.0, 90.0, "0 to 90"),
        ] {
            within(key, found, low, high, expected)?;
        }
        for offset in self.mount_m {
            within("sonar.mount_m", offset, -50.0, 50.0, "-50 to 50")?;
        }
        for (key, width) in [
            ("sonar.transmit_along_deg", self.transmit_along_deg),
            ("sonar.transmit_across_deg", self.transmit_across_deg),
            ("sonar.receive_along_deg", self.receive_along_deg),
        ] {
            within(key, width.unwrap_or(1.0), 0.2, 120.0, "0.2 to 120")?;
        }
        let speed = self.head_sound_speed_m_per_s.unwrap_or(1500.0);
        within(
            "sonar.head_sound_speed_m_per_s",
            speed,
            300.0,
            1700.0,
            "300 to 1700",
        )
    }

    fn check_receiver(&self) -> Result<(), Error> {
        let values = self.samples_per_value.into();
        within("sonar.samples_per_value", values, 1.0, 1000.0, "1 to 1000")?;
        within(
            "sonar.profile_range_db",
            self.profile_range_db,
            10.0,
            200.0,
            "10 to 200",
        )?;
        within(
            "sonar.tvg_spreading_db",
            self.tvg_spreading_db,
            0.0,
            60.0,
            "0 to 60",
        )?;
        within(
            "sonar.tvg_absorption_db_per_m",
            self.tvg_absorption_db_per_m,
            0.0,
            20.0,
            "0 to 20",
        )?;
        within("sonar.detection_db", self.detection_db, 3.0, 60.0, "3 to 60")?;
        within("sonar.bits", self.bits.into(), 4.0, 16.0, "4 to 16")?;
        if let Some(crosstalk) = self.crosstalk_db {
            within("sonar.crosstalk_db", crosstalk, -120.0, 0.0, "-120 to 0")?;
        }
        if let Some(absolute) = self.absolute {
            absolute.check(self.in_air)?;
        }
        if let Some(hum) = self.hum {
            hum.check(self.centre_hz, self.sample_rate_hz)?;
        }
        self.neighbour.map_or(Ok(()), |other| other.check())
    }
}
