//! `docs/`: the API document as a page.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::schema::Document;

/// Its path, without the last slash.
pub const PATH: &str = "/api/docs";

/// `GET docs/`
pub async fn page(document: Data<Document>) -> HttpResponse {
    HttpResponse::Ok().body(document.value.to_string())
}
