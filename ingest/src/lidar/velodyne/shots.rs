//! In which order a packet's measurements were fired, and when.
//!
//! Sources: VLP-16 User Manual 63-9243 Rev. E, section 9.4 (2.304 µs between firings, 55.296 µs
//! between sequences); HDL-32E application note 63-9277 Rev. D (1.152 and 46.080 µs); VLP-32C User
//! Manual 63-9325 Rev. C, section 9.4 (two lasers at a time, 2.304 and 55.296 µs); HDL-64E S2 and
//! S3 User Manuals, laser firing time tables; VLS-128: groups of eight lasers each 2.66666 µs, twenty
//! such times in a sequence, as Kitware's VelodynePlugin 5.1 takes them from the manual; 2.89 µs from
//! firmware 5.2.3 on, as velodyne-decoder 3.1 has it.

use super::model::{Model, Returns};
use super::packet::PER_BLOCK;

/// One measurement of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shot {
    pub(super) block: u8,
    pub(super) channel: u8,
    /// The block with the other return of the same firing, if it has been looked at before.
    pub(super) twin: Option<u8>,
    /// Which [`Aim`] it has.
    pub(super) aim: u8,
    /// After the packet's time, in ns.
    pub(super) offset_nanos: i32,
}

/// One laser at one time after its block's azimuth was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Aim {
    pub(super) laser: u8,
    /// After the block's azimuth, in s.
    pub(super) after_s: f64,
}

/// What was fired while one azimuth is told.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// The first block, which tells the azimuth.
    pub(super) block: u8,
    /// When the azimuth was taken, in ns after that of the packet's first column.
    pub(super) after_nanos: f64,
    /// In the order of their firing.
    pub(super) shots: Vec<Shot>,
}

/// How the packets of one model and return mode are read.
#[derive(Clone, Debug)]
pub(super) struct Shots {
    /// In the order of their firing.
    pub(super) columns: Vec<Column>,
    pub(super) aims: Vec<Aim>,
    /// Which bank each block must hold; fewer blocks than the packet has if the rest is empty.
    pub(super) banks: Vec<u8>,
}

/// How a model lays firings into blocks.
struct Layout {
    /// Blocks of one firing sequence, one return.
    blocks: usize,
    /// Firing sequences in one block.
    sequences: usize,
    /// When a laser fires within its sequence, in ns.
    fires: fn(usize) -> f64,
    /// When a sequence whose first laser fires at its beginning begins, in ns after the packet's time.
    begins_nanos: f64,
}

fn layout(model: Model) -> Layout {
    let (blocks, sequences, fires): (_, _, fn(usize) -> f64) = match model {
        Model::PuckHiRes | Model::Vlp16 => (1, 2, |laser| 2_304.0 * laser as f64),
        Model::Hdl32e => (1, 1, |laser| 1_152.0 * laser as f64),
        Model::Vlp32c => (1, 1, |laser| 2_304.0 * (laser / 2) as f64),
        // Upper and lower block fire together, four lasers in a row and a pause.
        Model::Hdl64eS2 => (2, 1, |laser| {
            6_000.0 * (laser % 32 / 4) as f64 + [0.0, 1_260.0, 2_460.0, 3_660.0][laser % 4]
        }),
        Model::Hdl64eS3 => (2, 1, |laser| {
            7_200.0 * (laser % 32 / 4) as f64 + [0.0, 1_300.0, 2_500.0, 3_700.0][laser % 4]
        }),
        // Eight lasers together; the eighth group is followed by two times of maintenance.
        Model::Vls128 => (4, 1, |laser| 2_666.66 * (laser / 8 + laser / 64 * 2) as f64),
        Model::Vls128Slow => (4, 1, |laser| 2_890.0 * (laser / 8 + laser / 64 * 2) as f64),
    };
    Layout {
        blocks,
        sequences,
        fires,
        // The hour begins with the fourth group of a VLS-128's sequence.
        begins_nanos: if model.lasers() == 128 { -7_000.0 } else { 0.0 },
    }
}

impl Shots {
    pub(super) fn new(model: Model, returns: Returns) -> Self {
        let (layout, lasers) = (layout(model), model.lasers());
        let dual = returns == Returns::Dual;
        let aims: Vec<Aim> = (0..PER_BLOCK * layout.blocks)
            .map(|place| {
                let begins = model.cycle_nanos() * (place / lasers) as f64;
                Aim {
                    laser: (place % lasers) as u8,
                    after_s: 1e-9 * (begins + (layout.fires)(place % lasers)),
                }
            })
            .collect();
        let (mut columns, mut banks) = (Vec::new(), Vec::new());
        let blocks = blocks_of(model, dual, layout.blocks);
        for column in 0..model.cycles(dual) / layout.sequences {
            let first = banks.len();
            let after_nanos = model.cycle_nanos() * (column * layout.sequences) as f64;
            let mut shots = Vec::new();
            for (place, aim) in aims.iter().enumerate() {
                let mut twin = None;
                let own = (first..)
                    .zip(&blocks)
                    .filter(|(_, bank)| **bank == place / PER_BLOCK);
                for block in own.map(|(block, _)| block as u8) {
                    let offset = layout.begins_nanos + after_nanos + 1e9 * aim.after_s;
                    shots.push(Shot {
                        block,
                        channel: (place % PER_BLOCK) as u8,
                        twin,
                        aim: place as u8,
                        offset_nanos: offset.round() as i32,
                    });
                    twin = Some(block);
                }
            }
            // Lasers of two blocks that fire together stand apart in the packet.
            shots.sort_by_key(|shot| shot.offset_nanos);
            columns.push(Column {
                block: first as u8,
                after_nanos,
                shots,
            });
            banks.extend(blocks.iter().map(|bank| *bank as u8));
        }
        Self { columns, aims, banks }
    }

    /// Every shot, in the order of their firing.
    #[cfg(test)]
    fn all(&self) -> impl Iterator<Item = &Shot> {
        self.columns.iter().flat_map(|column| &column.shots)
    }
}

/// The banks of the blocks that hold one group of sequences, in their order.
fn blocks_of(model: Model, dual: bool, blocks: usize) -> Vec<usize> {
    match (dual, model) {
        (false, _) => (0..blocks).collect(),
        // Both banks of the one return, then both of the other.
        (true, Model::Hdl64eS2 | Model::Hdl64eS3) => vec![0, 1, 0, 1],
        (true, _) => (0..blocks).flat_map(|bank| [bank, bank]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(model: Model, returns: Returns) -> Shots {
        Shots::new(model, returns)
    }

    #[test]
    fn every_measurement_is_looked_at_once_and_in_the_order_of_firing() {
        for model in Model::ALL {
            for returns in [Returns::Single, Returns::Dual] {
                let shots = of(model, returns);
                let blocks = if (model.lasers(), returns) == (128, Returns::Dual) {
                    8
                } else {
                    12
                };
                assert_eq!(shots.banks.len(), blocks, "{model:?}");
                let mut places: Vec<_> = shots.all().map(|shot| (shot.block, shot.channel)).collect();
                places.sort_unstable();
                let all: Vec<_> = (0..blocks as u8)
                    .flat_map(|block| (0..32).map(move |channel| (block, channel)))
                    .collect();
                assert_eq!(places, all, "{model:?} {returns:?}");
                assert!(shots.all().is_sorted_by_key(|shot| shot.offset_nanos));
                let twins = shots.all().filter(|shot| shot.twin.is_some()).count();
                let expected = if returns == Returns::Dual { 16 * blocks } else { 0 };
                assert_eq!(twins, expected, "{model:?}");
            }
        }
    }

    #[test]
    fn times_are_those_of_the_manuals() {
        let at = |model, returns, block: u8, channel: u8| {
            let shots = of(model, returns);
            let shot = shots
                .all()
                .find(|shot| (shot.block, shot.channel) == (block, channel));
            f64::from(shot.unwrap().offset_nanos) * 1e-3
        };
        let close =
            |found: f64, expected: f64| assert!((found - expected).abs() < 2e-3, "{found} {expected}");
        let (single, dual) = (Returns::Single, Returns::Dual);
        // VLP-16, figure 9-6 and 9-7: last laser of the packet.
        close(at(Model::Vlp16, single, 0, 15), 34.560);
        close(at(Model::Vlp16, single, 0, 16), 55.296);
        close(at(Model::Vlp16, single, 11, 31), 1306.368);
        close(at(Model::Vlp16, dual, 1, 31), 89.856);
        close(at(Model::Vlp16, dual, 11, 31), 642.816);
        // HDL-32E: last of the packet.
        close(at(Model::Hdl32e, single, 11, 31), 542.592);
        // VLP-32C: lasers fire in pairs.
        close(at(Model::Vlp32c, single, 1, 2), 57.6);
        close(at(Model::Vlp32c, single, 1, 3), 57.6);
        // HDL-64E: lower block with the upper; the second return with the first.
        close(at(Model::Hdl64eS2, single, 3, 7), 48.0 + 6.0 + 3.66);
        close(at(Model::Hdl64eS3, dual, 3, 0), 0.0);
        // VLS-128: laser 64 fires after eight groups and two times of rest, seven µs early.
        close(at(Model::Vls128, single, 2, 0), 10.0 * 2.666_66 - 7.0);
        close(at(Model::Vls128, single, 4, 0), 53.333 - 7.0);
        close(at(Model::Vls128, dual, 5, 0), 10.0 * 2.666_66 - 7.0);
    }
}
