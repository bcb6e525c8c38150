//! Keys of this process stay in it.

/// Whoever crashes this process, or follows it with a debugger, finds no keys on the disk: no core dump is
/// written, whatever the system's setting. What fails is told to the log, and the run goes on.
#[cfg(target_os = "linux")]
pub(crate) fn keep() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!("core dumps cannot be limited: {error}");
    }
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!("core dumps cannot be forbidden: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn keep() {}
