//! Pings as they come, from a sonar by TCP.

use beluga_types::{Beam, GapCause};

use super::framing;
use super::image::Imager;
use super::{Content, read_whole};
use crate::capture::Datagram;
use crate::live::frames::{Found, Frame, Frames, Garbage, begins};
use crate::live::heard::Hears;
use crate::nameplate::Nameplate;
use crate::survey::played::Rows;

/// The framing of messages in a run of bytes.
#[derive(Debug)]
struct Messages;

impl Frame for Messages {
    const HEAD: usize = framing::HEAD;

    fn may_begin(bytes: &[u8]) -> bool {
        begins(bytes, &framing::START)
    }

    fn length(head: &[u8]) -> Option<usize> {
        framing::length(head).map(|length| length as usize)
    }

    fn holds(whole: &[u8]) -> bool {
        framing::agrees(whole)
    }
}

/// The pings of a sonar that is heard now.
#[derive(Debug)]
pub(crate) struct Sent {
    frames: Frames<Messages>,
    imager: Imager,
    /// Bytes that are no message, since that was told.
    garbage: Garbage,
    /// The sonar's number, when it has said it.
    device: Option<u16>,
}

impl Sent {
    /// `named`: how wide a rig says that every beam is.
    pub(crate) fn new(named: Option<Beam>) -> Self {
        Self {
            frames: Frames::default(),
            imager: Imager::new(named),
            garbage: Garbage::default(),
            device: None,
        }
    }

    fn device(&mut self, number: u16, rows: &mut Rows) {
        if self.device.replace(number) != Some(number) {
            rows.device(Nameplate {
                serial: Some(number.to_string()),
                firmware: None,
            });
        }
    }

    fn ping(&mut self, whole: &[u8], heard: &Datagram, rows: &mut Rows) {
        let found = match read_whole(whole) {
            Ok(Content::Ping(ping)) => {
                let number = ping.number;
                self.device(ping.device, rows);
                self.imager.image(*ping).map(|image| {
                    // The sonar has no clock of the day: a ping is taken to be sent when its last echo has come.
                    let sent = heard.received.shifted_nanos(-image.last_offset_nanos());
                    (sent, number, image)
                })
            }
            Ok(Content::Other(_)) => return,
            Err(wrong) => Err(wrong),
        };
        rows.push_image(found);
    }
}

impl Hears for Sent {
    fn take(&mut self, heard: &Datagram, rows: &mut Rows) -> bool {
        /// So many are told at once, while no message comes.
        const TOLD_EACH: usize = 1 << 20;
        rows.say(format!("heard at {}", heard.received.iso_8601()));
        self.frames.push(&heard.payload);
        while let Some(found) = self.frames.next() {
            match found {
                Found::Garbage(count) => self.garbage.add(count),
                Found::Damaged(head) => {
                    if framing::kind(&head).is_some_and(|(number, _)| number == framing::PING) {
                        rows.lose(GapCause::Corrupt, 1, "a ping that says two lengths of itself");
                    }
                    self.garbage.add(1);
                }
                Found::Whole(whole) => {
                    self.garbage.tell(rows);
                    self.ping(&whole, heard, rows);
                }
            }
        }
        self.garbage.tell_from(TOLD_EACH, rows);
        true
    }

    fn torn(&mut self, rows: &mut Rows) {
        // A ping that has begun will not be ended.
        let begun = self.frames.drop_begun();
        if begun >= framing::HEAD {
            rows.lose(
                GapCause::Truncated,
                1,
                &format!("the line ends {begun} byte(s) into a message"),
            );
        } else {
            self.garbage.add(begun);
        }
        self.garbage.tell(rows);
    }

    fn pause(&mut self, rows: &mut Rows) {
        self.garbage.tell(rows);
    }
}
