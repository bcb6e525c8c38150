//! From a `PointCloud2` to a scan: which field is what, by the names that drivers give.
//!
//! | field (case does not matter) | meaning |
//! |---|---|
//! | `x` `y` `z` | metres, required; any type |
//! | `intensity`, `intensities`, `reflectivity`, `reflectance`, `signal`, `i` | strength in the device's unit; the first found |
//! | `ring`, `channel`, `line`, `laser_id`, `row` | ring; the first found that holds whole numbers |
//! | `t`, `time`, `timestamp`, `time_stamp`, `offset_time` and others of [`Said::of`] | time of each point: unit and zero are recognised from its numbers |
//!
//! A point at exactly (0, 0, 0) is a direction without a return: Ouster and Livox fill the places
//! of an organised cloud so. It is left out and counted like one that is not finite or lies more
//! than 1000 km away.
//!
//! Sources: the point types that the drivers publish: `ouster_ros/os_point.h` (t, ring,
//! reflectivity), `velodyne_pointcloud/pointcloudXYZIRT.h` (ring, time), Hesai's and RoboSense's
//! (ring, timestamp), `livox_ros_driver2` (line, timestamp), Nebula's `PointXYZIRCAEDT` (channel,
//! time_stamp), and the names that KISS-ICP looks for (t, timestamp, time, stamps).

use beluga_types::LidarScan;

use super::point_cloud2::{Field, PointCloud2, Points, Scalar};
use crate::cloud::Cloud;
use crate::columns::{Columns, TimeColumn, TimeNumbers, Wrong, marked, ring};
use crate::point_times::Said;

const STRENGTH: [&str; 6] = [
    "intensity",
    "intensities",
    "reflectivity",
    "reflectance",
    "signal",
    "i",
];
const RING: [&str; 5] = ["ring", "channel", "line", "laser_id", "row"];
/// The fields of a cloud that are used.
struct Used<'a> {
    place: [Field<'a>; 3],
    strength: Option<Field<'a>>,
    ring: Option<Field<'a>>,
    time: Option<Field<'a>>,
}

impl<'a> Used<'a> {
    fn of(cloud: &PointCloud2<'a>) -> Result<Self, Wrong> {
        let first = |names: &[&str]| names.iter().find_map(|name| cloud.field(name));
        let needed = |name: &str| {
            cloud.field(name).ok_or_else(|| {
                let names: Vec<&str> = cloud.fields.iter().map(|field| field.name).collect();
                Wrong::new(
                    "cloud",
                    format!("a field `{name}`"),
                    format!("`{}`", names.join(" ")),
                )
            })
        };
        Ok(Self {
            place: [needed("x")?, needed("y")?, needed("z")?],
            strength: first(&STRENGTH),
            // Of the words for a ring only `ring` itself may be real: a `channel` or `row` of reals
            // is something else.
            ring: first(&RING).filter(|field| {
                field.name.eq_ignore_ascii_case("ring")
                    || Scalar::of(field.code).is_some_and(Scalar::is_whole)
            }),
            time: cloud.fields.iter().copied().find(|field| said(field).is_some()),
        })
    }

    fn all(&self) -> Vec<Field<'a>> {
        let more = [self.strength, self.ring, self.time];
        self.place.into_iter().chain(more.into_iter().flatten()).collect()
    }
}

/// The scan of a cloud; `period_nanos` is the time from scan to scan, where it is known.
///
/// # Errors
/// If it lacks x, y or z, if its layout does not fit its data, or if a ring is none.
pub(crate) fn scan(cloud: &PointCloud2<'_>, period_nanos: Option<i64>) -> Result<Cloud, Wrong> {
    if cloud.width == 0 || cloud.height == 0 {
        // A placeholder may have no fields either.
        return Ok(Cloud::from(LidarScan::default()));
    }
    let used = Used::of(cloud)?;
    let points = cloud.points(&used.all())?;
    let [x, y, z] = used
        .place
        .map(|field| points.values(&field, |value| value as f32));
    let no_return = |((x, y), z): ((&f32, &f32), &f32)| (*x, *y, *z) == (0.0, 0.0, 0.0);
    let mut bad: Vec<bool> = x.iter().zip(&y).zip(&z).map(no_return).collect();
    let reals = |field| points.values(&field, |value| value as f32);
    let ring = used.ring.map(|field| rings(&points, &field, &mut bad));
    let columns = Columns {
        x,
        y,
        z,
        intensity: used.strength.map(reals),
        ring: ring.transpose()?,
        time: used.time.and_then(|field| times(&points, &field)),
        bad,
        ..Columns::default()
    };
    columns.cloud(0, period_nanos)
}

fn said(field: &Field<'_>) -> Option<Said> {
    Said::of(field.name, !Scalar::of(field.code)?.is_whole())
}

fn times(points: &Points<'_>, field: &Field<'_>) -> Option<TimeColumn> {
    let numbers = match Scalar::of(field.code)? {
        Scalar::F32 => TimeNumbers::F32(points.column(field, |value| value)),
        Scalar::F64 => TimeNumbers::F64(points.column(field, |value| value)),
        _ => TimeNumbers::Whole(points.values(field, |value| value as i64)),
    };
    Some(TimeColumn {
        name: field.name.to_owned(),
        said: said(field)?,
        numbers,
    })
}

fn rings(points: &Points<'_>, field: &Field<'_>, bad: &mut [bool]) -> Result<Vec<u16>, Wrong> {
    let values = points.values(field, |value| value).into_iter().enumerate();
    marked(values.map(|(index, value)| ring(value, index)), bad)
}
