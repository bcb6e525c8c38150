//! What stands in the 3-D view.

use beluga_types::{Label, Medium, Rig, SensorId, SolidarFrame, Stamp, Waterline};
use nalgebra::Vector3;
use re_sdk::RecordingStream;
use re_sdk_types::archetypes::{
    Boxes3D, LineStrips3D, Mesh3D, Points3D, Transform3D, TransformAxes3D, ViewCoordinates,
};
use re_sdk_types::components::{Color, FillMode, MeshFaceRendering, Radius, RotationQuat};
use re_sdk_types::datatypes::Quaternion;

use crate::camera::{self, Sight};
use crate::colour::Rgb;
use crate::map_colour::Map;
use crate::pace::Pace;
use crate::thin::spread;
use crate::wall::Wall;
use crate::{Error, Options};

/// Radii of points and lines on screen, so that they are seen from any distance.
const NOW_RADIUS: f32 = 1.2;
const LINE_RADIUS: f32 = 1.4;

/// What an eye looks at that goes with the vessel: nothing to be seen, of a size that the viewer takes
/// its distance from.
pub(crate) const SIGHT: &str = "vessel/sight";
/// The viewer's own choice: its distance from what it goes with, in half lengths of that.
const EYE_DISTANCE: f32 = 1.5;

/// A hull nobody measured, only to see where the vessel is: half length, beam and depth, metres.
pub(crate) const NOMINAL_HULL_HALF_M: [f32; 3] = [2.2, 0.85, 0.4];
/// Length of the drawn axes, metres.
const AXIS_M: f32 = 1.0;
/// How far the drawn water reaches beyond the vessel's path, metres.
const WATER_MARGIN_M: f64 = 15.0;
/// The water is drawn again when it rose by this much, or must reach this much farther, metres.
const WATER_STEP_M: [f64; 2] = [0.05, 5.0];
/// Seconds between two looks at which tiles have grown, two pictures of the newest points, and two
/// places of the vessel.
const MAP_SECONDS: f64 = 1.0;
const NOW_SECONDS: f64 = 1.0;
const VESSEL_SECONDS: f64 = 0.25;
/// Places of a piece of the path, and how far they are apart, metres.
const PATH_PIECE: usize = 64;
const PATH_STEP_M: f64 = 0.2;

const NOW_LIGHT: Rgb = [255, 196, 110];
const NOW_SOUND: Rgb = [120, 255, 230];
const FAN: [u8; 4] = [120, 255, 230, 46];
const WATER: [u8; 4] = [40, 120, 190, 56];
const HULL: Rgb = [235, 120, 40];
const PATH: Rgb = [255, 150, 60];

/// The scene so far, as much as the next frame needs of it.
pub(crate) struct Scene {
    map: Map,
    map_pace: Pace,
    now: [usize; 2],
    now_pace: Pace,
    vessel_pace: Pace,
    /// Where the vessel is, if that has not been drawn.
    undrawn: Option<Transform3D>,
    pub(crate) sight: Sight,
    path: Vec<Vector3<f64>>,
    path_piece: usize,
    path_pace: Pace,
    /// Corners of the path so far, east and north.
    reach: Option<[[f64; 2]; 2]>,
    /// Level of the water as it was drawn, and the reach it was drawn for.
    water: Option<(f64, [[f64; 2]; 2], bool)>,
}

impl Scene {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            map: Map::new(options),
            map_pace: Pace::new(MAP_SECONDS, MAP_SECONDS),
            now: [options.lidar_points_per_frame, options.sonar_points_per_frame],
            now_pace: Pace::new(NOW_SECONDS, NOW_SECONDS),
            vessel_pace: Pace::new(VESSEL_SECONDS, VESSEL_SECONDS),
            undrawn: None,
            sight: Sight::default(),
            path: Vec::new(),
            path_piece: 0,
            path_pace: Pace::new(0.5, 0.5),
            reach: None,
            water: None,
        }
    }

    /// What never changes: axes, the hull, where the sensors sit.
    pub(crate) fn describe(stream: &RecordingStream, rig: &Rig) -> Result<(), Error> {
        stream.log_static("/", &ViewCoordinates::RIGHT_HAND_Z_UP())?;
        stream.log_static("vessel", &TransformAxes3D::new(AXIS_M))?;
        let waterline_m = rig.vessel.waterline_m.unwrap_or(0.0) as f32;
        let hull = Boxes3D::from_centers_and_half_sizes([[0.0, 0.0, waterline_m]], [NOMINAL_HULL_HALF_M])
            .with_colors([color(HULL)])
            .with_radii([Radius::new_ui_points(LINE_RADIUS)])
            .with_fill_mode(FillMode::MajorWireframe);
        stream.log_static("vessel/hull", &hull)?;
        let places = rig
            .sensors
            .iter()
            .map(|sensor| single(&sensor.body_from_sensor().translation()));
        let sensors = Points3D::new(places)
            .with_labels(rig.sensors.iter().map(|sensor| sensor.name.as_str()))
            .with_show_labels(false)
            .with_colors([color([255, 255, 255])])
            .with_radii([Radius::new_ui_points(2.5)]);
        Ok(stream.log_static("vessel/sensors", &sensors)?)
    }

    /// The frame, at the stream's current time.
    pub(crate) fn frame(
        &mut self,
        stream: &RecordingStream,
        frame: &SolidarFrame,
        wall: Option<&Wall>,
    ) -> Result<(), Error> {
        self.map(stream, frame)?;
        self.now(stream, frame)?;
        self.vessel(stream, frame)?;
        match &frame.waterline {
            Some(waterline) => self.water(stream, waterline, wall),
            None => Ok(()),
        }
    }

    /// Lets an eye that goes with the vessel be so far from it, metres.
    pub(crate) fn describe_sight(stream: &RecordingStream, distance_m: f32) -> Result<(), Error> {
        let half_m = distance_m / EYE_DISTANCE;
        let ends = Points3D::new([[-half_m, 0.0, 0.0], [half_m, 0.0, 0.0]])
            .with_colors([Color::from_unmultiplied_rgba(0, 0, 0, 0)])
            .with_radii([Radius::new_scene_units(0.0)]);
        Ok(stream.log_static(SIGHT, &ends)?)
    }

    /// Draws what has not been drawn yet.
    pub(crate) fn finish(&mut self, stream: &RecordingStream) -> Result<(), Error> {
        self.map.finish(stream)?;
        self.draw_vessel(stream)?;
        self.draw_path(stream)
    }

    /// Adds the points to the map's tiles, and sends those that have grown.
    fn map(&mut self, stream: &RecordingStream, frame: &SolidarFrame) -> Result<(), Error> {
        let points = &frame.points;
        let places: Vec<Vector3<f64>> = (0..points.len())
            .map(|i| frame.point_in_world(i).vector())
            .collect();
        for i in self.map.add(frame, &places) {
            let is_near = points.position(i).vector().norm() < camera::NEAR_M;
            if points.label[i] != Label::Mirror && is_near {
                self.sight.see(&places[i]);
            }
        }
        if self.map_pace.due(frame.window.end) {
            self.map.send(stream)?;
        }
        Ok(())
    }

    /// The newest points, and the newest ping as a fan from the sonar to what it heard; what was
    /// newest before stays if there are none.
    fn now(&mut self, stream: &RecordingStream, frame: &SolidarFrame) -> Result<(), Error> {
        let points = &frame.points;
        if points.is_empty() || !self.now_pace.due(frame.window.end) {
            return Ok(());
        }
        let of = |wanted: Medium| -> Vec<usize> {
            (0..points.len())
                .filter(|&i| points.medium[i] == wanted)
                .collect()
        };
        let place = |i: usize| single(&frame.point_in_world(i).vector());
        let light = of(Medium::Air);
        let newest = newest_ping(frame, of(Medium::Water));
        for (entity, indices, limit, rgb) in [
            ("now/lidar", &light, self.now[0], NOW_LIGHT),
            ("now/sonar", &newest, self.now[1], NOW_SOUND),
        ] {
            // Between two pings the last one stays.
            if indices.is_empty() {
                continue;
            }
            let cloud = Points3D::new(spread(indices.len(), limit).map(|at| place(indices[at])))
                .with_colors([color(rgb)])
                .with_radii([Radius::new_ui_points(NOW_RADIUS)]);
            stream.log(entity, &cloud)?;
        }
        let Some(head) = newest.first().and_then(|&i| {
            let sensor = SensorId(points.sensor[i]);
            let body_from_sensor = frame.calibration_of(sensor)?.body_from_sensor;
            Some((frame.world_from_body * body_from_sensor).translation())
        }) else {
            return Ok(());
        };
        let corners = [single(&head)]
            .into_iter()
            .chain(newest.iter().map(|&i| place(i)));
        let triangles = (1..newest.len() as u32).map(|i| [0, i, i + 1]);
        let [red, green, blue, alpha] = FAN;
        let fan = Mesh3D::new(corners)
            .with_triangle_indices(triangles)
            .with_albedo_factor(Color::from_unmultiplied_rgba(red, green, blue, alpha).0)
            .with_face_rendering(MeshFaceRendering::DoubleSided);
        Ok(stream.log("now/fan", &fan)?)
    }

    fn vessel(&mut self, stream: &RecordingStream, frame: &SolidarFrame) -> Result<(), Error> {
        let place = frame.world_from_body.translation();
        self.sight.pass(&place);
        let wxyz = frame.world_from_body.wxyz().map(|part| part as f32);
        let pose = Transform3D::from_translation(single(&place))
            .with_quaternion(RotationQuat(Quaternion::from_wxyz(wxyz)));
        self.undrawn = Some(pose);
        if self.vessel_pace.due(frame.window.end) {
            self.draw_vessel(stream)?;
        }
        let [low, high] = self.reach.get_or_insert([[place.x, place.y]; 2]);
        for (axis, value) in [place.x, place.y].into_iter().enumerate() {
            low[axis] = low[axis].min(value);
            high[axis] = high[axis].max(value);
        }
        self.path(stream, place, frame.window.end)
    }

    fn draw_vessel(&mut self, stream: &RecordingStream) -> Result<(), Error> {
        match self.undrawn.take() {
            Some(pose) => Ok(stream.log("vessel", &pose)?),
            None => Ok(()),
        }
    }

    /// The path in pieces, so that only its end is sent again.
    fn path(&mut self, stream: &RecordingStream, place: Vector3<f64>, now: Stamp) -> Result<(), Error> {
        if self
            .path
            .last()
            .is_some_and(|last| (place - last).norm() < PATH_STEP_M)
        {
            return Ok(());
        }
        self.path.push(place);
        let full = self.path.len() >= PATH_PIECE;
        if full || self.path_pace.due(now) {
            self.draw_path(stream)?;
        }
        if full {
            self.path_piece += 1;
            self.path.drain(..self.path.len() - 1);
        }
        Ok(())
    }

    fn draw_path(&self, stream: &RecordingStream) -> Result<(), Error> {
        let piece = LineStrips3D::new([self.path.iter().map(single).collect::<Vec<_>>()])
            .with_colors([color(PATH)])
            .with_radii([Radius::new_ui_points(LINE_RADIUS)]);
        Ok(stream.log(format!("path/{}", self.path_piece), &piece)?)
    }

    /// The water surface around the path so far, up to the wall if there is one.
    fn water(
        &mut self,
        stream: &RecordingStream,
        waterline: &Waterline,
        wall: Option<&Wall>,
    ) -> Result<(), Error> {
        let Some(reach) = self.reach else {
            return Ok(());
        };
        let same = self.water.is_some_and(|(z_m, before, walled)| {
            let grown = (0..2).any(|corner| {
                (0..2).any(|axis| (reach[corner][axis] - before[corner][axis]).abs() > WATER_STEP_M[1])
            });
            (z_m - waterline.z_m).abs() < WATER_STEP_M[0] && !grown && walled == wall.is_some()
        });
        if same {
            return Ok(());
        }
        self.water = Some((waterline.z_m, reach, wall.is_some()));
        let [red, green, blue, alpha] = WATER;
        let surface = Mesh3D::new(water_corners(reach, waterline.z_m, wall).map(|corner| single(&corner)))
            .with_triangle_indices([[0u32, 1, 2], [0, 2, 3]])
            .with_albedo_factor(Color::from_unmultiplied_rgba(red, green, blue, alpha).0)
            .with_face_rendering(MeshFaceRendering::DoubleSided);
        Ok(stream.log("water", &surface)?)
    }
}

/// Corners of the water, around.
fn water_corners([low, high]: [[f64; 2]; 2], z_m: f64, wall: Option<&Wall>) -> [Vector3<f64>; 4] {
    let [west, south] = low.map(|value| value - WATER_MARGIN_M);
    let [east, north] = high.map(|value| value + WATER_MARGIN_M);
    let corners = [[west, south], [east, south], [east, north], [west, north]].map(|[x, y]| {
        let mut corner = Vector3::zeros();
        corner.x = x;
        corner.y = y;
        corner.z = z_m;
        corner
    });
    let Some(wall) = wall else {
        return corners;
    };
    let path = [
        [low[0], low[1]],
        [high[0], low[1]],
        [high[0], high[1]],
        [low[0], high[1]],
    ];
    let places = path.map(|[x, y]| wall.place(&Vector3::new(x, y, z_m)));
    let end = |low: bool| {
        let ends = places.iter().map(|place| place.along_m);
        if low {
            ends.fold(f64::INFINITY, f64::min) - WATER_MARGIN_M
        } else {
            ends.fold(f64::NEG_INFINITY, f64::max) + WATER_MARGIN_M
        }
    };
    let off_m = places.iter().map(|place| place.off_m).fold(0.0, f64::max) + WATER_MARGIN_M / 2.0;
    [
        (end(true), 0.0),
        (end(false), 0.0),
        (end(false), off_m),
        (end(true), off_m),
    ]
    .map(|(along_m, off_m)| wall.point(along_m, off_m, z_m))
}

/// Of these points those of the newest ping, beam by beam.
fn newest_ping(frame: &SolidarFrame, mut indices: Vec<usize>) -> Vec<usize> {
    let points = &frame.points;
    let ping = |i: usize| (points.source_seq[i], points.sensor[i]);
    let Some(newest) = indices.iter().map(|&i| ping(i)).max() else {
        return indices;
    };
    indices.retain(|&i| ping(i) == newest);
    indices.sort_by_key(|&i| points.source_index[i]);
    indices
}

fn single(place: &Vector3<f64>) -> [f32; 3] {
    [place.x as f32, place.y as f32, place.z as f32]
}

fn color([red, green, blue]: Rgb) -> Color {
    Color::from_rgb(red, green, blue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specimen;

    #[test]
    fn the_fan_is_one_ping_in_the_order_of_its_beams() {
        let mut frame = specimen::frame(0);
        for i in 5..9 {
            frame.points.source_seq[i] = if i == 5 { 3 } else { 4 };
            frame.points.source_index[i] = 20 - i as u32;
        }
        assert_eq!(newest_ping(&frame, vec![5, 6, 7, 8]), vec![8, 7, 6]);
        assert!(newest_ping(&frame, Vec::new()).is_empty());
    }

    #[test]
    fn the_path_is_sent_in_pieces() {
        let (stream, caught) = re_sdk::RecordingStreamBuilder::new("test").memory().unwrap();
        let mut scene = Scene::new(&Options::default());
        for index in 0..200 {
            scene.frame(&stream, &specimen::frame(index), None).unwrap();
        }
        stream.flush_blocking().unwrap();
        let longest = caught
            .take()
            .into_iter()
            .filter_map(|message| match message {
                re_sdk::log::LogMsg::ArrowMsg(_, message) => {
                    re_sdk::log::Chunk::from_arrow_msg(&message).ok()
                }
                _ => None,
            })
            .filter(|chunk| chunk.entity_path().to_string().starts_with("/path/"))
            .count();
        assert!(longest >= 3, "{longest}");
    }
}
