//! A live recording's way to the browsers.
//!
//! The recording has a time for everything. A browser gets a time only for what is a history:
//! numbers, lights and the log. All else it gets as standing still, so that what is new replaces what was
//! before, on the board and in the viewer's own store; neither grows with the run.

use std::sync::Arc;
use std::time::Duration;

use re_log_encoding::Encoder;
use re_sdk::log::{Chunk, LogMsg};
use re_sdk::sink::{FileSink, LogSink, SinkFlushError};

use super::board::{Board, Stay};
use crate::{lights, notes, plots};

/// A live recording's way to the browser; clones are the same way, which ends with the last.
#[derive(Clone)]
pub struct Feed(Arc<Way>);

struct Way(Arc<Board>);

impl Feed {
    pub(super) fn new() -> Self {
        Self(Arc::new(Way(Arc::default())))
    }

    /// What browsers are to be shown.
    pub(super) fn board(&self) -> Arc<Board> {
        self.0.0.clone()
    }

    fn put(&self, message: &LogMsg) {
        for (stay, message) in parts(message) {
            match encoded(&message) {
                Ok(bytes) => self.0.0.put(stay, bytes),
                Err(error) => tracing::warn!("not shown in the browser: {error}"),
            }
        }
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The bytes every recording begins with.
pub(super) fn head() -> Vec<u8> {
    let encoder = Encoder::local().and_then(|mut encoder| {
        encoder.do_not_emit_footer();
        encoder.into_inner()
    });
    encoder.expect("memory takes the few bytes of a head")
}

/// A message as it stands in a recording after its head.
fn encoded(message: &LogMsg) -> Result<Vec<u8>, re_log_encoding::EncodeError> {
    let mut encoder = Encoder::local()?;
    encoder.do_not_emit_footer();
    let length = encoder.append(message)?;
    let mut bytes = encoder.into_inner()?;
    bytes.drain(..bytes.len() - length as usize);
    Ok(bytes)
}

/// What a browser gets of a message, and for how long it counts.
fn parts(message: &LogMsg) -> Vec<(Stay, LogMsg)> {
    let store = message.store_id();
    let layout = || format!("{store:?}");
    let stay = match message {
        LogMsg::BlueprintActivationCommand(_) => match encoded(&always_active(message.clone())) {
            Ok(opening) => Stay::LayoutEnd {
                layout: layout(),
                opening,
            },
            Err(_) => Stay::Layout(layout()),
        },
        _ if store.is_blueprint() => Stay::Layout(layout()),
        LogMsg::SetStoreInfo(_) => Stay::Kept,
        LogMsg::ArrowMsg(_, arrow) => match Chunk::from_arrow_msg(arrow) {
            Ok(chunk) if !is_history(&chunk) => return newest(message, &chunk),
            _ => Stay::Moment,
        },
    };
    vec![(stay, message.clone())]
}

/// Whether a chunk is shown as it was over time.
fn is_history(chunk: &Chunk) -> bool {
    let root = chunk.entity_path().iter().next().map(|part| part.unescaped_str());
    !chunk.is_static()
        && root.is_some_and(|root| [plots::ROOT, notes::ENTITY, lights::STATES].contains(&root))
}

/// The newest of a chunk, without its time: one part for the components that are newest in the same row.
fn newest(message: &LogMsg, chunk: &Chunk) -> Vec<(Stay, LogMsg)> {
    let mut parts = Vec::new();
    let mut missing: Vec<_> = chunk.components_identifiers().collect();
    for row in (0..chunk.num_rows()).rev() {
        let here = |component: &_| {
            chunk
                .component_batch_raw(*component, row)
                .is_some_and(|cell| cell.is_ok())
        };
        let (found, rest): (Vec<_>, Vec<_>) = missing.into_iter().partition(here);
        missing = rest;
        if found.is_empty() {
            continue;
        }
        let part = chunk
            .row_sliced_deep(row, 1)
            .components_sliced(&found)
            .into_static();
        let mut names: Vec<&str> = found.iter().map(|component| component.as_str()).collect();
        names.sort_unstable();
        let name = format!("{} {}", chunk.entity_path(), names.join(" "));
        if let Ok(arrow) = part.to_arrow_msg() {
            parts.push((
                Stay::Newest(name),
                LogMsg::ArrowMsg(message.store_id().clone(), arrow),
            ));
        }
    }
    // In the order in which they were logged.
    parts.reverse();
    parts
}

/// Where a picture goes: to browsers, to a file, or to both.
pub(crate) struct Fork {
    pub(crate) file: Option<FileSink>,
    pub(crate) feed: Option<Feed>,
}

impl LogSink for Fork {
    fn send(&self, message: LogMsg) {
        if let Some(feed) = &self.feed {
            feed.put(&message);
        }
        if let Some(file) = &self.file {
            file.send(always_active(message));
        }
    }

    /// Waits for the file only: browsers get the rest when they can.
    fn flush_blocking(&self, timeout: Duration) -> Result<(), SinkFlushError> {
        match &self.file {
            Some(file) => LogSink::flush_blocking(file, timeout),
            None => Ok(()),
        }
    }

    fn defers_finalization_to_shutdown(&self) -> bool {
        self.file.is_some()
    }
}

/// Whoever opens a file sees its last layout; who looks on already keeps what he looks at.
fn always_active(message: LogMsg) -> LogMsg {
    match message {
        LogMsg::BlueprintActivationCommand(mut command) => {
            command.make_active = true;
            LogMsg::BlueprintActivationCommand(command)
        }
        message => message,
    }
}

#[cfg(test)]
mod tests {
    use re_sdk::RecordingStreamBuilder;
    use re_sdk_types::archetypes::{Points2D, Scalars};

    use super::*;
    use crate::{Options, Recorder, specimen};

    /// Up and down along thirty metres of wall: after the first time there is nothing new.
    #[test]
    fn what_is_kept_for_browsers_does_not_grow_with_the_run() {
        let feed = Feed::new();
        let board = feed.board();
        let mut recorder = Recorder::live(feed, None, &specimen::rig(), Options::default()).unwrap();
        let mut kept = Vec::new();
        for minute in 0..6 {
            for index in minute * 60..(minute + 1) * 60 {
                let along_m = (index % 60) as f64;
                let east_m = if along_m < 30.0 { along_m } else { 60.0 - along_m };
                let frame = specimen::passing(index, east_m);
                recorder.frame(&frame).unwrap();
                let mut echo = specimen::echo(index);
                echo.stamp = frame.window.end;
                recorder.echo(&echo).unwrap();
            }
            recorder.flush().unwrap();
            kept.push(board.sizes());
        }
        println!("kept of now and of histories, by minute: {kept:?}");
        let [before, after] = [kept[2], kept[5]];
        assert!(after[0] < before[0] + before[0] / 10, "{kept:?}");
        // Eight plots and the log: some kilobytes a minute, and bounded by the board.
        assert!(after[1] < before[1] + 3 * 80_000, "{kept:?}");
    }

    /// On and on along a wall: once the map is as large as it may be, so is what is kept.
    #[test]
    fn what_is_kept_of_a_survey_without_end_is_bounded() {
        let feed = Feed::new();
        let board = feed.board();
        let options = Options {
            map_points: 8_000,
            ..Options::default()
        };
        let mut recorder = Recorder::live(feed, None, &specimen::rig(), options).unwrap();
        let mut kept = Vec::new();
        for minute in 0..6 {
            for index in minute * 60..(minute + 1) * 60 {
                recorder.frame(&specimen::passing(index, index as f64)).unwrap();
            }
            recorder.flush().unwrap();
            kept.push((board.sizes()[0], board.bytes_below("/map")));
        }
        println!("kept of now, and of that for the map, by minute: {kept:?}");
        let map = |minute: usize| kept[minute].1;
        assert!(map(5) < map(2) + map(2) / 5, "{kept:?}");
        // The path, and the unwrapped wall with the edges of what was seen: a line as long as the survey.
        let rest = |minute: usize| kept[minute].0 - map(minute);
        assert!(rest(5) < rest(2) + 3 * 40_000, "{kept:?}");
    }

    #[test]
    fn only_numbers_and_words_keep_their_time() {
        let (stream, caught) = RecordingStreamBuilder::new("test")
            .enabled(true)
            .send_properties(false)
            .memory()
            .unwrap();
        for second in 0..3 {
            stream.set_timestamp_nanos_since_epoch(crate::TIMELINE, second * 1_000_000_000);
            stream.log("plot/a", &Scalars::single(second as f64)).unwrap();
            stream
                .log("now/a", &Points2D::new([[second as f32, 0.0]]).with_labels(["x"]))
                .unwrap();
        }
        stream.log("now/a", &Points2D::new([[9.0, 0.0]])).unwrap();
        let mut shown = Vec::new();
        for message in caught.take() {
            for (stay, message) in parts(&message) {
                let LogMsg::ArrowMsg(_, arrow) = message else {
                    continue;
                };
                let chunk = Chunk::from_arrow_msg(&arrow).unwrap();
                let history = stay == Stay::Moment;
                assert_eq!(chunk.is_static(), !history);
                shown.push((chunk.entity_path().to_string(), chunk.num_rows(), history));
            }
        }
        shown.sort();
        // The label is older than the newest place.
        let expected = [("/now/a", 1, false), ("/now/a", 1, false), ("/plot/a", 3, true)];
        assert_eq!(
            shown,
            expected.map(|(entity, rows, history)| (entity.to_owned(), rows, history))
        );
    }

    #[test]
    fn what_is_sent_is_a_recording() {
        let (stream, caught) = RecordingStreamBuilder::new("test")
            .enabled(true)
            .memory()
            .unwrap();
        stream.log_static("a", &Scalars::single(1.0)).unwrap();
        let messages = caught.take();
        let mut bytes = head();
        for message in &messages {
            bytes.extend(encoded(message).unwrap());
        }
        let whole = Encoder::encode(messages.iter().map(Ok)).unwrap();
        assert!(whole.starts_with(&bytes), "all but the end");
    }
}
