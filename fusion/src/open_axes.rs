//! Which axes of the pose the scans did not hold, over a run.

use beluga_types::{POSE_AXES, PoseStatus, SolidarFrame};

/// Counts frames by the axes that were open in them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OpenAxes {
    open: [u64; 6],
    /// Frames whose scan was laid on the map.
    frames: u64,
}

impl OpenAxes {
    pub(crate) fn count(&mut self, frame: &SolidarFrame) {
        match frame.pose_status() {
            PoseStatus::Degenerate { open } => {
                self.frames += 1;
                for (count, open) in self.open.iter_mut().zip(open) {
                    *count += u64::from(open);
                }
            }
            PoseStatus::Held => self.frames += 1,
            PoseStatus::NavAlone | PoseStatus::Predicted => {}
        }
    }

    /// What a user should know of it; nothing if every axis was always held.
    pub(crate) fn note(&self) -> Option<String> {
        let axes = POSE_AXES.iter().zip(self.open).filter(|(_, count)| *count > 0);
        let axes: Vec<String> = axes.map(|(axis, count)| format!("{axis} in {count}")).collect();
        (!axes.is_empty()).then(|| {
            format!(
                "the lidar cannot see {} of {} frames: there the pose is what navigation or the motion before says",
                axes.join(", "),
                self.frames
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_named_with_the_frames_they_were_open_in() {
        let mut axes = OpenAxes {
            open: [0, 0, 0, 7, 0, 1],
            frames: 9,
        };
        let said = axes.note().unwrap();
        assert!(said.contains("forward in 7, up in 1 of 9 frames"), "{said}");
        axes.open = [0; 6];
        assert_eq!(axes.note(), None);
    }
}
