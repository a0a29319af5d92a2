//! Is the server alive, and is it ready? For load balancers and supervisors; exempt from `ALLOWED_HOSTS`.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use serde_json::{Value, json};

use crate::app::App;
use crate::db::{DbError, migrations};

/// Address of `alive`.
pub const ALIVE: &str = "/healthz";
/// Address of `ready`.
pub const READY: &str = "/readyz";

/// The process answers.
pub async fn alive() -> HttpResponse {
    answer(HttpResponse::Ok(), &json!({"status": "ok"}))
}

/// The database answers too, and no migration is pending.
pub async fn ready(app: Data<App>) -> HttpResponse {
    let pending: Result<Vec<String>, DbError> = app.db.read(migrations::pending).await;
    match pending {
        Ok(names) if names.is_empty() => answer(HttpResponse::Ok(), &json!({"status": "ok"})),
        Ok(names) => {
            answer(HttpResponse::ServiceUnavailable(), &json!({"status": "pending migrations", "migrations": names}))
        }
        Err(error) => {
            tracing::warn!(%error, "not ready: the database does not answer");
            answer(HttpResponse::ServiceUnavailable(), &json!({"status": "database unavailable"}))
        }
    }
}

fn answer(mut response: actix_web::HttpResponseBuilder, body: &Value) -> HttpResponse {
    response.insert_header((header::CACHE_CONTROL, "no-store")).json(body)
}
