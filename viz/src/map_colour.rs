//! What the colour of the map's points says.

use beluga_types::{Label, Medium, SolidarFrame, Stamp};
use nalgebra::Vector3;

use crate::colour::{self, Rgb};
use crate::face::is_clean;
use crate::sonar_colour::SonarColour;
use crate::tiles::Tiles;
use crate::{Error, Options};

/// Sigmas from the brightest to the darkest, as their negative logarithm: 1 cm to 1 m.
const SIGMAS: (f32, f32) = (0.0, 2.0);
/// The first span of ages, in seconds; it doubles whenever the run has become longer.
const FIRST_AGE_S: f32 = 60.0;

/// What the colours of all points in the map say, whatever sensor gave them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MapColour {
    /// Light in grey by intensity, sound by [`SonarColour`].
    #[default]
    Sensor,
    /// Seen through air: sand; through water: blue. Lighter is higher.
    Medium,
    /// The largest of a point's own three sigmas: bright is certain.
    Sigma,
    /// What a point is of: structure, bed, surface of the water, or not known. Lighter is higher.
    Label,
    /// When it was seen: bright is new. What has been seen again is in between.
    Age,
}

const SAND: Rgb = [244, 214, 150];
const BLUE: Rgb = [86, 180, 255];
/// M. Okabe, K. Ito, "Color universal design" (2008).
const STRUCTURE: Rgb = [240, 170, 60];
const BED: Rgb = [86, 180, 233];
const SURFACE: Rgb = [60, 220, 160];
const UNKNOWN: Rgb = [200, 200, 205];
const DOUBTFUL: Rgb = [200, 60, 60];

/// The colour of what lies this far from the low end of its scale, 0 to 1.
type Shade = fn(f32) -> Rgb;

/// A part of the map.
struct Part {
    entity: &'static str,
    shade: Shade,
    /// Its hundredths of all voxels.
    share: usize,
}

impl Part {
    fn new(entity: &'static str, shade: Shade, share: usize) -> Self {
        Self { entity, shade, share }
    }
}

impl MapColour {
    /// Every choice.
    pub const ALL: [MapColour; 5] = [Self::Sensor, Self::Medium, Self::Sigma, Self::Label, Self::Age];

    /// What the map is made of; what is doubtful comes last and is red.
    fn parts(self) -> Vec<Part> {
        let (light, sound): (Shade, Shade) = match self {
            Self::Sensor => (colour::light, colour::sound),
            Self::Medium => (|part| shaded(SAND, part), |part| shaded(BLUE, part)),
            Self::Sigma | Self::Age => (colour::sound, colour::sound),
            Self::Label => {
                return vec![
                    Part::new("map/structure", |part| shaded(STRUCTURE, part), 40),
                    Part::new("map/bed", |part| shaded(BED, part), 20),
                    Part::new("map/surface", |part| shaded(SURFACE, part), 10),
                    Part::new("map/unknown", |part| shaded(UNKNOWN, part), 20),
                    Part::new("map/doubtful", |_| DOUBTFUL, 10),
                ];
            }
        };
        vec![
            Part::new("map/lidar", light, 50),
            Part::new("map/sonar", sound, 40),
            Part::new("map/doubtful", |_| DOUBTFUL, 10),
        ]
    }

    /// The part that a point belongs to.
    fn part(self, label: Label, medium: Medium) -> usize {
        match (self, is_clean(label), medium) {
            (Self::Label, false, _) => 4,
            (_, false, _) => 2,
            (Self::Label, ..) => match label {
                Label::Structure => 0,
                Label::Bed => 1,
                Label::Surface => 2,
                _ => 3,
            },
            (_, _, Medium::Air) => 0,
            (_, _, Medium::Water) => 1,
        }
    }

    /// What is written above the map.
    pub(crate) fn title(self, sonar: bool, sonar_colour: SonarColour) -> String {
        match (self, sonar) {
            (Self::Sensor, true) => {
                let colour = sonar_colour.name();
                format!("Light: grey by intensity · Sound: violet to yellow by {colour}")
            }
            (Self::Sensor, false) => "Light: grey by intensity, or by height where there is none".into(),
            (Self::Medium, _) => "Through air: sand · through water: blue · lighter is higher".into(),
            (Self::Sigma, _) => "Own sigma: yellow 1 cm or less · violet 1 m or more".into(),
            (Self::Label, _) => {
                "Structure: orange · bed: blue · water's surface: green · not known: grey · doubtful: red"
                    .into()
            }
            (Self::Age, _) => "Seen: violet in the beginning · yellow now".into(),
        }
    }
}

/// A colour, darker for what lies lower: 0 to 1.
fn shaded(colour: Rgb, part: f32) -> Rgb {
    const DARKEST: f32 = 0.45;
    colour.map(|channel| {
        (f32::from(channel) * (DARKEST + (1.0 - DARKEST) * part.clamp(0.0, 1.0))).round() as u8
    })
}

/// The map in its parts, coloured.
pub(crate) struct Map {
    colour: MapColour,
    sonar_colour: SonarColour,
    parts: Vec<Tiles>,
    /// When the run began, and the span of ages.
    begun: Option<Stamp>,
    age_s: f32,
}

impl Map {
    pub(crate) fn new(options: &Options) -> Self {
        let colour = options.map_colour;
        let parts = colour.parts().into_iter().map(|Part { entity, shade, share }| {
            let tiles = Tiles::new(entity, shade, options.voxel_m, options.map_points / 100 * share);
            match (colour, entity) {
                (MapColour::Sensor, "map/sonar") => tiles.spanning(options.sonar_colour.span()),
                (MapColour::Sigma, _) => tiles.spanning(Some(SIGMAS)),
                (MapColour::Age, _) => tiles.spanning(Some((0.0, FIRST_AGE_S))),
                _ => tiles,
            }
        });
        Self {
            colour,
            sonar_colour: options.sonar_colour,
            parts: parts.collect(),
            begun: None,
            age_s: FIRST_AGE_S,
        }
    }

    /// Adds a frame's points, at these places of `World`; gives those that are the first in their voxel.
    pub(crate) fn add(&mut self, frame: &SolidarFrame, places: &[Vector3<f64>]) -> Vec<usize> {
        let points = &frame.points;
        let vessel = frame.world_from_body.translation();
        let seen_s = self.grow(frame.window.end);
        let of: Vec<usize> = (0..points.len())
            .map(|i| self.colour.part(points.label[i], points.medium[i]))
            .collect();
        let values: Vec<f32> = (0..points.len())
            .map(|i| match (self.colour, points.medium[i]) {
                (MapColour::Sensor, Medium::Air) => points.level[i],
                (MapColour::Sensor, Medium::Water) => self.sonar_colour.value(frame, i, &places[i]),
                (MapColour::Medium | MapColour::Label, _) => places[i].z as f32,
                (MapColour::Sigma, _) => SonarColour::Sigma.value(frame, i, &places[i]),
                (MapColour::Age, _) => seen_s,
            })
            .collect();
        for (number, tiles) in self.parts.iter_mut().enumerate() {
            tiles.pass(&vessel);
            let own = || (0..points.len()).filter(|&i| of[i] == number);
            tiles.follow(own().map(|i| values[i]), own().map(|i| places[i].z as f32));
        }
        let is_new = |&i: &usize| self.parts[of[i]].add(&places[i], values[i]);
        (0..points.len()).filter(is_new).collect()
    }

    /// Sends the tiles that have changed much since they were sent.
    pub(crate) fn send(&mut self, stream: &re_sdk::RecordingStream) -> Result<(), Error> {
        self.parts.iter_mut().try_for_each(|tiles| tiles.send(stream))
    }

    /// Sends every tile that is not there as it is.
    pub(crate) fn finish(&mut self, stream: &re_sdk::RecordingStream) -> Result<(), Error> {
        self.parts.iter_mut().try_for_each(|tiles| tiles.finish(stream))
    }

    /// Seconds since the run began. Ages have a longer span when it has become longer, and all is sent once
    /// more: a few times in a day.
    fn grow(&mut self, now: Stamp) -> f32 {
        let begun = *self.begun.get_or_insert(now);
        let seen_s = now.seconds_since(begun).max(0.0) as f32;
        if self.colour == MapColour::Age && seen_s > self.age_s && seen_s.is_finite() {
            while seen_s > self.age_s {
                self.age_s *= 2.0;
            }
            for tiles in &mut self.parts {
                tiles.span_anew((0.0, self.age_s));
            }
        }
        seen_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specimen;

    fn map(colour: MapColour) -> Map {
        Map::new(&Options {
            map_colour: colour,
            ..Options::default()
        })
    }

    fn places(frame: &SolidarFrame) -> Vec<Vector3<f64>> {
        (0..frame.points.len())
            .map(|i| frame.point_in_world(i).vector())
            .collect()
    }

    /// Parts of the map of one frame.
    fn drawn(colour: MapColour) -> Vec<String> {
        let (stream, caught) = re_sdk::RecordingStreamBuilder::new("test").memory().unwrap();
        let mut map = map(colour);
        let mut frame = specimen::frame(0);
        frame.points.label[0] = Label::Bed;
        frame.points.label[1] = Label::Unknown;
        let new = map.add(&frame, &places(&frame));
        assert_eq!(new.len(), frame.points.len(), "each in a voxel of its own");
        map.finish(&stream).unwrap();
        stream.flush_blocking().unwrap();
        let mut parts: Vec<String> = caught
            .take()
            .iter()
            .filter_map(|message| match message {
                re_sdk::log::LogMsg::ArrowMsg(_, arrow) => re_sdk::log::Chunk::from_arrow_msg(arrow).ok(),
                _ => None,
            })
            .map(|chunk| chunk.entity_path().to_string())
            .filter_map(|entity| Some(entity.strip_prefix("/map/")?.split_once('/')?.0.to_owned()))
            .collect();
        parts.sort_unstable();
        parts.dedup();
        parts
    }

    #[test]
    fn each_point_is_in_its_part() {
        let by_medium = ["doubtful", "lidar", "sonar"];
        for colour in [
            MapColour::Sensor,
            MapColour::Medium,
            MapColour::Sigma,
            MapColour::Age,
        ] {
            assert_eq!(drawn(colour), by_medium, "{colour:?}");
        }
        let by_label = ["bed", "doubtful", "structure", "unknown"];
        assert_eq!(drawn(MapColour::Label), by_label);
        for colour in MapColour::ALL {
            let shares: usize = colour.parts().iter().map(|part| part.share).sum();
            assert_eq!(shares, 100, "{colour:?}");
            assert_eq!(colour.part(Label::Mirror, Medium::Air), colour.parts().len() - 1);
        }
    }

    #[test]
    fn ages_span_the_run_and_it_doubles() {
        let mut map = map(MapColour::Age);
        let at = |seconds: f64| specimen::frame(0).window.end.shifted_s(seconds);
        assert_eq!(map.grow(at(0.0)), 0.0);
        assert_eq!((map.grow(at(59.0)), map.age_s), (59.0, 60.0));
        assert_eq!((map.grow(at(61.0)), map.age_s), (61.0, 120.0));
        assert_eq!((map.grow(at(1000.0)), map.age_s), (1000.0, 1920.0));
        assert_eq!(
            (map.grow(at(-5.0)), map.age_s),
            (0.0, 1920.0),
            "a clock that went back"
        );
    }

    #[test]
    fn higher_is_lighter() {
        assert_eq!(shaded(SAND, 1.0), SAND);
        let [low, high] = [shaded(BLUE, -1.0), shaded(BLUE, 0.5)];
        assert!(low.iter().zip(high).all(|(low, high)| *low < high));
    }
}
