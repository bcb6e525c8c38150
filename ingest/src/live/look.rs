//! A look at a sounder's first datagrams, to see which of its sensors speak.

use std::time::{Duration, Instant};

use super::edge::{Came, Edge};
use crate::capture::{Damage, Datagram};

/// How much is looked at, at the most, in bytes.
const LOOK_BYTES: usize = 32 << 20;
/// So long nothing but what is none of a sounder, and it is told.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a look has seen.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    /// From the first whole datagram on.
    pub(crate) start: Vec<Result<Datagram, Damage>>,
    /// How many before it were of something else.
    pub(crate) foreign: u64,
}

/// Looks from the first whole datagram on, for so long as a sounder's sensors take to have all
/// spoken; by the clock, so that one that falls silent is not waited for. What is of something else
/// is told once.
pub(crate) fn look(
    edge: &Edge,
    length: Duration,
    is_own: impl Fn(&Datagram) -> bool,
    is_whole: fn(&[u8]) -> bool,
    mut tell: impl FnMut(u64),
) -> Looked {
    let mut looked = Looked::default();
    let (mut since, mut bytes, mut told) = (None, 0, false);
    loop {
        let until = match since {
            None => Instant::now().checked_add(PATIENCE),
            Some((begun, _)) => Instant::checked_add(&begun, length),
        };
        match edge.wait(until) {
            Some(Came::Heard(datagram)) if is_own(&datagram) => {
                if is_whole(&datagram.payload) {
                    since.get_or_insert((Instant::now(), datagram.received));
                } else if since.is_none() {
                    looked.foreign += 1;
                    continue;
                }
                let after = since.map_or(0, |(_, first)| datagram.received.nanos_since(first));
                bytes += datagram.payload.len();
                looked.start.push(Ok(datagram));
                if after.unsigned_abs() as u128 > length.as_nanos() || bytes > LOOK_BYTES {
                    return looked;
                }
            }
            Some(Came::Heard(_)) => {}
            Some(Came::Lost(damage) | Came::LetGo(damage, _)) => looked.start.push(Err(damage)),
            Some(Came::Quiet) if since.is_some() => return looked,
            Some(Came::Quiet) if looked.foreign > 0 && !std::mem::replace(&mut told, true) => {
                tell(looked.foreign);
            }
            Some(Came::Quiet) => {}
            None => return looked,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use beluga_types::Stamp;

    use super::*;

    fn datagram(payload: &[u8]) -> Datagram {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 6020));
        Datagram {
            received: Stamp::from_nanos(0),
            source: loopback,
            destination: loopback,
            payload: payload.to_vec(),
        }
    }

    /// The edge stays open and silent: only the clock can end this.
    #[test]
    fn a_sounder_that_falls_silent_is_not_waited_for() {
        let edge = Edge::new(1 << 20, false);
        for payload in [&b"garbage"[..], b"whole", b"part"] {
            edge.push(datagram(payload));
        }
        let looked = look(&edge, Duration::ZERO, |_| true, |bytes| bytes == b"whole", |_| {});
        assert_eq!((looked.start.len(), looked.foreign), (2, 1));
    }
}
