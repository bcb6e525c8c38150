//! What stands in the 3-D view.

use beluga_types::{Label, Medium, Rig, SensorId, SolidarFrame, Waterline};
use nalgebra::Vector3;
use re_sdk::RecordingStream;
use re_sdk_types::archetypes::{
    Boxes3D, LineStrips3D, Mesh3D, Points3D, Transform3D, TransformAxes3D, ViewCoordinates,
};
use re_sdk_types::components::{Color, FillMode, MeshFaceRendering, Radius, RotationQuat};
use re_sdk_types::datatypes::Quaternion;

use crate::colour::{self, Rgb, Scale};
use crate::layout::Eye;
use crate::thin::{Voxels, spread};
use crate::{Error, Options};

/// Entities whose past stays visible: see [`crate::layout`].
pub(crate) const HISTORY: [&str; 4] = ["map/lidar", "map/sonar", "map/doubtful", "path"];

/// Radii of points and lines on screen, so that they are seen from any distance.
const MAP_RADIUS: f32 = 1.1;
const NOW_RADIUS: f32 = 1.9;
const LINE_RADIUS: f32 = 1.2;

/// A hull nobody measured, only to see where the vessel is: half length, beam and depth, metres.
const NOMINAL_HULL_HALF_M: [f32; 3] = [2.2, 0.85, 0.4];
/// Length of the drawn axes, metres.
const AXIS_M: f32 = 1.5;
/// Rays of the fan at most.
const FAN_RAYS: usize = 96;
/// How far the drawn water reaches beyond the vessel's path, metres.
const WATER_MARGIN_M: f64 = 20.0;

/// Points nearer to the vessel than this say where to look, metres.
const NEAR_M: f64 = 30.0;
/// How far from a vessel at rest it is looked at, metres.
const EYE_M: f64 = 12.0;

const DOUBTFUL: Rgb = [200, 60, 60];
const NOW_LIGHT: Rgb = [255, 196, 110];
const NOW_SOUND: Rgb = [120, 255, 230];
const WATER: [u8; 4] = [40, 120, 190, 30];
const HULL: Rgb = [235, 120, 40];
const PATH: Rgb = [255, 150, 60];

/// The scene so far, as much as the next frame needs of it.
pub(crate) struct Scene {
    lidar: Cloud,
    sonar: Cloud,
    doubtful: Cloud,
    now: [usize; 2],
    last_place: Option<Vector3<f64>>,
    /// Corners of the path so far, east and north.
    reach: Option<[[f64; 2]; 2]>,
    /// Sum and count of the map's points near the vessel.
    seen: (Vector3<f64>, f64),
}

/// Points of one kind.
struct Cloud {
    voxels: Voxels,
    scale: Scale,
    new: Vec<[f32; 3]>,
    colours: Vec<Color>,
}

impl Cloud {
    fn new(voxel_m: f64, limit: usize) -> Self {
        Self {
            voxels: Voxels::new(voxel_m, limit),
            scale: Scale::new(0.05, 0.98),
            new: Vec::new(),
            colours: Vec::new(),
        }
    }

    /// Adds a point if its voxel has none; says whether it did.
    fn add(&mut self, place: &Vector3<f64>, rgb: Rgb) -> bool {
        let taken = self.voxels.take(place);
        if taken {
            self.new.push(single(place));
            self.colours.push(color(rgb));
        }
        taken
    }

    fn log(&mut self, stream: &RecordingStream, entity: &str) -> Result<(), Error> {
        let points = Points3D::new(std::mem::take(&mut self.new))
            .with_colors(std::mem::take(&mut self.colours))
            .with_radii([Radius::new_ui_points(MAP_RADIUS)]);
        Ok(stream.log(entity, &points)?)
    }
}

impl Scene {
    pub(crate) fn new(options: &Options) -> Self {
        let budget = options.map_points;
        Self {
            lidar: Cloud::new(options.voxel_m, budget / 2),
            sonar: Cloud::new(options.voxel_m, budget / 5 * 2),
            doubtful: Cloud::new(options.voxel_m, budget / 10),
            now: [options.lidar_points_per_frame, options.sonar_points_per_frame],
            last_place: None,
            reach: None,
            seen: (Vector3::zeros(), 0.0),
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
            .with_radii([Radius::new_ui_points(3.0)]);
        Ok(stream.log_static("vessel/sensors", &sensors)?)
    }

    /// The frame, at the stream's current time.
    pub(crate) fn frame(&mut self, stream: &RecordingStream, frame: &SolidarFrame) -> Result<(), Error> {
        self.map(stream, frame)?;
        self.now(stream, frame)?;
        self.vessel(stream, frame)?;
        match &frame.waterline {
            Some(waterline) => self.water(stream, waterline),
            None => Ok(()),
        }
    }

    /// A place to look from: above the path, behind the vessel as seen from what it looks at.
    pub(crate) fn eye(&self) -> Option<Eye> {
        let [low, high] = self.reach?;
        let (sum, count) = self.seen;
        if count == 0.0 {
            return None;
        }
        let seen = sum / count;
        let path = Vector3::new((low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0, seen.z);
        let length_m = (high[0] - low[0]).hypot(high[1] - low[1]);
        let away = (path - seen).try_normalize(0.5).unwrap_or_else(Vector3::y);
        let along = Vector3::new(away.y, -away.x, 0.0);
        let distance_m = EYE_M + length_m * 0.45;
        let position =
            path + away * distance_m + along * (0.4 * distance_m) + Vector3::z() * (0.45 * distance_m);
        Some(Eye {
            position: single(&position),
            target: single(&((path + seen) / 2.0)),
        })
    }

    /// Adds to the map what is new in it.
    fn map(&mut self, stream: &RecordingStream, frame: &SolidarFrame) -> Result<(), Error> {
        let points = &frame.points;
        let levels = |wanted: Medium| {
            let media = points.medium.iter().zip(&points.level);
            media
                .filter(move |&(&medium, _)| medium == wanted)
                .map(|(_, &level)| level)
        };
        self.lidar.scale.follow(levels(Medium::Air));
        self.sonar.scale.follow(levels(Medium::Water));
        for i in 0..points.len() {
            let place = frame.point_in_world(i).vector();
            let added = match (points.label[i], points.medium[i]) {
                (Label::Mirror | Label::Multipath | Label::Volume | Label::Moving | Label::Bridged, _) => {
                    self.doubtful.add(&place, DOUBTFUL)
                }
                (_, Medium::Air) => {
                    let fraction = self.lidar.scale.fraction(points.level[i]);
                    self.lidar.add(&place, colour::light(fraction))
                }
                (_, Medium::Water) => {
                    let fraction = self.sonar.scale.fraction(points.level[i]);
                    self.sonar.add(&place, colour::sound(fraction))
                }
            };
            if added && points.position(i).vector().norm() < NEAR_M {
                self.seen = (self.seen.0 + place, self.seen.1 + 1.0);
            }
        }
        self.lidar.log(stream, HISTORY[0])?;
        self.sonar.log(stream, HISTORY[1])?;
        self.doubtful.log(stream, HISTORY[2])
    }

    /// The newest points, and rays to those in the water; what was newest before stays if there are
    /// none.
    fn now(&self, stream: &RecordingStream, frame: &SolidarFrame) -> Result<(), Error> {
        let points = &frame.points;
        if points.is_empty() {
            return Ok(());
        }
        let of = |wanted: Medium, limit: usize| -> Vec<usize> {
            let all: Vec<usize> = (0..points.len())
                .filter(|&i| points.medium[i] == wanted)
                .collect();
            spread(all.len(), limit).map(|place| all[place]).collect()
        };
        let place = |i: usize| single(&frame.point_in_world(i).vector());
        let light = of(Medium::Air, self.now[0]);
        let sound = of(Medium::Water, self.now[1]);
        for (entity, indices, rgb) in [("now/lidar", &light, NOW_LIGHT), ("now/sonar", &sound, NOW_SOUND)] {
            let cloud = Points3D::new(indices.iter().map(|&i| place(i)))
                .with_colors([color(rgb)])
                .with_radii([Radius::new_ui_points(NOW_RADIUS)]);
            stream.log(entity, &cloud)?;
        }
        let ray = |i: usize| {
            let sensor = SensorId(points.sensor[i]);
            let body_from_sensor = frame.calibration_of(sensor)?.body_from_sensor;
            let head = (frame.world_from_body * body_from_sensor).translation();
            Some([single(&head), place(i)])
        };
        let rays = spread(sound.len(), FAN_RAYS).filter_map(|i| ray(sound[i]));
        let [red, green, blue] = NOW_SOUND;
        let fan = LineStrips3D::new(rays)
            .with_colors([Color::from_unmultiplied_rgba(red, green, blue, 40)])
            .with_radii([Radius::new_ui_points(0.5)]);
        Ok(stream.log("now/fan", &fan)?)
    }

    fn vessel(&mut self, stream: &RecordingStream, frame: &SolidarFrame) -> Result<(), Error> {
        let place = frame.world_from_body.translation();
        let wxyz = frame.world_from_body.wxyz().map(|part| part as f32);
        let pose = Transform3D::from_translation(single(&place))
            .with_quaternion(RotationQuat(Quaternion::from_wxyz(wxyz)));
        stream.log("vessel", &pose)?;
        let before = self.last_place.replace(place).unwrap_or(place);
        let step = LineStrips3D::new([[single(&before), single(&place)]])
            .with_colors([color(PATH)])
            .with_radii([Radius::new_ui_points(LINE_RADIUS)]);
        stream.log(HISTORY[3], &step)?;
        let [low, high] = self.reach.get_or_insert([[place.x, place.y]; 2]);
        for (axis, value) in [place.x, place.y].into_iter().enumerate() {
            low[axis] = low[axis].min(value);
            high[axis] = high[axis].max(value);
        }
        Ok(())
    }

    /// The water surface around the path so far.
    fn water(&self, stream: &RecordingStream, waterline: &Waterline) -> Result<(), Error> {
        let Some([low, high]) = self.reach else {
            return Ok(());
        };
        let [west, south] = low.map(|value| (value - WATER_MARGIN_M) as f32);
        let [east, north] = high.map(|value| (value + WATER_MARGIN_M) as f32);
        let z = waterline.z_m as f32;
        let [red, green, blue, alpha] = WATER;
        let surface = Mesh3D::new([
            [west, south, z],
            [east, south, z],
            [east, north, z],
            [west, north, z],
        ])
        .with_triangle_indices([[0u32, 1, 2], [0, 2, 3]])
        .with_albedo_factor(Color::from_unmultiplied_rgba(red, green, blue, alpha).0)
        .with_face_rendering(MeshFaceRendering::DoubleSided);
        Ok(stream.log("water", &surface)?)
    }
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
    fn the_eye_stands_behind_the_vessel_and_above_it() {
        let (stream, _caught) = re_sdk::RecordingStreamBuilder::new("test").memory().unwrap();
        let mut scene = Scene::new(&Options::default());
        assert_eq!(scene.eye(), None, "nothing was seen yet");
        for index in 0..5 {
            scene.frame(&stream, &specimen::frame(index)).unwrap();
        }
        // The points lie to port of the path.
        let eye = scene.eye().unwrap();
        assert!(eye.position[1] < 0.0 && eye.position[2] > 0.0, "{eye:?}");
        assert!(eye.target[1] > 0.0, "{eye:?}");
    }
}
