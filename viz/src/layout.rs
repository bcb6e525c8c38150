//! The layout the recording opens with.

use beluga_types::{Rig, SensorKind};
use re_sdk::blueprint::{
    Blueprint, BlueprintActivation, BlueprintPanel, ContainerLike, Horizontal, SelectionPanel, Spatial2DView,
    Spatial3DView, Tabs, TextLogView, TimePanel, TimeSeriesView, Vertical,
};
use re_sdk::log::LogMsg;
use re_sdk::{AsComponents, EntityPath, RecordingStream, RecordingStreamBuilder};
use re_sdk_types::blueprint::archetypes::{Background, EyeControls3D, LineGrid3D, VisibleTimeRanges};
use re_sdk_types::blueprint::components::{BackgroundKind, PanelState, PlayState, VisibleTimeRange};
use re_sdk_types::components::Color;
use re_sdk_types::datatypes::{TimeRange, TimeRangeBoundary};

use crate::{Error, TIMELINE, echo, notes, scene};

/// What the viewer keeps layouts by.
pub(crate) const APPLICATION: &str = "beluga";

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

/// Sends the layout for this rig. Without an eye the viewer looks at the whole scene.
pub(crate) fn send(stream: &RecordingStream, rig: &Rig, eye: Option<Eye>) -> Result<(), Error> {
    let (map, extras) = map_view(eye);
    let mut right = sonar_views(rig);
    let mut shares = vec![2.0; right.len()];
    for (name, origin) in [
        ("Attitude", "plot/attitude"),
        ("Height in World", "plot/height"),
        ("Pose, one sigma", "plot/sigma"),
        ("Points per frame", "plot/points"),
    ] {
        right.push(TimeSeriesView::new(name).with_origin(origin).into());
        shares.push(1.0);
    }
    let more = Tabs::new([
        TextLogView::new("Log").with_origin(notes::ENTITY).into(),
        TimeSeriesView::new("Heading").with_origin("plot/heading").into(),
        TimeSeriesView::new("Held by the data")
            .with_origin("plot/held")
            .into(),
    ]);
    let left = Vertical::new([map, more.into()]).with_row_shares([4.0, 1.0]);
    let right = Vertical::new(right).with_row_shares(shares);
    let root = Horizontal::new([left.into(), right.into()]).with_column_shares([3.0, 2.0]);
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
    send_with(stream, &blueprint, &extras)
}

/// The 3-D view, in which the map's past stays visible up to the cursor.
fn map_view(eye: Option<Eye>) -> (ContainerLike, Vec<Extra>) {
    let contents = ["map/**", "now/**", "vessel/**", "path", "water"].map(|path| format!("+ /{path}"));
    let view = ContainerLike::from(Spatial3DView::new("Above and below the water").with_contents(contents));
    let ContainerLike::View(view) = view else {
        return (view, Vec::new());
    };
    let path = view.blueprint_path();
    let mut extras: Vec<Extra> = scene::HISTORY
        .iter()
        .map(|entity| Extra {
            path: EntityPath::from(format!("{path}/ViewContents/overrides/{entity}/visualizers")),
            what: Box::new(VisibleTimeRanges::new([up_to_the_cursor()])),
        })
        .collect();
    let ground = Background::new(BackgroundKind::SolidColor).with_color(Color::from_rgb(14, 18, 26));
    extras.push(Extra {
        path: EntityPath::from(format!("{path}/Background")),
        what: Box::new(ground),
    });
    extras.push(Extra {
        path: EntityPath::from(format!("{path}/LineGrid3D")),
        what: Box::new(LineGrid3D::new().with_visible(false)),
    });
    extras.extend(eye.map(|eye| {
        Extra {
            path: EntityPath::from(format!("{path}/EyeControls3D")),
            what: Box::new(
                EyeControls3D::new()
                    .with_position(eye.position)
                    .with_look_target(eye.target),
            ),
        }
    }));
    (ContainerLike::View(view), extras)
}

fn up_to_the_cursor() -> VisibleTimeRange {
    VisibleTimeRange(re_sdk_types::datatypes::VisibleTimeRange {
        timeline: TIMELINE.into(),
        range: TimeRange {
            start: TimeRangeBoundary::Infinite,
            end: TimeRangeBoundary::AT_CURSOR,
        },
    })
}

/// Fan and waterfall of each sonar.
fn sonar_views(rig: &Rig) -> Vec<ContainerLike> {
    let sonars = rig
        .sensors
        .iter()
        .filter(|sensor| sensor.kind == SensorKind::Sonar);
    let views: Vec<ContainerLike> = sonars
        .map(|sensor| {
            let view = |what: &str, title: &str| {
                let origin = echo::entity(&sensor.name).join(&EntityPath::from(what));
                let name = format!("{}: {title}", sensor.name);
                ContainerLike::from(Spatial2DView::new(name).with_origin(origin))
            };
            let fan = view("fan", "newest ping");
            let waterfall = view("waterfall", "waterfall");
            Horizontal::new([fan, waterfall]).into()
        })
        .collect();
    match views.len() {
        0 | 1 => views,
        _ => vec![Tabs::new(views).into()],
    }
}

/// Sends a layout together with what its builder cannot say.
///
/// The builder's messages are caught in memory, the extras added under the same store, and all
/// sent on before the word that activates them.
fn send_with(stream: &RecordingStream, blueprint: &Blueprint, extras: &[Extra]) -> Result<(), Error> {
    let (scratch, caught) = RecordingStreamBuilder::new(APPLICATION).enabled(true).memory()?;
    blueprint.send(&scratch, BlueprintActivation::default())?;
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
