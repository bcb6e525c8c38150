use super::*;

/// 200 points evenly over 99.5 ms, in seconds.
fn sweep_s() -> Vec<f64> {
    (0..200).map(|i| f64::from(i) * 5e-4).collect()
}

fn recognised(name: &str, numbers: Numbers) -> PointTimes {
    let is_real = !matches!(numbers, Numbers::Whole(_));
    recognise(&Field {
        name,
        said: Said::of(name, is_real).unwrap(),
        numbers,
        period_nanos: Some(100_000_000),
    })
}

/// The offsets are the even sweep's, to a tolerance in nanoseconds, from its first point on.
fn check(found: &PointTimes, tolerance: i32) -> String {
    let offsets = found.offset_nanos.as_ref().expect("there are times");
    for (offset, s) in offsets.iter().zip(sweep_s()) {
        let expected = (s * 1e9).round() as i32;
        assert!((offset - expected).abs() <= tolerance, "{offset}, not {expected}");
    }
    found.report.to_string()
}

fn whole(scale: f64, from: i64) -> Vec<i64> {
    sweep_s()
        .iter()
        .map(|s| from + (s * scale).round() as i64)
        .collect()
}

fn real(scale: f64, from: f64) -> Vec<f64> {
    sweep_s().iter().map(|s| from + s * scale).collect()
}

#[test]
fn any_unit_is_found_by_the_span_of_a_sweep() {
    for (unit, scale, step) in [("nano", 1e9, 1), ("micro", 1e6, 1), ("milli", 1e3, 500_000)] {
        let said = check(&recognised("t", Numbers::Whole(&whole(scale, 0))), step);
        assert!(said.contains(&format!("{unit}seconds")), "{said}");
        assert_eq!(said.contains("by their span"), unit != "nano", "{said}");
    }
    for (unit, scale) in [
        ("nanosec", 1e9),
        ("microsec", 1e6),
        ("millisec", 1e3),
        ("seconds", 1.0),
    ] {
        let said = check(&recognised("time", Numbers::F64(&real(scale, 0.0))), 1);
        assert!(said.contains(unit), "{said}");
        let single: Vec<f32> = real(scale, 0.0).iter().map(|value| *value as f32).collect();
        check(&recognised("time", Numbers::F32(&single)), 10);
    }
}

#[test]
fn times_of_day_give_the_scan_its_own() {
    let start = Stamp::from_nanos(1_700_000_000_250_000_000);
    let nanos = recognised("timestamp", Numbers::Whole(&whole(1e9, start.nanos())));
    assert_eq!(nanos.start, Some(start));
    assert!(check(&nanos, 0).contains("since 1970"));
    // An `f64` knows seconds since 1970 to 0.24 µs, nanoseconds to 256.
    for (scale, tolerance) in [(1.0, 300), (1e9, 300), (1e6, 300)] {
        let found = recognised("timestamp", Numbers::F64(&real(scale, 1_700_000_000.25 * scale)));
        assert!((found.start.unwrap().nanos_since(start)).abs() < 300, "{scale}");
        check(&found, tolerance);
    }
}

#[test]
fn negative_times_count_from_the_stamp_that_ends_the_sweep() {
    let single: Vec<f32> = real(1.0, -0.0995).iter().map(|value| *value as f32).collect();
    let found = recognised("time", Numbers::F32(&single));
    assert!((found.from_stamp_nanos.unwrap() + 99_500_000).abs() < 10);
    assert!(check(&found, 10).contains("back from the scan's stamp"));
    let middle = recognised("time", Numbers::F64(&real(1.0, -0.05)));
    assert_eq!(middle.from_stamp_nanos, Some(-50_000_000));
}

#[test]
fn a_clock_of_the_sensors_own_gives_differences_also_over_its_round() {
    let since_power_on = recognised("t", Numbers::Whole(&whole(1e9, 991_000_000_000)));
    assert!(check(&since_power_on, 0).contains("own clock"));
    assert_eq!(since_power_on.start, None);
    let hour = 3_600_000_000;
    let wrapped: Vec<i64> = whole(1e6, hour - 50_000).iter().map(|us| us % hour).collect();
    let said = check(&recognised("timestamp", Numbers::Whole(&wrapped)), 1);
    assert!(
        said.contains("microseconds") && said.contains("after 3600 s"),
        "{said}"
    );
    let bits: Vec<i64> = whole(1e9, (1 << 32) - 30_000_000)
        .iter()
        .map(|ns| ns & 0xffff_ffff)
        .collect();
    assert!(check(&recognised("t", Numbers::Whole(&bits)), 0).contains("after 4 s"));
    let week: Vec<f64> = real(1.0, 604_799.97).iter().map(|s| s % 604_800.0).collect();
    check(&recognised("gps_time", Numbers::F64(&week)), 200);
}

#[test]
fn parts_of_a_period_are_times_where_the_period_is_known() {
    let parts: Vec<f64> = (0..200).map(|i| f64::from(i) / 199.0).collect();
    let found = recognised("timestamp", Numbers::F64(&parts));
    assert_eq!(found.offset_nanos.as_ref().unwrap()[199], 100_000_000);
    assert!(found.report.to_string().contains("parts of the period"));
}

#[test]
fn what_tells_no_times_says_why() {
    let none = |numbers| {
        let found = recognised("timestamp", numbers);
        assert_eq!(found.offset_nanos, None);
        assert!(
            found.untimed.iter().all(|untimed| !untimed),
            "no point is lost by it"
        );
        found.report.to_string()
    };
    assert!(none(Numbers::Whole(&[7; 100])).contains("the same for all"));
    let coarse: Vec<f32> = real(1.0, 1_700_000_000.0)
        .iter()
        .map(|value| *value as f32)
        .collect();
    assert!(none(Numbers::F32(&coarse)).contains("4-byte reals"));
    let minute: Vec<f64> = (0..200).map(|i| 1.7e9 + f64::from(i)).collect();
    assert!(none(Numbers::F64(&minute)).contains("longer than a scan"));
    assert!(none(Numbers::F64(&[f64::NAN; 3])).contains("finite"));
}

#[test]
fn points_without_a_time_are_marked() {
    let mut times = real(1.0, 1.7e9);
    times[7] = 0.0;
    times[9] = f64::NAN;
    let found = recognised("timestamp", Numbers::F64(&times));
    let untimed: Vec<usize> = (0..200).filter(|i| found.untimed[*i]).collect();
    assert_eq!(untimed, [7, 9]);
    assert!(found.report.to_string().contains("1 points of time 0"));
    assert_eq!(found.start.unwrap().nanos(), 1_700_000_000_000_000_000);
}

#[test]
fn a_name_that_says_all_is_believed() {
    let few = recognised("offset_nanos", Numbers::Whole(&[-1, 0, 99_999_999]));
    assert_eq!(few.offset_nanos.unwrap(), [-1, 0, 99_999_999]);
    assert!(few.report.is_plain() && few.from_stamp_nanos.is_none());
    let none = recognised("t", Numbers::Whole(&[]));
    assert_eq!(none.offset_nanos, Some(Vec::new()));
}

/// Whatever the numbers are, there are as many offsets as numbers, and nothing panics.
#[test]
fn hostile_numbers_end_in_offsets_or_a_fault() {
    let wild = [i64::MIN, i64::MAX, 0, 1, -1, 1 << 32, 1 << 62, 3_600_000_000];
    for a in wild {
        for b in wild {
            let numbers: Vec<i64> = (0..130).map(|i| if i % 3 == 0 { a } else { b }).collect();
            let found = recognised("t", Numbers::Whole(&numbers));
            assert!(found.offset_nanos.is_none_or(|offsets| offsets.len() == 130));
            let reals: Vec<f64> = numbers
                .iter()
                .map(|value| f64::from_bits(*value as u64))
                .collect();
            recognised("time", Numbers::F64(&reals));
        }
    }
}
