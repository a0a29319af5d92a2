//! From a view and its entry to an operation of the API document.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::{Method, StatusCode};
use serde_json::Value;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::link::LinkBuilder;
use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, HttpMethod, PathItem, Ref, RefOr, Required, ResponseBuilder};

use crate::config::Config;

use super::super::View;
use super::super::auth::Caller;
use super::super::browsable::title_case;
use super::entry::{Body, Entry, Fault};
use super::{SECURITY, schemas, shared};

const JSON: &str = "application/json";
/// Media types of a request's body.
const BODIES: [&str; 3] = [JSON, "application/x-www-form-urlencoded", "multipart/form-data"];
/// On every answer of a view.
const HEADERS: [&str; 4] = ["Allow", "Cache-Control", "Vary", "X-Request-ID"];

/// What the document says of a view at a path.
pub fn describe<V: View>(path: &str, config: &Config) -> PathItem {
    let entry = V::entry(config);
    let fields = V::fields(config);
    let required: Vec<&str> = fields.iter().filter(|field| !field.is_read_only).map(|field| field.name).collect();
    let mut operation = OperationBuilder::new()
        .tag(entry.tag)
        .operation_id(Some(operation_id(path)))
        .summary(Some(V::NAME))
        .description(Some(V::DESCRIPTION))
        .request_body(entry.takes.as_ref().map(|body| request_body(body, &required)))
        .response("200", success(&entry));
    for header in &entry.headers {
        operation = operation.parameter(header.clone());
    }
    if V::Caller::NEEDS_TOKEN {
        operation = operation.security(SecurityRequirement::new::<_, [&str; 0], &str>(SECURITY, []));
    }
    let takes_body = entry.takes.is_some();
    let mut faults = V::Caller::faults(config);
    if takes_body {
        faults.extend(shared::body_faults(&required));
    }
    faults.extend(entry.faults);
    for (status, response) in failures(faults, config) {
        operation = operation.response(status.as_str(), response);
    }
    for (status, name) in shared::responses(takes_body) {
        operation = operation.response(status.as_str(), Ref::from_response_name(name));
    }
    PathItem::new(if V::METHOD == Method::GET { HttpMethod::Get } else { HttpMethod::Post }, operation)
}

/// `token_refresh` of `/api/token/refresh/`.
pub fn operation_id(path: &str) -> String {
    path.trim_start_matches("/api").trim_matches('/').replace('/', "_")
}

fn request_body(body: &Body, fields: &[&str]) -> RequestBody {
    let schema = || body.schema.clone().unwrap_or_else(|| schemas::fields(fields.iter().copied()).into());
    let content = || ContentBuilder::new().schema(Some(schema())).example(Some(body.example.clone())).build();
    let request = RequestBodyBuilder::new().required(Some(Required::True));
    BODIES.into_iter().fold(request, |request, media_type| request.content(media_type, content())).build()
}

fn success(entry: &Entry) -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(entry.schema.clone())).example(Some(entry.example.clone()));
    let response = ResponseBuilder::new().description(entry.answers).content(JSON, content.build());
    let links = entry.links.iter();
    let response = links.fold(response, |response, (operation, body)| {
        let link = LinkBuilder::new().operation_id(*operation).request_body(Some(body.clone())).build();
        response.link(*operation, link)
    });
    with_headers(response, HEADERS)
}

/// One response for each status, with an example of each fault.
pub fn failures(faults: Vec<Fault>, config: &Config) -> BTreeMap<StatusCode, ResponseBuilder> {
    let mut by_status: BTreeMap<StatusCode, Vec<Fault>> = BTreeMap::new();
    for fault in faults {
        by_status.entry(fault.error.status).or_default().push(fault);
    }
    by_status.into_iter().map(|(status, faults)| (status, failure(status, faults, config))).collect()
}

fn failure(status: StatusCode, faults: Vec<Fault>, config: &Config) -> ResponseBuilder {
    let head = faults.first().map(|fault| fault.error.head(&config.jwt.auth_header_types).finish());
    let own = head.iter().flat_map(|head| head.headers().keys()).map(|name| title_case(name.as_str()));
    let headers: Vec<String> = own.chain(HEADERS.map(str::to_owned)).collect();
    let content = ContentBuilder::new().schema(Some(error_schema(&faults))).examples_from_iter(
        faults
            .into_iter()
            .map(|fault| (fault.name, ExampleBuilder::new().summary(fault.when).value(Some(fault.error.body)))),
    );
    let response = ResponseBuilder::new().description(status.canonical_reason().unwrap_or("Error"));
    with_headers(response.content(JSON, content.build()), headers)
}

/// One of the shapes that these faults have.
fn error_schema(faults: &[Fault]) -> RefOr<Schema> {
    let bodies = || faults.iter().map(|fault| &fault.error.body);
    let shapes: BTreeSet<&str> = bodies().filter_map(schemas::of_error).collect();
    let by_field = bodies().filter(|body| schemas::of_error(body).is_none()).filter_map(Value::as_object);
    let names: BTreeSet<&str> = by_field.flat_map(|body| body.keys()).map(String::as_str).collect();
    let mut schemas: Vec<RefOr<Schema>> = shapes.into_iter().map(|name| Ref::from_schema_name(name).into()).collect();
    if !names.is_empty() {
        schemas.push(schemas::field_errors(names).into());
    }
    schemas::one_of(schemas)
}

fn with_headers(response: ResponseBuilder, names: impl IntoIterator<Item = impl Into<String>>) -> ResponseBuilder {
    names.into_iter().map(Into::into).fold(response, |response, name| {
        let reference = Ref::new(format!("#/components/headers/{name}"));
        response.header_ref(name, reference)
    })
}
