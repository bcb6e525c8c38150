//! The layout the recording opens with: as much of it as the rig has something to show in.

use beluga_types::{Rig, SensorKind};
use re_sdk::blueprint::{
    Blueprint, BlueprintActivation, BlueprintPanel, ContainerLike, Horizontal, SelectionPanel, Spatial2DView,
    Spatial3DView, Tabs, TextDocumentView, TextLogView, TimePanel, TimeSeriesView, Vertical,
};
use re_sdk::log::LogMsg;
use re_sdk::{AsComponents, EntityPath, RecordingStream, RecordingStreamBuilder};
use re_sdk_types::View as _;
use re_sdk_types::blueprint::archetypes::{
    Background, EyeControls3D, LineGrid3D, ViewBlueprint, VisualBounds2D,
};
use re_sdk_types::blueprint::components::{BackgroundKind, PanelState, PlayState};
use re_sdk_types::blueprint::views::StateTimelineView;
use re_sdk_types::components::Color;
use re_sdk_types::datatypes::{Range1D, Range2D};

use crate::map_colour::MapColour;
use crate::scene::SIGHT;
use crate::sonar_colour::SonarColour;
use crate::waterfall::Stage;
use crate::{Error, TIMELINE, echo, header, lights, notes, plots};

/// What the viewer keeps layouts by.
pub(crate) const APPLICATION: &str = "beluga";

/// Ground of the 3-D view and of drawings.
const GROUND: [u8; 3] = [14, 18, 26];

/// The head's height: a part of ten of the rest.
const HEAD_SHARE: f32 = 2.6;

/// Something the layout says that its builder has no word for.
struct Extra {
    path: EntityPath,
    what: Box<dyn AsComponents>,
}

/// Where the 3-D view is looked at from, and what it looks at; metres in `World`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Eye {
    pub(crate) position: [f32; 3],
    pub(crate) target: [f32; 3],
}

impl Eye {
    /// How far it is from what it looks at, metres.
    pub(crate) fn distance_m(&self) -> f32 {
        let squares = (0..3).map(|axis| (self.position[axis] - self.target[axis]).powi(2));
        squares.sum::<f32>().sqrt()
    }
}

/// What there is to lay out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shown {
    /// Without one the viewer looks at the whole scene.
    pub(crate) eye: Option<Eye>,
    /// Whether the eye goes with the vessel, until who looks on moves it.
    pub(crate) follows: bool,
    /// Whether a wall is looked for, or was found.
    pub(crate) wall: bool,
    /// Half of the tolerance's width at 95 %, metres, for the title.
    pub(crate) tolerance_m: f64,
    /// Whether it tells something how late a frame is.
    pub(crate) paced: bool,
    /// Whether sensors are heard now.
    pub(crate) heard: bool,
    /// What the colour of the map's points says.
    pub(crate) map_colour: MapColour,
    /// What that of the sonar's points says.
    pub(crate) sonar_colour: SonarColour,
    /// Whether the sonars give points and no pings to look at: a multibeam that detects by itself, or a
    /// record, which holds none.
    pub(crate) no_pings: bool,
}

/// Sends the layout for this rig, for those who look on or only for those who come later.
pub(crate) fn send(
    stream: &RecordingStream,
    rig: &Rig,
    shown: &Shown,
    activation: BlueprintActivation,
) -> Result<(), Error> {
    let mut extras = Vec::new();
    let has = |kind: SensorKind| rig.sensors.iter().any(|sensor| sensor.kind == kind);
    let (lidar, sonar) = (has(SensorKind::Lidar), has(SensorKind::Sonar));
    let echoes = if shown.no_pings {
        Vec::new()
    } else {
        echo_views(rig)
    };
    let body: ContainerLike = match (lidar, sonar) {
        (_, true) if shown.wall => {
            let tabs = tabs(echoes.into_iter().chain(numbers(rig, shown, &mut extras)));
            let left = Vertical::new([map_view(shown, sonar, &mut extras), tabs]).with_row_shares([7.0, 3.0]);
            let right = Vertical::new(wall_views(shown, &mut extras)).with_row_shares([5.0, 4.0]);
            Horizontal::new([left.into(), right.into()])
                .with_column_shares([3.0, 2.0])
                .into()
        }
        (true, true) if !shown.no_pings => {
            let numbers = tabs(numbers(rig, shown, &mut extras));
            let right = Vertical::new([tabs(echoes), numbers]).with_row_shares([3.0, 2.0]);
            Horizontal::new([map_view(shown, sonar, &mut extras), right.into()])
                .with_column_shares([3.0, 2.0])
                .into()
        }
        (false, true) if !shown.no_pings => {
            let map = map_view(shown, sonar, &mut extras);
            let below = tabs(numbers(rig, shown, &mut extras).into_iter().chain([map]));
            Vertical::new([tabs(echoes), below])
                .with_row_shares([7.0, 3.0])
                .into()
        }
        _ => {
            let numbers = tabs(numbers(rig, shown, &mut extras));
            Vertical::new([map_view(shown, sonar, &mut extras), numbers])
                .with_row_shares([7.0, 2.0])
                .into()
        }
    };
    let header = ContainerLike::from(TextDocumentView::new("Survey").with_origin(header::ENTITY));
    let lamps = lamps(rig, &mut extras);
    let head = Horizontal::new([header, lamps]).with_column_shares([3.0, 2.0]);
    let root = Vertical::new([head.into(), body]).with_row_shares([HEAD_SHARE, 10.0]);
    let blueprint = Blueprint::new(root)
        .with_auto_layout(false)
        .with_auto_views(false)
        .with_blueprint_panel(BlueprintPanel::from_state(PanelState::Collapsed))
        .with_selection_panel(SelectionPanel::from_state(PanelState::Collapsed))
        .with_time_panel(
            TimePanel::new()
                .with_state(PanelState::Collapsed)
                .with_timeline(TIMELINE)
                // Opens on the whole picture, and stays at its end while it is made.
                .with_play_state(PlayState::Following),
        );
    send_with(stream, &blueprint, &extras, activation)
}

fn tabs(views: impl IntoIterator<Item = ContainerLike>) -> ContainerLike {
    Tabs::new(views).into()
}

fn map_view(shown: &Shown, sonar: bool, extras: &mut Vec<Extra>) -> ContainerLike {
    let contents = ["map/**", "now/**", "vessel/**", "path/**", "water", "wall/strip"];
    let contents = contents.map(|path| format!("+ /{path}"));
    let name = shown.map_colour.title(sonar, shown.sonar_colour);
    let view = ContainerLike::from(Spatial3DView::new(name).with_contents(contents));
    let ContainerLike::View(view) = view else {
        return view;
    };
    let path = view.blueprint_path();
    let mut add = |name: &str, what: Box<dyn AsComponents>| {
        extras.push(Extra {
            path: EntityPath::from(format!("{path}/{name}")),
            what,
        });
    };
    add("Background", Box::new(ground()));
    add("LineGrid3D", Box::new(LineGrid3D::new().with_visible(false)));
    if let Some(eye) = shown.eye {
        let mut controls = EyeControls3D::new()
            .with_position(eye.position)
            .with_look_target(eye.target);
        if shown.follows {
            controls = controls.with_tracking_entity(format!("/{SIGHT}"));
        }
        add("EyeControls3D", Box::new(controls));
    }
    ContainerLike::View(view)
}

fn ground() -> Background {
    let [red, green, blue] = GROUND;
    Background::new(BackgroundKind::SolidColor).with_color(Color::from_rgb(red, green, blue))
}

/// Section and unwrapped wall.
fn wall_views(shown: &Shown, extras: &mut Vec<Extra>) -> [ContainerLike; 2] {
    let centimetres = shown.tolerance_m * 100.0;
    let unwrapped = format!(
        "Wall unwrapped, 95 %: green ≤ {centimetres:.0} cm · yellow ≤ {:.0} cm · red worse · hatched not seen",
        2.0 * centimetres
    );
    let section = format!(
        "Section at the vessel, 1:1 · 95 % bars × {:.0}",
        crate::section::BAR_SCALE
    );
    [(section, "section"), (unwrapped, "wall/unwrapped")].map(|(name, origin)| drawing(&name, origin, extras))
}

/// A drawing in two dimensions, on dark ground.
fn drawing(name: &str, origin: &str, extras: &mut Vec<Extra>) -> ContainerLike {
    let view = ContainerLike::from(Spatial2DView::new(name).with_origin(origin));
    if let ContainerLike::View(view) = &view {
        extras.push(Extra {
            path: EntityPath::from(format!("{}/Background", view.blueprint_path())),
            what: Box::new(ground()),
        });
    }
    view
}

/// All lamps of the rig, whatever the view's shape.
fn lamps(rig: &Rig, extras: &mut Vec<Extra>) -> ContainerLike {
    let view = drawing("Sensors", lights::NOW, extras);
    if let ContainerLike::View(view) = &view {
        let [low, high] = lights::reach(rig.sensors.len());
        let [x, y] = [0, 1].map(|axis| [f64::from(low[axis]), f64::from(high[axis])]);
        extras.push(Extra {
            path: EntityPath::from(format!("{}/VisualBounds2D", view.blueprint_path())),
            what: Box::new(VisualBounds2D::new(Range2D {
                x_range: Range1D(x),
                y_range: Range1D(y),
            })),
        });
    }
    view
}

/// Lights over time: a view that the layout's builder has no word for.
fn states(extras: &mut Vec<Extra>) -> ContainerLike {
    let view = ContainerLike::from(TextDocumentView::new("Lights").with_origin(lights::STATES));
    if let ContainerLike::View(view) = &view {
        extras.push(Extra {
            path: EntityPath::from(view.blueprint_path().to_string()),
            what: Box::new(
                ViewBlueprint::update_fields()
                    .with_class_identifier(StateTimelineView::identifier().as_str()),
            ),
        });
    }
    view
}

/// Waterfalls and fan of each sonar.
fn echo_views(rig: &Rig) -> Vec<ContainerLike> {
    let sonars: Vec<_> = rig
        .sensors
        .iter()
        .filter(|sensor| sensor.kind == SensorKind::Sonar)
        .collect();
    let several = sonars.len() > 1;
    let views = sonars.into_iter().flat_map(|sensor| {
        let prefix = if several {
            format!("{}: ", sensor.name)
        } else {
            String::new()
        };
        let view = |what: &str, title: &str| {
            let origin = echo::entity(&sensor.name).join(&EntityPath::from(what));
            ContainerLike::from(Spatial2DView::new(title).with_origin(origin))
        };
        let stages = Stage::ALL.map(|stage| view(&format!("waterfall/{}", stage.name()), stage.name()));
        let waterfalls = Horizontal::new(stages).with_name(format!("{prefix}Waterfall"));
        let fan = view("fan", &format!("{prefix}Fan"));
        [waterfalls.into(), fan]
    });
    views.collect()
}

/// Sensors, time series and log.
fn numbers(rig: &Rig, shown: &Shown, extras: &mut Vec<Extra>) -> Vec<ContainerLike> {
    let plot = |name: &str, origin: &str| ContainerLike::from(TimeSeriesView::new(name).with_origin(origin));
    let latency = match shown.paced {
        true => "Latency, data to picture",
        false => "Latency: not paced, none",
    };
    let mut series = vec![
        plot("Pose: attitude", "plot/attitude"),
        plot("Localizability, weakest axis", "plot/held"),
        plot(latency, "plot/latency"),
    ];
    let has = |kind: SensorKind| rig.sensors.iter().any(|sensor| sensor.kind == kind);
    if has(SensorKind::Lidar) && has(SensorKind::Sonar) {
        series.insert(2, plot("Residual, sonar to lidar", "plot/residual"));
    }
    let series = Horizontal::new(series).with_name("Time series");
    let pose = Horizontal::new([
        plot("Height in World", "plot/height"),
        plot("Heading", "plot/heading"),
        plot("Pose, one sigma", "plot/sigma"),
        plot("Points per frame", "plot/points"),
    ])
    .with_name("More numbers");
    let table = TextDocumentView::new("Sensors").with_origin(lights::TABLE);
    let mut views = vec![table.into(), states(extras), series.into(), pose.into()];
    let mut run = Vec::new();
    if shown.paced {
        run.push(plot("Latency by stage, ms (99 %)", plots::STAGES));
    }
    if shown.heard {
        run.push(plot("Queue at the edge, %", plots::QUEUE));
    }
    if !run.is_empty() {
        views.push(Horizontal::new(run).with_name("Run").into());
    }
    views.push(TextLogView::new("Log").with_origin(notes::ENTITY).into());
    views
}

/// Sends a layout together with what its builder cannot say.
///
/// The builder's messages are caught in memory, the extras added under the same store, and all
/// sent on before the word that activates them.
fn send_with(
    stream: &RecordingStream,
    blueprint: &Blueprint,
    extras: &[Extra],
    activation: BlueprintActivation,
) -> Result<(), Error> {
    let (scratch, caught) = RecordingStreamBuilder::new(APPLICATION).enabled(true).memory()?;
    blueprint.send(&scratch, activation)?;
    let mut messages = Vec::new();
    let mut activation = None;
    for message in caught.take() {
        match message {
            LogMsg::BlueprintActivationCommand(command) => activation = Some(command),
            message if message.store_id().is_blueprint() => messages.push(message),
            _ => {}
        }
    }
    let Some(activation) = activation else {
        return Ok(());
    };
    let (more, caught) = RecordingStreamBuilder::from_store_id(&activation.blueprint_id)
        .enabled(true)
        .send_properties(false)
        .memory()?;
    more.set_time_sequence("blueprint", 0);
    for extra in extras {
        more.log(extra.path.clone(), extra.what.as_ref())?;
    }
    let data = caught
        .take()
        .into_iter()
        .filter(|message| matches!(message, LogMsg::ArrowMsg(..)));
    messages.extend(data);
    stream.send_blueprint(messages, activation);
    Ok(())
}
