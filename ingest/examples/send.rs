//! Sends a recording as a sensor would: a capture's datagrams, a sounder's, or the lines of a log, to
//! an address, as fast as they came (or a number of times as fast), once or again and again.
//!
//! ```text
//! cargo run --release -p beluga-ingest --example send -- FILE ADDRESS[:PORT] [SPEED] [TIMES]
//! cargo run --release -p beluga-ingest --example send -- drive.pcap 127.0.0.1
//! cargo run --release -p beluga-ingest --example send -- survey.kmall 127.0.0.1:6020 4 10
//! ```
//!
//! A capture keeps its ports unless one is named. Packets of a Velodyne go out by their own times and are
//! given the host's time of the hour at which they are due, as by a unit whose clock is set, so that a drive
//! goes on when it begins again.
//! Lines go out ten a second.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use beluga_ingest::capture;

/// When it came, after the first; to which port, if that is known; what.
type Sent = (Duration, Option<u16>, Vec<u8>);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, address, rest @ ..] = arguments.as_slice() else {
        return Err("send FILE ADDRESS[:PORT] [SPEED] [TIMES]".into());
    };
    let speed: f64 = rest.first().map_or(Ok(1.0), |text| text.parse())?;
    let times: u32 = rest.get(1).map_or(Ok(1), |text| text.parse())?;
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse::<u16>()?)),
        None => (address.as_str(), None),
    };
    let path = Path::new(file);
    let mut sent = match path.extension().and_then(|ending| ending.to_str()) {
        Some("pcap" | "pcapng") => of_capture(path)?,
        Some("kmall" | "kmwcd") => of_sounder(path)?,
        _ => of_lines(path)?,
    };
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    for _ in 0..times {
        let (start, begun) = (Instant::now(), SystemTime::now());
        for (after, own, bytes) in &mut sent {
            let due = start + after.div_f64(speed);
            sleep(due.saturating_duration_since(Instant::now()));
            let port = port.or(*own).ok_or("name a port: the file has none")?;
            stamp(bytes, begun + after.div_f64(speed));
            socket.send_to(bytes, (host, port))?;
        }
    }
    println!("{} datagrams, {times} time(s)", sent.len());
    Ok(())
}

const HOUR_MICROS: u64 = 3_600_000_000;

/// A Velodyne's data packet has 1206 bytes; the µs since the hour stand behind its 12 blocks.
fn micros(bytes: &mut [u8]) -> Option<&mut [u8; 4]> {
    let is_data = bytes.len() == 1206 && bytes.starts_with(&[0xff, 0xee]);
    is_data.then(|| bytes[1200..].first_chunk_mut()).flatten()
}

fn stamp(bytes: &mut [u8], at: SystemTime) {
    if let Some(micros) = micros(bytes) {
        let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let of_hour = since.as_micros() % u128::from(HOUR_MICROS);
        *micros = (of_hour as u32).to_le_bytes();
    }
}

fn of_capture(path: &Path) -> Result<Vec<Sent>, Box<dyn Error>> {
    let (mut first, mut first_micros) = (None, None);
    let mut sent = Vec::new();
    for mut datagram in capture::datagrams(fs::File::open(path)?, path)?.filter_map(Result::ok) {
        let first = *first.get_or_insert(datagram.received);
        let mut after = Duration::from_nanos(datagram.received.nanos_since(first).max(0).unsigned_abs());
        // Who recorded heard it a little early or late; the unit knows when it was.
        if let Some(micros) = micros(&mut datagram.payload) {
            let own = u64::from(u32::from_le_bytes(*micros));
            let (base, at) = *first_micros.get_or_insert((after, own));
            let passed = (own + HOUR_MICROS).saturating_sub(at) % HOUR_MICROS;
            after = base + Duration::from_micros(passed);
        }
        sent.push((after, Some(datagram.destination.port()), datagram.payload));
    }
    Ok(sent)
}

/// Each datagram begins with its length, and its time stands behind sixteen bytes of its head.
fn of_sounder(path: &Path) -> Result<Vec<Sent>, Box<dyn Error>> {
    /// What UDP holds.
    const LONGEST: usize = 65_507;
    let bytes = fs::read(path)?;
    let mut rest = bytes.as_slice();
    let (mut first, mut sent) = (None, Vec::new());
    while let Some(head) = rest.get(..20) {
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let length = number(0) as usize;
        let Some((datagram, behind)) = rest.split_at_checked(length).filter(|_| length > 20) else {
            break;
        };
        let nanos = u64::from(number(12)) * 1_000_000_000 + u64::from(number(16));
        let first = *first.get_or_insert(nanos);
        if length <= LONGEST {
            sent.push((
                Duration::from_nanos(nanos.saturating_sub(first)),
                None,
                datagram.to_vec(),
            ));
        }
        rest = behind;
    }
    Ok(sent)
}

fn of_lines(path: &Path) -> Result<Vec<Sent>, Box<dyn Error>> {
    let text = fs::read_to_string(path)?;
    let lines = (0..).zip(text.lines());
    let sent = lines.map(|(number, line)| {
        (
            Duration::from_millis(100 * number),
            None,
            format!("{line}\r\n").into_bytes(),
        )
    });
    Ok(sent.collect())
}
