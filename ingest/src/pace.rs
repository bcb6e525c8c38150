//! Pace: a recording is played as fast as it is read, in real time, or a number of times as fast.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use beluga_types::Stamp;
use tokio::time::{Instant, sleep, sleep_until};

use crate::event::Event;

/// How often a waiting player looks at its stop flag.
const LOOK: Duration = Duration::from_millis(20);
/// How long a player waits before it tries a full queue again.
const FULL: Duration = Duration::from_micros(200);

/// How fast a recording is played.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Pace {
    /// As fast as it is read and taken.
    #[default]
    Max,
    /// As it was measured.
    RealTime,
    /// This many times as fast as it was measured. What is not above zero is real time.
    Times(f64),
}

/// Plays events into a queue, each when its `end` has come, until they end, `stop` is set or the
/// receiver is gone; gives how many were sent.
///
/// A full queue is waited for, so nothing is lost. The calling thread is busy with this until the
/// end; dropping the sender, as this does when it returns, is what ends the receiver's loop.
///
/// # Errors
/// If the system gives no timer.
pub fn play(
    timeline: impl Iterator<Item = Event>,
    pace: Pace,
    sender: SyncSender<Event>,
    stop: Arc<AtomicBool>,
) -> std::io::Result<u64> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    Ok(runtime.block_on(run(timeline, pace, &sender, &stop)))
}

async fn run(
    timeline: impl Iterator<Item = Event>,
    pace: Pace,
    sender: &SyncSender<Event>,
    stop: &AtomicBool,
) -> u64 {
    let mut clock = Clock::new(pace);
    let mut sent = 0;
    for event in timeline {
        if !(clock.wait_for(event.end(), stop).await && send(event, sender, stop).await) {
            break;
        }
        sent += 1;
    }
    sent
}

/// Whether the event has been taken.
async fn send(mut event: Event, sender: &SyncSender<Event>, stop: &AtomicBool) -> bool {
    loop {
        match sender.try_send(event) {
            Ok(()) => return true,
            Err(TrySendError::Disconnected(_)) => return false,
            Err(TrySendError::Full(back)) => event = back,
        }
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        sleep(FULL).await;
    }
}

/// Says when a moment of the recording has come.
struct Clock {
    speed: Option<f64>,
    start: Option<(Instant, Stamp)>,
}

impl Clock {
    fn new(pace: Pace) -> Self {
        let speed = match pace {
            Pace::Max => None,
            Pace::Times(speed) if speed.is_finite() && speed > 0.0 => Some(speed),
            Pace::RealTime | Pace::Times(_) => Some(1.0),
        };
        Self { speed, start: None }
    }

    /// Waits for a moment; the first asked for is now. Whether it came before a stop.
    async fn wait_for(&mut self, end: Stamp, stop: &AtomicBool) -> bool {
        if let Some(speed) = self.speed {
            let (start, first) = *self.start.get_or_insert_with(|| (Instant::now(), end));
            let seconds = (end.seconds_since(first) / speed).max(0.0);
            let wait = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
            let due = start.checked_add(wait);
            while due.is_none_or(|due| Instant::now() < due) && !stop.load(Ordering::Relaxed) {
                let look = Instant::now() + LOOK;
                sleep_until(due.map_or(look, |due| due.min(look))).await;
            }
        }
        !stop.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use beluga_types::{DepthFix, Measurement, Payload, SensorId};

    use super::*;

    fn measurement(end_millis: i64) -> Event {
        let end = Stamp::from_nanos(1_700_000_000_000_000_000 + end_millis * 1_000_000);
        Event::Measured(Measurement {
            seq: 0,
            sensor: SensorId(0),
            stamp: end,
            end,
            received: end,
            payload: Payload::Depth(DepthFix {
                depth_m: 0.0,
                sigma_m: 1.0,
            }),
        })
    }

    /// Runs on a clock that stands still until everybody waits, then jumps.
    fn paused<T>(run: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(run)
    }

    /// Milliseconds after the first at which these ends are played.
    fn times(pace: Pace, ends_millis: &[i64]) -> Vec<u128> {
        paused(async {
            let stop = AtomicBool::new(false);
            let mut clock = Clock::new(pace);
            let begin = Instant::now();
            let mut times = Vec::new();
            for &end in ends_millis {
                assert!(clock.wait_for(measurement(end).end(), &stop).await);
                times.push(begin.elapsed().as_millis());
            }
            times
        })
    }

    #[test]
    fn each_pace_plays_at_its_times() {
        let ends = [50, 50, 150, 1150];
        assert_eq!(times(Pace::Max, &ends), [0, 0, 0, 0]);
        assert_eq!(times(Pace::RealTime, &ends), [0, 0, 100, 1100]);
        assert_eq!(times(Pace::Times(10.0), &ends), [0, 0, 10, 110]);
        assert_eq!(times(Pace::Times(0.5), &ends), [0, 0, 200, 2200]);
        assert_eq!(times(Pace::Times(f64::NAN), &ends), [0, 0, 100, 1100]);
    }

    #[test]
    fn a_stop_ends_a_wait_of_a_year() {
        let sent = paused(async {
            let stop = AtomicBool::new(false);
            let (sender, receiver) = sync_channel(8);
            let year = [measurement(0), measurement(31_536_000_000)].into_iter();
            let mut player = std::pin::pin!(run(year, Pace::RealTime, &sender, &stop));
            let early = tokio::time::timeout(Duration::from_secs(1), &mut player).await;
            assert!(early.is_err(), "it must wait");
            stop.store(true, Ordering::Relaxed);
            let sent = player.await;
            assert_eq!(receiver.try_iter().count(), 1, "what was sent can be drained");
            sent
        });
        assert_eq!(sent, 1);
    }

    #[test]
    fn a_full_queue_is_waited_for_and_nothing_is_lost() {
        let (sender, receiver) = sync_channel(1);
        let run: Vec<_> = (0..200).map(measurement).collect();
        let expected = run.clone();
        let player = std::thread::spawn(move || play(run.into_iter(), Pace::Max, sender, Arc::default()));
        assert_eq!(receiver.iter().collect::<Vec<_>>(), expected);
        assert_eq!(player.join().unwrap().unwrap(), 200);
    }

    #[test]
    fn a_receiver_that_is_gone_ends_it() {
        let (sender, receiver) = sync_channel(1);
        drop(receiver);
        assert_eq!(
            play((0..3).map(measurement), Pace::Max, sender, Arc::default()).unwrap(),
            0
        );
    }
}
