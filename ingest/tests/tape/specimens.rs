//! One rig, and a run with every payload there is, from a seed.

use std::sync::Arc;

use beluga_types::{
    AttitudeFix, Beam, Beams, ClockState, DepthFix, Detection, Detections, Direction, Elements, FilterStage,
    Gap, GapCause, Geodetic, GnssFix, ImuSample, LidarScan, Measurement, Origin, Payload, Point, PoseFix,
    Profile, Pulse, PulseKind, Receiver, Rig, SampleValues, SensorId, SensorKind, SensorSpec, Shading,
    SonarImage, SonarPing, SoundSpeedSample, Stamp, StrengthUnit, Strengths, Transform, VelocityFix, Vessel,
    Water, WaveformShape, Waveforms,
};
use nalgebra::{Matrix3, Matrix6, UnitQuaternion, Vector3};

/// Numbers from a seed: splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.bits() % most
    }

    /// Any finite number, by its bits.
    fn wild(&mut self) -> f64 {
        let value = f64::from_bits(self.bits());
        if value.is_finite() { value } else { -0.0 }
    }

    fn wild_f32(&mut self) -> f32 {
        let value = f32::from_bits(self.bits() as u32);
        if value.is_finite() { value } else { -0.0 }
    }

    fn coordinate(&mut self) -> f32 {
        (self.bits() as u32 as f32 / 4_294_967_296.0 - 0.5) * 400.0
    }

    fn many<T>(&mut self, count: usize, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..count).map(|_| one(self)).collect()
    }

    fn maybe<T>(&mut self, one: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(2) == 1).then(|| one(self))
    }

    fn direction<S: beluga_types::Space>(&mut self) -> Direction<S> {
        Direction::new(self.wild(), self.wild(), self.wild())
    }

    fn rotation(&mut self) -> UnitQuaternion<f64> {
        let [roll, pitch, yaw] = [0; 3].map(|_| f64::from(self.coordinate()));
        // The quaternion and its negative are one rotation, but not one value.
        let rotation = UnitQuaternion::from_euler_angles(roll, pitch, yaw);
        UnitQuaternion::new_unchecked(if self.below(2) == 0 { *rotation } else { -*rotation })
    }

    fn matrix3(&mut self) -> Matrix3<f64> {
        Matrix3::from_fn(|_, _| self.wild())
    }

    fn beam(&mut self) -> Beam {
        Beam {
            direction: self.direction(),
            transmit_width_rad: [self.wild(), self.wild()],
            receive_width_rad: [self.wild(), self.wild()],
        }
    }

    fn pulse(&mut self) -> Pulse {
        Pulse {
            kind: [PulseKind::Lfm, PulseKind::Cw][self.below(2) as usize],
            start_hz: self.wild(),
            end_hz: self.wild(),
            duration_s: self.wild(),
            shading: [Shading::Rectangular, Shading::Hann, Shading::Tukey(self.wild())]
                [self.below(3) as usize],
        }
    }

    fn waveforms(&mut self) -> Waveforms {
        let shape = WaveformShape {
            channels: self.below(4) as usize,
            samples: self.below(9) as usize,
        };
        let count = shape.channels * shape.samples;
        let values = match self.below(4) {
            0 => SampleValues::RealI16(self.many(count, |r| r.bits() as i16)),
            1 => SampleValues::IqI16(self.many(count, |r| [r.bits() as i16, r.bits() as i16])),
            2 => SampleValues::RealF32(self.many(count, Self::wild_f32)),
            _ => SampleValues::IqF32(self.many(count, |r| [r.wild_f32(), r.wild_f32()])),
        };
        let rate = 100.0 + self.below(1 << 40) as f64 / 4096.0;
        let first_s = f64::from(self.coordinate()) / 10.0;
        let plain = Waveforms::new(
            shape,
            values,
            0.1 + self.below(9) as f32,
            rate,
            self.below(1 << 20) as f64,
            first_s,
        )
        .unwrap();
        match self.maybe(|r| r.receiver(rate)) {
            Some(receiver) => plain.with_receiver(receiver).unwrap(),
            None => plain,
        }
    }

    fn receiver(&mut self, output_rate_hz: f64) -> Arc<Receiver> {
        let count = self.below(3) as usize;
        let stages = self.many(count, |r| FilterStage {
            coefficients: {
                let taps = 1 + r.below(5) as usize;
                r.many(taps, |r| [r.wild_f32(), r.wild_f32()])
            },
            decimation: 1 + r.below(9) as u32,
        });
        let whole: f64 = stages.iter().map(|stage| f64::from(stage.decimation)).product();
        Arc::new(Receiver::new(output_rate_hz * whole, stages).unwrap())
    }

    fn scan(&mut self) -> LidarScan {
        let points = self.below(20) as usize;
        let mut scan = LidarScan::new(
            self.many(points, Self::coordinate),
            self.many(points, Self::coordinate),
            self.many(points, Self::coordinate),
        )
        .unwrap()
        .with_dropped(self.bits() as u32);
        if self.below(2) == 1 {
            scan = scan.with_intensity(self.many(points, Self::wild_f32)).unwrap();
        }
        if self.below(2) == 1 {
            scan = scan.with_ring(self.many(points, |r| r.bits() as u16)).unwrap();
        }
        if self.below(2) == 1 {
            scan = scan
                .with_offset_nanos(self.many(points, |r| r.bits() as i32))
                .unwrap();
        }
        scan
    }

    fn ping(&mut self) -> SonarPing {
        let speed = self.maybe(Self::wild);
        let blanking_m = self.below(1000) as f64 * 0.001;
        match self.below(5) {
            0 => SonarPing::Elements(Elements {
                waveforms: self.waveforms(),
                positions: self
                    .maybe(|r| r.many(3, |r| Point::new(r.wild(), r.wild(), r.wild())))
                    .unwrap_or_default()
                    .into(),
                beam: self.maybe(Self::beam),
                pulse: self.maybe(Self::pulse),
                sound_speed_m_per_s: speed,
                blanking_m,
            }),
            1 => {
                let waveforms = self.waveforms();
                let beams = self.many(waveforms.shape().channels, Self::beam).into();
                let (pulse, steering_rad) = (self.pulse(), self.wild());
                SonarPing::Beams(
                    Beams::new(waveforms, beams, pulse, steering_rad, speed, blanking_m).unwrap(),
                )
            }
            2 => SonarPing::Profile(Profile {
                strength: {
                    let count = self.below(9) as usize;
                    self.many(count, Self::wild_f32)
                },
                unit: match self.below(2) {
                    0 => StrengthUnit::Amplitude,
                    _ => StrengthUnit::Decibel,
                },
                transmitted: self.below(2) == 1,
                first_s: self.wild(),
                interval_s: self.wild(),
                beam: self.beam(),
                steering_rad: self.wild(),
                sound_speed_m_per_s: speed,
                blanking_m,
            }),
            3 => SonarPing::Image(self.image()),
            _ => SonarPing::Detections(Detections {
                detections: {
                    let count = self.below(5) as usize;
                    self.many(count, Self::detection)
                },
                sound_speed_m_per_s: speed,
                beam_width_rad: [self.wild(), self.wild()],
            }),
        }
    }

    fn image(&mut self) -> SonarImage {
        let shape = WaveformShape {
            channels: self.below(4) as usize,
            samples: self.below(9) as usize,
        };
        let count = shape.channels * shape.samples;
        let strengths = match self.below(3) {
            0 => Strengths::U8(self.many(count, |r| r.bits() as u8)),
            1 => Strengths::U16(self.many(count, |r| r.bits() as u16)),
            _ => Strengths::U32(self.many(count, |r| r.bits() as u32)),
        };
        let beams = self.many(shape.channels, Self::beam).into();
        let gains = self.maybe(|r| r.many(shape.samples, |r| r.bits() as u32));
        let image = SonarImage::new(shape, strengths, beams).unwrap();
        let mut image = image.with_cell_gains(gains.unwrap_or_default()).unwrap();
        image.scale = 0.1 + self.below(9) as f32;
        image.unit = [StrengthUnit::Amplitude, StrengthUnit::Decibel][self.below(2) as usize];
        image.transmitted = self.below(2) == 1;
        (image.first_s, image.interval_s) = (self.wild(), self.wild());
        (image.centre_hz, image.sound_speed_m_per_s) = (self.maybe(Self::wild), self.maybe(Self::wild));
        image.blanking_m = self.wild();
        image
    }

    fn detection(&mut self) -> Detection {
        Detection {
            two_way_time_s: self.wild(),
            receive_angle_rad: self.wild(),
            transmit_tilt_rad: self.wild(),
            transmit_delay_s: self.wild(),
            sector: self.bits() as u16,
            level_db: self.wild_f32(),
            quality: self.wild_f32(),
        }
    }

    fn payload(&mut self, kind: u64) -> (SensorId, Payload) {
        let (lidar, sonar, nav) = (SensorId(0), SensorId(1), SensorId(2));
        match kind {
            0 => (lidar, Payload::Lidar(Arc::new(self.scan()))),
            1..=4 => (sonar, Payload::Sonar(Arc::new(self.ping()))),
            5 => (
                nav,
                Payload::Imu(ImuSample {
                    rate_rad_per_s: self.direction(),
                    specific_force_m_per_s2: self.direction(),
                }),
            ),
            6 => (
                nav,
                Payload::Gnss(GnssFix {
                    place: Geodetic {
                        latitude_rad: self.wild(),
                        longitude_rad: self.wild(),
                        height_m: self.wild(),
                    },
                    covariance_m2: self.maybe(Self::matrix3),
                }),
            ),
            7 => (
                nav,
                Payload::Pose(PoseFix {
                    world_from_body: Transform::new(
                        self.rotation(),
                        Vector3::new(self.wild(), self.wild(), self.wild()),
                    ),
                    covariance: self.maybe(|r| Matrix6::from_fn(|_, _| r.wild())),
                }),
            ),
            8 => (
                nav,
                Payload::Attitude(AttitudeFix {
                    world_from_body: self.rotation(),
                    covariance_rad2: self.maybe(Self::matrix3),
                }),
            ),
            9 => (
                nav,
                Payload::Velocity(VelocityFix {
                    velocity_m_per_s: self.direction(),
                    sigma_m_per_s: Vector3::new(self.wild(), self.wild(), self.wild()),
                    over_ground: self.below(2) == 1,
                }),
            ),
            10 => (
                nav,
                Payload::Depth(DepthFix {
                    depth_m: self.wild(),
                    sigma_m: self.wild(),
                }),
            ),
            11 => (
                nav,
                Payload::SoundSpeed(SoundSpeedSample {
                    sound_speed_m_per_s: self.wild(),
                    depth_m: self.maybe(Self::wild),
                }),
            ),
            12 => (
                nav,
                Payload::Clock(ClockState {
                    offset_nanos: self.bits() as i64,
                    sigma_nanos: self.wild(),
                    locked: self.below(2) == 1,
                }),
            ),
            _ => (
                SensorId(self.below(3) as u16),
                Payload::Gap(Gap {
                    lost: self.bits(),
                    cause: GapCause::ALL[self.below(5) as usize],
                    detail: ["", "line 3: `ü\0\"\n`"][self.below(2) as usize].into(),
                }),
            ),
        }
    }

    /// So many measurements, in timeline order, about half a second of data time apart, with every
    /// kind of payload among the first fourteen but the sonar's, which is drawn.
    pub(crate) fn run(&mut self, count: usize) -> Vec<Measurement> {
        // From before 1970, so that times below zero are among them.
        let mut end = -2_000_000_000i64;
        (0..count as u64)
            .map(|index| {
                end += self.below(1_000_000_000) as i64 + 1;
                let (sensor, payload) = self.payload(index % 14);
                Measurement {
                    seq: self.bits(),
                    sensor,
                    stamp: Stamp::from_nanos(end - self.below(60_000_000_000) as i64),
                    end: Stamp::from_nanos(end),
                    received: Stamp::from_nanos(end + self.below(1 << 40) as i64),
                    payload,
                }
            })
            .collect()
    }
}

/// A lidar, a sonar by beams and a nav, with all that a rig can say.
pub(crate) fn rig() -> Rig {
    let mut front = SensorSpec::new("front lidar/1", SensorKind::Lidar);
    front.reference = true;
    front.mount.forward_m = 1.25;
    front.mount.attitude.pitch_rad = (-3.5f64).to_radians();
    front.time_offset_nanos = -12_345_678;
    front.source = Some("scans".into());
    let mut fan = SensorSpec::new("fan", SensorKind::Sonar);
    let beam = |across: f64| Beam::at(across, 0.1, [0.02, 2.0], [0.4, 0.02]);
    fan.beams = Some([beam(-0.7), beam(0.123_456_789), beam(0.3)].into());
    Rig {
        origin: Some(Origin {
            anchor: Geodetic::from_degrees(54.1, 12.1, 38.5),
            epsg: Some(25833),
            vertical_datum: Some("DHHN2016".into()),
        }),
        vessel: Vessel {
            waterline_m: Some(0.35),
        },
        water: Water::Profile(vec![(0.0, 1480.0), (5.5, 1475.25)].into()),
        sensors: vec![front, fan, SensorSpec::new("ins", SensorKind::Nav)],
    }
}
