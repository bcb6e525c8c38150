//! Each sensor's light: as it is now, over time, and in a table with what is wrong.

use std::fmt::Write as _;

use beluga_types::{Instruments, Lamp, Light, Rig, SensorState};
use re_sdk::{EntityPath, RecordingStream};
use re_sdk_types::archetypes::{Points2D, StateChange, StateConfiguration, TextDocument};
use re_sdk_types::components::{Color, Radius};

use crate::Error;
use crate::colour::Rgb;

/// The lamps.
pub(crate) const NOW: &str = "lights";
/// The table.
pub(crate) const TABLE: &str = "sensors";
/// Lights over time, a lane for each sensor.
pub(crate) const STATES: &str = "states";

/// Lamps in a row, and how far they and their rows are apart, in diameters of a lamp.
const IN_A_ROW: usize = 4;
const STEP: [f32; 2] = [4.0, 2.5];
/// The longest that a reason may be under a lamp, in characters.
const MOST_SAID: usize = 26;

/// Colours that colour-blind eyes tell apart by brightness too: M. Okabe, K. Ito, "Color universal design" (2008).
fn colour(light: Light) -> Rgb {
    match light {
        Light::Green => [0, 158, 115],
        Light::Grey => [120, 128, 140],
        Light::Amber => [240, 228, 66],
        Light::Red => [230, 60, 30],
    }
}

/// Draws lights; those over time only when they change.
pub(crate) struct Lights {
    last: Vec<Option<Light>>,
}

impl Lights {
    pub(crate) fn new(rig: &Rig) -> Self {
        Self {
            last: vec![None; rig.sensors.len()],
        }
    }

    /// What the lanes' colours are.
    pub(crate) fn describe(stream: &RecordingStream, rig: &Rig) -> Result<(), Error> {
        let colours = Light::ALL.map(|light| {
            let [red, green, blue] = colour(light);
            Color::from_rgb(red, green, blue)
        });
        let words = Light::ALL.map(Light::word);
        let look = StateConfiguration::new().with_values(words).with_colors(colours);
        for sensor in &rig.sensors {
            stream.log_static(lane(&sensor.name), &look)?;
        }
        Ok(())
    }

    /// Draws them at the stream's current time.
    pub(crate) fn draw(&mut self, stream: &RecordingStream, seen: &Instruments) -> Result<(), Error> {
        for ((state, lamp), last) in seen.sensors.iter().zip(&mut self.last) {
            if last.replace(lamp.light) != Some(lamp.light) {
                stream.log(lane(&state.name), &StateChange::single(lamp.light.word()))?;
            }
        }
        stream.log(NOW, &lamps(&seen.sensors))?;
        stream.log(format!("{NOW}/words"), &words(&seen.sensors))?;
        Ok(stream.log(TABLE, &TextDocument::from_markdown(table(seen)))?)
    }
}

fn lane(name: &str) -> EntityPath {
    EntityPath::from(STATES).join(&EntityPath::from_single_string(name.to_owned()))
}

/// Where the lamp of a sensor hangs; down is positive.
fn place(number: usize) -> [f32; 2] {
    let [column, row] = [number % IN_A_ROW, number / IN_A_ROW];
    [column as f32 * STEP[0], row as f32 * STEP[1]]
}

/// From the left upper to the right lower corner of so many lamps with their words.
pub(crate) fn reach(sensors: usize) -> [[f32; 2]; 2] {
    let columns = sensors.clamp(1, IN_A_ROW) as f32;
    let rows = sensors.div_ceil(IN_A_ROW).max(1) as f32;
    [
        [-STEP[0] / 2.0, -0.6],
        [(columns - 0.5) * STEP[0], (rows - 1.0) * STEP[1] + 1.75],
    ]
}

fn lamps(sensors: &[(SensorState, Lamp)]) -> Points2D {
    let colours = sensors.iter().map(|(_, lamp)| {
        let [red, green, blue] = colour(lamp.light);
        Color::from_rgb(red, green, blue)
    });
    Points2D::new((0..sensors.len()).map(place))
        .with_colors(colours)
        .with_radii([Radius::new_scene_units(0.5)])
}

/// What stands under each lamp: its word and name, and its rate, or why it is not green.
fn words(sensors: &[(SensorState, Lamp)]) -> Points2D {
    let places = (0..sensors.len()).map(|number| {
        let [x, y] = place(number);
        [x, y + 0.6]
    });
    let said = sensors.iter().map(|(state, lamp)| {
        let more = match lamp.reason.is_empty() {
            true => hz(state.rate_hz) + " Hz",
            false => cut(&lamp.reason, MOST_SAID),
        };
        format!("{} {}\n{more}", lamp.light.word(), state.name)
    });
    Points2D::new(places)
        .with_colors([Color::from_rgb(240, 243, 248)])
        .with_radii([Radius::new_ui_points(0.0)])
        .with_labels(said)
        .with_show_labels(true)
}

/// All there is to know of each, and below what is wrong and what to do.
fn table(seen: &Instruments) -> String {
    let mut text = String::from(
        "| | sensor | Hz | expected | lost | seen | clock, ms | queue |\n|---|---|---|---|---|---|---|---|\n",
    );
    for (state, lamp) in &seen.sensors {
        let lost: Vec<String> = (state.lost.iter())
            .filter(|(_, count)| **count > 0)
            .map(|(cause, count)| format!("{count} {}", cause.name()))
            .collect();
        let clock = state.clock.map_or("-".into(), |clock| {
            format!(
                "{:+.1} ± {:.1}",
                clock.offset_nanos as f64 * 1e-6,
                clock.sigma_nanos * 1e-6
            )
        });
        let age = state.age_s.map_or("-".into(), |age_s| format!("{age_s:.1} s"));
        let queue = state
            .edge
            .map_or("-".into(), |edge| format!("{:.0} %", edge.fill * 100.0));
        let _ = writeln!(
            text,
            "| {} **{}** | {} | {} | {} | {} | {age} | {clock} | {queue} |",
            lamp.light.mark(),
            lamp.light.word(),
            plain(&state.name),
            hz(state.rate_hz),
            hz(state.expected_hz),
            if lost.is_empty() {
                "0".into()
            } else {
                lost.join(", ")
            },
        );
    }
    for (state, lamp) in seen.sensors.iter().filter(|(_, lamp)| !lamp.reason.is_empty()) {
        let (light, name) = (lamp.light, plain(&state.name));
        let _ = write!(
            text,
            "\n{} **{} {name}** {}\n",
            light.mark(),
            light.word(),
            plain(&lamp.words())
        );
    }
    text
}

fn hz(rate: Option<f64>) -> String {
    rate.map_or("-".into(), |rate| match rate {
        rate if rate < 9.995 => format!("{rate:.2}"),
        rate => format!("{rate:.1}"),
    })
}

/// Text that ends no cell of a table and is no markup.
fn plain(text: &str) -> String {
    let mark = |c: char| match c {
        '|' | '\n' | '\r' => ' ',
        c => c,
    };
    text.chars().map(mark).collect()
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    kept + "…"
}

#[cfg(test)]
mod tests {
    use re_sdk::log::{Chunk, LogMsg};

    use super::*;
    use crate::specimen;

    #[test]
    fn the_table_says_light_numbers_and_remedy() {
        let seen = specimen::instruments([Light::Green, Light::Red]);
        let text = table(&seen);
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows.len(), 6);
        assert_eq!(
            rows[2],
            "| ● **OK** | roof | 10.0 | 10.0 | 0 | 0.1 s | +2.0 ± 0.2 | 25 % |"
        );
        assert_eq!(
            rows[3],
            "| ■ **FAIL** | fan one | 0.00 | 10.0 | 3 missing | 0.1 s | +2.0 ± 0.2 | 25 % |"
        );
        assert_eq!(
            rows[5],
            "■ **FAIL fan one** silent for 12 s: its power, its cable"
        );
    }

    #[test]
    fn a_light_over_time_is_drawn_when_it_changes() {
        let (stream, caught) = re_sdk::RecordingStreamBuilder::new("test").memory().unwrap();
        let mut lights = Lights::new(&specimen::rig());
        for light in [Light::Green, Light::Green, Light::Red, Light::Red, Light::Green] {
            lights
                .draw(&stream, &specimen::instruments([Light::Green, light]))
                .unwrap();
        }
        stream.flush_blocking().unwrap();
        let lanes: Vec<Chunk> = caught
            .take()
            .iter()
            .filter_map(|message| match message {
                LogMsg::ArrowMsg(_, arrow) => Chunk::from_arrow_msg(arrow).ok(),
                _ => None,
            })
            .collect();
        let rows = |entity: &str| -> usize {
            let chunks = lanes
                .iter()
                .filter(|chunk| chunk.entity_path().to_string() == entity);
            chunks.map(Chunk::num_rows).sum()
        };
        assert_eq!(rows("/states/roof"), 1);
        assert_eq!(rows("/states/fan\\ one"), 3);
        assert_eq!(rows("/lights"), 5);
        assert_eq!(rows("/sensors"), 5);
    }

    #[test]
    fn lamps_hang_in_rows() {
        assert_eq!(
            [place(0), place(1), place(4)],
            [[0.0, 0.0], [4.0, 0.0], [0.0, 2.5]]
        );
        assert_eq!(reach(3), [[-2.0, -0.6], [10.0, 1.75]]);
        assert_eq!(reach(5), [[-2.0, -0.6], [14.0, 4.25]]);
        assert_eq!(reach(0), reach(1));
        assert_eq!(cut("four", 4), "four");
        assert_eq!(cut("fives", 4), "fiv…");
        assert_eq!(plain("a|b\nc"), "a b c");
    }
}
