//! Clouds and poses as an MCAP file: what leaves the project, for viewers.

use std::path::Path;

use beluga_types::{Body, Origin, Stamp, Transform, World};
use mcap::records::Metadata;
use nalgebra::Matrix6;

use super::cdr::Encoder;
use super::cloud::{self, Column};
use super::fixes::Moment;
use super::schema::Kind;
use super::views::{self, WORLD};
use super::writer::{Writer, failed};
use crate::error::Error;

/// Writes clouds in `World` and the poses they were seen from.
///
/// Clouds are `sensor_msgs/PointCloud2` on `/beluga/points`, poses `nav_msgs/Odometry` on
/// `/beluga/pose`; the metadata record `beluga` says what `World` is. The file is no tape: it holds
/// no rig and no measurements. One that was never [`finished`](Self::finish) opens to its last
/// whole chunk, which holds one cloud.
pub struct CloudWriter {
    writer: Writer,
    points: u16,
    pose: u16,
    clouds: u64,
}

impl CloudWriter {
    /// Starts a file; `origin` is where `World` is anchored, `told` what else its reader should
    /// know of the columns, as pairs of a word and a sentence.
    ///
    /// # Errors
    /// If the file exists or cannot be written.
    pub fn create(path: &Path, origin: Option<&Origin>, told: &[(&str, String)]) -> Result<Self, Error> {
        let mut writer = Writer::open(path)?;
        let mut metadata: std::collections::BTreeMap<_, _> = told
            .iter()
            .map(|(word, sentence)| ((*word).to_owned(), sentence.clone()))
            .collect();
        metadata.insert("world".to_owned(), world(origin));
        writer.tell(&Metadata {
            name: "beluga".to_owned(),
            metadata,
        })?;
        let points = writer.channel(Kind::Cloud, "/beluga/points", &[])?;
        let pose = writer.channel(Kind::Odometry, "/beluga/pose", &[])?;
        Ok(Self {
            writer,
            points,
            pose,
            clouds: 0,
        })
    }

    /// Writes a cloud of these columns, coordinates in `World`, and where the vehicle was.
    ///
    /// # Errors
    /// If the columns differ in length, there are more than 4 GiB of them, or nothing can be written.
    pub fn push(
        &mut self,
        stamp: Stamp,
        columns: &[Column<'_>],
        world_from_body: &Transform<World, Body>,
        covariance: &Matrix6<f64>,
    ) -> Result<(), Error> {
        let points = columns.first().map_or(0, |column| column.values.len());
        let uneven = columns.iter().find(|column| column.values.len() != points);
        let row: usize = columns.len().saturating_mul(8);
        if uneven.is_some() || u32::try_from(points.saturating_mul(row)).is_err() {
            return Err(Error::Unsupported {
                what: match uneven {
                    Some(column) => format!(
                        "a cloud with {} of `{}` for {points} points",
                        column.values.len(),
                        column.name
                    ),
                    None => format!("a cloud of {points} points"),
                },
                path: self.writer.path.clone(),
            });
        }
        let moment = Moment {
            seq: self.clouds,
            stamp,
            end: stamp,
            received: stamp,
        };
        let mut encoder = Encoder::new();
        cloud::put(&mut encoder, stamp, WORLD, columns);
        self.writer.message(self.points, &moment, &encoder.finish())?;
        let pose = views::odometry(stamp, world_from_body, Some(covariance));
        self.writer.message(self.pose, &moment, &pose)?;
        self.clouds += 1;
        self.writer.flush()
    }

    /// Ends the file; gives the number of clouds.
    ///
    /// # Errors
    /// If something cannot be written.
    pub fn finish(self) -> Result<u64, Error> {
        self.writer.finish()?;
        Ok(self.clouds)
    }
}

impl Writer {
    fn tell(&mut self, metadata: &Metadata) -> Result<(), Error> {
        self.mcap.write_metadata(metadata).map_err(failed(&self.path))
    }
}

fn world(origin: Option<&Origin>) -> String {
    let Some(origin) = origin else {
        return "the vehicle's own space at its first measurement, metres".to_owned();
    };
    let anchor = &origin.anchor;
    format!(
        "local east-north-up, metres, at latitude {:.9} deg, longitude {:.9} deg, height {:.4} m above the ellipsoid, WGS 84",
        anchor.latitude_rad.to_degrees(),
        anchor.longitude_rad.to_degrees(),
        anchor.height_m
    )
}
