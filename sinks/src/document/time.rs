//! Times as documents write them: RFC 3339, the profile of ISO 8601 that names an instant.

/// Nanoseconds since the Unix epoch, UTC; a leap second counts as the one before it.
pub(super) fn nanos(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let shape = b"dddd-dd-ddTdd:dd:dd";
    let fits = |(&byte, &wanted): (&u8, &u8)| match wanted {
        b'd' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't' | b' '),
        _ => byte == wanted,
    };
    if bytes.len() <= shape.len() || !bytes.iter().zip(shape).all(fits) {
        return None;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let is_valid = (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    let (fraction, zone) = fraction(text.get(19..)?)?;
    let zone = offset_s(zone)?;
    let seconds =
        days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second.min(59) - zone;
    match is_valid {
        true => seconds.checked_mul(1_000_000_000)?.checked_add(fraction),
        false => None,
    }
}

/// Digits behind a point as nanoseconds, and what follows them.
fn fraction(rest: &str) -> Option<(i64, &str)> {
    let Some(digits) = rest.strip_prefix('.') else {
        return Some((0, rest));
    };
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    let nanos: String = digits[..length]
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    match length {
        0 => None,
        _ => Some((nanos.parse().ok()?, &digits[length..])),
    }
}

fn offset_s(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let digits = |text: &str| {
        (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<i64>().ok())
    };
    let (hours, minutes) = (digits(hours)??, digits(minutes)??);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the proleptic Gregorian calendar.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let before = |year: i64| 365 * (year - 1) + (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
    let months: i64 = (1..month).map(|month| days_of(year, month)).sum();
    before(year) - before(1970) + months + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::Stamp;

    #[test]
    fn times_are_those_that_stamps_write() {
        for at in [
            0,
            1_767_225_600_123_456_789,
            951_782_400_000_000_000,
            4_102_444_799_999_999_999,
        ] {
            let stamp = Stamp::from_nanos(at);
            let text = stamp.iso_8601();
            let read = nanos(&text).unwrap();
            assert_eq!(Stamp::from_nanos(read).iso_8601(), text);
            assert!((read - at).abs() < 1_000_000_000, "{text}");
        }
        assert_eq!(nanos("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(nanos("2000-02-29T00:00:00Z"), Some(951_782_400_000_000_000));
        assert_eq!(nanos("1970-01-01 00:00:00.5Z"), Some(500_000_000));
    }

    #[test]
    fn what_names_no_instant_is_refused() {
        for text in [
            "",
            "2025-08-28",
            "2025-08-28T23:30:00",
            "2025-13-01T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "2025-01-01T24:00:00Z",
            "2025-01-01T00:00:00+0100",
            "2025-01-01T00:00:00.Z",
            "2025-01-01T00:00:00.1",
            "yesterday",
            "2025-01-01T00:00:00Zü",
            "２025-01-01T00:00:00Z",
        ] {
            assert_eq!(nanos(text), None, "{text}");
        }
    }
}
