//! Pings as a sounder sends them: each datagram holds one.

use beluga_types::GapCause;

use crate::capture::Datagram;
use crate::live::heard::Hears;
use crate::survey::played::Rows;

/// What every ping begins with.
const NAME: &[u8] = b"BTH0";
/// What an R2Sonic sends besides, to the ports that its operator chose: water column, snippets,
/// side-scan, acoustic image, heads' state.
const OTHERS: [&[u8]; 7] = [b"AID0", b"MAG0", b"SNI0", b"SSC0", b"TPG0", b"TRU0", b"WCD0"];

/// The pings of a sounder that is heard now.
#[derive(Debug, Default)]
pub(crate) struct Sent;

impl Hears for Sent {
    fn take(&mut self, heard: &Datagram, rows: &mut Rows) -> bool {
        let bytes = heard.payload.as_slice();
        rows.say(format!("datagram heard at {}", heard.received.iso_8601()));
        match bytes.get(..NAME.len()) {
            Some(NAME) => match super::ping(bytes) {
                Ok(ping) => super::push(&ping, rows),
                Err(wrong) => rows.lose(GapCause::Corrupt, 1, &wrong),
            },
            other => return other.is_some_and(|name| OTHERS.contains(&name)),
        }
        true
    }
}
