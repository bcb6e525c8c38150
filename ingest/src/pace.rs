//! Pace: a recording is played as fast as it is read, in real time, or a number of times as fast.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use beluga_types::{Measurement, Stamp};
use tokio::time::{Instant, sleep, sleep_until};

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

/// Plays measurements into a queue, each when its `end` has come, until they end, `stop` is set or
/// the receiver is gone; gives how many were sent.
///
/// A full queue is waited for, so nothing is lost. The calling thread is busy with this until the
/// end; dropping the sender, as this does when it returns, is what ends the receiver's loop.
///
/// # Errors
/// If the system gives no timer.
pub fn play(
    timeline: impl Iterator<Item = Measurement>,
    pace: Pace,
    sender: SyncSender<Measurement>,
    stop: Arc<AtomicBool>,
) -> std::io::Result<u64> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    Ok(runtime.block_on(run(timeline, pace, &sender, &stop)))
}

async fn run(
    timeline: impl Iterator<Item = Measurement>,
    pace: Pace,
    sender: &SyncSender<Measurement>,
    stop: &AtomicBool,
) -> u64 {
    let mut clock = Clock::new(pace);
    let mut sent = 0;
    for measurement in timeline {
        if !(clock.wait_for(measurement.end, stop).await && send(measurement, sender, stop).await) {
            break;
        }
        sent += 1;
    }
    sent
}

/// Whether the measurement has been taken.
async fn send(measurement: Measurement, sender: &SyncSender<Measurement>, stop: &AtomicBool) -> bool {
    let mut measurement = measurement;
    loop {
        match sender.try_send(measurement) {
            Ok(()) => return true,
            Err(TrySendError::Disconnected(_)) => return false,
            Err(TrySendError::Full(back)) => measurement = back,
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
