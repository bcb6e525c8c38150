//! When each channel fires within its block.
//!
//! Sources: user manuals Pandar40P (table II.4), Pandar64 and PandarQT (appendix II; the same in
//! Hesai's SDK 2.0, `correction/firetime_correction/`), QT128C2X (appendix II, firing sequences).

use super::model::Model;

/// When a channel fires, in ns after its block starts; nothing if it does not fire. Channels are
/// counted from 0.
pub(super) fn channel_nanos(model: Model, channel: usize, is_first_sequence: bool) -> Option<i64> {
    match model {
        Model::Pandar40P => PANDAR_40P_NANOS.get(channel).copied(),
        Model::Pandar64 => PANDAR_64_NANOS.get(channel).copied(),
        Model::Qt128 => {
            let order = if is_first_sequence {
                &QT_128_FIRST
            } else {
                &QT_128_SECOND
            };
            let place = order
                .iter()
                .position(|fired| usize::from(*fired) == channel + 1)?;
            // Threes 3.168 µs apart, in each 0.856 µs from one to the next.
            Some(600 + 3_168 * (place / 3) as i64 + 856 * (place % 3) as i64)
        }
        Model::Qt64 => QT_64_NANOS.get(channel).copied(),
        Model::Xt32 => Some(368 + 1_512 * channel as i64),
    }
}

/// Before the block's end.
const PANDAR_40P_NANOS: [i64; 40] = [
    -42220, -28470, -16040, -3620, -45490, -31740, -47460, -54670, -20620, -33710, -40910, -8190, -20620,
    -27160, -50730, -8190, -14740, -36980, -45490, -52700, -23890, -31740, -38950, -11470, -18650, -25190,
    -48760, -6230, -12770, -35010, -21920, -9500, -43520, -29770, -17350, -4920, -42220, -28470, -16040,
    -3620,
];

/// Before the block's end.
const PANDAR_64_NANOS: [i64; 64] = [
    -23180, -21876, -20572, -19268, -17964, -16660, -11444, -46796, -7532, -36956, -50732, -54668, -40892,
    -44828, -31052, -34988, -48764, -52700, -38924, -42860, -29084, -33020, -46796, -25148, -36956, -50732,
    -27116, -40892, -44828, -31052, -34988, -48764, -25148, -38924, -42860, -29084, -33020, -52700, -6228,
    -54668, -15356, -27116, -10140, -23180, -4924, -21876, -14052, -17964, -8836, -19268, -3620, -20572,
    -12748, -16660, -7532, -11444, -6228, -15356, -10140, -4924, -3620, -14052, -8836, -12748,
];

const QT_64_NANOS: [i64; 64] = [
    12310, 14370, 16430, 18490, 20540, 22600, 24660, 26710, 29160, 31220, 33280, 35340, 37390, 39450, 41500,
    43560, 46610, 48670, 50730, 52780, 54840, 56900, 58950, 61010, 63450, 65520, 67580, 69630, 71690, 73740,
    75800, 77860, 80900, 82970, 85020, 87080, 89140, 91190, 93250, 95300, 97750, 99820, 101870, 103930,
    105980, 108040, 110100, 112150, 115200, 117260, 119320, 121380, 123430, 125490, 127540, 129600, 132050,
    134110, 136170, 138220, 140280, 142340, 144390, 146450,
];

/// The channels of the first sequence, counted from 1, in the order of their firing.
const QT_128_FIRST: [u8; 96] = [
    99, 65, 35, 102, 72, 38, 107, 73, 43, 110, 80, 46, 115, 81, 51, 118, 88, 54, 123, 89, 59, 126, 96, 62,
    97, 67, 33, 104, 70, 40, 105, 75, 41, 112, 78, 48, 113, 83, 49, 120, 86, 56, 121, 91, 57, 128, 94, 64,
    98, 68, 34, 103, 69, 39, 106, 76, 42, 111, 77, 47, 114, 84, 50, 119, 85, 55, 122, 92, 58, 127, 93, 63,
    100, 66, 36, 101, 71, 37, 108, 74, 44, 109, 79, 45, 116, 82, 52, 117, 87, 53, 124, 90, 60, 125, 95, 61,
];

/// The channels of the second sequence.
const QT_128_SECOND: [u8; 96] = [
    65, 99, 1, 72, 102, 8, 73, 107, 9, 80, 110, 16, 81, 115, 17, 88, 118, 24, 89, 123, 25, 96, 126, 32, 67,
    97, 3, 70, 104, 6, 75, 105, 11, 78, 112, 14, 83, 113, 19, 86, 120, 22, 91, 121, 27, 94, 128, 30, 68, 98,
    4, 69, 103, 5, 76, 106, 12, 77, 111, 13, 84, 114, 20, 85, 119, 21, 92, 122, 28, 93, 127, 29, 66, 100, 2,
    71, 101, 7, 74, 108, 10, 79, 109, 15, 82, 116, 18, 87, 117, 23, 90, 124, 26, 95, 125, 31,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_manuals() {
        for (model, channel, is_first, nanos) in [
            (Model::Pandar40P, 4, true, Some(-3_620)),
            (Model::Pandar40P, 8, true, Some(-54_670)),
            (Model::Pandar64, 12, true, Some(-54_668)),
            (Model::Qt64, 1, true, Some(12_310)),
            (Model::Qt64, 56, true, Some(129_600)),
            (Model::Qt64, 64, true, Some(146_450)),
            (Model::Xt32, 32, true, Some(47_240)),
            (Model::Qt128, 99, true, Some(600)),
            (Model::Qt128, 61, true, Some(100_520)),
            (Model::Qt128, 1, true, None),
            (Model::Qt128, 1, false, Some(2_312)),
            (Model::Qt128, 33, false, None),
        ] {
            assert_eq!(
                channel_nanos(model, channel - 1, is_first),
                nanos,
                "{model:?} {channel}"
            );
        }
    }

    #[test]
    fn every_channel_fires_once_a_turn_of_the_sequences() {
        for model in Model::ALL {
            for channel in 0..model.lasers() {
                let fires = [true, false].map(|first| channel_nanos(model, channel, first).is_some());
                assert!(fires.contains(&true), "{model:?} {channel}");
            }
            assert_eq!(channel_nanos(model, 200, true).is_some(), model == Model::Xt32);
        }
    }
}
