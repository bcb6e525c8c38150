//! What a run says of where the survey met itself.

use std::fmt;

use beluga_fusion::graph::Closed;
use serde::Serialize;

/// What came of looking for loops.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LoopReport {
    /// Local maps made.
    local_maps: usize,
    /// Local maps beyond the most there may be.
    left_out: usize,
    /// Pairs laid on each other.
    tried: usize,
    /// Loops closed.
    closed: usize,
    /// By how much they correct poses at most, in metres.
    largest_m: f64,
}

impl LoopReport {
    pub(crate) fn of(closed: &Closed) -> Self {
        Self {
            local_maps: closed.local_maps,
            left_out: closed.left_out,
            tried: closed.tried,
            closed: closed.loops,
            largest_m: closed.corrections.largest_m(),
        }
    }

    /// Whether people should hear of it: a survey that never came back has nothing to tell.
    pub(super) fn is_told(&self) -> bool {
        self.tried > 0 || self.left_out > 0
    }
}

impl fmt::Display for LoopReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            local_maps,
            left_out,
            tried,
            closed,
            largest_m,
        } = self;
        write!(
            f,
            "{closed} closed of {tried} tried between {local_maps} local maps"
        )?;
        if *left_out > 0 {
            write!(
                f,
                "; the way of {left_out} more was not looked at: make `[fusion.loops] spacing_m` larger"
            )?;
        }
        if *closed > 0 {
            write!(
                f,
                "; `export` corrects poses by {largest_m:.2} m at most, frames stay"
            )?;
        }
        Ok(())
    }
}
