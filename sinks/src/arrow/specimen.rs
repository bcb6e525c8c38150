//! Frames for tests: seeded, with every variant somewhere.

use beluga_types::{
    ArcTable, ClockState, FrameClock, FrameGap, FrameInput, FrameStatus, GapCause, Label, Medium, PointTable,
    PoseSource, SensorCalibration, SensorId, SharedState, SharedStates, SolidarFrame, SonarRegistration,
    Stamp, Transform, Waterline, Window,
};
use nalgebra::{Matrix6, UnitQuaternion, Vector3, Vector6};

/// SplitMix64: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators",
/// OOPSLA 2014.
struct Seeded(u64);

impl Seeded {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.bits() % bound as u64) as usize
    }

    /// Within ±`size`.
    fn within(&mut self, size: f64) -> f64 {
        ((self.bits() >> 11) as f64 / (1u64 << 53) as f64 * 2.0 - 1.0) * size
    }

    fn column(&mut self, rows: usize, size: f64) -> Vec<f32> {
        (0..rows).map(|_| self.within(size) as f32).collect()
    }

    fn sigmas(&mut self, rows: usize) -> Vec<f32> {
        (0..rows)
            .map(|_| (self.within(0.1).abs() + 1e-3) as f32)
            .collect()
    }

    fn levels(&mut self, rows: usize) -> Vec<Option<f32>> {
        (0..rows)
            .map(|_| (self.below(3) > 0).then(|| self.within(40.0) as f32))
            .collect()
    }

    fn labels(&mut self, rows: usize) -> Vec<Label> {
        (0..rows).map(|_| Label::ALL[self.below(9)]).collect()
    }

    fn transform<To: beluga_types::Space, From: beluga_types::Space>(
        &mut self,
        metres: f64,
    ) -> Transform<To, From> {
        let turn = Vector3::new(self.within(3.0), self.within(3.0), self.within(3.0));
        let place = Vector3::new(self.within(metres), self.within(metres), self.within(metres));
        Transform::new(UnitQuaternion::from_scaled_axis(turn), place)
    }

    fn matrix(&mut self) -> Matrix6<f64> {
        let root = Matrix6::from_fn(|_, _| self.within(0.1));
        root * root.transpose()
    }

    fn vector(&mut self) -> Vector6<f64> {
        Vector6::from_fn(|_, _| self.within(1.0))
    }
}

/// A frame with this many points and arcs; equal seeds give equal frames.
pub(crate) fn frame(seed: u64, points: usize, arcs: usize) -> SolidarFrame {
    let mut seeded = Seeded(seed);
    let sensor = SensorId(1);
    let states = [
        SharedState::PoseRotation(2),
        SharedState::PoseTranslation(0),
        SharedState::Boresight(sensor, 1),
        SharedState::SoundSpeed(sensor),
    ];
    let states = states[..seeded.below(5)].to_vec();
    let covariance = (0..states.len() * states.len())
        .map(|_| seeded.within(1.0))
        .collect();
    let end = Stamp::from_nanos(1_760_000_000_000_000_000 + seed as i64 * 100_000_000);
    SolidarFrame {
        index: seed,
        window: Window {
            start: end.shifted_nanos(-100_000_000),
            end,
        },
        inputs: vec![
            FrameInput {
                sensor: SensorId(0),
                measurements: 1,
                dropped_points: seeded.below(9) as u32,
            },
            FrameInput {
                sensor,
                measurements: 2,
                dropped_points: 0,
            },
        ],
        gaps: (0..seeded.below(3))
            .map(|_| FrameGap {
                sensor,
                lost: seeded.bits(),
                cause: GapCause::ALL[seeded.below(5)],
            })
            .collect(),
        clocks: (0..=seeded.below(2))
            .map(|id| FrameClock {
                sensor: SensorId(id as u16),
                state: ClockState {
                    offset_nanos: -(seeded.below(1000) as i64),
                    sigma_nanos: seeded.within(1e6).abs(),
                    locked: seeded.below(2) == 1,
                },
            })
            .collect(),
        world_from_body: seeded.transform(500.0),
        pose_covariance: seeded.matrix(),
        localizability: std::array::from_fn(|_| seeded.within(1.0).abs()),
        twist: seeded.vector(),
        shared: SharedStates { states, covariance },
        waterline: seed.is_multiple_of(2).then(|| Waterline {
            z_m: seeded.within(1.0),
            sigma_m: 0.02,
        }),
        calibration: (0..2)
            .map(|id| SensorCalibration {
                sensor: SensorId(id),
                body_from_sensor: seeded.transform(3.0),
                time_offset_nanos: -(seeded.below(1000) as i64),
                sound_speed_m_per_s: (id == 1).then_some(1483.25),
            })
            .collect(),
        status: FrameStatus {
            pose_source: PoseSource::ALL[seeded.below(4)],
            sonar_registration: registration(&mut seeded),
        },
        points: point_table(&mut seeded, points),
        arcs: arc_table(&mut seeded, arcs),
    }
}

fn registration(seeded: &mut Seeded) -> SonarRegistration {
    match seeded.below(3) {
        0 => SonarRegistration::NotTried,
        1 => SonarRegistration::Refused {
            reason: "too few partners: 3 of 20 – «пять»".into(),
        },
        _ => SonarRegistration::Measured {
            correction: seeded.vector(),
            covariance: Box::new(seeded.matrix()),
            matched: seeded.below(5000) as u32,
        },
    }
}

fn point_table(seeded: &mut Seeded, rows: usize) -> PointTable {
    PointTable {
        x: seeded.column(rows, 80.0),
        y: seeded.column(rows, 80.0),
        z: seeded.column(rows, 20.0),
        offset_nanos: (0..rows).map(|_| -(seeded.below(100_000_000) as i32)).collect(),
        sensor: (0..rows).map(|_| seeded.below(2) as u16).collect(),
        medium: (0..rows).map(|_| Medium::ALL[seeded.below(2)]).collect(),
        level: seeded.column(rows, 255.0),
        snr_db: seeded.levels(rows),
        sigma_range_m: seeded.sigmas(rows),
        sigma_along_m: seeded.sigmas(rows),
        sigma_across_m: seeded.sigmas(rows),
        label: seeded.labels(rows),
        source_seq: (0..rows).map(|_| seeded.bits()).collect(),
        source_index: (0..rows).map(|i| i as u32).collect(),
    }
}

fn arc_table(seeded: &mut Seeded, rows: usize) -> ArcTable {
    ArcTable {
        origin: std::array::from_fn(|_| seeded.column(rows, 1.0)),
        direction: std::array::from_fn(|_| seeded.column(rows, 1.0)),
        plane: std::array::from_fn(|_| seeded.column(rows, 1.0)),
        range_m: seeded.column(rows, 30.0),
        half_angle_rad: seeded.column(rows, 0.3),
        offset_nanos: vec![-7; rows],
        sensor: vec![1; rows],
        level: seeded.column(rows, 90.0),
        snr_db: seeded.levels(rows),
        sigma_range_m: seeded.sigmas(rows),
        sigma_across_m: seeded.sigmas(rows),
        label: seeded.labels(rows),
        source_seq: vec![u64::MAX; rows],
        source_index: (0..rows).map(|i| i as u32).collect(),
    }
}
