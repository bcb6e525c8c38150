//! Counters, as Prometheus reads them (text format 0.0.4).

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Paths that are counted by name.
pub(super) const PATHS: [&str; 7] = [
    "/v1/maml/validate",
    "/validate-maml",
    "/v1/maml/verify",
    "/healthz",
    "/metrics",
    "/openapi.json",
    "other",
];
/// Statuses that are counted by number; others are the last.
const STATUSES: [u16; 13] = [200, 400, 401, 404, 405, 408, 413, 415, 422, 429, 500, 503, 0];
/// Upper bounds of the histogram, in seconds.
const BUCKETS: [f64; 8] = [0.0001, 0.00025, 0.0005, 0.001, 0.01, 0.1, 1.0, 10.0];

#[derive(Default)]
pub(super) struct Metrics {
    answers: [[AtomicU64; STATUSES.len()]; PATHS.len()],
    documents: [AtomicU64; 2],
    open: AtomicU64,
    buckets: [AtomicU64; BUCKETS.len()],
    seconds_nanos: AtomicU64,
    works: AtomicU64,
}

impl Metrics {
    pub(super) fn began(&self) {
        self.open.fetch_add(1, Relaxed);
    }

    pub(super) fn answered(&self, path: &str, status: u16) {
        let place = |found: Option<usize>, last: usize| found.unwrap_or(last - 1);
        let path = place(PATHS.iter().position(|known| *known == path), PATHS.len());
        let status = place(STATUSES.iter().position(|known| *known == status), STATUSES.len());
        self.answers[path][status].fetch_add(1, Relaxed);
        self.open.fetch_sub(1, Relaxed);
    }

    pub(super) fn document(&self, valid: bool) {
        self.documents[usize::from(valid)].fetch_add(1, Relaxed);
    }

    /// How long checking took, without waiting.
    pub(super) fn worked(&self, time: Duration) {
        for (bound, count) in BUCKETS.iter().zip(&self.buckets) {
            if time.as_secs_f64() <= *bound {
                count.fetch_add(1, Relaxed);
            }
        }
        self.seconds_nanos
            .fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        self.works.fetch_add(1, Relaxed);
    }

    /// Writing to a string does not fail.
    pub(super) fn text(&self) -> String {
        let mut text = String::from("# TYPE beluga_maml_requests_total counter\n");
        for (path, statuses) in PATHS.iter().zip(&self.answers) {
            for (status, count) in STATUSES.iter().zip(statuses) {
                let count = count.load(Relaxed);
                if count > 0 {
                    let _ = writeln!(
                        text,
                        "beluga_maml_requests_total{{path=\"{path}\",status=\"{status}\"}} {count}"
                    );
                }
            }
        }
        text.push_str("# TYPE beluga_maml_documents_total counter\n");
        for (valid, count) in ["false", "true"].iter().zip(&self.documents) {
            let _ = writeln!(
                text,
                "beluga_maml_documents_total{{valid=\"{valid}\"}} {}",
                count.load(Relaxed)
            );
        }
        let _ = writeln!(
            text,
            "# TYPE beluga_maml_requests_open gauge\nbeluga_maml_requests_open {}",
            self.open.load(Relaxed)
        );
        text.push_str("# TYPE beluga_maml_work_seconds histogram\n");
        for (bound, count) in BUCKETS.iter().zip(&self.buckets) {
            let _ = writeln!(
                text,
                "beluga_maml_work_seconds_bucket{{le=\"{bound}\"}} {}",
                count.load(Relaxed)
            );
        }
        let (count, nanos) = (self.works.load(Relaxed), self.seconds_nanos.load(Relaxed));
        let _ = writeln!(text, "beluga_maml_work_seconds_bucket{{le=\"+Inf\"}} {count}");
        let _ = writeln!(text, "beluga_maml_work_seconds_sum {}", nanos as f64 * 1e-9);
        let _ = writeln!(text, "beluga_maml_work_seconds_count {count}");
        text
    }
}
