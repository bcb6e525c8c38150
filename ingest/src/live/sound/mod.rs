//! A sound card's samples, as bytes of the form that the rig declares.
//!
//! - `offer`: what a card can do beside what is declared; `bytes`: its samples as those of the declared kind;
//! - `card`: the card itself, by the `cpal` crate, where this program is built with the feature `sound-card`;
//!   `absent`: else.

mod bytes;
#[cfg(not(feature = "sound-card"))]
#[path = "absent.rs"]
mod card;
#[cfg(feature = "sound-card")]
mod card;
mod offer;

use std::io;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep;

use super::address::Address;
use super::sockets::{Listener, over};
use super::telling::Telling;
pub(super) use card::Card;

/// How long a card that has gone away is left alone at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Opens the card that a listener hears, if it hears one. It gives nothing yet.
///
/// # Errors
/// If there is none of this name, or it does not give what is declared: with what it gives.
pub(super) fn open(listener: &Listener) -> io::Result<Option<Card>> {
    let (Address::Sound(name), Some(form)) = (&listener.address, listener.form) else {
        return Ok(None);
    };
    let card = Card::open(name, form, listener.edge.clone());
    card.map(Some).map_err(io::Error::other)
}

/// Hears a card until `closed` says so; one that goes away is opened again when it is there.
pub(super) async fn keep(
    listener: Listener,
    card: Card,
    telling: Telling,
    mut closed: watch::Receiver<bool>,
) {
    let tell = |said: &str| {
        telling.tell(format!(
            "sensor `{}`: {}: {said}",
            listener.name, listener.address
        ))
    };
    let (mut card, mut pause, mut refused) = (Some(card), PAUSE.0, String::new());
    loop {
        if let Some(heard) = card.take() {
            let since = Instant::now();
            match heard.play() {
                Ok(()) => tokio::select! {
                    // One that goes away at once is not asked ten times a second.
                    () = heard.gone() => if since.elapsed() > PAUSE.1 { pause = PAUSE.0 },
                    () = over(&mut closed) => return,
                },
                Err(said) => tell(&said),
            }
            let said = "it has gone away, and is opened again";
            tell(said);
            listener.edge.lost(0, format!("{}: {said}", listener.address));
        }
        tokio::select! {
            () = sleep(pause) => pause = (2 * pause).min(PAUSE.1),
            () = over(&mut closed) => return,
        }
        match open(&listener) {
            Ok(opened) => {
                card = opened;
                refused.clear();
                tell("it is there again");
            }
            Err(said) if said.to_string() == refused => {}
            Err(said) => {
                refused = said.to_string();
                tell(&refused);
            }
        }
    }
}
