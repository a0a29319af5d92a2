//! `schema/`: the API document as a file, in YAML or JSON, negotiated as in drf-spectacular. Its content is made in
//! `openapi`.

use actix_web::http::header::{self, HeaderMap};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use strum::EnumString;
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ContentBuilder, HttpMethod, ObjectBuilder, PathItem, ResponseBuilder};

use crate::config::Config;
use crate::crypto::digest::sha256_hex;

use super::error::ApiError;
use super::openapi::operation_doc::ErrorExample;
use super::openapi::schemas::text;
use super::{docs, negotiation, openapi};

/// Its path, without the last slash.
pub const PATH: &str = "/api/schema";

/// Media types, in the order in which they are offered.
const OFFERS: &[(&str, &str, FileFormat)] = &[
    ("application", "vnd.oai.openapi", FileFormat::Yaml),
    ("application", "yaml", FileFormat::Yaml),
    ("application", "vnd.oai.openapi+json", FileFormat::Json),
    ("application", "json", FileFormat::Json),
];

/// The file formats, by their names in `?format=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString)]
#[strum(serialize_all = "lowercase")]
enum FileFormat {
    Yaml,
    Json,
}

/// The API document, written once at the start: the settings do not change while the server runs.
pub struct Document {
    /// The document as an HTML page.
    pub page: String,
    yaml: File,
    json: File,
}

struct File {
    name: &'static str,
    text: String,
    etag: String,
}

impl File {
    fn new(name: &'static str, text: String) -> Self {
        let etag = format!("\"{}\"", &sha256_hex(text.as_bytes())[..16]);
        Self { name, text, etag }
    }
}

impl Document {
    /// The document for these settings.
    ///
    /// # Errors
    /// The document cannot be serialized; no settings cause this.
    pub fn new(config: &Config) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let value = serde_json::to_value(openapi::document(config))?;
        let yaml = File::new("latchkey.yaml", serde_saphyr::to_string(&value)?);
        let json = File::new("latchkey.json", serde_json::to_string_pretty(&value)?);
        Ok(Self { page: docs::render(&value, &config.jwt)?, yaml, json })
    }
}

/// `GET schema/`
pub async fn serve(request: HttpRequest, document: Data<Document>) -> HttpResponse {
    let (media_type, format) = match choose(request.headers(), request.query_string()) {
        Ok(chosen) => chosen,
        Err(error) => return with_headers(error.head(&[])).json(error.body),
    };
    let file = if format == FileFormat::Yaml { &document.yaml } else { &document.json };
    let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == file.etag.as_bytes());
    let mut response = with_headers(if known { HttpResponse::NotModified() } else { HttpResponse::Ok() });
    response.insert_header((header::ETAG, file.etag.as_str()));
    if known {
        return response.finish();
    }
    response
        .insert_header((header::CONTENT_DISPOSITION, format!("inline; filename=\"{}\"", file.name)))
        .content_type(media_type)
        .body(file.text.clone())
}

fn with_headers(mut response: HttpResponseBuilder) -> HttpResponseBuilder {
    response
        .insert_header((header::ALLOW, "GET, HEAD"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::VARY, "Accept"));
    response
}

/// The most specific type that is both accepted and offered; YAML before JSON.
fn choose(headers: &HeaderMap, query: &str) -> Result<(String, FileFormat), ApiError> {
    let named = match negotiation::format(query).as_deref() {
        None | Some("") => None,
        Some(name) => Some(name.parse::<FileFormat>().map_err(|_| ApiError::unknown_format())?),
    };
    let accepted = negotiation::accepted(headers);
    for precedence in (0..=3).rev() {
        let level = || accepted.iter().filter(|media_type| media_type.precedence() == precedence);
        let mut offers = OFFERS.iter().filter(|(.., offered)| named.is_none_or(|named| named == *offered));
        if let Some((main, sub, format)) = offers.find(|(main, sub, _)| level().any(|wanted| wanted.covers(main, sub)))
        {
            return Ok((format!("{main}/{sub}"), *format));
        }
    }
    Err(ApiError::not_acceptable())
}

/// The document's entry about itself.
pub fn describe(config: &Config) -> (String, PathItem) {
    let format = ParameterBuilder::new()
        .name("format")
        .parameter_in(ParameterIn::Query)
        .description(Some("Takes precedence over `Accept`."))
        .schema(Some(text().enum_values(Some(["yaml", "json"]))));
    let schema = || ContentBuilder::new().schema(Some(ObjectBuilder::new())).build();
    let document = ResponseBuilder::new().description("This document.");
    let document =
        OFFERS.iter().fold(document, |response, (main, sub, _)| response.content(format!("{main}/{sub}"), schema()));
    let operation = OperationBuilder::new()
        .tag("Server")
        .operation_id(Some("schema"))
        .summary(Some("API document"))
        .description(Some("This document, in YAML or JSON."))
        .parameter(format)
        .response("200", document);
    let errors = vec![
        ErrorExample::new("unknown_format", "`format` is neither yaml nor json", ApiError::unknown_format()),
        ErrorExample::new("not_acceptable", "`Accept` names nothing that Latchkey writes", ApiError::not_acceptable()),
    ];
    let responses = openapi::error_responses(errors, config).into_iter();
    let operation =
        responses.fold(operation, |operation, (status, response)| operation.response(status.as_str(), response));
    (format!("{PATH}/"), PathItem::new(HttpMethod::Get, operation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn chosen(accept: &str, query: &str) -> Option<String> {
        let request = TestRequest::default().insert_header((header::ACCEPT, accept)).to_http_request();
        choose(request.headers(), query).ok().map(|(media_type, _)| media_type)
    }

    #[test]
    fn yaml_comes_first_and_the_most_specific_type_wins() {
        for (accept, query, media_type) in [
            ("*/*", "", "application/vnd.oai.openapi"),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "", "application/vnd.oai.openapi"),
            ("application/json, */*", "", "application/json"),
            ("application/yaml", "", "application/yaml"),
            ("application/vnd.oai.openapi+json", "", "application/vnd.oai.openapi+json"),
            ("*/*", "format=json", "application/vnd.oai.openapi+json"),
            ("*/*", "format=yaml", "application/vnd.oai.openapi"),
            ("application/json", "format=json", "application/json"),
        ] {
            assert_eq!(chosen(accept, query).as_deref(), Some(media_type), "{accept} {query}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        assert_eq!(chosen("text/html", ""), None);
        assert_eq!(chosen("*/*", "format=xml"), None);
        assert_eq!(chosen("application/json", "format=yaml"), None);
    }
}
