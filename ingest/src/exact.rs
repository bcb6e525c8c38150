//! Numbers as text that reads back as the same number.

/// The value in degrees that `to_radians` turns into exactly `radians`, or the nearest there is.
pub(crate) fn degrees(radians: f64) -> f64 {
    preimage(radians, radians.to_degrees(), f64::to_radians)
}

/// The value in milliseconds that a reader turns into exactly `seconds`, or the nearest there is.
pub(crate) fn millis(seconds: f64) -> f64 {
    preimage(seconds, seconds * 1e3, seconds_of_millis)
}

/// Seconds of a value in milliseconds.
pub(crate) fn seconds_of_millis(millis: f64) -> f64 {
    millis * 1e-3
}

/// The shortest text that reads back as this number.
pub(crate) fn number(value: f64) -> String {
    let plain = format!("{value}");
    let scientific = format!("{value:e}");
    if scientific.len() < plain.len() {
        scientific
    } else {
        plain
    }
}

/// As [`number`]; empty for nothing.
pub(crate) fn optional(value: Option<f64>) -> String {
    value.map(number).unwrap_or_default()
}

/// The number next to `guess` that `read` turns into `wanted`; a few last places are tried, short
/// texts first.
fn preimage(wanted: f64, guess: f64, read: impl Fn(f64) -> f64) -> f64 {
    let rounded = (guess * 1e9).round() / 1e9;
    let near = std::iter::successors(Some(guess), |value| Some(value.next_up())).take(4);
    let below = std::iter::successors(Some(guess), |value| Some(value.next_down())).take(4);
    std::iter::once(rounded)
        .chain(near)
        .chain(below)
        .find(|&candidate| read(candidate) == wanted)
        .unwrap_or(guess)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_and_millis_read_back_as_the_same_number() {
        for step in 0..2000 {
            let value = f64::from(step) * 0.003_1 - 3.0;
            let text = number(degrees(value));
            let back = text.parse::<f64>().unwrap().to_radians();
            assert!((back - value).abs() <= value.abs() * 2.3e-16, "{value} {text}");
            let text = number(millis(value));
            assert!((seconds_of_millis(text.parse().unwrap()) - value).abs() <= value.abs() * 2.3e-16);
        }
        assert_eq!(number(degrees(1f64.to_radians())), "1");
        assert_eq!(number(millis(0.002)), "2");
        assert_eq!(number(1e-12), "1e-12");
    }
}
