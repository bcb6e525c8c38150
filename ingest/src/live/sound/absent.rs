//! No sound card: this program is built without them.

use std::sync::Arc;

use crate::live::edge::Edge;
use crate::waves::Form;

/// None.
#[derive(Debug)]
pub(in crate::live) enum Card {}

impl Card {
    pub(super) fn open(_name: &str, _form: Form, _edge: Arc<Edge>) -> Result<Self, String> {
        Err(
            "this program is built without sound cards: `cargo build --features sound-card` makes one with them (on Debian it needs libasound2-dev and pkg-config)"
                .into(),
        )
    }

    pub(super) fn play(&self) -> Result<(), String> {
        match *self {}
    }

    pub(super) async fn gone(&self) {
        match *self {}
    }
}
