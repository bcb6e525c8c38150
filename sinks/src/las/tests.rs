use std::io::{self, Cursor};

use beluga_types::{Geodetic, Medium, Origin};
use las::Reader;

use super::*;
use crate::arrow::specimen;

fn frames() -> Vec<SolidarFrame> {
    // Points over more than one chunk of a packed file, and a frame without any.
    [(5, 12), (6, 0), (7, 60_000)]
        .map(|(seed, points)| specimen::frame(seed, points, 0))
        .into()
}

fn written(frames: &[SolidarFrame], placement: &Placement, is_packed: bool) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cloud.las");
    let mut writer = Writer::create(&path, placement.clone(), is_packed).unwrap();
    for frame in frames {
        writer.push(frame).unwrap();
    }
    let points: usize = frames.iter().map(|frame| frame.points.len()).sum();
    assert_eq!(writer.finish().unwrap(), points as u64);
    std::fs::read(&path).unwrap()
}

/// What another implementation reads, point by point, against what was in the frames.
fn check(is_packed: bool) {
    let frames = frames();
    let bytes = written(&frames, &Placement::world(), is_packed);
    let mut reader = Reader::new(Cursor::new(bytes)).unwrap();
    assert_eq!(reader.header().number_of_points(), 60_012);
    assert_eq!(reader.header().version(), las::Version::new(1, 4));
    let bounds = reader.header().bounds();
    let found: Vec<las::Point> = reader.read_all().unwrap().points().map(Result::unwrap).collect();
    let places = frames
        .iter()
        .flat_map(|frame| (0..frame.points.len()).map(move |i| (frame, i)));
    let mut checked = 0;
    for ((frame, i), point) in places.zip(&found) {
        let place = frame.point_in_world(i).vector();
        let error = (place - nalgebra::Vector3::new(point.x, point.y, point.z)).amax();
        assert!(error < 0.6e-4, "half a unit: {error}");
        assert!(point.x >= bounds.min.x && point.z <= bounds.max.z);
        let points = &frame.points;
        let stamp = frame.window.end.shifted_nanos(points.offset_nanos[i].into());
        let gps_s = point.gps_time.unwrap() + 1e9;
        let read = Stamp::from_gps(gps_s.floor() as i64, gps_s.fract()).unwrap();
        assert!(read.nanos_since(stamp).abs() < 300, "{}", read.nanos_since(stamp));
        let class = classes::class(points.label[i], points.medium[i]);
        assert_eq!(u8::from(point.classification), class);
        assert_eq!(
            point.is_synthetic,
            points.label[i] == beluga_types::Label::Bridged
        );
        let extra = |at: usize| f32::from_le_bytes(point.extra_bytes[at..at + 4].try_into().unwrap());
        assert_eq!(extra(0), points.sigma_range_m[i]);
        assert_eq!(extra(8), points.sigma_across_m[i]);
        assert_eq!(extra(12), points.snr_db[i].unwrap_or(-9999.0));
        assert_eq!(extra(16), points.level[i]);
        let frame_index = u32::from_le_bytes(point.extra_bytes[20..24].try_into().unwrap());
        assert_eq!(u64::from(frame_index), frame.index);
        assert_eq!(point.point_source_id, points.sensor[i]);
        assert_eq!(
            point.extra_bytes[26..28],
            [points.medium[i] as u8, points.label[i] as u8]
        );
        let total = frame.total_uncertainty(i);
        assert_eq!([extra(28), extra(32)], [total.thu_m as f32, total.tvu_m as f32]);
        let order = frame.sounding_order(i, &total).map_or(0, |order| order as u8);
        assert_eq!(point.extra_bytes[36..], [order]);
        checked += 1;
    }
    assert_eq!((checked, found.len()), (60_012, 60_012));
}

#[test]
fn another_reader_finds_every_point_in_las() {
    check(false);
}

#[test]
fn another_reader_finds_every_point_in_laz() {
    check(true);
}

#[test]
fn the_system_stands_in_the_file_or_none_is_claimed() {
    let origin = Origin {
        anchor: Geodetic::from_degrees(54.17, 12.1, 37.5),
        epsg: Some(32_633),
        vertical_datum: None,
    };
    let placement = Placement::of(Some(&origin)).unwrap();
    let frame = specimen::frame(5, 12, 0);
    let wkt_of = |placement: &Placement| {
        let bytes = written(std::slice::from_ref(&frame), placement, false);
        let mut reader = Reader::new(Cursor::new(bytes)).unwrap();
        let first = reader.read_points(1).unwrap().points().next().unwrap().unwrap();
        let expected = placement.place(&frame.point_in_world(0));
        assert!((first.x - expected[0]).abs() < 1e-4 && (first.y - expected[1]).abs() < 1e-4);
        let wkt = reader.header().vlrs().iter().find(|vlr| vlr.record_id == 2112);
        wkt.map(|vlr| vlr.data.clone())
    };
    let wkt = wkt_of(&placement).unwrap();
    assert_eq!(
        wkt.strip_suffix(&[0]).unwrap(),
        placement.wkt().unwrap().as_bytes()
    );
    assert_eq!(wkt_of(&Placement::world()), None);
}

#[test]
fn a_file_without_points_is_read_too() {
    for is_packed in [false, true] {
        let bytes = written(&[], &Placement::world(), is_packed);
        let reader = Reader::new(Cursor::new(bytes)).unwrap();
        assert_eq!(reader.header().number_of_points(), 0);
    }
}

#[test]
fn points_farther_apart_than_a_file_reaches_are_refused() {
    let mut frame = specimen::frame(1, 2, 0);
    frame.points.x[1] = 3e5;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cloud.las");
    let mut writer = Writer::create(&path, Placement::world(), false).unwrap();
    assert!(matches!(writer.push(&frame), Err(ExportError::TooFar { .. })));
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Fails once so many bytes are written.
struct SmallDisk(Cursor<Vec<u8>>, usize);

impl Write for SmallDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.position() as usize + bytes.len() > self.1 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for SmallDisk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_disk_that_fills_up_anywhere_is_told() {
    for is_packed in [false, true] {
        let write = |capacity: usize| -> io::Result<SmallDisk> {
            let disk = SmallDisk(Cursor::new(Vec::new()), capacity);
            let mut out = Out::begin(disk, Placement::world(), is_packed)?;
            let rows = out.rows(&specimen::frame(5, 40, 0)).unwrap();
            out.write(&rows)?;
            out.end()
        };
        let needed = write(usize::MAX).unwrap().0.into_inner().len();
        for capacity in (0..needed).step_by(97).chain([needed - 1]) {
            assert!(write(capacity).is_err(), "{capacity} of {needed}");
        }
        assert!(write(needed).is_ok());
    }
}

#[test]
fn intensities_are_held_at_the_ends_of_16_bits() {
    for (medium, level, expected) in [
        (Medium::Air, 17.4, 17),
        (Medium::Air, -3.0, 0),
        (Medium::Air, 1e9, u16::MAX),
        (Medium::Water, -20.5, 17_950),
        (Medium::Water, -300.0, 0),
    ] {
        assert_eq!(point::intensity(medium, level), expected, "{medium:?} {level}");
    }
}
