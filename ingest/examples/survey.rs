//! Sends a simulated survey as its sensors would: the lidar as an Ouster, detections as an R2Sonic, waveforms
//! of hydrophones by RTP, poses as an inertial unit, each datagram at its own moment, on loopback.
//!
//! ```text
//! beluga sim --scene s1 --device multibeam-256-detections --out survey.mcap
//! cargo run --release -p beluga-ingest --example survey -- survey.mcap --rig here      # writes here/rig.toml
//! beluga live --rig here/rig.toml &
//! cargo run --release -p beluga-ingest --example survey -- survey.mcap --times 60 --storm 7
//! ```
//!
//! | option | |
//! |---|---|
//! | `--rig DIR` | writes the rig that hears it, and ends |
//! | `--port N` | of the first sensor; each next has the next (default 17500) |
//! | `--speed N` | stamped and sent N times as fast as it was measured |
//! | `--fast` | sent as fast as it is heard, and stamped around now: for surveys of a few seconds |
//! | `--times N` | again and again, with stamps that go on |
//! | `--storm SEED` | losses, doubles, another order, bursts and garbage, and 5 s of silence of the first sensor |
//! | `--reboot N=S` | sensor N starts anew after S seconds, a lidar with a clock from power-on |

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use beluga_ingest::live::now;
use beluga_ingest::send::{Plan, Reboot, Sent, Silence, Storm, Survey, Weather, drained};
use beluga_types::{SensorId, Stamp};

/// What is asked for.
struct Asked {
    recording: PathBuf,
    rig: Option<PathBuf>,
    port: u16,
    speed: f64,
    fast: bool,
    times: u32,
    storm: Option<u64>,
    reboots: Vec<Reboot>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let asked = Asked::read()?;
    let survey = Survey::open(&asked.recording)?;
    let ports: Vec<u16> = (asked.port..).take(survey.rig().sensors.len()).collect();
    if let Some(folder) = &asked.rig {
        std::fs::create_dir_all(folder)?;
        survey.notes().iter().for_each(|note| println!("{note}"));
        println!("{}", survey.hear_at(folder, &ports)?.display());
        return Ok(());
    }
    let seconds = survey.seconds() * f64::from(asked.times) / asked.speed;
    let begin = match asked.fast {
        // Half of it before now and half behind, so that none of it is far from the host's clock.
        true => now().shifted_s(-0.5 * seconds),
        false => now().shifted_s(0.2),
    };
    let plan = Plan {
        speed: asked.speed,
        times: asked.times,
        reboots: asked.reboots.clone(),
        ..Plan::once(begin)
    };
    let mut storm = Storm::new(survey.datagrams(plan)?, asked.weather(begin, seconds));
    // Each sensor has an address of its own.
    let sockets = ports.iter().map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)));
    let sockets = sockets.collect::<Result<Vec<_>, _>>()?;
    let mut latest = Duration::ZERO;
    for sent in storm.by_ref() {
        match asked.fast {
            true => while !drained(&ports) {},
            false => latest = pace(&sent).max(latest),
        }
        let sensor = usize::from(sent.sensor.0);
        sockets[sensor].send_to(&sent.bytes, (Ipv4Addr::LOCALHOST, ports[sensor]))?;
    }
    println!("latest {:.1} ms behind its moment", latest.as_secs_f64() * 1e3);
    println!("{} returns had no place on the wire", storm.calm().left_out());
    storm
        .calm()
        .wrong()
        .iter()
        .for_each(|wrong| println!("not sent: {wrong}"));
    for (sensor, ledger) in storm.ledgers() {
        let name = &survey.rig().sensors[usize::from(sensor.0)].name;
        println!("{name} {}", serde_json::to_string(ledger)?);
    }
    Ok(())
}

/// Waits until a datagram is due by this host's clock; gives how late it is.
fn pace(sent: &Sent) -> Duration {
    let ahead = sent.at.nanos_since(now());
    if let Ok(ahead) = u64::try_from(ahead) {
        std::thread::sleep(Duration::from_nanos(ahead));
    }
    Duration::from_nanos(ahead.min(0).unsigned_abs())
}

impl Asked {
    fn read() -> Result<Self, Box<dyn Error>> {
        let mut arguments = std::env::args().skip(1);
        let recording = arguments.next().ok_or("survey RECORDING [--rig DIR] [--port N] [--speed N] [--fast] [--times N] [--storm SEED] [--reboot N=S]")?;
        let mut asked = Self {
            recording: Path::new(&recording).to_owned(),
            rig: None,
            port: 17_500,
            speed: 1.0,
            fast: false,
            times: 1,
            storm: None,
            reboots: Vec::new(),
        };
        while let Some(option) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{option} what?"));
            match option.as_str() {
                "--rig" => asked.rig = Some(value()?.into()),
                "--port" => asked.port = value()?.parse()?,
                "--speed" => asked.speed = value()?.parse()?,
                "--fast" => asked.fast = true,
                "--times" => asked.times = value()?.parse()?,
                "--storm" => asked.storm = Some(value()?.parse()?),
                "--reboot" => asked.reboots.push(reboot(&value()?)?),
                other => return Err(format!("{other} is not known").into()),
            }
        }
        Ok(asked)
    }

    fn weather(&self, begin: Stamp, seconds: f64) -> Weather {
        let end = begin.shifted_s(seconds - 1.0);
        let Some(seed) = self.storm else {
            return Weather::storm(0, begin, begin);
        };
        let from = begin.shifted_s(0.5 * seconds);
        let silence = Silence {
            sensor: SensorId(0),
            from,
            until: from.shifted_s(5.0),
        };
        Weather {
            silences: vec![silence],
            // What the first scans teach stays whole.
            ..Weather::storm(seed, begin.shifted_s(1.0), end)
        }
    }
}

fn reboot(text: &str) -> Result<Reboot, Box<dyn Error>> {
    let (sensor, seconds) = text.split_once('=').ok_or("--reboot SENSOR=SECONDS")?;
    Ok(Reboot {
        sensor: SensorId(sensor.parse()?),
        after: Duration::from_secs_f64(seconds.parse()?),
        own_clock: true,
    })
}
