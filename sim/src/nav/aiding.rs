//! How good satellite positions are at a moment and place.

use nalgebra::Vector3;

use crate::scenario::{FixKind, OutageScenario};

/// The worst of what the outages say at `t` seconds and a place in `Quay`.
pub(super) fn kind_at(outages: &[OutageScenario], t: f64, in_quay: &Vector3<f64>) -> FixKind {
    outages
        .iter()
        .filter(|outage| t >= outage.from_s && t < outage.to_s && within(outage, in_quay))
        .map(|outage| outage.kind)
        .max()
        .unwrap_or_default()
}

fn within(outage: &OutageScenario, in_quay: &Vector3<f64>) -> bool {
    let Some([low, high]) = outage.bounds_m else {
        return true;
    };
    (0..3).all(|axis| in_quay[axis] >= low[axis] && in_quay[axis] <= high[axis])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_time_and_place_counts() {
        let outages = [
            OutageScenario {
                kind: FixKind::Float,
                from_s: 5.0,
                to_s: 10.0,
                bounds_m: None,
            },
            OutageScenario {
                bounds_m: Some([[0.0, -5.0, -1.0], [4.0, 5.0, 6.0]]),
                ..OutageScenario::default()
            },
        ];
        let at = |t, x| kind_at(&outages, t, &Vector3::new(x, 0.0, 2.0));
        assert_eq!(at(0.0, 9.0), FixKind::Fixed);
        assert_eq!(at(6.0, 9.0), FixKind::Float);
        assert_eq!(at(6.0, 3.0), FixKind::Outage, "under the bridge");
        assert_eq!(at(10.0, 9.0), FixKind::Fixed);
    }
}
