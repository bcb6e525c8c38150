//! IHO S-44: which order of survey the bed meets, criterion by criterion.
//!
//! International Hydrographic Organization, "Standards for Hydrographic Surveys", S-44, edition 6,
//! table 1 (minimum bathymetry standards). All uncertainties are at 95 %. Orders are for the safety of
//! navigation; they say nothing about a structure, which is graded in its own classes.

use serde::Serialize;

pub use beluga_types::s44::{ORDERS, Order};

/// What was measured of the bed, or of one cell of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// Depth below the still water, in metres.
    pub depth_m: f64,
    /// Horizontal uncertainty at 95 %, in metres.
    pub thu_m: f64,
    /// Vertical uncertainty at 95 %, in metres.
    pub tvu_m: f64,
    /// Edge of the smallest cube that nine soundings, three by three, fall on, and that is not smaller
    /// than a beam's footprint, in metres.
    pub feature_m: f64,
    /// Part of the area searched, 2 if everything was seen on two passes.
    pub search: f64,
    /// Part of the area with soundings, 2 if everything has them from two passes.
    pub coverage: f64,
}

/// Whether each criterion of an order is met.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Criteria {
    /// The order's name.
    pub order: &'static str,
    /// Total horizontal uncertainty.
    pub thu: bool,
    /// Total vertical uncertainty.
    pub tvu: bool,
    /// Size of the feature that is detected.
    pub feature: bool,
    /// Feature search.
    pub search: bool,
    /// Part of the area that was searched well enough for this order's feature.
    pub searched: f64,
    /// Bathymetric coverage.
    pub coverage: bool,
}

impl Criteria {
    /// Each criterion of an order against what was measured. `search` is the part of the area searched
    /// well enough for this order's own feature.
    pub fn of(order: &Order, measured: &Measured, search: f64) -> Self {
        /// A part of an area is a quotient of counts.
        const ROUNDING: f64 = 1e-9;
        let depth_m = measured.depth_m;
        Self {
            order: order.name,
            thu: measured.thu_m <= order.thu_m(depth_m),
            tvu: measured.tvu_m <= order.tvu_m(depth_m),
            feature: order
                .feature_m(depth_m)
                .is_none_or(|edge| measured.feature_m <= edge),
            searched: search,
            search: order.search.is_none_or(|part| search + ROUNDING >= part),
            coverage: measured.coverage + ROUNDING >= order.coverage,
        }
    }

    /// Whether all of them are.
    pub fn met(&self) -> bool {
        self.thu && self.tvu && self.feature && self.search && self.coverage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_criterion_can_fail_an_order_by_itself() {
        let good = Measured {
            depth_m: 10.0,
            thu_m: 0.9,
            tvu_m: 0.16,
            feature_m: 0.4,
            search: 2.0,
            coverage: 2.0,
        };
        let strictest = |measured: &Measured| {
            let met = |order: &&Order| Criteria::of(order, measured, measured.search).met();
            ORDERS.iter().find(met).map(|order| order.name)
        };
        assert_eq!(strictest(&good), Some("Exclusive"));
        for (bad, order) in [
            (Measured { thu_m: 1.1, ..good }, Some("Special")),
            (Measured { tvu_m: 0.17, ..good }, Some("Special")),
            (
                Measured {
                    feature_m: 0.6,
                    ..good
                },
                Some("Special"),
            ),
            (Measured { search: 1.0, ..good }, Some("Special")),
            (
                Measured {
                    coverage: 1.5,
                    ..good
                },
                Some("Special"),
            ),
            (
                Measured {
                    coverage: 0.9,
                    ..good
                },
                Some("1a"),
            ),
            (Measured { search: 0.9, ..good }, Some("1b")),
            (Measured { tvu_m: 0.6, ..good }, Some("2")),
            (Measured { thu_m: 30.0, ..good }, None),
            (
                Measured {
                    coverage: 0.01,
                    ..good
                },
                None,
            ),
        ] {
            assert_eq!(strictest(&bad), order, "{bad:?}");
        }
    }
}
