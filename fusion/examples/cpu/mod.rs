//! CPU time of this process and all its threads.

/// In milliseconds.
#[cfg(unix)]
pub(crate) fn milliseconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 * 1e-6
}

/// Where a process cannot ask for its CPU time: the time that went by, in milliseconds.
#[cfg(not(unix))]
#[allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a program, not the room"
)]
pub(crate) fn milliseconds() -> f64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_secs_f64() * 1e3
}
