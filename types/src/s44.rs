//! IHO S-44: the orders of survey and their limits.
//!
//! International Hydrographic Organization, "Standards for Hydrographic Surveys", S-44, edition 6,
//! table 1 (minimum bathymetry standards). All uncertainties are at 95 %. Orders are for the safety of
//! navigation; they say nothing about a structure.

use crate::elementary::hypot;

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
        hypot(self.a_m, self.b * depth_m)
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

/// The strictest order whose largest uncertainties one sounding keeps within, as a number and in words.
/// What an order says of search, features and coverage is no matter of one sounding: 1a and 1b are
/// alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum SoundingOrder {
    /// Exclusive.
    Exclusive = 1,
    /// Special.
    Special = 2,
    /// 1a and 1b.
    First = 3,
    /// 2.
    Second = 4,
}

impl SoundingOrder {
    /// Every order, the strictest first.
    pub const ALL: [SoundingOrder; 4] = [Self::Exclusive, Self::Special, Self::First, Self::Second];

    /// The order of a sounding at this depth, with these uncertainties at 95 %, all in metres. Nothing
    /// if it keeps within none, or a number is not finite.
    pub fn of(depth_m: f64, thu_m: f64, tvu_m: f64) -> Option<Self> {
        let depth_m = depth_m.max(0.0);
        Self::ALL.into_iter().find(|order| {
            let limits = order.limits();
            thu_m <= limits.thu_m(depth_m) && tvu_m <= limits.tvu_m(depth_m)
        })
    }

    /// Its limits.
    pub const fn limits(self) -> &'static Order {
        match self {
            Self::Exclusive => &ORDERS[0],
            Self::Special => &ORDERS[1],
            Self::First => &ORDERS[2],
            Self::Second => &ORDERS[4],
        }
    }

    /// The word used in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exclusive => "Exclusive",
            Self::Special => "Special",
            Self::First => "1",
            Self::Second => "2",
        }
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
    fn a_sounding_keeps_within_the_strictest_order_that_holds_both() {
        let order = |thu_m: f64, tvu_m: f64| SoundingOrder::of(10.0, thu_m, tvu_m);
        assert_eq!(order(0.9, 0.16), Some(SoundingOrder::Exclusive));
        assert_eq!(order(1.1, 0.16), Some(SoundingOrder::Special));
        assert_eq!(order(0.9, 0.17), Some(SoundingOrder::Special));
        assert_eq!(order(5.4, 0.3), Some(SoundingOrder::First));
        assert_eq!(order(0.1, 1.0), Some(SoundingOrder::Second));
        assert_eq!(order(0.1, 1.1), None);
        assert_eq!(order(f64::NAN, 0.1), None);
        for order in SoundingOrder::ALL {
            assert!(order.limits().name.starts_with(order.name()), "{order:?}");
        }
    }
}
