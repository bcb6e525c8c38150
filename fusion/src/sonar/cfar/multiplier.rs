//! Multipliers on an estimate of the noise for a chosen chance of a false alarm.
//!
//! All are exact for independent training cells of exponential power. Where the chance is known as a
//! function of the multiplier only, that function is solved by bisection.

use beluga_types::elementary::powf;

/// Multiplier on the mean of `cells` independent exponential cells:
/// `N (Pfa^(-1/N) - 1)`; Finn and Johnson, RCA Review 29 (1968).
pub fn ca_multiplier(cells: usize, false_alarm_rate: f64) -> f64 {
    let n = cells as f64;
    n * (powf(false_alarm_rate, -1.0 / n) - 1.0)
}

/// Multiplier on the smaller of two half means, `cells` in all; Trunk, IEEE Trans. Aerosp. Electron.
/// Syst. 14 (1978).
pub fn soca_multiplier(cells: usize, false_alarm_rate: f64) -> f64 {
    let half = (cells / 2).max(1);
    solved(false_alarm_rate, |multiplier| smallest_rate(half, multiplier))
}

/// Multiplier on the greater of two half means, `cells` in all: `Pfa = 2 (1 + α/n)^-n` less the rate
/// of the smaller one at the same α, n = cells / 2; Hansen and Sawyers, IEEE Trans. Aerosp. Electron.
/// Syst. 16 (1980).
pub fn goca_multiplier(cells: usize, false_alarm_rate: f64) -> f64 {
    let half = (cells / 2).max(1);
    let n = half as f64;
    solved(false_alarm_rate, |multiplier| {
        2.0 * powf(1.0 + multiplier / n, -n) - smallest_rate(half, multiplier)
    })
}

/// Multiplier on the `rank`-th smallest of `cells` cells: `Pfa = Π_{i<k} (N - i) / (N - i + α)`;
/// Rohling, IEEE Trans. Aerosp. Electron. Syst. 19 (1983).
pub fn os_multiplier(cells: usize, rank: usize, false_alarm_rate: f64) -> f64 {
    solved(false_alarm_rate, |multiplier| {
        (0..rank.clamp(1, cells.max(1)))
            .map(|i| (cells.max(1) - i) as f64)
            .map(|left| left / (left + multiplier))
            .product()
    })
}

/// Mean of the `rank`-th smallest of `cells` exponential cells of mean one.
pub(super) fn os_mean(cells: usize, rank: usize) -> f64 {
    (0..rank).map(|i| 1.0 / (cells - i) as f64).sum()
}

/// `Pfa = 2 (2 + α/n)^-n Σ_{k<n} C(n-1+k, k) (2 + α/n)^-k` of the smaller of two means of n cells.
fn smallest_rate(half: usize, multiplier: f64) -> f64 {
    let base = 2.0 + multiplier / half as f64;
    let mut term = 1.0;
    let mut sum = 0.0;
    for k in 0..half {
        sum += term;
        term *= (half + k) as f64 / ((k + 1) as f64 * base);
    }
    2.0 * sum * powf(base, -(half as f64))
}

/// Where a falling rate is the one asked for.
fn solved(false_alarm_rate: f64, rate: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while rate(high) > false_alarm_rate && high < 1e12 {
        high *= 2.0;
    }
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if rate(middle) > false_alarm_rate {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(what: &str, found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < 1e-6,
            "{what}: {found}, expected {expected}"
        );
    }

    /// Cells, false alarms, then the four multipliers where there is a value, with the rank of OS.
    #[test]
    fn multipliers_are_those_published() {
        type Row = (
            usize,
            f64,
            Option<f64>,
            Option<f64>,
            Option<f64>,
            Option<(usize, f64)>,
        );
        let rows: [Row; 5] = [
            (
                16,
                1e-3,
                Some(8.638824),
                Some(12.599715),
                Some(7.487313),
                Some((12, 7.421411)),
            ),
            (
                32,
                1e-3,
                Some(7.710008),
                Some(9.569414),
                None,
                Some((24, 6.086337)),
            ),
            (
                32,
                1e-4,
                Some(10.672686),
                Some(13.630518),
                Some(9.630712),
                Some((24, 8.580143)),
            ),
            (40, 1e-6, None, Some(21.287350), Some(15.137484), None),
            (24, 1e-6, None, None, None, Some((18, 16.293287))),
        ];
        for (cells, rate, ca, soca, goca, os) in rows {
            ca.inspect(|&ca| check("CA", ca_multiplier(cells, rate), ca));
            soca.inspect(|&soca| check("SOCA", soca_multiplier(cells, rate), soca));
            goca.inspect(|&goca| check("GOCA", goca_multiplier(cells, rate), goca));
            os.inspect(|&(rank, os)| check("OS", os_multiplier(cells, rank, rate), os));
        }
    }

    #[test]
    fn one_cell_and_the_least_of_cells_have_closed_forms() {
        // Of one cell each: P = 2 / (2 + α), 2 / (1 + α) - 2 / (2 + α) and 1 / (1 + α).
        check("SOCA", soca_multiplier(2, 0.1), 18.0);
        let alpha = goca_multiplier(2, 0.1);
        check("GOCA", 2.0 / (1.0 + alpha) - 2.0 / (2.0 + alpha), 0.1);
        check("OS", os_multiplier(1, 1, 0.1), 9.0);
        check("OS", os_multiplier(8, 1, 0.1), 72.0);
        check(
            "mean of the middle of three",
            os_mean(3, 2),
            1.0 / 3.0 + 1.0 / 2.0,
        );
    }
}
