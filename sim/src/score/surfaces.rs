//! Distances along the normal by medium, label and kind of surface.

use std::collections::BTreeMap;

use beluga_types::{Label, Medium};
use serde::{Serialize, Serializer};

use super::histogram::{Histogram, SurfaceError};
use crate::scene::Kind;

/// A histogram for each medium, label and kind that has points; at most 2 × 9 × kinds of 80 kB.
#[derive(Clone, Debug, Default)]
pub(super) struct Surfaces {
    parts: BTreeMap<(Medium, Label, Option<Kind>), Histogram>,
}

/// Errors of one medium's points of one label, on one kind of surface.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SurfaceRow {
    /// What the points were seen through.
    #[serde(serialize_with = "medium_name")]
    pub medium: Medium,
    /// What the run took them to be.
    #[serde(serialize_with = "label_name")]
    pub label: Label,
    /// The nearest true surface; nothing for points farther than half a metre from all.
    pub kind: Option<Kind>,
    /// Their distances along its normal.
    pub error: SurfaceError,
}

fn medium_name<S: Serializer>(medium: &Medium, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(medium.name())
}

fn label_name<S: Serializer>(label: &Label, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(label.name())
}

impl Surfaces {
    /// Adds a point with its nearest surface and its distance from it, if one is near.
    pub(super) fn add(&mut self, medium: Medium, label: Label, nearest: Option<(Kind, f64)>) {
        self.parts
            .entry((medium, label, nearest.map(|(kind, _)| kind)))
            .or_insert_with(Histogram::new)
            .add(nearest.map(|(_, signed_m)| signed_m));
    }

    /// All points of a medium whatever their label and surface, in bins of `bin_m` from -0.25 m to 0.25 m.
    pub(super) fn shape(&self, medium: Medium, bin_m: f64) -> Vec<u64> {
        let bins = (0.5 / bin_m).round() as usize;
        let mut shape = vec![0; bins];
        for ((of, label, _), part) in &self.parts {
            if *of == medium && !super::is_set_aside(*label) {
                part.fold_into(&mut shape, -0.25, bin_m);
            }
        }
        shape
    }

    pub(super) fn finish(&self) -> Vec<SurfaceRow> {
        let row = |(&(medium, label, kind), part): (&(Medium, Label, Option<Kind>), &Histogram)| SurfaceRow {
            medium,
            label,
            kind,
            error: part.finish(),
        };
        self.parts.iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_medium_label_and_kind_has_its_own_row() {
        let mut surfaces = Surfaces::default();
        for (medium, label, nearest) in [
            (Medium::Air, Label::Unknown, Some((Kind::Wall, 0.021))),
            (Medium::Air, Label::Unknown, Some((Kind::Wall, 0.021))),
            (Medium::Air, Label::Mirror, None),
            (Medium::Water, Label::Unknown, Some((Kind::Bed, -0.051))),
        ] {
            surfaces.add(medium, label, nearest);
        }
        let rows = surfaces.finish();
        assert_eq!(rows.len(), 3);
        assert_eq!((rows[0].kind, rows[0].error.points), (Some(Kind::Wall), 2));
        assert!((rows[0].error.bias_m - 0.021).abs() < 1e-4);
        assert_eq!(
            (rows[1].label, rows[1].error.outlier_fraction),
            (Label::Mirror, 1.0)
        );
        assert!((rows[2].error.signed_median_m + 0.051).abs() < 1e-4);
        let shape = surfaces.shape(Medium::Air, 0.01);
        assert_eq!((shape.len(), shape[27], shape.iter().sum::<u64>()), (50, 2, 2));
        let text = serde_json::to_string(&rows[0]).unwrap();
        assert!(
            text.contains(r#""medium":"air","label":"unknown","kind":"wall""#),
            "{text}"
        );
    }
}
