//! The files: pcap and pcapng → packets, each with its time and the kind of link it was heard on.

use std::io::Read;
use std::path::Path;

use beluga_types::{GapCause, Stamp};
use pcap_parser::traits::{PcapNGPacketBlock as _, PcapReaderIterator};
use pcap_parser::{Block, LegacyPcapReader, Linktype, PcapBlockOwned, PcapError, PcapNGReader};

use super::{cut, fault};
use crate::error::{Error, Fault};
use crate::range::is_time;

/// First bytes: pcap in µs and ns, each in both byte orders, and pcapng.
pub(super) const MAGICS: [[u8; 4]; 5] = [
    *b"\xd4\xc3\xb2\xa1",
    *b"\xa1\xb2\xc3\xd4",
    *b"\x4d\x3c\xb2\xa1",
    *b"\xa1\xb2\x3c\x4d",
    *b"\x0a\x0d\x0d\x0a",
];
/// Bytes that are read at a time.
const BUFFER: usize = 1 << 16;
/// The longest record. Packets have at most 256 KiB (tcpdump's longest snapshot), but a pcapng
/// file may hold names or keys.
const MAX_RECORD: usize = 16 << 20;
/// Bytes of a pcapng block without contents: kind, length, and the length once more.
const LEAST_BLOCK: u32 = 12;
/// Interfaces of one section that are told apart.
const MAX_INTERFACES: usize = 1024;

/// One packet of the file.
pub(super) struct Packet<'a> {
    pub(super) stamp: Stamp,
    pub(super) link: Linktype,
    pub(super) bytes: &'a [u8],
    /// Bytes it had on the link.
    pub(super) original: u32,
}

/// What an interface says about its packets.
#[derive(Clone, Copy)]
struct Interface {
    link: Linktype,
    clock: Clock,
}

/// How a packet's time is counted.
#[derive(Clone, Copy)]
struct Clock {
    units_per_s: u64,
    offset_s: i64,
}

impl Clock {
    /// The resolution of `if_tsresol`: a power of ten, or of two if the first bit is set.
    fn of_option(resolution: u8, offset_s: i64) -> Option<Self> {
        let power = u32::from(resolution & 0x7f);
        let units_per_s = match resolution & 0x80 {
            0 => 10_u64.checked_pow(power),
            _ => 1_u64.checked_shl(power),
        }?;
        Some(Self {
            units_per_s,
            offset_s,
        })
    }

    fn stamp(self, units: u64) -> Option<Stamp> {
        let nanos = i128::from(units) * 1_000_000_000 / i128::from(self.units_per_s)
            + i128::from(self.offset_s) * 1_000_000_000;
        let stamp = Stamp::from_nanos(i64::try_from(nanos).ok()?);
        is_time(stamp).then_some(stamp)
    }
}

/// The packets of a file, front to back.
pub(super) struct Records<R: Read> {
    reader: Reader<R>,
    interfaces: Vec<Interface>,
    big_endian: bool,
    room: usize,
    ended: bool,
}

enum Reader<R: Read> {
    Pcap(LegacyPcapReader<Full<R>>),
    Pcapng(PcapNGReader<Full<R>>),
}

impl<R: Read> Reader<R> {
    fn any(&mut self) -> &mut dyn PcapReaderIterator {
        match self {
            Reader::Pcap(reader) => reader,
            Reader::Pcapng(reader) => reader,
        }
    }
}

/// An input that gives all that is asked for while it has it: the parsers take less for its end.
struct Full<R> {
    start: std::io::Chain<std::io::Cursor<[u8; 4]>, R>,
}

impl<R: Read> Read for Full<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let mut filled = 0;
        while filled < into.len() {
            match self.start.read(&mut into[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) if filled > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

impl<R: Read> Records<R> {
    /// # Errors
    /// If the input does not start as a capture does.
    pub(super) fn new(mut input: R, path: &Path) -> Result<Self, Error> {
        let refused = |found: &str| {
            Error::bad(
                path,
                "first bytes",
                "the header of a pcap or pcapng capture",
                found,
            )
        };
        let mut magic = [0; 4];
        match input.read_exact(&mut magic) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(refused("less than 4 bytes"));
            }
            read => read.map_err(Error::io(path))?,
        }
        if !MAGICS.contains(&magic) {
            return Err(refused("others"));
        }
        let start = std::io::Cursor::new(magic).chain(input);
        let reader = if magic == MAGICS[4] {
            PcapNGReader::new(BUFFER, Full { start }).map(Reader::Pcapng)
        } else {
            LegacyPcapReader::new(BUFFER, Full { start }).map(Reader::Pcap)
        };
        Ok(Self {
            reader: reader.map_err(|_| refused("a header that is cut or damaged"))?,
            interfaces: Vec::new(),
            big_endian: false,
            room: BUFFER,
            ended: false,
        })
    }

    /// Hands the next record to `take`, if it is a packet; nothing behind the last. What cannot be
    /// read is a fault; where the next record begins cannot be told behind one that contradicts
    /// itself, so the file ends there.
    pub(super) fn next(&mut self, take: impl FnOnce(Packet<'_>)) -> Option<Result<(), Fault>> {
        loop {
            if self.ended {
                return None;
            }
            let at = self.reader.any().consumed();
            if let Some(length) = self.impossible_length() {
                self.ended = true;
                let detail = format!(
                    "byte {at}: a block of {length} bytes, less than the {LEAST_BLOCK} of an empty one; what follows is not read"
                );
                return Some(Err(cut(GapCause::Corrupt, detail)));
            }
            let wrong = match self.reader.any().next() {
                Ok((length, block)) => {
                    let found = heard(&block, &mut self.interfaces, &mut self.big_endian);
                    let done = match found {
                        Ok(Some(packet)) => {
                            take(packet);
                            Ok(())
                        }
                        Ok(None) => Ok(()),
                        Err(wrong) => Err(fault(GapCause::Corrupt, format!("byte {at}: {wrong}"))),
                    };
                    self.reader.any().consume(length);
                    return Some(done);
                }
                Err(PcapError::Eof) => None,
                Err(PcapError::Incomplete(_) | PcapError::BufferTooSmall) => match self.read_on() {
                    Ok(()) => continue,
                    Err(wrong) => Some(wrong),
                },
                Err(PcapError::UnexpectedEof) => Some(cut(
                    GapCause::Truncated,
                    format!("the capture ends inside a record that begins at byte {at}"),
                )),
                Err(_) => Some(cut(
                    GapCause::Corrupt,
                    format!("byte {at}: a record that contradicts itself; what follows is not read"),
                )),
            };
            self.ended = true;
            return wrong.map(Err);
        }
    }

    /// The length that the next pcapng block states, if it is less than a block without contents has:
    /// the parser subtracts that from it unasked.
    fn impossible_length(&mut self) -> Option<u32> {
        let Reader::Pcapng(reader) = &mut self.reader else {
            return None;
        };
        let (kind, rest) = reader.data().split_first_chunk::<4>()?;
        let length = rest.first_chunk::<4>()?;
        let length = match self.big_endian {
            true => u32::from_be_bytes(*length),
            false => u32::from_le_bytes(*length),
        };
        // A section states its byte order behind its length; the parser knows the least of it.
        (*kind != MAGICS[4] && length < LEAST_BLOCK).then_some(length)
    }

    /// Reads more of the input, into a larger buffer only when the one there is full: what a record
    /// says of its length is not believed before the bytes are there.
    fn read_on(&mut self) -> Result<(), Fault> {
        let reader = self.reader.any();
        let (at, before) = (reader.consumed(), reader.data().len());
        let refilled = reader.refill().is_ok();
        if !refilled {
            let detail = format!("cannot be read behind byte {}", at + before);
            return Err(cut(GapCause::Corrupt, detail));
        }
        if reader.data().len() > before || reader.reader_exhausted() {
            return Ok(());
        }
        if self.room >= MAX_RECORD {
            let detail =
                format!("byte {at}: a record longer than {MAX_RECORD} bytes; what follows is not read");
            return Err(cut(GapCause::Corrupt, detail));
        }
        self.room *= 2;
        reader.grow(self.room);
        Ok(())
    }
}

/// The packet of a record, if it is one; takes in what the record says of those that follow.
fn heard<'a>(
    block: &'a PcapBlockOwned<'a>,
    interfaces: &mut Vec<Interface>,
    big_endian: &mut bool,
) -> Result<Option<Packet<'a>>, String> {
    match block {
        PcapBlockOwned::LegacyHeader(header) => {
            // The upper bits tell of checksums behind the packets.
            let link = Linktype(header.network.0 & 0x0fff_ffff);
            let units_per_s = match header.is_nanosecond_precision() {
                true => 1_000_000_000,
                false => 1_000_000,
            };
            let clock = Clock {
                units_per_s,
                offset_s: 0,
            };
            interfaces.push(Interface { link, clock });
            Ok(None)
        }
        PcapBlockOwned::Legacy(record) => {
            let Some(Interface { link, clock }) = interfaces.first().copied() else {
                return Ok(None);
            };
            let units = u64::from(record.ts_sec) * clock.units_per_s + u64::from(record.ts_usec);
            let stamp = clock.stamp(units).ok_or("a time after the year 2200")?;
            Ok(Some(Packet {
                stamp,
                link,
                bytes: record.data,
                original: record.origlen,
            }))
        }
        PcapBlockOwned::NG(Block::SectionHeader(section)) => {
            interfaces.clear();
            *big_endian = section.big_endian();
            Ok(None)
        }
        PcapBlockOwned::NG(Block::InterfaceDescription(described)) => {
            if interfaces.len() >= MAX_INTERFACES {
                return Err(format!("more than {MAX_INTERFACES} interfaces"));
            }
            // The parser takes this option as little-endian whatever the section is.
            let offset_s = match *big_endian {
                true => described.if_tsoffset.swap_bytes(),
                false => described.if_tsoffset,
            };
            let clock = Clock::of_option(described.if_tsresol, offset_s).ok_or("an unknown unit of time")?;
            interfaces.push(Interface {
                link: described.linktype,
                clock,
            });
            Ok(None)
        }
        PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
            let number = usize::try_from(packet.if_id).unwrap_or(usize::MAX);
            let Some(Interface { link, clock }) = interfaces.get(number).copied() else {
                return Err(format!("a packet of interface {number}, which is not described"));
            };
            let units = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
            let stamp = clock.stamp(units).ok_or("a time after the year 2200")?;
            Ok(Some(Packet {
                stamp,
                link,
                bytes: packet.packet_data(),
                original: packet.origlen,
            }))
        }
        PcapBlockOwned::NG(Block::SimplePacket(_)) => Err("a packet without a time".into()),
        PcapBlockOwned::NG(_) => Ok(None),
    }
}
