//! What each model is called, and how wide its beams are.
//!
//! Part numbers: `thirdparty/Oculus/Oculus.h` of apl-ocean-engineering/liboculus. Frequencies and widths: what is
//! known of the M series; of the widths only "up to 130° horizontally and 20° vertically" (the maker's user manual, 1)
//! was checked. A rig's `beams` replaces them.

/// Part numbers and names.
const PARTS: [(u16, &str); 19] = [
    (1032, "M750d"),
    (1041, "M370s"),
    (1042, "M1200d"),
    (1134, "M750d Fusion"),
    (1135, "M750d Artemis"),
    (1217, "MD370s Impulse"),
    (1219, "MD1200d Impulse"),
    (1228, "M1200d Artemis"),
    (1229, "M370s Artemis"),
    (1244, "MD750d Impulse"),
    (1433, "MD370s"),
    (1434, "MD750d"),
    (1435, "MD1200d"),
    (2203, "M3000d"),
    (2418, "MT370s"),
    (2419, "MT750d"),
    (2420, "MT1200d"),
    (2599, "MT3000d"),
    (2658, "MD3000d Impulse"),
];

/// What a sonar is: by its part number, else by its frequency where only one model has it.
pub(super) fn name(part: u16, frequency_hz: Option<f64>) -> Option<&'static str> {
    if let Some((_, name)) = PARTS.iter().find(|(number, _)| *number == part) {
        return Some(name);
    }
    match frequency_hz? {
        ..0.5e6 => Some("M370s"),
        ..0.9e6 => Some("M750d"),
        // An M750d's high, an M1200d's and an M3000d's low frequency are the same.
        ..1.6e6 => None,
        ..2.6e6 => Some("M1200d"),
        _ => Some("M3000d"),
    }
}

/// Two-way widths of a beam in degrees: its elevation, and across the fan.
pub(super) fn widths_deg(frequency_hz: Option<f64>) -> [f64; 2] {
    let across = match frequency_hz.unwrap_or(1.2e6) {
        ..0.5e6 => 2.0,
        ..0.9e6 => 1.0,
        ..1.6e6 => 0.6,
        _ => 0.4,
    };
    [20.0, across]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_known_by_its_part_or_its_frequency() {
        assert_eq!(name(2203, Some(1.2e6)), Some("M3000d"));
        assert_eq!(name(0, Some(2_098_880.597)), Some("M1200d"));
        assert_eq!(name(0, Some(1.2e6)), None, "three models have it");
        assert_eq!(name(0, None), None);
        assert_eq!(widths_deg(Some(2.1e6)), [20.0, 0.4]);
    }
}
