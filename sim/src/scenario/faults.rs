//! What is wrong in a world.

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// What is wrong in a world; by default nothing is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultScenario {}

impl FaultScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        Ok(())
    }
}
