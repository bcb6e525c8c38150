use super::super::cloud::scan;
use super::*;
use beluga_types::LidarScan;

/// Codes of types.
const U8: u8 = 2;
const U16: u8 = 4;
const U32: u8 = 6;
const F32: u8 = 7;
const F64: u8 = 8;

fn field(name: &str, offset: usize, code: u8, count: usize) -> Field<'_> {
    Field {
        name,
        offset,
        code,
        count,
    }
}

fn xyz() -> Vec<Field<'static>> {
    vec![
        field("x", 0, F32, 1),
        field("y", 4, F32, 1),
        field("z", 8, F32, 1),
    ]
}

/// Points in one row without padding.
fn cloud<'a>(fields: Vec<Field<'a>>, step: usize, data: &'a [u8]) -> PointCloud2<'a> {
    let width = data.len().checked_div(step).unwrap_or(0);
    PointCloud2 {
        stamp: None,
        height: 1,
        width,
        fields,
        is_big_endian: false,
        point_step: step,
        row_step: data.len(),
        data,
    }
}

fn read(cloud: &PointCloud2<'_>) -> LidarScan {
    scan(cloud, None).unwrap().scan
}

fn refused(cloud: &PointCloud2<'_>) -> String {
    scan(cloud, None).unwrap_err().to_string()
}

/// (1, 2, 3), (4, 5, 6), … as x, y, z.
fn numbers(points: usize) -> Vec<f32> {
    (1..=3 * points).map(|number| number as f32).collect()
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn check(scan: &LidarScan, points: usize) {
    let all = numbers(points);
    let axis = |axis: usize| all.iter().skip(axis).step_by(3).copied().collect::<Vec<f32>>();
    assert_eq!(
        (scan.x(), scan.y(), scan.z()),
        (&axis(0)[..], &axis(1)[..], &axis(2)[..])
    );
}

/// Each field has its own numbers, not those of x: rerun's threads 12797 and 12598.
#[test]
fn every_field_is_read_at_its_own_place_and_every_point_at_its_own() {
    let mut data = Vec::new();
    for point in numbers(10).chunks(3) {
        data.extend((point[0] as u16 * 7).to_le_bytes());
        data.extend(point[2].to_le_bytes());
        data.extend([0xee; 2]);
        data.extend((f64::from(point[1])).to_le_bytes());
        data.extend(point[0].to_le_bytes());
        data.extend((point[0] / 2.0).to_le_bytes());
        data.push(9);
    }
    let fields = vec![
        field("Ring", 0, U16, 1),
        field("z", 2, F32, 1),
        field("y", 8, F64, 1),
        field("x", 16, F32, 1),
        field("intensity", 20, F32, 1),
        field("tag", 24, U8, 1),
    ];
    let scan = read(&cloud(fields, 25, &data));
    check(&scan, 10);
    assert_eq!(scan.ring().unwrap()[3], 70);
    assert_eq!(scan.intensity().unwrap()[9], 14.0);
    assert_eq!(scan.offset_nanos(), None);
}

/// No points, no fields, a step of zero: rerun's thread 12684.
#[test]
fn a_placeholder_is_an_empty_cloud() {
    let nothing = PointCloud2 {
        height: 0,
        ..cloud(Vec::new(), 0, &[])
    };
    assert!(read(&nothing).is_empty());
    let wide = PointCloud2 {
        width: 0,
        row_step: 99,
        point_step: 77,
        ..cloud(xyz(), 12, &[])
    };
    assert!(read(&wide).is_empty());
    // Points that are promised and are not there are no placeholder.
    let promised = PointCloud2 {
        width: 5,
        ..cloud(xyz(), 12, &[])
    };
    assert!(refused(&promised).contains("5 × 1 points of at least 12 bytes, found 0 bytes"));
}

#[test]
fn a_step_that_is_zero_or_wrong_is_put_right_where_only_one_fits() {
    let data = bytes(&numbers(4));
    for (point_step, row_step) in [
        (0, 48),
        (0, 0),
        (4, 48),
        (13, 48),
        (u32::MAX as usize, 0),
        (12, 7),
        (12, 1000),
    ] {
        let wrong = PointCloud2 {
            width: 4,
            point_step,
            row_step,
            ..cloud(xyz(), 12, &data)
        };
        check(&read(&wrong), 4);
    }
    // Nothing fits: five points in the bytes of four, and points without room for their fields.
    for (width, point_step) in [(5, 12), (6, 0), (4, 16)] {
        let mut fields = xyz();
        fields.push(field("more", 12, F32, 1));
        let wrong = PointCloud2 {
            width,
            point_step,
            row_step: 0,
            ..cloud(fields, 12, &data)
        };
        assert!(refused(&wrong).contains("48 bytes"), "{width} {point_step}");
    }
}

#[test]
fn rows_may_be_padded_and_the_last_may_end_early() {
    let mut data = bytes(&numbers(2));
    data.extend([0xee; 6]);
    let whole = numbers(4);
    data.extend(bytes(&whole[6..]));
    let organised = PointCloud2 {
        height: 2,
        width: 2,
        point_step: 12,
        row_step: 30,
        ..cloud(xyz(), 12, &data)
    };
    check(&read(&organised), 4);
    let padded = [&data[..], &[0xee; 6]].concat();
    check(
        &read(&PointCloud2 {
            data: &padded,
            ..organised.clone()
        }),
        4,
    );
    // Without its padding the row's length is wrong, and the rows follow each other.
    let packed = bytes(&whole);
    check(
        &read(&PointCloud2 {
            data: &packed,
            ..organised
        }),
        4,
    );
}

#[test]
fn big_endian_counts_and_every_type_are_read() {
    let mut data = Vec::new();
    for point in numbers(3).chunks(3) {
        data.extend((point[0] as i8).to_be_bytes());
        data.extend((point[1] as i16).to_be_bytes());
        data.extend((point[2] as i32).to_be_bytes());
        for echo in [point[0], 99.0, 98.0] {
            data.extend(echo.to_be_bytes());
        }
        data.push(3);
    }
    let fields = vec![
        field("x", 0, 1, 1),
        field("y", 1, 3, 1),
        field("z", 3, 5, 1),
        field("intensity", 7, F32, 3),
        field("line", 19, U8, 1),
    ];
    let big = PointCloud2 {
        is_big_endian: true,
        ..cloud(fields, 20, &data)
    };
    let scan = read(&big);
    check(&scan, 3);
    assert_eq!(scan.intensity().unwrap(), [1.0, 4.0, 7.0]);
    assert_eq!(scan.ring().unwrap(), [3, 3, 3]);
}

/// A driver's name, its fields, the point's step, what it writes as the time of a point, and whether
/// that is a time of day.
type Driver<'a> = (
    &'a str,
    &'a [(&'a str, usize, u8)],
    usize,
    &'a dyn Fn(usize) -> Vec<u8>,
    bool,
);

/// The point types that drivers publish, by the offsets and types of their fields.
#[test]
fn the_fields_of_drivers_are_known() {
    let ouster = [
        ("x", 0, F32),
        ("y", 4, F32),
        ("z", 8, F32),
        ("intensity", 16, F32),
        ("t", 20, U32),
        ("reflectivity", 24, U16),
        ("ring", 26, U16),
        ("ambient", 28, U16),
        ("range", 32, U32),
    ];
    let velodyne = [
        ("x", 0, F32),
        ("y", 4, F32),
        ("z", 8, F32),
        ("intensity", 12, F32),
        ("ring", 16, U16),
        ("time", 18, F32),
    ];
    let hesai = [
        ("x", 0, F32),
        ("y", 4, F32),
        ("z", 8, F32),
        ("intensity", 16, F32),
        ("timestamp", 24, F64),
        ("ring", 32, U16),
    ];
    let livox = [
        ("x", 0, F32),
        ("y", 4, F32),
        ("z", 8, F32),
        ("intensity", 12, F32),
        ("tag", 16, U8),
        ("line", 17, U8),
        ("timestamp", 18, F64),
    ];
    let nebula = [
        ("x", 0, F32),
        ("y", 4, F32),
        ("z", 8, F32),
        ("intensity", 12, U8),
        ("return_type", 13, U8),
        ("channel", 14, U16),
        ("azimuth", 16, F32),
        ("elevation", 20, F32),
        ("distance", 24, F32),
        ("time_stamp", 28, U32),
    ];
    let start_s = 1_700_000_000.25f64;
    // 1 ms from point to point.
    let ms = |i: usize| i as f64 * 1e-3;
    let stamped = |i: usize| start_s + ms(i);
    let cases: [Driver<'_>; 5] = [
        (
            "ouster",
            &ouster,
            48,
            &|i| (i as u32 * 1_000_000).to_le_bytes().to_vec(),
            false,
        ),
        (
            "velodyne",
            &velodyne,
            22,
            &|i| (ms(i) as f32).to_le_bytes().to_vec(),
            false,
        ),
        ("hesai", &hesai, 40, &|i| stamped(i).to_le_bytes().to_vec(), true),
        (
            "livox",
            &livox,
            26,
            &|i| (stamped(i) * 1e9).to_le_bytes().to_vec(),
            true,
        ),
        (
            "nebula",
            &nebula,
            32,
            &|i| (i as u32 * 1_000_000).to_le_bytes().to_vec(),
            false,
        ),
    ];
    for (name, table, step, time, is_absolute) in cases {
        let fields: Vec<_> = table
            .iter()
            .map(|(name, offset, code)| field(name, *offset, *code, 1))
            .collect();
        let at = |names: &[&str]| table.iter().find(|(name, ..)| names.contains(name)).unwrap().1;
        let (time_at, ring_at) = (
            at(&["t", "time", "timestamp", "time_stamp"]),
            at(&["ring", "line", "channel"]),
        );
        let points = 100;
        let mut data = vec![0; step * points];
        for (i, point) in data.chunks_exact_mut(step).enumerate() {
            for (axis, value) in numbers(points)[3 * i..3 * i + 3].iter().enumerate() {
                point[4 * axis..4 * axis + 4].copy_from_slice(&value.to_le_bytes());
            }
            let time = time(i);
            point[time_at..time_at + time.len()].copy_from_slice(&time);
            point[ring_at] = i as u8 % 16;
        }
        let cloud = scan(&cloud(fields, step, &data), None).unwrap();
        check(&cloud.scan, points);
        assert_eq!(cloud.scan.ring().unwrap()[17], 1, "{name}");
        assert!(cloud.scan.intensity().is_some(), "{name}");
        let offsets = cloud
            .scan
            .offset_nanos()
            .unwrap_or_else(|| panic!("{name}: {:?}", cloud.times));
        let off = (i64::from(offsets[99]) - 99_000_000).abs();
        assert!(off < 1_000, "{name}: {off} ns");
        let begun = cloud.start.map(|start| start.nanos());
        assert_eq!(begun.is_some(), is_absolute, "{name}");
        assert!(
            begun.is_none_or(|begun| (begun - 1_700_000_000_250_000_000).abs() < 1_000),
            "{name}"
        );
    }
}

#[test]
fn points_without_a_return_are_left_out_and_counted() {
    let values = [
        0.0,
        0.0,
        0.0,
        1.0,
        f32::NAN,
        3.0,
        1e7,
        2.0,
        3.0,
        1.0,
        2.0,
        3.0,
        0.0,
        0.0,
        1.0,
    ];
    let data = bytes(&values);
    let scan = read(&cloud(xyz(), 12, &data));
    assert_eq!((scan.len(), scan.dropped()), (2, 3));
    assert_eq!(scan.z(), [3.0, 1.0]);
}

#[test]
fn what_is_no_cloud_is_refused_by_name() {
    let data = bytes(&numbers(2));
    let fields = vec![field("x", 0, F32, 1), field("y", 4, F32, 1)];
    assert!(refused(&cloud(fields, 12, &data)).contains("expected a field `z`, found `x y`"));
    let mut fields = xyz();
    fields[1].code = 11;
    assert!(
        refused(&cloud(fields, 12, &data)).contains("field `y`: expected a datatype of 1 to 8, found 11")
    );
    let mut fields = xyz();
    fields[2].offset = usize::MAX;
    assert!(refused(&cloud(fields, 12, &data)).contains("24 bytes"));
    let mut fields = xyz();
    fields.push(field("ring", 0, F32, 1));
    let halves = bytes(&[0.5, 2.0, 3.0]);
    assert!(refused(&cloud(fields, 12, &halves)).contains("a ring"));
    // A field of no known type that nobody needs is passed over.
    let mut fields = xyz();
    fields.push(field("rgb", 8, 200, 3));
    check(&read(&cloud(fields, 12, &data)), 2);
    let most = PointCloud2 {
        height: usize::MAX,
        width: 3,
        ..cloud(xyz(), 12, &data)
    };
    assert!(refused(&most).contains("at least 12 bytes"));
}
