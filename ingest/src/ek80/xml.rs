//! `XML0`: what the file says of its transceivers, the water and each ping's transmission.

use beluga_types::{Pulse, PulseKind, Shading};
use roxmltree::{Document, Node, ParsingOptions};

use crate::nameplate::{Nameplate, parts};
use crate::range::SAMPLE_RATES_HZ;

/// The longest document that is read, in bytes; the largest known have some hundred thousand.
pub(super) const MAX_BYTES: u64 = 8 << 20;
/// The most elements of one document.
const MAX_NODES: u32 = 200_000;
/// Samples per second of a transceiver, where its configuration does not say.
const RECEIVER_RATE_HZ: f64 = 1.5e6;
/// The longest pulse, in seconds; the longest known has 32 ms.
const MAX_PULSE_S: f64 = 1.0;
/// The highest frequency, in hertz.
const MAX_HZ: f64 = 1e8;

/// One document.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    Configuration(Vec<Channel>),
    /// Speed of sound in m/s.
    Environment(Option<f64>),
    /// By channel id; those that cannot be used with the reason.
    Parameters(Vec<(String, Result<Transmission, String>)>),
    Other,
}

/// A transceiver's channel, as configured.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Channel {
    pub(super) id: String,
    pub(super) transducer: String,
    /// Full width at -3 dB, one way, along and across the ship.
    pub(super) width_rad: Option<[f64; 2]>,
    /// Samples per second before the filter stages.
    pub(super) receiver_rate_hz: f64,
    /// Of transceiver and transducer.
    pub(super) plate: Nameplate,
}

/// What is transmitted in a ping, and how often is sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Transmission {
    /// Nothing for a ping that only listens.
    pub(super) pulse: Option<Pulse>,
    pub(super) interval_s: f64,
}

/// Reads a document; what is wrong with it, if it is none.
pub(super) fn read(body: &[u8]) -> Result<Said, String> {
    let end = body
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |last| last + 1);
    let text = String::from_utf8_lossy(&body[..end]);
    let options = ParsingOptions {
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text.trim_start_matches('\u{feff}'), options)
        .map_err(|error| format!("expected XML: {error}"))?;
    let root = document.root_element();
    Ok(match root.tag_name().name() {
        "Configuration" => Said::Configuration(channels(root)),
        "Environment" => {
            Said::Environment(number(root, "SoundSpeed").filter(|speed| (100.0..=3000.0).contains(speed)))
        }
        "Parameter" | "InitialParameter" => Said::Parameters(
            root.descendants()
                .filter(|node| node.has_tag_name("Channel"))
                .filter_map(|node| Some((node.attribute("ChannelID")?.trim().to_owned(), transmission(node))))
                .collect(),
        ),
        _ => Said::Other,
    })
}

fn channels(root: Node<'_, '_>) -> Vec<Channel> {
    root.descendants()
        .filter(|node| node.has_tag_name("Channel"))
        .filter_map(|node| {
            let transducer = node.children().find(|child| child.has_tag_name("Transducer"));
            let width = |name| {
                let degrees = number(transducer?, name)?;
                (degrees > 0.0 && degrees <= 180.0).then(|| degrees.to_radians())
            };
            let transceiver = node.ancestors().find(|above| above.has_tag_name("Transceiver"));
            let rate = transceiver.and_then(|above| number(above, "RxSampleFrequency"));
            Some(Channel {
                id: node.attribute("ChannelID")?.trim().to_owned(),
                transducer: transducer
                    .and_then(|node| node.attribute("TransducerName"))
                    .unwrap_or("unknown")
                    .to_owned(),
                width_rad: width("BeamWidthAlongship")
                    .zip(width("BeamWidthAthwartship"))
                    .map(|(along, across)| [along, across]),
                receiver_rate_hz: rate
                    .filter(|rate| SAMPLE_RATES_HZ.contains(rate))
                    .unwrap_or(RECEIVER_RATE_HZ),
                plate: plate(transceiver, transducer),
            })
        })
        .collect()
}

/// Serial numbers, and the software in the transceiver: an attribute, or a line of its `Version`.
fn plate(transceiver: Option<Node<'_, '_>>, transducer: Option<Node<'_, '_>>) -> Nameplate {
    fn said<'a>(node: Option<Node<'a, '_>>, name: &str) -> &'a str {
        node.and_then(|node| node.attribute(name)).unwrap_or("")
    }
    let mut lines = said(transceiver, "Version").lines();
    let software = match said(transceiver, "TransceiverSoftwareVersion") {
        "" => lines.find_map(|line| line.trim().strip_prefix("Embedded software:")),
        version => Some(version),
    };
    Nameplate {
        serial: parts([
            ("transceiver", said(transceiver, "SerialNumber")),
            ("transducer", said(transducer, "SerialNumber")),
        ]),
        firmware: parts([("transceiver", software.unwrap_or(""))]),
    }
}

/// What one channel transmits. A mode other than 0 is taken as listening only.
fn transmission(node: Node<'_, '_>) -> Result<Transmission, String> {
    let required = |name: &str, most: f64| {
        let value = number(node, name);
        value
            .filter(|value| *value > 0.0 && *value <= most)
            .ok_or_else(|| format!("expected above 0, to {most}, in `{name}`, found {value:?}"))
    };
    let interval_s = required("SampleInterval", 1.0 / SAMPLE_RATES_HZ.start())?;
    let is_active = node
        .attribute("ChannelMode")
        .is_none_or(|mode| mode.trim() == "0");
    let pulse = if is_active {
        let duration = if node.has_attribute("PulseDuration") {
            "PulseDuration"
        } else {
            "PulseLength"
        };
        let (start_hz, end_hz) = if node.has_attribute("FrequencyStart") {
            (
                required("FrequencyStart", MAX_HZ)?,
                required("FrequencyEnd", MAX_HZ)?,
            )
        } else {
            let hz = required("Frequency", MAX_HZ)?;
            (hz, hz)
        };
        // The slope is the share of the pulse in which it rises; it falls in as much.
        let slope = number(node, "Slope").filter(|slope| *slope > 0.0).unwrap_or(0.0);
        Some(Pulse {
            kind: if start_hz == end_hz {
                PulseKind::Cw
            } else {
                PulseKind::Lfm
            },
            start_hz,
            end_hz,
            duration_s: required(duration, MAX_PULSE_S)?,
            shading: if slope > 0.0 {
                Shading::Tukey((2.0 * slope).min(1.0))
            } else {
                Shading::Rectangular
            },
        })
    } else {
        None
    };
    Ok(Transmission { pulse, interval_s })
}

fn number(node: Node<'_, '_>, name: &str) -> Option<f64> {
    let value: f64 = node.attribute(name)?.trim().parse().ok()?;
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chirp_a_tone_and_silence_are_told_apart() {
        let text = r#"<?xml version="1.0"?><Parameter>
            <Channel ChannelID="a" ChannelMode="0" PulseForm="1" FrequencyStart="34000" FrequencyEnd="45000" PulseDuration="0.001024" SampleInterval="6.4E-05" Slope="0.1"/>
            <Channel ChannelID="b" PulseForm="0" Frequency="38000" PulseLength="0.000256" SampleInterval="8e-06" Slope="0"/>
            <Channel ChannelID="c" ChannelMode="1" Frequency="38000" SampleInterval="0.000256"/>
            <Channel ChannelID="d" ChannelMode="0" Frequency="38000" SampleInterval="0"/>
            </Parameter>"#;
        let Ok(Said::Parameters(channels)) = read(format!("{text}\0\0").as_bytes()) else {
            panic!("no parameters");
        };
        let pulse = |index: usize| channels[index].1.as_ref().map(|said| said.pulse);
        let chirp = pulse(0).unwrap().unwrap();
        assert_eq!(
            (chirp.kind, chirp.end_hz, chirp.shading),
            (PulseKind::Lfm, 45e3, Shading::Tukey(0.2))
        );
        let tone = pulse(1).unwrap().unwrap();
        assert_eq!(
            (tone.kind, tone.duration_s, tone.shading),
            (PulseKind::Cw, 256e-6, Shading::Rectangular)
        );
        assert_eq!(pulse(2), Ok(None));
        assert!(pulse(3).unwrap_err().contains("`SampleInterval`"));
    }

    #[test]
    fn what_is_no_xml_is_said() {
        assert!(read(b"\0\0\0").unwrap_err().contains("expected XML"));
        assert!(read(b"<a><b></a>").is_err());
        assert_eq!(read(b"<PingSequence/>"), Ok(Said::Other));
        assert_eq!(
            read(br#"<Environment SoundSpeed="nan"/>"#),
            Ok(Said::Environment(None))
        );
        assert_eq!(
            read(br#"<Environment SoundSpeed="1502"/>"#),
            Ok(Said::Environment(Some(1502.0)))
        );
    }
}
