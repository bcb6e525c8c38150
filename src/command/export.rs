//! `beluga export`: a record in other forms.

mod clouds;
mod forms;
mod provenance;

use std::path::{Path, PathBuf};

use anyhow::Context;
use beluga_sinks::maml::{Demands, Entry};
use beluga_sinks::place::Placement;
use beluga_sinks::{arrow, graph, trajectory};
use beluga_types::{Origin, SolidarFrame};
use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::maml::{Keys, entries, reported};
use super::outputs::must_be_free;
use crate::corrections::Poses;
use crate::document;
use crate::exit::{Exit, Wrong};
use crate::retrace::{Anew, Casts};
use forms::Form;
use provenance::Provenance;

/// Hands a record over in other forms, frame by frame. A file that does not become whole is removed.
///
/// LAS, LAZ and CSV are in the projected system the rig's `[origin] epsg` names, as easting, northing
/// and height above the ellipsoid; without one in `World`, and no system is claimed. Poses and PLY are
/// always in `World`. Where the survey came back to places it had been, poses are those that closed
/// loops made of them. With --profile the soundings lie where a later cast of the water has them; the
/// record stays as it is. --graph tells what came of what: files, sensors, run, frames, and the files
/// this call makes.
///
/// Example: beluga export quay.maml --laz quay.laz --tum quay.tum --graph quay-graph
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The record.
    record: PathBuf,
    #[command(flatten)]
    to: To,
    /// LAS, LAZ and CSV in `World` too, whatever the rig's `epsg` says.
    #[arg(long)]
    local: bool,
    #[command(flatten)]
    poses: Poses,
    #[command(flatten)]
    casts: Casts,
    #[command(flatten)]
    keys: Keys,
}

/// The forms; any of them, at least one.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct To {
    /// All points in `World` with all columns, as binary PLY.
    #[arg(long, value_name = "FILE.ply")]
    ply: Option<PathBuf>,
    /// All points as LAS 1.4 with GPS time, classes, and sigmas as extra dimensions.
    #[arg(long, value_name = "FILE.las")]
    las: Option<PathBuf>,
    /// The same, packed.
    #[arg(long, value_name = "FILE.laz")]
    laz: Option<PathBuf>,
    /// All points as text, one a line.
    #[arg(long, value_name = "FILE.csv")]
    csv: Option<PathBuf>,
    /// Each frame as a cloud in `World` and the pose it was seen from, for Foxglove, rerun and ROS 2.
    #[arg(long, value_name = "FILE.mcap")]
    mcap: Option<PathBuf>,
    /// The pose of each frame: `t x y z qx qy qz qw`, seconds UTC, `World` from `Body`.
    #[arg(long, value_name = "FILE")]
    tum: Option<PathBuf>,
    /// The same as 12 numbers a line, with the times beside it in `NAME.times.txt`.
    #[arg(long, value_name = "FILE")]
    kitti: Option<PathBuf>,
    /// What came of what, as `nodes.csv` and `edges.csv` for Neo4j and other graph databases.
    #[arg(long, value_name = "DIR")]
    graph: Option<PathBuf>,
}

#[derive(Serialize)]
struct Exported<'a> {
    #[serde(flatten)]
    files: std::collections::BTreeMap<&'static str, &'a Path>,
    frames: u64,
    points: u64,
    /// Nodes and edges.
    #[serde(skip_serializing_if = "Option::is_none")]
    graph_rows: Option<[u64; 2]>,
    /// The system of LAS, LAZ and CSV.
    coordinates: String,
}

/// Files that were not there before: removed if they do not become whole, so that nobody takes a
/// part for all.
struct Unfinished<'a>(Vec<&'a Path>);

impl Unfinished<'_> {
    fn are_whole(mut self) {
        self.0.clear();
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        for path in &self.0 {
            if std::fs::remove_file(path).is_ok() {
                crate::tell(&format!("{} was cut and has been removed", path.display()));
            }
        }
    }
}

/// The files that are being written.
struct Out {
    forms: Vec<Form>,
    placement: Placement,
    frames: u64,
    points: u64,
    arcs: u64,
}

impl Export {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        let times = self.to.kitti.as_deref().map(trajectory::times_path);
        let mut outputs = self.to.named();
        outputs.push(("--kitti", times.as_deref()));
        let tables = self.to.graph.as_deref().map(graph::paths);
        outputs.extend(
            tables
                .iter()
                .flatten()
                .map(|table| ("--graph", Some(table.as_path()))),
        );
        must_be_free(&outputs)?;
        let unfinished = Unfinished(outputs.iter().filter_map(|(_, path)| *path).collect());
        let corrections = self.poses.of(&self.record, &self.keys)?;
        let mut anew = self.casts.read()?;
        let (mut out, mut graph) = (None, self.graph()?);
        let exit = entries(&self.record, &self.keys, |document, entry| {
            let frame = match &entry {
                Entry::Frame(recorded) => Some(arrow::decode(&recorded.bytes)?),
                Entry::Meta(_) => None,
            };
            if let Some(graph) = &mut graph {
                graph.push(&entry, frame.as_ref())?;
            }
            let Some(mut frame) = frame else {
                return Ok(());
            };
            if let Some(corrections) = &corrections {
                corrections.apply(&mut frame);
            }
            if let Some(anew) = &mut anew {
                anew.apply(document, &mut frame)?;
            }
            let out = match &mut out {
                Some(out) => out,
                None => out.insert(Out::create(
                    &self.to,
                    self.local,
                    document::origin(document).as_ref(),
                )?),
            };
            out.push(&frame)
        })?;
        let Some(out) = out else {
            crate::tell(&format!(
                "no frame can be read, nothing was exported: {}",
                self.record.display()
            ));
            return Ok(if exit == Exit::Done { Exit::Findings } else { exit });
        };
        let mut exported = Exported {
            frames: out.frames,
            points: out.points,
            graph_rows: None,
            coordinates: out.placement.name().to_owned(),
            files: self.to.files(),
        };
        for line in anew.iter().flat_map(Anew::told) {
            crate::tell(&line);
        }
        if out.arcs > 0 && self.to.is_cloud() {
            crate::tell(&format!(
                "{} arcs (returns whose elevation is open) have no place in a cloud and are left out",
                out.arcs
            ));
        }
        out.finish()?;
        if let Some(graph) = graph {
            let made = json!({ "corrected": corrections.is_some(), "traced_anew": anew.is_some() });
            exported.graph_rows = Some(graph.finish(&self.to.products(), &made)?);
        }
        unfinished.are_whole();
        let text = exported.text();
        super::show(json, &exported, &text)?;
        Ok(exit)
    }
}

impl Export {
    /// The graph that is asked for, begun.
    fn graph(&self) -> anyhow::Result<Option<Provenance>> {
        let Some(folder) = &self.to.graph else {
            return Ok(None);
        };
        let report = reported(&self.record, None, &Demands::default())?;
        if report.head.is_none() {
            // Opening it says more.
            return Ok(None);
        }
        let name = |path: &&Path| {
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        };
        let products = self.to.products().iter().map(name).collect();
        Ok(Some(Provenance::create(folder, &report, products)?))
    }
}

impl To {
    /// Every option and its file.
    fn named(&self) -> Vec<(&'static str, Option<&Path>)> {
        [
            ("--ply", &self.ply),
            ("--las", &self.las),
            ("--laz", &self.laz),
            ("--csv", &self.csv),
            ("--mcap", &self.mcap),
            ("--tum", &self.tum),
            ("--kitti", &self.kitti),
        ]
        .map(|(option, path)| (option, path.as_deref()))
        .into()
    }

    /// Whether any of them is of points.
    fn is_cloud(&self) -> bool {
        let poses = ["--tum", "--kitti"];
        let mut named = self.named().into_iter();
        named.any(|(option, path)| path.is_some() && !poses.contains(&option))
    }

    /// The files that are made of frames.
    fn products(&self) -> Vec<&Path> {
        self.named().into_iter().filter_map(|(_, path)| path).collect()
    }

    /// What is asked for, by form.
    fn files(&self) -> std::collections::BTreeMap<&'static str, &Path> {
        let named = self
            .named()
            .into_iter()
            .chain([("--graph", self.graph.as_deref())]);
        named
            .filter_map(|(option, path)| Some((option.trim_start_matches('-'), path?)))
            .collect()
    }
}

impl Exported<'_> {
    fn text(&self) -> String {
        let Self { frames, points, .. } = self;
        let mut lines: Vec<String> = Vec::new();
        let mut is_placed = false;
        for (form, path) in &self.files {
            is_placed |= matches!(*form, "las" | "laz" | "csv");
            let count = match *form {
                "mcap" => format!("{frames} clouds, {points} points"),
                "tum" | "kitti" => format!("{frames} poses"),
                "graph" => {
                    let [nodes, edges] = self.graph_rows.unwrap_or_default();
                    format!("{nodes} nodes, {edges} edges")
                }
                _ => format!("{points} points"),
            };
            lines.push(format!("{form:<13}{} ({count})", path.display()));
        }
        if is_placed {
            lines.push(format!("coordinates  {}", self.coordinates));
        }
        lines.join("\n")
    }
}

impl Out {
    fn create(to: &To, local: bool, origin: Option<&Origin>) -> anyhow::Result<Self> {
        let placed = to.las.is_some() || to.laz.is_some() || to.csv.is_some();
        let placement = if local || !placed {
            Placement::world()
        } else {
            Placement::of(origin)
                .context("export in World with --local")
                .context(Wrong::Arguments)?
        };
        if placed
            && placement.wkt().is_some()
            && let Some(datum) = origin.and_then(|origin| origin.vertical_datum.as_ref())
        {
            crate::tell(&format!(
                "warning: heights stay above the ellipsoid, the rig's `{datum}` is not applied"
            ));
        }
        let forms = to
            .named()
            .into_iter()
            .filter_map(|(option, path)| Some((option, path?)))
            .map(|(option, path)| Form::create(option, path, &placement, origin))
            .collect::<anyhow::Result<Vec<Form>>>()?;
        Ok(Self {
            forms,
            placement,
            frames: 0,
            points: 0,
            arcs: 0,
        })
    }

    fn push(&mut self, frame: &SolidarFrame) -> anyhow::Result<()> {
        for form in &mut self.forms {
            form.push(frame)?;
        }
        self.frames += 1;
        self.points += frame.points.len() as u64;
        self.arcs += frame.arcs.len() as u64;
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        self.forms.into_iter().try_for_each(Form::finish)
    }
}
