//! Where the beams of each lens look: tables, since an acoustic lens does not space them evenly.
//!
//! Source: `beam-width-metrics/BeamWidths_*.h` of SoundMetrics/aris-file-sdk (composites of measured patterns), centres
//! of beams in 0.0001°. Beam 0 is the right-most (`docs/understanding-aris-data.md`), and the tables begin with negative
//! angles: they grow to port. All but one are even about the middle.

const STANDARD_48: [i32; 24] = [
    3461, 10343, 17170, 23931, 30632, 37264, 43823, 50291, 56661, 62897, 69019, 75026, 80899, 86630, 92206,
    97597, 102824, 107921, 112881, 117721, 122442, 127003, 131419, 135735,
];
const STANDARD_96: [i32; 96] = [
    -137490, -135347, -133174, -130975, -128758, -126498, -124197, -121855, -119476, -117069, -114636,
    -112173, -109676, -107144, -104579, -101985, -99352, -96680, -93961, -91195, -88385, -85535, -82654,
    -79738, -76781, -73793, -70774, -67727, -64652, -61549, -58416, -55246, -52046, -48824, -45578, -42310,
    -39019, -35711, -32387, -29044, -25686, -22314, -18925, -15519, -12098, -8664, -5216, -1757, 1706, 5169,
    8628, 12076, 15510, 18931, 22337, 25726, 29098, 32456, 35799, 39123, 42431, 45722, 48990, 52236, 55458,
    58658, 61828, 64961, 68064, 71139, 74186, 77205, 80193, 83150, 86066, 88947, 91797, 94607, 97373, 100092,
    102764, 105397, 107991, 110556, 113088, 115585, 118048, 120481, 122888, 125267, 127609, 129910, 132170,
    134387, 136586, 138759,
];
const STANDARD_64: [i32; 32] = [
    2490, 7450, 12420, 17380, 22050, 26720, 31400, 36070, 40740, 45410, 50080, 54760, 59430, 64100, 68770,
    73440, 78120, 82790, 87460, 92130, 96800, 101480, 106150, 110820, 115490, 120160, 124840, 129510, 133890,
    138270, 142650, 147030,
];
const STANDARD_128: [i32; 64] = [
    1230, 3690, 6150, 8610, 11070, 13540, 16000, 18460, 20780, 23090, 25410, 27730, 30040, 32360, 34680,
    37000, 39310, 41630, 43950, 46260, 48580, 50900, 53210, 55530, 57850, 60160, 62480, 64800, 67120, 69430,
    71750, 74070, 76380, 78700, 81020, 83330, 85650, 87970, 90290, 92600, 94920, 97240, 99550, 101870,
    104190, 106500, 108820, 111140, 113450, 115770, 118090, 120410, 122720, 125040, 127360, 129670, 131850,
    134020, 136190, 138360, 140530, 142710, 144880, 147050,
];
const TELEPHOTO_48: [i32; 24] = [
    1540, 4590, 7640, 10690, 13740, 16800, 19670, 22540, 25410, 28290, 31160, 34030, 36900, 39780, 42650,
    45520, 48390, 51260, 53960, 56650, 59340, 62040, 64730, 67420,
];
const TELEPHOTO_96: [i32; 48] = [
    800, 2400, 4000, 5600, 7200, 8800, 10390, 11990, 13590, 15180, 16770, 18360, 19950, 21540, 23130, 24710,
    26300, 27880, 29470, 31050, 32640, 34220, 35810, 37390, 38970, 40550, 42130, 43700, 45260, 46820, 48380,
    49930, 51480, 53020, 54560, 56090, 57630, 59150, 60680, 62200, 63720, 65230, 66740, 68240, 69740, 71230,
    72710, 74190,
];

/// Where beams look and how wide each is, in degrees, by their number: positive to *starboard*, so falling.
pub(super) fn beams_deg(count: usize, telephoto: bool) -> Option<Vec<[f64; 2]>> {
    let half: &[i32] = match (count, telephoto) {
        (48, false) => &STANDARD_48,
        (64, false) => &STANDARD_64,
        (96, false) => return Some(with_widths(STANDARD_96.iter().map(to_starboard).collect())),
        (128, false) => &STANDARD_128,
        (48, true) => &TELEPHOTO_48,
        (96, true) => &TELEPHOTO_96,
        _ => return None,
    };
    let starboard = half.iter().rev().map(|centre| -to_starboard(centre));
    Some(with_widths(
        starboard.chain(half.iter().map(to_starboard)).collect(),
    ))
}

fn to_starboard(centre: &i32) -> f64 {
    f64::from(-centre) * 1e-4
}

/// Each beam reaches half-way to its neighbours; the outermost as far outwards as inwards.
fn with_widths(centres: Vec<f64>) -> Vec<[f64; 2]> {
    let last = centres.len() - 1;
    let width = |beam: usize| {
        let (before, after) = (beam.saturating_sub(1), (beam + 1).min(last));
        (centres[before] - centres[after]) / (after - before) as f64
    };
    (0..=last).map(|beam| [centres[beam], width(beam)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beams_fall_from_starboard_to_port_and_are_not_even() {
        for (count, telephoto) in [
            (48, false),
            (64, false),
            (96, false),
            (128, false),
            (48, true),
            (96, true),
        ] {
            let beams = beams_deg(count, telephoto).unwrap();
            assert_eq!(beams.len(), count);
            assert!(beams.windows(2).all(|two| two[1][0] < two[0][0]));
            assert!(beams[0][0] > 6.0 && beams[count - 1][0] < -6.0);
            let widths = beams.iter().map(|[_, width]| *width);
            assert!(widths.clone().all(|width| width > 0.1 && width < 0.8));
            assert!(widths.clone().fold(0.0, f64::max) > 1.05 * widths.fold(9.0, f64::min));
        }
        let steps = |deg: f64| (deg * 1e4).round();
        let [first, width] = beams_deg(48, false).unwrap()[0];
        assert_eq!((steps(first), steps(width)), (135_735.0, 4316.0));
        let uneven = beams_deg(96, false).unwrap();
        assert_eq!(
            (steps(uneven[0][0]), steps(uneven[95][0])),
            (137_490.0, -138_759.0)
        );
        assert_eq!((beams_deg(64, true), beams_deg(0, false)), (None, None));
    }
}
