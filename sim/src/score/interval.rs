//! Intervals of 95 %: of a count of hits, of a mean, of a quadratic form.

/// The 95 % quantile of χ² with 1 to 6 degrees of freedom (NIST/SEMATECH e-Handbook of Statistical
/// Methods, section 1.3.6.7.4).
pub(super) const CHI_SQUARED_95: [f64; 6] = [3.841, 5.991, 7.815, 9.488, 11.070, 12.592];
/// Standard deviations that hold 95 % of a normal distribution on both sides of its mean.
pub(super) const NORMAL_95: f64 = 1.959_964;

/// The 95 % interval of a probability of which `hits` of `trials` were seen; each end is passed by
/// chance in at most 2.5 % of cases. Without trials it is 0 to 1.
///
/// C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case
/// of the binomial", Biometrika 26 (1934).
pub fn clopper_pearson(hits: u64, trials: u64) -> [f64; 2] {
    let (k, n) = (hits.min(trials) as f64, trials as f64);
    let low = if hits == 0 || trials == 0 {
        0.0
    } else {
        solve(|p| beta(k, n - k + 1.0, p), 0.025)
    };
    let high = if hits >= trials {
        1.0
    } else {
        solve(|p| beta(k + 1.0, n - k, p), 0.975)
    };
    [low, high]
}

/// How many standard errors the 95 % interval of a mean reaches to either side, by Student's t with
/// this many degrees of freedom; nothing without any.
pub(super) fn student_95(freedom: u64) -> Option<f64> {
    if freedom == 0 {
        return None;
    }
    let nu = freedom as f64;
    // The two tails beyond t hold I_x(ν/2, 1/2) with x = ν / (ν + t²): DLMF 8.17, Abramowitz 26.7.1.
    let x = solve(|x| beta(0.5 * nu, 0.5, x), 0.05);
    Some((nu / x - nu).sqrt())
}

/// Mean and half-width of its 95 % interval (Student's t); the half-width needs two values.
pub(super) fn mean_95(values: &[f64]) -> Option<(f64, Option<f64>)> {
    let n = values.len() as f64;
    if values.is_empty() {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let half = student_95(values.len() as u64 - 1).map(|t| t * (squares / (n - 1.0) / n).sqrt());
    Some((mean, half))
}

/// Where a rising function of 0 to 1 reaches a value, by halving.
fn solve(rising: impl Fn(f64) -> f64, value: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if rising(middle) < value {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The regularised incomplete beta function I_x(a, b) for a, b above zero, by its continued fraction
/// (NIST Digital Library of Mathematical Functions, 8.17.22), which is quick left of (a+1)/(a+b+2).
fn beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_left(b, a, 1.0 - x);
    }
    beta_left(a, b, x)
}

fn beta_left(a: f64, b: f64, x: f64) -> f64 {
    const TERMS: u32 = 400;
    // From the last term back to the first: no term is ever divided by zero here, as all partial
    // denominators stay above zero left of the mean.
    let mut fraction = 1.0;
    for term in (1..=TERMS).rev() {
        let m = f64::from(term / 2);
        let numerator = if term % 2 == 0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        fraction = 1.0 + numerator / fraction;
    }
    let front = a * x.ln() + b * (1.0 - x).ln() - a.ln() - (ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b));
    (front.exp() / fraction).clamp(0.0, 1.0)
}

/// ln Γ(x) for x above zero: Stirling's series (DLMF 5.11.1) where it is good to 1e-13, carried down by
/// Γ(x + 1) = x Γ(x).
fn ln_gamma(x: f64) -> f64 {
    let mut shifted = x;
    let mut product = 0.0;
    while shifted < 12.0 {
        product += shifted.ln();
        shifted += 1.0;
    }
    let inverse = 1.0 / shifted;
    let square = inverse * inverse;
    let series =
        inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0))));
    (shifted - 0.5) * shifted.ln() - shifted + 0.5 * std::f64::consts::TAU.ln() + series - product
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beta_function_of_known_cases() {
        // I_x(1, b) = 1 - (1-x)^b, I_x(a, 1) = x^a, and the binomial sum of I_0.3(3, 5).
        for (a, b, x, expected) in [
            (1.0, 4.0, 0.2, 1.0 - 0.8f64.powi(4)),
            (3.0, 1.0, 0.7, 0.343),
            (3.0, 5.0, 0.3, 0.352_930_5),
            (0.5, 0.5, 0.5, 0.5),
        ] {
            assert!(
                (beta(a, b, x) - expected).abs() < 1e-9,
                "{a} {b} {x}: {}",
                beta(a, b, x)
            );
        }
        assert!((ln_gamma(0.5) - std::f64::consts::PI.sqrt().ln()).abs() < 1e-12);
        assert!((ln_gamma(7.0) - 720f64.ln()).abs() < 1e-12);
    }

    /// Printed tables: 0 of 10 gives 0 to 0.3085, 8 of 10 gives 0.4439 to 0.9748, 19 of 20 gives
    /// 0.7513 to 0.9987.
    #[test]
    fn the_exact_binomial_interval_has_its_printed_values() {
        for (hits, trials, low, high) in [
            (0, 10, 0.0, 0.3085),
            (8, 10, 0.4439, 0.9748),
            (19, 20, 0.7513, 0.9987),
            (0, 0, 0.0, 1.0),
            (950, 1000, 0.9346, 0.9627),
        ] {
            let found = clopper_pearson(hits, trials);
            assert!(
                (found[0] - low).abs() < 1e-4 && (found[1] - high).abs() < 1e-4,
                "{hits} of {trials}: {found:?}"
            );
        }
    }

    #[test]
    fn students_t_has_its_printed_values() {
        for (freedom, t) in [(1, 12.706), (4, 2.776), (30, 2.042), (1000, 1.962)] {
            assert!((student_95(freedom).unwrap() - t).abs() < 1e-3, "{freedom}");
        }
        assert_eq!(student_95(0), None);
        let (mean, half) = mean_95(&[1.0, 2.0, 3.0]).unwrap();
        assert!((mean - 2.0).abs() < 1e-12 && (half.unwrap() - 4.303 / 3f64.sqrt()).abs() < 1e-3);
        assert_eq!(mean_95(&[5.0]), Some((5.0, None)));
        assert_eq!(mean_95(&[]), None);
    }
}
