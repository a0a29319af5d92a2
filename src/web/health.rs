//! Health checks for load balancers and supervisors: alive, and ready. Exempt from `ALLOWED_HOSTS`.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use serde_json::{Value, json};
use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::schema::ArrayBuilder;
use utoipa::openapi::{ContentBuilder, HttpMethod, ObjectBuilder, PathItem, ResponseBuilder};

use crate::app::App;
use crate::db::{DbError, migrations};

use super::api::openapi::schemas::{object, text};

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
    let pending: Result<Vec<String>, DbError> = app.read(|tx| migrations::pending(tx.conn)).await;
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

/// The two operations in the API document.
pub fn describe() -> [(String, PathItem); 2] {
    let status = |words: &[&str]| object([("status", text().enum_values(Some(words.iter().copied())))]);
    let good = || response("It is.", status(&["ok"]), json!({"status": "ok"}));
    let migrations = ArrayBuilder::new().items(text()).description(Some("Those that are pending."));
    let bad = status(&["database unavailable", "pending migrations"]).property("migrations", migrations);
    let alive = operation("healthz", "Alive", "Says that the process answers.").response("200", good());
    let ready = operation("readyz", "Ready", "Says whether the database answers and no migration is pending.")
        .response("200", good())
        .response("503", response("It is not.", bad, json!({"status": "database unavailable"})));
    [(ALIVE, alive), (READY, ready)]
        .map(|(path, operation)| (path.to_owned(), PathItem::new(HttpMethod::Get, operation)))
}

fn operation(id: &str, name: &str, description: &str) -> OperationBuilder {
    let operation = OperationBuilder::new().tag("Server").operation_id(Some(id));
    operation.summary(Some(name)).description(Some(description))
}

fn response(description: &str, schema: ObjectBuilder, example: Value) -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(schema)).example(Some(example)).build();
    ResponseBuilder::new().description(description).content("application/json", content)
}
