//! `maml serve`: documents and records checked over HTTP.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;

use anyhow::anyhow;
use beluga_sinks::maml::KeyStore;
use clap::Args;

use crate::exit::{Exit, Wrong};
use crate::service::{Bounds, Claims, Settings, Verifier, serve};

/// Checks documents and records over HTTP until Ctrl-C: POST /v1/maml/validate, /validate-maml and
/// /v1/maml/verify; GET /healthz, /metrics and /openapi.json. Nothing is kept, nothing is fetched.
///
/// Example: beluga maml serve
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address and port. Beyond this machine only with --jwks, and behind something that speaks TLS.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    bind: SocketAddr,
    /// Documents that are checked at the same time (default: the threads of the mathematics).
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroU16>,
    /// Requests that are taken in at the same time; beyond it 429.
    #[arg(long, value_name = "N", default_value = "64")]
    requests: NonZeroU16,
    /// Longest record, in MiB; beyond it 413.
    #[arg(long, value_name = "MIB", default_value = "64")]
    record_mib: NonZeroU16,
    /// Asks for a bearer token (RS256) signed with one of the keys of this JWKS file.
    #[arg(long, value_name = "FILE", requires = "issuer", requires = "audience")]
    jwks: Option<PathBuf>,
    /// Who must have issued tokens (`iss`).
    #[arg(long, value_name = "URL", requires = "jwks")]
    issuer: Option<String>,
    /// Whom tokens must be for (`aud`, or `client_id` where there is no `aud`).
    #[arg(long, value_name = "ID", requires = "jwks")]
    audience: Option<String>,
    /// What tokens must be for (`token_use`).
    #[arg(long, value_name = "access|id", requires = "jwks", value_parser = ["access", "id"])]
    token_use: Option<String>,
}

impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        if !self.bind.ip().is_loopback() && self.jwks.is_none() {
            let refused = anyhow!(
                "{} can be reached from other machines: only with --jwks",
                self.bind
            );
            return Err(refused.context(Wrong::Arguments));
        }
        let verifier = match (self.jwks, self.issuer, self.audience) {
            (Some(path), Some(issuer), Some(audience)) => {
                let claims = Claims {
                    issuer,
                    audience,
                    token_use: self.token_use,
                };
                Some(Verifier::load(&path, claims).map_err(|error| error.context(Wrong::Arguments))?)
            }
            _ => None,
        };
        let bounds = Bounds::default();
        let settings = Settings {
            bind: self.bind,
            bounds: Bounds {
                jobs: self.jobs.map_or(bounds.jobs, |jobs| jobs.get().into()),
                requests: self.requests.get().into(),
                record_bytes: usize::from(self.record_mib.get()) << 20,
                ..bounds
            },
            verifier,
            trust: KeyStore::open_default()?.trust()?,
        };
        serve(settings, stopped(), |address| {
            crate::tell(&format!("http://{address} until Ctrl-C"));
        })?;
        Ok(Exit::Done)
    }
}

/// Ctrl-C, or that the system asks the program to end.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler the system ends the program itself.
        std::future::pending::<()>().await;
    }
}
