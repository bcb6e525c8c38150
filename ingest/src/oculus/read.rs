//! The sonar of a stream that is kept as a file.

use std::fs::File;
use std::path::Path;

use beluga_types::{SensorSpec, Stamp};

use super::framing::{self, Oculus};
use super::image::Imager;
use super::ping::Ping;
use super::{Content, read_whole};
use crate::error::Error;
use crate::regular;
use crate::survey::played::{Datagrams, Played, Rows};
use crate::survey::walk::Walk;
use crate::survey::widths;

/// Pings a second where a rig says nothing: the usual most of a device.
pub(super) const RATE_HZ: f64 = 10.0;
/// A count that goes on by more than this, or back, has begun anew.
const FARTHEST: u32 = 100_000;
/// A time since the start that goes on by more than this has not gone on, in seconds.
const LONGEST_S: f64 = 3600.0;

/// The rows of the sonar of a file.
///
/// # Errors
/// If it cannot be read, or the rig's `beams` are no widths.
pub(crate) fn open(path: &Path, spec: &SensorSpec) -> Result<Played<File, Oculus, Reader>, Error> {
    let walk = Walk::new(regular::open(path)?, Oculus, 0).map_err(Error::io(path))?;
    let reader = Reader {
        imager: Imager::new(widths::named(spec, path)?),
        clock: Clock::new(spec),
    };
    Ok(Played::new(walk, reader, path.to_owned()))
}

/// The reader of a file's pings.
pub(crate) struct Reader {
    imager: Imager,
    clock: Clock,
}

impl Datagrams for Reader {
    fn take(&mut self, start: u64, whole: &[u8], rows: &mut Rows) {
        let Some((framing::PING, version)) = framing::kind(whole) else {
            return;
        };
        rows.at(start, &format!("ping, version {version}"));
        let found = match read_whole(whole) {
            Ok(Content::Ping(ping)) => {
                let (stamp, number) = (self.clock.stamp(&ping), ping.number);
                self.imager.image(*ping).map(|image| (stamp, number, image))
            }
            Ok(Content::Other(_)) => return,
            Err(wrong) => Err(wrong),
        };
        rows.push_image(found);
    }

    fn is_own(&self, head: &[u8]) -> Option<bool> {
        let (number, _) = framing::kind(head).filter(|_| framing::length(head).is_some())?;
        Some(number == framing::PING)
    }
}

/// When pings were, of devices that do not tell the day: from the rig's `start_ns` on by the device's seconds
/// since it was switched on, else by its count at the rig's `rate_hz`.
#[derive(Clone, Debug)]
struct Clock {
    next: Stamp,
    period_s: f64,
    last: Option<(u32, Option<f64>)>,
}

impl Clock {
    fn new(spec: &SensorSpec) -> Self {
        Self {
            next: spec.start.unwrap_or_default(),
            period_s: 1.0 / spec.rate_hz.unwrap_or(RATE_HZ),
            last: None,
        }
    }

    fn stamp(&mut self, ping: &Ping) -> Stamp {
        let now = (ping.number, ping.since_start_s);
        if let Some((number, since)) = self.last.replace(now) {
            let by_time = since.zip(ping.since_start_s).map(|(before, now)| now - before);
            let by_time = by_time.filter(|by| *by > 0.0 && *by <= LONGEST_S);
            let by_count = ping.number.wrapping_sub(number);
            let by_count = if (1..=FARTHEST).contains(&by_count) {
                by_count
            } else {
                1
            };
            self.next = self
                .next
                .shifted_s(by_time.unwrap_or(f64::from(by_count) * self.period_s));
        }
        self.next
    }
}
