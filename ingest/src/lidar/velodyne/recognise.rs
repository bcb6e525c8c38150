//! Which model a stream is of: by its product byte, unless its packets come at another pace.
//!
//! The byte of some units is wrong (a VLP-16 that says it is an HDL-32E), but how long the firings of
//! a packet take is not: a VLP-16's come 1327 µs apart, an HDL-32E's 553 µs.

use super::model::{Model, Returns};
use super::packet::{BANKS, Packet};

/// Packets that must agree before the byte is not believed.
const ENOUGH: usize = 8;
/// How far the middle step may be from a model's, as a part of it.
const TOLERANCE: f64 = 0.02;

/// What a stream was taken for, and why.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recognised {
    pub(super) model: Model,
    /// What a user should be told.
    pub(super) note: Option<String>,
}

/// The model of a stream that starts with these packets; `said` is that of the rig.
///
/// # Errors
/// If no model fits.
pub(super) fn model(packets: &[Packet<'_>], said: Option<Model>) -> Result<Recognised, String> {
    let Some(first) = packets.first() else {
        return Err("expected a data packet, found none".to_owned());
    };
    let banks = [first.flag(0), first.flag(1), first.flag(2)];
    let byte = match banks {
        [a, b, c] if (a, b, c) == (BANKS[0], BANKS[1], BANKS[0]) => Some(hdl_64e(packets)),
        _ => Model::of_product(first.product()),
    };
    let step_nanos = middle_step_nanos(packets);
    let fits = |model: &Model| {
        let pace = model.packet_nanos(Returns::of(first, *model) == Returns::Dual);
        step_nanos.is_none_or(|step| (step / pace - 1.0).abs() < TOLERANCE) && banks_fit(first, *model)
    };
    let says = match byte {
        Some(model) if model.tells_product() => {
            format!("product byte {:#04x} says {}", first.product(), model.name())
        }
        Some(model) => format!("the packets end with the status of an {}", model.name()),
        None => format!(
            "product byte {:#04x} is of no model that is known",
            first.product()
        ),
    };
    let pace = step_nanos.map_or(String::new(), |step| {
        format!(", packets come {:.0} µs apart", step * 1e-3)
    });
    // Two paces of one model: its firmware's.
    let paced = |model: Model| match model {
        Model::Vls128 if !fits(&model) && fits(&Model::Vls128Slow) => Model::Vls128Slow,
        model => model,
    };
    let byte = byte.map(paced);
    if let Some(model) = said.map(paced) {
        let agrees = byte == Some(model) && fits(&model);
        let note = (!agrees).then(|| format!("{says}{pace}; read as the rig's `model`, {}", model.name()));
        return Ok(Recognised { model, note });
    }
    if let Some(model) = byte.filter(fits) {
        return Ok(Recognised { model, note: None });
    }
    // Puck Hi-Res and VLP-16 come at one pace: the commoner one is taken.
    let found = [
        Model::Vlp16,
        Model::Hdl32e,
        Model::Vlp32c,
        Model::Vls128,
        Model::Vls128Slow,
    ]
    .into_iter()
    .find(|model| step_nanos.is_some() && fits(model));
    match (found, byte) {
        (Some(model), _) => Ok(Recognised {
            model,
            note: Some(format!(
                "{says}{pace} as a {}'s do: read as {} (`model` in the rig decides otherwise)",
                model.name(),
                model.name()
            )),
        }),
        (None, Some(model)) if banks_fit(first, model) => Ok(Recognised {
            model,
            note: Some(format!(
                "{says}{pace}, which fits no model: read as {} (`model` in the rig decides otherwise)",
                model.name()
            )),
        }),
        (None, _) => Err(format!(
            "{says}{pace}: expected a model that is known, or `model` in the rig"
        )),
    }
}

/// S3 sends a warning (`W`) among its status; S2 does not.
fn hdl_64e(packets: &[Packet<'_>]) -> Model {
    match packets.iter().any(|packet| packet.mode() == b'W') {
        true => Model::Hdl64eS3,
        false => Model::Hdl64eS2,
    }
}

fn banks_fit(packet: &Packet<'_>, model: Model) -> bool {
    let shots = super::shots::Shots::new(model, Returns::of(packet, model));
    let mut banks = shots.banks.iter().enumerate();
    banks.all(|(block, bank)| packet.flag(block) == BANKS[usize::from(*bank)])
}

/// The middle of the steps from packet to packet, nothing if there are too few.
fn middle_step_nanos(packets: &[Packet<'_>]) -> Option<f64> {
    let mut steps: Vec<u32> = packets
        .windows(2)
        .filter_map(|pair| pair[1].micros().checked_sub(pair[0].micros()))
        .collect();
    steps.sort_unstable();
    (steps.len() >= ENOUGH).then(|| f64::from(steps[steps.len() / 2]) * 1e3)
}
