//! What a card can do, beside what the rig declares: taken as declared, or refused with what it can.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use crate::waves::{Form, Kind};

/// How a card writes a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(
    not(feature = "sound-card"),
    allow(dead_code, reason = "only a card has them")
)]
pub(super) enum Width {
    I16,
    I24,
    I32,
    F32,
}

impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Width::I16 => "S16",
            Width::I24 => "S24",
            Width::I32 => "S32",
            Width::F32 => "F32",
        })
    }
}

/// One of the ways in which a card can be opened.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Offer {
    pub(super) width: Width,
    pub(super) channels: usize,
    pub(super) rates_hz: RangeInclusive<u32>,
}

/// How a card gives samples of this form: with as many bits as are declared, or more.
///
/// # Errors
/// If it does not, in words: what it gives.
#[cfg_attr(
    not(feature = "sound-card"),
    allow(dead_code, reason = "only a card needs it")
)]
pub(super) fn choose(form: &Form, offers: &[Offer]) -> Result<Width, String> {
    let wanted: &[Width] = match form.kind {
        Kind::Int { bytes: ..=2, .. } => &[Width::I16, Width::I24, Width::I32],
        Kind::Int { bytes: 3, .. } => &[Width::I24, Width::I32],
        Kind::Int { .. } => &[Width::I32],
        Kind::Float => &[Width::F32],
    };
    let gives = |width: &Width| {
        offers.iter().any(|offer| {
            offer.width == *width
                && offer.channels == form.channels
                && form.rate_hz.fract() == 0.0
                && offer.rates_hz.contains(&(form.rate_hz as u32))
        })
    };
    wanted
        .iter()
        .copied()
        .find(gives)
        .ok_or_else(|| said(form, offers))
}

/// What a card gives instead: rates of the declared channels, or else which channels.
fn said(form: &Form, offers: &[Offer]) -> String {
    let own = || offers.iter().filter(|offer| offer.channels == form.channels);
    if own().next().is_none() {
        let (least, most) = offers.iter().fold((usize::MAX, 0), |(least, most), offer| {
            (least.min(offer.channels), most.max(offer.channels))
        });
        return match most {
            0 => "it gives nothing that can be read: is it for playing only?".into(),
            _ if least == most => format!("it gives {most} channel(s), not {}", form.channels),
            _ => format!("it gives {least} to {most} channels, not {}", form.channels),
        };
    }
    let mut by_width: BTreeMap<Width, Vec<String>> = BTreeMap::new();
    for offer in own() {
        let (low, high) = (offer.rates_hz.start(), offer.rates_hz.end());
        let rates = match low == high {
            true => low.to_string(),
            false => format!("{low} to {high}"),
        };
        let known = by_width.entry(offer.width).or_default();
        if !known.contains(&rates) {
            known.push(rates);
        }
    }
    let each = by_width
        .iter()
        .map(|(width, rates)| format!("{width} at {}", rates.join(", ")));
    let each: Vec<String> = each.collect();
    format!(
        "of {} channel(s) it gives {} samples a second, not {form}",
        form.channels,
        each.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> Vec<Offer> {
        let offer = |width, channels, rate: u32| Offer {
            width,
            channels,
            rates_hz: rate..=rate,
        };
        vec![
            offer(Width::I16, 2, 44_100),
            offer(Width::I16, 2, 48_000),
            offer(Width::I32, 2, 48_000),
            Offer {
                rates_hz: 8_000..=96_000,
                ..offer(Width::I32, 4, 0)
            },
        ]
    }

    fn chosen(word: &str) -> Result<Width, String> {
        choose(&Form::named(word).unwrap(), &card())
    }

    #[test]
    fn a_card_is_opened_with_the_declared_bits_or_more() {
        assert_eq!(chosen("S16LE/48000/2"), Ok(Width::I16));
        assert_eq!(chosen("S24LE/48000/2"), Ok(Width::I32));
        assert_eq!(chosen("S16LE/22050/4"), Ok(Width::I32));
        assert_eq!(chosen("S32BE/96000/4"), Ok(Width::I32));
    }

    #[test]
    fn another_rate_kind_or_count_is_refused_with_what_the_card_gives() {
        for (word, words) in [
            (
                "S16LE/96000/2",
                &["S16 at 44100, 48000; S32 at 48000", "not S16LE/96000/2"][..],
            ),
            ("S24LE/44100/2", &["S32 at 48000"]),
            ("F32LE/48000/2", &["not F32LE"]),
            ("S16LE/192000/4", &["S32 at 8000 to 96000"]),
            ("S16LE/48000/8", &["2 to 4 channels, not 8"]),
            ("S16LE/48000.5/2", &["not S16LE/48000.5/2"]),
        ] {
            let said = chosen(word).unwrap_err();
            assert!(words.iter().all(|words| said.contains(words)), "{word}: {said}");
        }
        let form = Form::named("S16LE/48000/2").unwrap();
        assert!(choose(&form, &[]).unwrap_err().contains("playing only"));
    }
}
