//! IHO S-44: which order of survey the bed meets, criterion by criterion.
//!
//! International Hydrographic Organization, "Standards for Hydrographic Surveys", S-44, edition 6,
//! table 1 (minimum bathymetry standards). All uncertainties are at 95 %. Orders are for the safety of
//! navigation; they say nothing about a structure, which is graded in its own classes.

use serde::Serialize;

/// An order of survey with all its criteria.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Order {
    /// Its name.
    pub name: &'static str,
    /// Constant part of the largest total horizontal uncertainty, in metres.
    pub thu_m: f64,
    /// Part of it that grows with depth.
    pub thu_per_depth: f64,
    /// Part of the largest total vertical uncertainty that does not grow with depth, in metres.
    pub a_m: f64,
    /// The part that does, per metre of depth.
    pub b: f64,
    /// Edge of the cube that must be detected, in metres; nothing where the order names none.
    pub feature_m: Option<f64>,
    /// Depth from which on the cube is 10 % of the depth instead, in metres.
    pub feature_depth_m: Option<f64>,
    /// Feature search, as a part of the area: 2 is everything twice; nothing where it is only
    /// recommended.
    pub search: Option<f64>,
    /// Bathymetric coverage, as a part of the area. Order 1a asks for *up to* 100 %: what the
    /// search found must be measured, so any coverage of the table's minimum for 1b is taken.
    pub coverage: f64,
}

/// The orders, the strictest first.
pub const ORDERS: [Order; 5] = [
    Order {
        name: "Exclusive",
        thu_m: 1.0,
        thu_per_depth: 0.0,
        a_m: 0.15,
        b: 0.0075,
        feature_m: Some(0.5),
        feature_depth_m: None,
        search: Some(2.0),
        coverage: 2.0,
    },
    Order {
        name: "Special",
        thu_m: 2.0,
        thu_per_depth: 0.0,
        a_m: 0.25,
        b: 0.0075,
        feature_m: Some(1.0),
        feature_depth_m: None,
        search: Some(1.0),
        coverage: 1.0,
    },
    Order {
        name: "1a",
        thu_m: 5.0,
        thu_per_depth: 0.05,
        a_m: 0.5,
        b: 0.013,
        feature_m: Some(2.0),
        feature_depth_m: Some(40.0),
        search: Some(1.0),
        coverage: 0.05,
    },
    Order {
        name: "1b",
        thu_m: 5.0,
        thu_per_depth: 0.05,
        a_m: 0.5,
        b: 0.013,
        feature_m: None,
        feature_depth_m: None,
        search: None,
        coverage: 0.05,
    },
    Order {
        name: "2",
        thu_m: 20.0,
        thu_per_depth: 0.10,
        a_m: 1.0,
        b: 0.023,
        feature_m: None,
        feature_depth_m: None,
        search: None,
        coverage: 0.05,
    },
];

impl Order {
    /// Largest total vertical uncertainty at a depth in metres, at 95 %: √(a² + (b d)²).
    pub fn tvu_m(&self, depth_m: f64) -> f64 {
        self.a_m.hypot(self.b * depth_m)
    }

    /// Largest total horizontal uncertainty at a depth in metres, at 95 %.
    pub fn thu_m(&self, depth_m: f64) -> f64 {
        self.thu_m + self.thu_per_depth * depth_m
    }

    /// Edge of the smallest cube that must be detected at a depth.
    pub fn feature_m(&self, depth_m: f64) -> Option<f64> {
        let edge = self.feature_m?;
        match self.feature_depth_m {
            Some(from) if depth_m > from => Some(0.1 * depth_m),
            _ => Some(edge),
        }
    }
}

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
    fn the_vertical_uncertainty_has_its_check_values() {
        const DEPTHS: [f64; 5] = [5.0, 10.0, 20.0, 40.0, 100.0];
        for (place, expected) in [
            (0, [0.1546, 0.1677, 0.2121, 0.3354, 0.7649]),
            (1, [0.2528, 0.2610, 0.2915, 0.3905, 0.7906]),
            (2, [0.5042, 0.5166, 0.5636, 0.7214, 1.3928]),
            (3, [0.5042, 0.5166, 0.5636, 0.7214, 1.3928]),
            (4, [1.0066, 1.0261, 1.1007, 1.3588, 2.5080]),
        ] {
            for (depth, tvu) in DEPTHS.iter().zip(expected) {
                let found = ORDERS[place].tvu_m(*depth);
                assert!(
                    (found - tvu).abs() < 5.1e-5,
                    "{} at {depth} m: {found}",
                    ORDERS[place].name
                );
            }
        }
        assert_eq!([0, 1, 2, 4].map(|i| ORDERS[i].thu_m(20.0)), [1.0, 2.0, 6.0, 22.0]);
        assert_eq!(
            [20.0, 60.0].map(|depth| ORDERS[2].feature_m(depth)),
            [Some(2.0), Some(6.0)]
        );
        assert_eq!(ORDERS[3].feature_m(20.0), None);
    }

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
