//! Where a survey meets itself, looked for beside its record: laying local maps on each other may take longer than
//! a frame lasts, and the record does not wait for it.
//!
//! What a frame has changed is told a fixed number of frames later, not when it happens to be known: the same
//! frames give the same record.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use anyhow::{Context, anyhow};
use beluga_fusion::graph::{Closed, Loops};
use beluga_types::SolidarFrame;

/// So many frames later; only a search that takes longer holds the record up.
const BEHIND: usize = 8;

/// Looks for loops in a thread of its own.
pub(crate) struct Search {
    frames: SyncSender<Arc<SolidarFrame>>,
    found: Receiver<Option<Closed>>,
    searching: JoinHandle<Closed>,
    /// Frames whose answer has not been taken.
    open: usize,
}

impl Search {
    /// # Errors
    /// If the system gives no thread.
    pub(crate) fn start(mut loops: Loops) -> anyhow::Result<Self> {
        let (frames, given) = sync_channel::<Arc<SolidarFrame>>(BEHIND);
        let (tell, found) = sync_channel(BEHIND + 1);
        let searching = Builder::new().name("loops".into()).spawn(move || {
            for frame in given {
                // Who does not listen any more does not ask what it came to either.
                if tell.send(loops.push(&frame)).is_err() {
                    break;
                }
            }
            loops.finish()
        });
        Ok(Self {
            frames,
            found,
            searching: searching.context("cannot start the thread `loops`")?,
            open: 0,
        })
    }

    /// Takes the next frame; tells what the one [`BEHIND`] frames before it has changed.
    ///
    /// # Errors
    /// If the search has failed.
    pub(crate) fn push(&mut self, frame: Arc<SolidarFrame>) -> anyhow::Result<Option<Closed>> {
        self.frames.send(frame).map_err(|_| failed())?;
        if self.open < BEHIND {
            self.open += 1;
            return Ok(None);
        }
        self.found.recv().map_err(|_| failed())
    }

    /// What the last frames have changed, one by one, and what all of it came to.
    ///
    /// # Errors
    /// If the search has failed.
    pub(crate) fn finish(self) -> anyhow::Result<(Vec<Closed>, Closed)> {
        drop(self.frames);
        let rest = self.found.into_iter().flatten().collect();
        Ok((rest, self.searching.join().map_err(|_| failed())?))
    }
}

fn failed() -> anyhow::Error {
    anyhow!("the thread `loops` failed; please report this")
}

#[cfg(test)]
mod tests {
    use beluga_fusion::{Config, Fuser};
    use beluga_sim::{Scenario, World};

    use super::*;

    /// A run past a quay, of so many seconds.
    fn world(seconds: f64) -> World {
        let text = format!(
            "duration_s = {seconds:.1}\nseed = 5\n[lidar]\nrings = 16\ncolumns = 256\n\
             [sonar]\ndevice = \"multibeam-256-detections\"\nbeams = 4\n"
        );
        World::new(Scenario::from_toml(&text).unwrap()).unwrap()
    }

    fn frames(world: &World) -> Vec<Arc<SolidarFrame>> {
        let mut fuser = Fuser::new(Config::default(), world.rig().clone()).unwrap();
        let mut frames: Vec<_> = world.measurements().flat_map(|one| fuser.push(one)).collect();
        frames.extend(fuser.finish());
        frames.into_iter().map(Arc::new).collect()
    }

    /// Local maps so short, and an odometry that forgets so soon, that loops come while frames do.
    fn loops(world: &World) -> Loops {
        let mut config = Config::default();
        config.loops.spacing_m = 1.0;
        config.odometry.map_radius_m = 1.0;
        Loops::new(&config, world.rig()).unwrap()
    }

    /// The plain twin asks and waits for the answer.
    #[test]
    fn it_tells_the_same_as_one_that_waits_only_later() {
        let world = world(16.0);
        let (mut plain, frames) = (loops(&world), frames(&world));
        let expected: Vec<_> = frames.iter().map(|frame| plain.push(frame)).collect();
        let whole = plain.finish();
        assert!(
            expected.iter().any(Option::is_some),
            "{} local maps",
            whole.local_maps
        );

        let mut search = Search::start(loops(&world)).unwrap();
        let told: Vec<_> = frames
            .iter()
            .map(|frame| search.push(frame.clone()).unwrap())
            .collect();
        let kept = frames.len() - BEHIND;
        assert!(told[..BEHIND].iter().all(Option::is_none));
        assert_eq!(told[BEHIND..], expected[..kept]);
        let (rest, closed) = search.finish().unwrap();
        let last: Vec<_> = expected[kept..].iter().flatten().cloned().collect();
        assert_eq!((rest, closed), (last, whole));
    }

    #[test]
    fn one_that_is_given_up_ends() {
        let world = world(1.0);
        let mut search = Search::start(loops(&world)).unwrap();
        for frame in frames(&world) {
            search.push(frame).unwrap();
        }
        let Search {
            frames,
            found,
            searching,
            ..
        } = search;
        drop((frames, found));
        searching.join().unwrap();
    }
}
