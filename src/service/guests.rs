//! Who is connected: who is being answered, who is idle, and who is to leave.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::sync::Notify;

/// All connections, by the order in which they came.
#[derive(Clone, Default)]
pub(super) struct Guests {
    present: Arc<Mutex<Present>>,
}

#[derive(Default)]
struct Present {
    /// How many have ever come.
    came: u64,
    by_number: BTreeMap<u64, Arc<Presence>>,
}

#[derive(Default)]
struct Presence {
    /// Requests that are being answered.
    asking: AtomicUsize,
    has_asked: AtomicBool,
    told: AtomicBool,
    leave: Notify,
}

impl Presence {
    fn leave(&self) {
        self.told.store(true, Ordering::SeqCst);
        self.leave.notify_one();
    }
}

/// One connection; forgotten when it is dropped.
pub(super) struct Guest {
    number: u64,
    presence: Arc<Presence>,
    guests: Guests,
}

impl Guests {
    fn present(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn came(&self) -> Guest {
        let presence = Arc::new(Presence::default());
        let mut present = self.present();
        present.came += 1;
        let number = present.came;
        present.by_number.insert(number, presence.clone());
        Guest {
            number,
            presence,
            guests: self.clone(),
        }
    }

    /// Tells the one that came first of those who ask nothing, unless one of them was told and is about to go.
    pub(super) fn oldest_idle_leaves(&self) {
        let present = self.present();
        let is_told = |guest: &Arc<Presence>| guest.told.load(Ordering::SeqCst);
        let mut idle = present
            .by_number
            .values()
            .filter(|guest| guest.asking.load(Ordering::SeqCst) == 0);
        if let Some(oldest) = idle.clone().next()
            && !idle.any(is_told)
        {
            oldest.leave();
        }
    }

    pub(super) fn all_leave(&self) {
        self.present().by_number.values().for_each(|guest| guest.leave());
    }
}

impl Guest {
    /// Waits until it is told so.
    pub(super) async fn is_to_leave(&self) {
        self.presence.leave.notified().await;
    }

    /// Whether it ever asked anything.
    pub(super) fn has_asked(&self) -> bool {
        self.presence.has_asked.load(Ordering::SeqCst)
    }

    /// What answers it, and knows while it does.
    pub(super) fn service(&self, router: Router) -> Answering {
        Answering {
            presence: self.presence.clone(),
            router: TowerToHyperService::new(router),
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.guests.present().by_number.remove(&self.number);
    }
}

/// The service of one connection.
pub(super) struct Answering {
    presence: Arc<Presence>,
    router: TowerToHyperService<Router>,
}

impl Service<Request<Incoming>> for Answering {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let asking = Asking::new(self.presence.clone());
        let answer = self.router.call(request);
        Box::pin(async move {
            let answer = answer.await;
            drop(asking);
            answer
        })
    }
}

/// A request that is being answered.
struct Asking(Arc<Presence>);

impl Asking {
    fn new(presence: Arc<Presence>) -> Self {
        presence.asking.fetch_add(1, Ordering::SeqCst);
        presence.has_asked.store(true, Ordering::SeqCst);
        Self(presence)
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.asking.fetch_sub(1, Ordering::SeqCst);
    }
}
