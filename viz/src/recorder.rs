//! The recording being written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use beluga_types::{Echogram, Instruments, Medium, Rig, SensorKind, SolidarFrame, Stamp};
use re_sdk::blueprint::BlueprintActivation;
use re_sdk::log::ChunkBatcherConfig;
use re_sdk::sink::{FileSink, FileSinkOptions};
use re_sdk::{RecordingStream, RecordingStreamBuilder};

use crate::echo::Echoes;
use crate::face::Face;
use crate::header::Header;
use crate::layout::Shown;
use crate::lights::Lights;
use crate::notes::{self, Level, Notes};
use crate::options::Options;
use crate::plots::Plots;
use crate::scene::Scene;
use crate::viewer::{Feed, Fork};
use crate::wall::Wall;
use crate::{Error, TIMELINE, layout, unwrapped};

/// After so many frames it is known where the scene lies.
const FIRST_LOOK: u64 = 20;
/// So long things are gathered before they are sent on: what belongs together then goes together.
const GATHERED: Duration = Duration::from_millis(500);

/// Writes frames into a `.rrd` file that opens with a layout.
///
/// Without [`Self::finish`] the file lacks what was still on its way; what is in it can be opened.
pub struct Recorder {
    stream: RecordingStream,
    path: PathBuf,
    header: Header,
    scene: Scene,
    /// Only looked for where there may be a wall: not without a sonar.
    face: Option<Face>,
    echoes: Echoes,
    plots: Plots,
    lights: Lights,
    /// When its sensors were looked at last.
    seen_at: Option<Stamp>,
    notes: Notes,
    rig: Rig,
    options: Options,
    frames: u64,
    /// Whether sonars have given points, and pings to look at.
    has_soundings: bool,
    has_pings: bool,
    /// What the layout that was sent last says of that.
    laid_out_without_pings: bool,
}

impl Recorder {
    /// Starts the file, showing as much as is the default; one that is there is replaced.
    ///
    /// # Errors
    /// [`Error::Create`] if it cannot be made.
    pub fn create(path: &Path, rig: &Rig) -> Result<Self, Error> {
        Self::create_with(path, rig, Options::default())
    }

    /// As [`Self::create`], showing as much as these options say.
    ///
    /// # Errors
    /// [`Error::Create`] if the file cannot be made.
    pub fn create_with(path: &Path, rig: &Rig, options: Options) -> Result<Self, Error> {
        Self::to(None, Some(path), rig, options)
    }

    /// Shows a picture while it is made, and writes a file too if one is named. The file has
    /// everything over time; browsers get what was over time only of numbers, lights and the log,
    /// all else as it is now.
    ///
    /// # Errors
    /// [`Error::Create`] if the file cannot be made.
    pub fn live(feed: Feed, file: Option<&Path>, rig: &Rig, options: Options) -> Result<Self, Error> {
        Self::to(Some(feed), file, rig, options)
    }

    fn to(feed: Option<Feed>, file: Option<&Path>, rig: &Rig, options: Options) -> Result<Self, Error> {
        let path = file.unwrap_or(Path::new("the viewer"));
        // A table of all that was written would grow in memory as long as the run.
        let without_table = FileSinkOptions { write_footer: false };
        let file = file
            .map(|file| FileSink::with_options(file, without_table))
            .transpose()
            .map_err(|source| Error::Create {
                source: Box::new(source.into()),
                path: path.to_owned(),
            })?;
        let stream = builder().buffered()?;
        stream.set_sink(Box::new(Fork { file, feed }));
        Self::on(stream, path, rig, options)
    }

    fn on(stream: RecordingStream, path: &Path, rig: &Rig, options: Options) -> Result<Self, Error> {
        // Only data time: when something was drawn is nobody's business.
        stream.set_log_time_enabled(false);
        stream.set_log_tick_enabled(false);
        let has = |kind: SensorKind| rig.sensors.iter().any(|sensor| sensor.kind == kind);
        let face = (has(SensorKind::Lidar) && has(SensorKind::Sonar)).then(|| Face::new(&options));
        let shown = Shown {
            eye: None,
            follows: false,
            wall: face.is_some(),
            tolerance_m: options.tolerance_m,
            paced: options.paced,
            heard: options.heard,
            map_colour: options.map_colour,
            sonar_colour: options.sonar_colour,
            no_pings: false,
        };
        layout::send(&stream, rig, &shown, BlueprintActivation::default())?;
        Scene::describe(&stream, rig)?;
        Plots::describe(&stream)?;
        Lights::describe(&stream, rig)?;
        unwrapped::describe(&stream)?;
        Ok(Self {
            stream,
            path: path.to_owned(),
            header: Header::new(rig, options.tolerance_m),
            scene: Scene::new(&options),
            face,
            echoes: Echoes::new(rig),
            plots: Plots::new(rig),
            lights: Lights::new(rig),
            seen_at: None,
            notes: Notes::new(rig),
            rig: rig.clone(),
            options,
            frames: 0,
            has_soundings: false,
            has_pings: false,
            laid_out_without_pings: false,
        })
    }

    /// Adds a frame.
    ///
    /// # Errors
    /// [`Error::Log`] if the recorder refuses.
    pub fn frame(&mut self, frame: &SolidarFrame) -> Result<(), Error> {
        self.at(frame.window.end);
        if let Some(face) = &mut self.face {
            face.frame(&self.stream, frame)?;
        }
        let wall = self.face.as_ref().and_then(Face::wall);
        self.scene.frame(&self.stream, frame, wall)?;
        self.header.frame(&self.stream, frame, self.face.as_ref())?;
        let seam = self.face.as_ref().and_then(Face::seam);
        self.plots
            .frame(&self.stream, frame, seam.and_then(|seam| seam.as_ref().ok()))?;
        self.notes.frame(&self.stream, frame)?;
        self.has_soundings |= frame.points.medium.contains(&Medium::Water) || !frame.arcs.is_empty();
        self.frames += 1;
        match self.frames {
            // Who looks on meanwhile gets a place to look from early.
            FIRST_LOOK => self.lay_out_following(),
            _ => Ok(()),
        }
    }

    /// Adds a ping's picture.
    ///
    /// # Errors
    /// [`Error::Log`] if the recorder refuses.
    pub fn echo(&mut self, echo: &Echogram) -> Result<(), Error> {
        self.at(echo.stamp);
        self.has_pings = true;
        self.echoes.ping(&self.stream, echo)
    }

    /// Shows how the run's sensors stand, at their moment, unless something newer is there.
    ///
    /// # Errors
    /// [`Error::Log`] if the recorder refuses.
    pub fn instruments(&mut self, seen: &Instruments) -> Result<(), Error> {
        if self.seen_at.is_some_and(|newest| newest >= seen.at) {
            return Ok(());
        }
        self.seen_at = Some(seen.at);
        self.at(seen.at);
        self.plots.instruments(&self.stream, seen)?;
        self.lights.draw(&self.stream, seen)
    }

    /// Says how long after its data were complete, at the pace of the run, the next frame came.
    pub fn late(&mut self, by: Duration) {
        self.plots.late(by);
    }

    /// Adds a line to the log, at the time of what was added last.
    ///
    /// # Errors
    /// [`Error::Log`] if the recorder refuses.
    pub fn note(&mut self, level: Level, text: &str) -> Result<(), Error> {
        notes::say(&self.stream, level, text)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`Error::Flush`] if not all could be written.
    pub fn finish(mut self) -> Result<(), Error> {
        self.draw_rest()?;
        self.stream.flush_blocking().map_err(|source| Error::Flush {
            source: Box::new(source),
            path: self.path.clone(),
        })?;
        self.stream.disconnect();
        Ok(())
    }

    /// Waits until all that was drawn is on its way.
    #[cfg(test)]
    pub(crate) fn flush(&self) -> Result<(), re_sdk::sink::SinkFlushError> {
        self.stream.flush_blocking()
    }

    /// Draws what has not been drawn yet. Now it is known where the scene lies and whether there is a
    /// wall: the layout once more.
    fn draw_rest(&mut self) -> Result<(), Error> {
        self.scene.finish(&self.stream)?;
        self.plots.finish(&self.stream)?;
        self.echoes.finish(&self.stream)?;
        if let Some(face) = &mut self.face {
            face.finish(&self.stream)?;
        }
        let found = self.face.as_ref().is_some_and(|face| face.wall().is_some());
        // Whoever looks on keeps the place to look from, unless there are other views now.
        let other_views = found != self.face.is_some() || self.laid_out_without_pings != self.has_no_pings();
        self.lay_out_whole(found, other_views || self.frames < FIRST_LOOK)
    }

    /// Sends the layout with a place to look from that goes with the vessel.
    fn lay_out_following(&mut self) -> Result<(), Error> {
        let sight = &self.scene.sight;
        let eye = self
            .stretch()
            .and_then(|(wall, passed_m)| sight.along_wall(wall, passed_m));
        let eye = eye.or_else(|| sight.of_vessel());
        if let Some(eye) = &eye {
            Scene::describe_sight(&self.stream, eye.distance_m())?;
        }
        let shown = Shown {
            eye,
            follows: true,
            wall: self.face.is_some(),
            tolerance_m: self.options.tolerance_m,
            paced: self.options.paced,
            heard: self.options.heard,
            map_colour: self.options.map_colour,
            sonar_colour: self.options.sonar_colour,
            no_pings: self.has_no_pings(),
        };
        self.lay_out(&shown, true)
    }

    /// Sends the layout with a place that the whole is looked at from, and with the wall's views or
    /// without: for those who look on too, or only for those who come later.
    fn lay_out_whole(&mut self, wall_views: bool, at_once: bool) -> Result<(), Error> {
        let sight = &self.scene.sight;
        let eye = self
            .stretch()
            .and_then(|(wall, passed_m)| sight.of_wall(wall, passed_m));
        let shown = Shown {
            eye: eye.or_else(|| sight.of_vessel()),
            follows: false,
            wall: wall_views,
            tolerance_m: self.options.tolerance_m,
            paced: self.options.paced,
            heard: self.options.heard,
            map_colour: self.options.map_colour,
            sonar_colour: self.options.sonar_colour,
            no_pings: self.has_no_pings(),
        };
        self.lay_out(&shown, at_once)
    }

    /// Whether there is nothing to see of pings, though there is of what they met.
    fn has_no_pings(&self) -> bool {
        self.has_soundings && !self.has_pings
    }

    /// The wall, and the stretch of it that was passed.
    fn stretch(&self) -> Option<(&Wall, [f64; 2])> {
        let face = self.face.as_ref()?;
        Some((face.wall()?, face.passed_m()?))
    }

    fn lay_out(&mut self, shown: &Shown, at_once: bool) -> Result<(), Error> {
        self.laid_out_without_pings = shown.no_pings;
        let activation = BlueprintActivation {
            make_active: at_once,
            make_default: true,
        };
        layout::send(&self.stream, &self.rig, shown, activation)
    }

    fn at(&self, stamp: Stamp) {
        self.stream
            .set_timestamp_nanos_since_epoch(TIMELINE, stamp.nanos());
    }
}

/// Says nothing of the machine or the hour, whatever the environment asks for.
fn builder() -> RecordingStreamBuilder {
    RecordingStreamBuilder::new(layout::APPLICATION)
        .enabled(true)
        .send_properties(false)
        .batcher_config(ChunkBatcherConfig {
            flush_tick: GATHERED,
            ..ChunkBatcherConfig::DEFAULT
        })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use beluga_types::Light;
    use re_sdk::log::{Chunk, LogMsg};

    use super::*;
    use crate::specimen;

    /// Rows by entity of the recording, and paths of the layout, of three frames and pings.
    fn logged() -> (BTreeMap<String, usize>, BTreeSet<String>) {
        let (stream, caught) = builder().memory().unwrap();
        let path = Path::new("memory");
        let mut recorder = Recorder::on(stream, path, &specimen::rig(), Options::default()).unwrap();
        for index in 0..3 {
            recorder.frame(&specimen::frame(index)).unwrap();
            recorder.echo(&specimen::echo(index)).unwrap();
        }
        for _ in 0..2 {
            let seen = specimen::instruments([Light::Green, Light::Red]);
            recorder.instruments(&seen).unwrap();
        }
        recorder.note(Level::Info, "sound speed from the rig").unwrap();
        recorder.draw_rest().unwrap();
        let (mut rows, mut layout) = (BTreeMap::new(), BTreeSet::new());
        for message in caught.take() {
            let LogMsg::ArrowMsg(store, message) = message else {
                continue;
            };
            let chunk = Chunk::from_arrow_msg(&message).unwrap();
            let entity = chunk.entity_path().to_string();
            if store.is_blueprint() {
                layout.insert(entity);
            } else {
                *rows.entry(entity).or_default() += chunk.num_rows();
            }
        }
        (rows, layout)
    }

    #[test]
    fn every_documented_entity_is_there() {
        let (rows, _) = logged();
        for (entity, expected) in [
            ("/header", 1),
            ("/map/lidar/0_0", 2),
            ("/map/sonar/0_0", 2),
            ("/map/doubtful/0_0", 2),
            ("/now/lidar", 1),
            ("/now/sonar", 1),
            ("/now/fan", 1),
            ("/path/0", 2),
            ("/vessel", 3),
            ("/water", 1),
            ("/sonar/fan\\ one/waterfall/compressed", 2),
            ("/sonar/fan\\ one/waterfall/detected", 2),
            ("/sonar/fan\\ one/fan", 1),
            ("/plot/attitude", 2),
            ("/plot/points", 2),
            // What is of no newer moment is not shown again.
            ("/plot/stages/made", 1),
            ("/plot/queue/fan\\ one", 1),
            ("/lights", 1),
            ("/lights/words", 1),
            ("/states/roof", 2),
            ("/sensors", 1),
            // Two gaps' lines, one line on the pose, one on the registration, one note.
            ("/log", 5),
        ] {
            assert_eq!(rows.get(entity), Some(&expected), "{entity} of {rows:?}");
        }
    }

    #[test]
    fn the_layout_has_a_place_to_look_from() {
        let (_, layout) = logged();
        assert!(
            layout.iter().any(|path| path.ends_with("/EyeControls3D")),
            "{layout:?}"
        );
    }

    /// How many views each layout has that is sent for a multibeam alone, in turn.
    fn views(frames: u64, pings: bool) -> Vec<usize> {
        let (stream, caught) = builder().memory().unwrap();
        let mut rig = specimen::rig();
        rig.sensors.retain(|sensor| sensor.kind == SensorKind::Sonar);
        let mut recorder = Recorder::on(stream, Path::new("memory"), &rig, Options::default()).unwrap();
        for index in 0..frames {
            recorder.frame(&specimen::frame(index)).unwrap();
            if pings {
                recorder.echo(&specimen::echo(index)).unwrap();
            }
        }
        recorder.draw_rest().unwrap();
        let mut layouts: Vec<(_, BTreeSet<String>)> = Vec::new();
        for message in caught.take() {
            if let LogMsg::ArrowMsg(store, message) = message
                && store.is_blueprint()
            {
                let chunk = Chunk::from_arrow_msg(&message).unwrap();
                if layouts.last().is_none_or(|(last, _)| *last != store) {
                    layouts.push((store, BTreeSet::new()));
                }
                let path = chunk.entity_path().to_string();
                let mut parts = path.split('/').skip(1);
                if let (Some("view"), Some(id), Some((_, views))) =
                    (parts.next(), parts.next(), layouts.last_mut())
                {
                    views.insert(id.to_owned());
                }
            }
        }
        layouts.iter().map(|(_, views)| views.len()).collect()
    }

    #[test]
    fn where_no_ping_is_to_be_seen_there_are_no_empty_waterfalls() {
        // Three stages of the waterfall, and the fan.
        let with = views(3, true);
        assert_eq!(with, [with[0]; 2]);
        assert_eq!(views(3, false), [with[0], with[0] - 4]);
        assert_eq!(views(FIRST_LOOK, false), [with[0], with[0] - 4, with[0] - 4]);
        assert_eq!(views(0, false), [with[0]; 2], "nothing has come yet");
    }

    #[test]
    fn a_long_run_writes_no_more_per_minute_than_a_short_one() {
        // Gathered by the minute of the run, not by how long the machine takes for it.
        let gathered = ChunkBatcherConfig {
            flush_tick: Duration::MAX,
            ..ChunkBatcherConfig::DEFAULT
        };
        let (stream, caught) = builder().batcher_config(gathered).memory().unwrap();
        let path = Path::new("memory");
        let mut recorder = Recorder::on(stream, path, &specimen::rig(), Options::default()).unwrap();
        let mut minutes = Vec::new();
        for minute in 0..10 {
            for index in minute * 60..(minute + 1) * 60 {
                let frame = specimen::passing(index, index as f64);
                recorder.frame(&frame).unwrap();
                let mut echo = specimen::echo(index);
                echo.stamp = frame.window.end;
                recorder.echo(&echo).unwrap();
            }
            recorder.stream.flush_blocking().unwrap();
            let messages = caught.take();
            let bytes = re_log_encoding::Encoder::encode(messages.iter().map(Ok))
                .unwrap()
                .len();
            let tiles = messages.iter().filter(|message| is_tile(message)).count();
            minutes.push((bytes, tiles));
        }
        println!("bytes and tiles by minute: {minutes:?}");
        let mean = |part: &[(usize, usize)]| {
            let bytes: usize = part.iter().map(|(bytes, _)| bytes).sum();
            bytes as f64 / part.len() as f64
        };
        let (early, late) = (mean(&minutes[1..5]), mean(&minutes[6..]));
        assert!(late < 1.25 * early, "{early:.0} to {late:.0} bytes a minute");
        // Sixty metres a minute are two tiles of light and two of sound, each shown a few times.
        let most = minutes.iter().map(|&(_, tiles)| tiles).max().unwrap();
        assert!(most <= 20, "{minutes:?}");
    }

    fn is_tile(message: &LogMsg) -> bool {
        let LogMsg::ArrowMsg(_, message) = message else {
            return false;
        };
        let chunk = Chunk::from_arrow_msg(message).unwrap();
        chunk.entity_path().to_string().starts_with("/map/")
    }

    #[test]
    fn the_file_is_a_recording() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.rrd");
        let mut recorder = Recorder::create(&path, &specimen::rig()).unwrap();
        recorder.frame(&specimen::frame(0)).unwrap();
        recorder.finish().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(&bytes[..4], b"RRF2");
        assert!(bytes.len() > 10_000, "{} bytes", bytes.len());
    }

    #[test]
    fn a_file_that_cannot_be_made_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("missing/run.rrd");
        let created = Recorder::create(&path, &specimen::rig());
        assert!(matches!(created.err(), Some(Error::Create { .. })));
    }
}
