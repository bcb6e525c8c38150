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
const WATER_MARGIN_M: f64 = 25.0;

const DOUBTFUL: Rgb = [200, 60, 60];
const NOW_LIGHT: Rgb = [255, 196, 110];
const NOW_SOUND: Rgb = [120, 255, 230];
const WATER: [u8; 4] = [40, 120, 190, 70];
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
            scale: Scale::default(),
            new: Vec::new(),
            colours: Vec::new(),
        }
    }

    fn add(&mut self, place: &Vector3<f64>, rgb: Rgb) {
        if self.voxels.take(place) {
            self.new.push(single(place));
            self.colours.push(color(rgb));
        }
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
            match (points.label[i], points.medium[i]) {
                (Label::Mirror | Label::Multipath | Label::Volume | Label::Moving | Label::Bridged, _) => {
                    self.doubtful.add(&place, DOUBTFUL);
                }
                (_, Medium::Air) => {
                    let fraction = self.lidar.scale.fraction(points.level[i]);
                    self.lidar.add(&place, colour::light(fraction));
                }
                (_, Medium::Water) => {
                    let fraction = self.sonar.scale.fraction(points.level[i]);
                    self.sonar.add(&place, colour::sound(fraction));
                }
            }
        }
        self.lidar.log(stream, HISTORY[0])?;
        self.sonar.log(stream, HISTORY[1])?;
        self.doubtful.log(stream, HISTORY[2])
    }

    /// The newest points, and rays to those in the water.
    fn now(&self, stream: &RecordingStream, frame: &SolidarFrame) -> Result<(), Error> {
        let points = &frame.points;
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
