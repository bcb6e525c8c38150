//! Numbers over time.

use beluga_types::{Attitude, Medium, SolidarFrame, SonarRegistration};
use nalgebra::Vector3;
use re_sdk::RecordingStream;
use re_sdk_types::archetypes::{Scalars, SeriesLines};

use crate::Error;
use crate::colour::Rgb;

/// All lines are below here.
pub(crate) const ROOT: &str = "plot";

/// One line of a plot.
struct Line {
    entity: &'static str,
    name: &'static str,
    colour: Rgb,
}

const BLUE: Rgb = [86, 180, 233];
const ORANGE: Rgb = [230, 159, 0];
const GREEN: Rgb = [0, 190, 140];

/// Colours that colour-blind eyes tell apart: M. Okabe, K. Ito, "Color universal design" (2008).
const LINES: [Line; 16] = [
    line("plot/height/vessel", "vessel z, m", ORANGE),
    line("plot/height/waterline", "waterline z, m", BLUE),
    line("plot/attitude/roll", "roll, deg", ORANGE),
    line("plot/attitude/pitch", "pitch, deg", BLUE),
    line("plot/heading", "heading, deg", GREEN),
    line("plot/sigma/horizontal", "horizontal 1σ, m", ORANGE),
    line("plot/sigma/vertical", "vertical 1σ, m", BLUE),
    line("plot/sigma/rotation", "rotation 1σ, deg", GREEN),
    line("plot/held/rotation", "weakest rotation axis", GREEN),
    line("plot/held/translation", "weakest translation axis", ORANGE),
    line("plot/residual/distance", "sonar off the lidar map, cm", ORANGE),
    line("plot/residual/rotation", "sonar off the lidar map, 0.1°", GREEN),
    line("plot/points/lidar", "lidar points", ORANGE),
    line("plot/points/sonar", "sonar points", BLUE),
    line("plot/points/arcs", "arcs", GREEN),
    line("plot/points/lost", "payloads lost", [213, 94, 0]),
];

const fn line(entity: &'static str, name: &'static str, colour: Rgb) -> Line {
    Line { entity, name, colour }
}

/// Names and colours of all lines.
pub(crate) fn describe(stream: &RecordingStream) -> Result<(), Error> {
    for line in &LINES {
        let [red, green, blue] = line.colour;
        let look = SeriesLines::new()
            .with_names([line.name])
            .with_colors([re_sdk_types::components::Color::from_rgb(red, green, blue)])
            .with_widths([1.5]);
        stream.log_static(line.entity, &look)?;
    }
    Ok(())
}

/// The numbers of one frame, at the stream's current time.
pub(crate) fn frame(stream: &RecordingStream, frame: &SolidarFrame, true_north: bool) -> Result<(), Error> {
    let point = |entity: &str, value: f64| -> Result<(), Error> {
        if value.is_finite() {
            stream.log(entity, &Scalars::single(value))?;
        }
        Ok(())
    };
    let pose = &frame.world_from_body;
    point("plot/height/vessel", pose.translation().z)?;
    if let Some(waterline) = &frame.waterline {
        point("plot/height/waterline", waterline.z_m)?;
    }
    let attitude = if true_north {
        Attitude::from_east_north_up_from_body(&pose.rotation())
    } else {
        Attitude::from_rotation(&pose.rotation())
    };
    point("plot/attitude/roll", attitude.roll_rad.to_degrees())?;
    point("plot/attitude/pitch", attitude.pitch_rad.to_degrees())?;
    point(
        "plot/heading",
        attitude.heading_rad.to_degrees().rem_euclid(360.0),
    )?;

    let sigma = sigmas(frame);
    point("plot/sigma/horizontal", sigma.x)?;
    point("plot/sigma/vertical", sigma.y)?;
    point("plot/sigma/rotation", sigma.z.to_degrees())?;
    let weakest = |axes: &[f64]| axes.iter().copied().fold(f64::INFINITY, f64::min);
    point("plot/held/rotation", weakest(&frame.localizability[..3]))?;
    point("plot/held/translation", weakest(&frame.localizability[3..]))?;

    if let SonarRegistration::Measured { correction, .. } = &frame.status.sonar_registration {
        let turn = correction.fixed_rows::<3>(0).norm().to_degrees();
        point(
            "plot/residual/distance",
            correction.fixed_rows::<3>(3).norm() * 100.0,
        )?;
        point("plot/residual/rotation", turn * 10.0)?;
    }

    let under_water = frame
        .points
        .medium
        .iter()
        .filter(|&&medium| medium == Medium::Water)
        .count();
    point("plot/points/lidar", (frame.points.len() - under_water) as f64)?;
    point("plot/points/sonar", under_water as f64)?;
    point("plot/points/arcs", frame.arcs.len() as f64)?;
    let lost: u64 = frame.gaps.iter().map(|gap| gap.lost).fold(0, u64::saturating_add);
    point("plot/points/lost", lost as f64)
}

/// One sigma of the pose: horizontal (root of the two variances' sum), vertical, in `World` and
/// metres, and of the rotation about all axes together, in rad.
pub(crate) fn sigmas(frame: &SolidarFrame) -> Vector3<f64> {
    let rotation = frame.world_from_body.rotation_matrix();
    let in_body = frame.pose_covariance.fixed_view::<3, 3>(3, 3);
    let in_world = rotation * in_body * rotation.transpose();
    let turn = frame.pose_covariance.fixed_view::<3, 3>(0, 0).trace();
    Vector3::new(in_world[(0, 0)] + in_world[(1, 1)], in_world[(2, 2)], turn)
        .map(|variance| variance.max(0.0).sqrt())
}
