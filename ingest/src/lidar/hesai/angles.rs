//! Where the channels look: design values, and the correction file that each unit has.
//!
//! The file is text: a line for each channel with its number from 1, elevation (up) and azimuth
//! (clockwise from above, added to the rotor's) in degrees; a QT128's has other lines around them.
//! Sources of the design values: user manuals, appendix on the channel distribution.

use super::model::Model;

/// Elevation and azimuth of a channel, in degrees.
pub type Angle = (f64, f64);

/// The longest file that is read: 128 channels have some 4 kB.
pub const MAX_FILE: u64 = 1 << 18;

/// The design values of a model; nothing for a QT128, whose units differ by more than its beams.
pub fn design(model: Model) -> Option<Vec<Angle>> {
    Some(match model {
        Model::Pandar40P => PANDAR_40P_DEG
            .iter()
            .copied()
            .zip(pandar_40p_azimuths_deg())
            .collect(),
        Model::Pandar64 => PANDAR_64_DEG
            .iter()
            .copied()
            .zip(pandar_64_azimuths_deg())
            .collect(),
        Model::Qt64 => QT_64_DEG.to_vec(),
        Model::Xt32 => (0..32).map(|channel| (15.0 - f64::from(channel), 0.0)).collect(),
        Model::Qt128 => return None,
    })
}

/// The angles of a correction file.
///
/// # Errors
/// What was expected and what stands there.
pub fn of_file(text: &str, model: Model) -> Result<Vec<Angle>, String> {
    let lasers = model.lasers();
    let mut angles: Vec<Option<Angle>> = vec![None; lasers];
    for (number, line) in (1..).zip(text.lines()) {
        let Some((channel, angle)) = line_of(line) else {
            continue;
        };
        let (elevation, azimuth) = angle;
        if elevation.abs() > 90.0 || azimuth.abs() > 360.0 {
            return Err(format!(
                "line {number}: expected angles in degrees, found {elevation} and {azimuth}"
            ));
        }
        match channel.checked_sub(1).and_then(|channel| angles.get_mut(channel)) {
            Some(place @ None) => *place = Some(angle),
            Some(_) => {
                return Err(format!(
                    "line {number}: expected channel {channel} once, found a second"
                ));
            }
            None => {
                return Err(format!(
                    "line {number}: expected channels 1 to {lasers} of a {}, found {channel}",
                    model.name()
                ));
            }
        }
    }
    let found = angles.iter().flatten().count();
    match found == lasers {
        true => Ok(angles.into_iter().flatten().collect()),
        false => Err(format!(
            "expected channel, elevation and azimuth of {lasers} channels of a {}, found {found}",
            model.name()
        )),
    }
}

/// Channel, elevation and azimuth, if a line says them; heads and check sums do not.
fn line_of(line: &str) -> Option<(usize, Angle)> {
    let mut fields = line.split(',').map(str::trim);
    let channel = fields.next()?.parse().ok()?;
    let mut number = || {
        fields
            .next()?
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
    };
    Some((channel, (number()?, number()?)))
}

/// Three columns of lasers from the 7th to the 30th, the middle one above and below.
fn pandar_40p_azimuths_deg() -> impl Iterator<Item = f64> {
    (0..40).map(|channel| match channel {
        6..30 => [3.125, -5.208, -1.042][channel % 3],
        _ => -1.042,
    })
}

/// Six columns of lasers from the 7th to the 54th, one of them above and below.
fn pandar_64_azimuths_deg() -> impl Iterator<Item = f64> {
    (0..64).map(|channel| match channel {
        6..54 => [1.042, 3.125, 5.208, -5.208, -3.125, -1.042][channel % 6],
        _ => -1.042,
    })
}

/// Elevations.
const PANDAR_40P_DEG: [f64; 40] = [
    15.0, 11.0, 8.0, 5.0, 3.0, 2.0, 1.67, 1.33, 1.0, 0.67, 0.33, 0.0, -0.33, -0.67, -1.0, -1.33, -1.66, -2.0,
    -2.33, -2.67, -3.0, -3.33, -3.67, -4.0, -4.33, -4.67, -5.0, -5.33, -5.67, -6.0, -7.0, -8.0, -9.0, -10.0,
    -11.0, -12.0, -13.0, -14.0, -19.0, -25.0,
];

/// Elevations.
const PANDAR_64_DEG: [f64; 64] = [
    14.882, 11.032, 8.059, 5.057, 3.04, 2.028, 1.86, 1.688, 1.522, 1.351, 1.184, 1.013, 0.846, 0.675, 0.508,
    0.337, 0.169, 0.0, -0.169, -0.337, -0.508, -0.675, -0.845, -1.013, -1.184, -1.351, -1.522, -1.688, -1.86,
    -2.028, -2.198, -2.365, -2.536, -2.7, -2.873, -3.04, -3.21, -3.375, -3.548, -3.712, -3.884, -4.05,
    -4.221, -4.385, -4.558, -4.72, -4.892, -5.057, -5.229, -5.391, -5.565, -5.726, -5.898, -6.061, -7.063,
    -8.059, -9.06, -9.885, -11.032, -12.006, -12.974, -13.93, -18.889, -24.897,
];

/// Elevations and azimuths.
const QT_64_DEG: [Angle; 64] = [
    (-52.121, 8.736),
    (-49.785, 8.314),
    (-47.577, 7.964),
    (-45.477, 7.669),
    (-43.465, 7.417),
    (-41.528, 7.198),
    (-39.653, 7.007),
    (-37.831, 6.838),
    (-36.055, 6.688),
    (-34.32, 6.554),
    (-32.619, 6.434),
    (-30.95, 6.326),
    (-29.308, 6.228),
    (-27.69, 6.14),
    (-26.094, 6.059),
    (-24.517, 5.987),
    (-22.964, -5.27),
    (-21.42, -5.216),
    (-19.889, -5.167),
    (-18.372, -5.123),
    (-16.865, -5.083),
    (-15.368, -5.047),
    (-13.88, -5.016),
    (-12.399, -4.988),
    (-10.925, -4.963),
    (-9.457, -4.942),
    (-7.994, -4.924),
    (-6.535, -4.91),
    (-5.079, -4.898),
    (-3.626, -4.889),
    (-2.175, -4.884),
    (-0.725, -4.881),
    (0.725, 5.493),
    (2.175, 5.496),
    (3.626, 5.502),
    (5.079, 5.512),
    (6.534, 5.525),
    (7.993, 5.541),
    (9.456, 5.561),
    (10.923, 5.584),
    (12.397, 5.611),
    (13.877, 5.642),
    (15.365, 5.676),
    (16.861, 5.716),
    (18.368, 5.759),
    (19.885, 5.808),
    (21.415, 5.862),
    (22.959, 5.921),
    (24.524, -5.33),
    (26.101, -5.396),
    (27.697, -5.469),
    (29.315, -5.55),
    (30.957, -5.64),
    (32.627, -5.74),
    (34.328, -5.85),
    (36.064, -5.974),
    (37.84, -6.113),
    (39.662, -6.269),
    (41.537, -6.447),
    (43.475, -6.651),
    (45.487, -6.887),
    (47.587, -7.163),
    (49.795, -7.493),
    (52.133, -7.892),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn file(lasers: usize) -> String {
        let lines = (1..=lasers).map(|channel| format!("{channel},{}.5,-0.25\n", channel as f64 / 100.0));
        let lines: String = lines.map(|line| line.replace(".5,", "5,")).collect();
        format!("Channel,Elevation,Azimuth\n{lines}")
    }

    #[test]
    fn a_file_gives_each_channel_its_angles() {
        let angles = of_file(&file(32), Model::Xt32).unwrap();
        assert_eq!((angles.len(), angles[1]), (32, (0.025, -0.25)));
        let angles = of_file(&format!("EEFF,1,1\r\n{}3fa9c2\r\n", file(128)), Model::Qt128).unwrap();
        assert_eq!(angles.len(), 128);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let said = of_file(&file(32), Model::Qt64).unwrap_err();
        assert!(
            said.ends_with("of 64 channels of a PandarQT (QT64), found 32"),
            "{said}"
        );
        let said = of_file(&file(64), Model::Xt32).unwrap_err();
        assert_eq!(
            said,
            "line 34: expected channels 1 to 32 of a PandarXT-32, found 33"
        );
        let said = of_file(&file(32).replace("\n7,", "\n6,"), Model::Xt32).unwrap_err();
        assert_eq!(said, "line 8: expected channel 6 once, found a second");
        let said = of_file("1,1552,3", Model::Xt32).unwrap_err();
        assert_eq!(said, "line 1: expected angles in degrees, found 1552 and 3");
        assert!(of_file("1,nan,0", Model::Xt32).is_err());
        assert!(of_file("0,1,0", Model::Xt32).is_err());
    }

    #[test]
    fn design_values_are_those_of_the_manuals() {
        for (model, first, last) in [
            (Model::Pandar40P, (15.0, -1.042), (-25.0, -1.042)),
            (Model::Pandar64, (14.882, -1.042), (-24.897, -1.042)),
            (Model::Qt64, (-52.121, 8.736), (52.133, -7.892)),
            (Model::Xt32, (15.0, 0.0), (-16.0, 0.0)),
        ] {
            let angles = design(model).unwrap();
            assert_eq!(
                (angles[0], angles[angles.len() - 1], angles.len()),
                (first, last, model.lasers())
            );
        }
        let azimuths = |model| {
            design(model)
                .unwrap()
                .into_iter()
                .map(|angle| angle.1)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            azimuths(Model::Pandar40P)[5..11],
            [-1.042, 3.125, -5.208, -1.042, 3.125, -5.208]
        );
        assert_eq!(
            azimuths(Model::Pandar64)[5..10],
            [-1.042, 1.042, 3.125, 5.208, -5.208]
        );
        assert_eq!(design(Model::Qt128), None);
    }
}
