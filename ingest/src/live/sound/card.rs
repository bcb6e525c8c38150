//! A sound card by the `cpal` crate, on Linux by ALSA. What it gives goes to the sensor's edge from a thread of
//! the library's own.

use std::fmt;
use std::sync::Arc;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, Device, DeviceId, ErrorKind, I24, SampleFormat, SizedSample, Stream, StreamConfig};
use tokio::sync::Notify;

use super::bytes::{Taken, bytes};
use super::offer::{Offer, Width, choose};
use crate::capture::Datagram;
use crate::live::edge::Edge;
use crate::live::sockets::{NOBODY, now};
use crate::waves::Form;

/// So many cards are named at most, where the one that is asked for is not there.
const NAMED: usize = 12;

/// A card that is open.
pub(in crate::live) struct Card {
    stream: Stream,
    gone: Arc<Notify>,
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Card").finish_non_exhaustive()
    }
}

impl Card {
    /// Opens the card of this name, `default` for the system's, to give samples of this form.
    ///
    /// # Errors
    /// If there is none, or it gives no such samples: with what it gives.
    pub(super) fn open(name: &str, form: Form, edge: Arc<Edge>) -> Result<Self, String> {
        let device = device(name)?;
        let offers = offers(&device).map_err(|said| format!("cannot be asked what it gives: {said}"))?;
        let width = choose(&form, &offers)?;
        let gone = Arc::new(Notify::new());
        let hears = Hears {
            device,
            form,
            edge,
            gone: gone.clone(),
        };
        let stream = match width {
            Width::I16 => hears.stream(move |samples: &[i16]| bytes(form.kind, Taken::I16(samples))),
            Width::I24 => hears.stream(move |samples: &[I24]| {
                let values: Vec<i32> = samples.iter().map(|sample| sample.inner()).collect();
                bytes(form.kind, Taken::I24(&values))
            }),
            Width::I32 => hears.stream(move |samples: &[i32]| bytes(form.kind, Taken::I32(samples))),
            Width::F32 => hears.stream(move |samples: &[f32]| bytes(form.kind, Taken::F32(samples))),
        };
        stream
            .map(|stream| Self { stream, gone })
            .map_err(|said| format!("cannot be opened: {said}"))
    }

    /// From now on it is heard.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn play(&self) -> Result<(), String> {
        self.stream.play().map_err(|said| said.to_string())
    }

    /// Waits until it has gone away.
    pub(super) async fn gone(&self) {
        self.gone.notified().await;
    }
}

/// A card, and where what it gives goes.
struct Hears {
    device: Device,
    form: Form,
    edge: Arc<Edge>,
    gone: Arc<Notify>,
}

impl Hears {
    fn stream<T: SizedSample>(
        self,
        written: impl Fn(&[T]) -> Vec<u8> + Send + 'static,
    ) -> Result<Stream, cpal::Error> {
        let config = StreamConfig {
            channels: self.form.channels as u16,
            sample_rate: self.form.rate_hz as u32,
            buffer_size: BufferSize::Default,
        };
        let (edge, gone) = (self.edge.clone(), self.gone);
        let heard = move |samples: &[T], _: &cpal::InputCallbackInfo| {
            self.edge.push(Datagram {
                received: now(),
                source: NOBODY,
                destination: NOBODY,
                payload: written(samples),
            });
        };
        let wrong = move |said: cpal::Error| match said.kind() {
            ErrorKind::Xrun => edge.lost(
                1,
                "overrun: the sound card's buffer was full, and samples of it are lost".into(),
            ),
            // Said of this program's thread; what is lost by it is told as an overrun.
            ErrorKind::RealtimeDenied => {}
            _ => gone.notify_one(),
        };
        self.device.build_input_stream(config, heard, wrong, None)
    }
}

/// The card of this name.
fn device(name: &str) -> Result<Device, String> {
    let host = cpal::default_host();
    let found = match name {
        "default" => host.default_input_device(),
        _ => host.device_by_id(&DeviceId::new(host.id(), name)),
    };
    found.ok_or_else(|| {
        let there: Vec<String> = host
            .input_devices()
            .map(|devices| {
                devices
                    .filter_map(|device| Some(device.id().ok()?.id().to_owned()))
                    .take(NAMED)
                    .collect()
            })
            .unwrap_or_default();
        match there.is_empty() {
            true => "there is no sound card (`arecord -L` names those that are there)".into(),
            false => format!("there is none of this name, but {}", there.join(", ")),
        }
    })
}

fn offers(device: &Device) -> Result<Vec<Offer>, cpal::Error> {
    let configs = device.supported_input_configs()?;
    let offer = |config: cpal::SupportedStreamConfigRange| {
        let width = match config.sample_format() {
            SampleFormat::I16 => Width::I16,
            SampleFormat::I24 => Width::I24,
            SampleFormat::I32 => Width::I32,
            SampleFormat::F32 => Width::F32,
            _ => return None,
        };
        Some(Offer {
            width,
            channels: usize::from(config.channels()),
            rates_hz: config.min_sample_rate()..=config.max_sample_rate(),
        })
    };
    Ok(configs.filter_map(offer).collect())
}
