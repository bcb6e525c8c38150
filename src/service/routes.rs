//! What can be asked, and how it is answered.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use beluga_sinks::document::{MAX_DOCUMENT, Profile, head_of, read};
use beluga_sinks::maml::verify_bytes;
use http_body_util::BodyExt;
use serde::Serialize;
use serde_json::{Value, json};

use super::Service;
use super::gate::Shed;
use super::openapi::openapi;
use crate::command::maml::Checked;
use crate::validation::Verdict;

/// JSON writes a byte as up to six.
const MAX_JSON: usize = 6 * MAX_DOCUMENT + 1024;

type Shared = State<Arc<Service>>;

/// All paths.
pub(super) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/v1/maml/validate", post(validate))
        .route("/validate-maml", post(validate_maml))
        .route("/v1/maml/verify", post(verify))
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics))
        .route(
            "/openapi.json",
            get(|| async { answer(StatusCode::OK, &openapi()) }),
        )
        .fallback(|| async { Refusal::new(StatusCode::NOT_FOUND, "no such path") })
        .layer(from_fn_with_state(service.clone(), admit))
        .with_state(service)
}

/// Before a request: whether it may, and whether there is room. After it: it is counted.
async fn admit(State(service): Shared, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    service.metrics.began();
    let is_health = path == "/healthz";
    let response = if !is_health && !is_permitted(&service, request.headers()) {
        let mut response =
            Refusal::new(StatusCode::UNAUTHORIZED, "a bearer token is asked for").into_response();
        response.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            header::HeaderValue::from_static("Bearer"),
        );
        response
    } else if service.ending.load(Ordering::SeqCst) {
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the service ends").into_response()
    } else {
        match service.gate.request() {
            Ok(_place) => next.run(request).await,
            Err(_) if is_health => next.run(request).await,
            Err(shed) => Refusal::from(shed).into_response(),
        }
    };
    service.metrics.answered(&path, response.status().as_u16());
    response
}

fn is_permitted(service: &Service, headers: &HeaderMap) -> bool {
    let Some(verifier) = &service.verifier else {
        return true;
    };
    let said = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let token = said.and_then(|said| said.split_once(' '));
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    token.is_some_and(|(scheme, token)| {
        scheme.eq_ignore_ascii_case("bearer") && verifier.check(token.trim(), now.cast_signed()).is_ok()
    })
}

/// A document as text; 200 whatever is said of it.
async fn validate(State(service): Shared, request: Request) -> Result<Response, Refusal> {
    let asked = asked(request.uri().query())?;
    media(request.headers(), &["text/markdown"])?;
    let bytes = body(request, MAX_DOCUMENT, service.bounds.patience).await?;
    let verdict = judged(&service, bytes, asked).await?;
    Ok(answer(StatusCode::OK, &verdict))
}

/// A document as text or in JSON; 400 if it is not valid.
async fn validate_maml(State(service): Shared, request: Request) -> Result<Response, Refusal> {
    let kind = media(
        request.headers(),
        &["application/json", "text/markdown", "text/plain"],
    )?;
    let is_json = kind == "application/json";
    let limit = if is_json { MAX_JSON } else { MAX_DOCUMENT };
    let bytes = body(request, limit, service.bounds.patience).await?;
    let bytes = if is_json { content(&bytes)? } else { bytes };
    let verdict = judged(&service, bytes, None).await?;
    let status = if verdict.valid {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    Ok(answer(status, &verdict))
}

/// A record; 200 whatever is said of it.
async fn verify(State(service): Shared, request: Request) -> Result<Response, Refusal> {
    media(
        request.headers(),
        &["application/octet-stream", "application/x-maml"],
    )?;
    let _place = service.gate.record()?;
    let bytes = body(request, service.bounds.record_bytes, service.bounds.patience).await?;
    let shared = service.clone();
    let work = move || {
        let began = Instant::now();
        let report = verify_bytes(&bytes, &shared.trust, None);
        shared.metrics.worked(began.elapsed());
        report
    };
    match service.gate.done(service.bounds.thread_patience, work).await? {
        Ok(report) => Ok(answer(StatusCode::OK, &Checked::of(&report))),
        Err(error) => Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string())),
    }
}

async fn healthz() -> Response {
    answer(StatusCode::OK, &json!({ "status": "ok" }))
}

async fn metrics(State(service): Shared) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, service.metrics.text()).into_response()
}

async fn judged(service: &Arc<Service>, bytes: Bytes, asked: Option<Profile>) -> Result<Verdict, Refusal> {
    let shared = service.clone();
    let work = move || {
        let began = Instant::now();
        // As of a file: of a record, its document.
        let head = head_of(&bytes[..]).unwrap_or_else(|_| bytes.to_vec());
        let verdict = Verdict::of(read(&head, asked));
        shared.metrics.worked(began.elapsed());
        shared.metrics.document(verdict.valid);
        verdict
    };
    Ok(service.gate.done(service.bounds.thread_patience, work).await?)
}

/// `profile=` of a query.
fn asked(query: Option<&str>) -> Result<Option<Profile>, Refusal> {
    match query.unwrap_or_default() {
        "" | "profile=auto" => Ok(None),
        "profile=compact" => Ok(Some(Profile::Compact)),
        "profile=guide" => Ok(Some(Profile::Guide)),
        _ => Err(Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "the query takes profile=auto, compact or guide",
        )),
    }
}

/// The media type, if it is one of these.
fn media(headers: &HeaderMap, expected: &[&'static str]) -> Result<&'static str, Refusal> {
    let said = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = said
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    let found = expected.iter().find(|one| one.eq_ignore_ascii_case(essence));
    found.copied().ok_or_else(|| {
        let message = format!("expected {}", expected.join(" or "));
        Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message)
    })
}

/// The body, if it comes in time and is not too long; of one that says beforehand that it is, nothing is read.
async fn body(request: Request, limit: usize, patience: Duration) -> Result<Bytes, Refusal> {
    let too_large = || Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, &format!("at most {limit} bytes"));
    let stated = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    if stated
        .and_then(|text| text.parse::<u64>().ok())
        .is_some_and(|bytes| bytes > limit as u64)
    {
        return Err(too_large());
    }
    let read = async {
        let (mut body, mut bytes): (Body, Vec<u8>) = (request.into_body(), Vec::new());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "the body was cut"))?;
            if let Ok(part) = frame.into_data() {
                if bytes.len() + part.len() > limit {
                    return Err(too_large());
                }
                bytes.extend_from_slice(&part);
            }
        }
        Ok(bytes.into())
    };
    let late = |_| Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time");
    tokio::time::timeout(patience, read).await.map_err(late)?
}

/// `content` of a JSON object.
fn content(json: &[u8]) -> Result<Bytes, Refusal> {
    let unfit = || {
        Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "expected a JSON object with `content`, a text",
        )
    };
    let Ok(Value::Object(mut object)) = serde_json::from_slice(json) else {
        return Err(unfit());
    };
    match object.remove("content") {
        Some(Value::String(text)) => Ok(text.into_bytes().into()),
        _ => Err(unfit()),
    }
}

fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => (status, [(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Why something was not done.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, message: &str) -> Self {
        Self {
            status,
            message: message.to_owned(),
        }
    }
}

impl From<Shed> for Refusal {
    fn from(shed: Shed) -> Self {
        match shed {
            Shed::Crowded => Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too many requests at once"),
            Shed::Late => Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "no thread was free in time"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = answer(self.status, &json!({ "error": self.message }));
        if matches!(
            self.status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        ) {
            let second = header::HeaderValue::from_static("1");
            response.headers_mut().insert(header::RETRY_AFTER, second);
        }
        response
    }
}
