//! From a view and its entry to an operation of the API document.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::{Method, StatusCode};
use serde_json::Value;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::link::LinkBuilder;
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Schema};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, PathItem, Ref, RefOr, Required, ResponseBuilder};

use crate::config::Config;

use super::super::View;
use super::super::auth::Caller;
use super::super::browsable::title_case;
use super::entry::{Body, Entry, Fault};
use super::{schemas, shared};

const JSON: &str = "application/json";
/// Media types of a request's body.
const BODIES: [&str; 3] = [JSON, "application/x-www-form-urlencoded", "multipart/form-data"];
/// On every answer of a view.
const HEADERS: [&str; 4] = ["Allow", "Cache-Control", "Vary", "X-Request-ID"];

/// What the document says of a view at a path.
pub fn describe<V: View>(path: &str, config: &Config) -> PathItem {
    let mut item = PathItem::default();
    for method in V::METHODS {
        let operation = Some(operation::<V>(path, method, config).build());
        match *method {
            Method::GET => item.get = operation,
            Method::PATCH => item.patch = operation,
            Method::DELETE => item.delete = operation,
            _ => item.post = operation,
        }
    }
    item
}

fn operation<V: View>(path: &str, method: &Method, config: &Config) -> OperationBuilder {
    let entry = V::entry(config, method);
    let fields = V::fields(config);
    let is_plain = entry.takes.as_ref().is_some_and(|body| body.schema.is_none());
    let required: Vec<&str> =
        fields.iter().filter(|field| is_plain && field.is_required).map(|field| field.name).collect();
    let id = if V::METHODS.len() == 1 { operation_id(path) } else { format!("{}_{method}", operation_id(path)) };
    let mut operation = OperationBuilder::new()
        .tag(entry.tag)
        .operation_id(Some(id.to_lowercase()))
        .summary(Some(V::NAME))
        .description(Some(entry.description.unwrap_or(V::DESCRIPTION)))
        .request_body(entry.takes.as_ref().map(|body| request_body(body, &required)));
    operation = match &entry.schema {
        Some(schema) => operation.response("200", success(&entry, schema)),
        None => operation.response("204", with_headers(ResponseBuilder::new().description(entry.answers), HEADERS)),
    };
    for parameter in segments(path).chain(entry.headers.iter().cloned()) {
        operation = operation.parameter(parameter);
    }
    for scheme in V::Caller::security() {
        operation = operation.security(SecurityRequirement::new::<_, [&str; 0], &str>(*scheme, []));
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
    operation
}

/// The parts of a path that stand in braces.
fn segments(path: &str) -> impl Iterator<Item = Parameter> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(|name| {
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
        parameter.schema(Some(schemas::text().min_length(Some(1)))).description(Some("As the list names it.")).build()
    })
}

/// `token_refresh` of `/api/token/refresh/`; what stands in braces has no part in it.
pub fn operation_id(path: &str) -> String {
    let parts = path.trim_start_matches("/api").split('/').filter(|part| !part.is_empty() && !part.starts_with('{'));
    parts.collect::<Vec<_>>().join("_").replace('-', "_")
}

fn request_body(body: &Body, fields: &[&str]) -> RequestBody {
    let more =
        |object: ObjectBuilder, (name, schema): &(&'static str, RefOr<Schema>)| object.property(*name, schema.clone());
    let plain = || body.more.iter().fold(schemas::fields(fields.iter().copied()), more);
    let schema = || body.schema.clone().unwrap_or_else(|| plain().into());
    let content = || ContentBuilder::new().schema(Some(schema())).example(Some(body.example.clone())).build();
    let required = if body.is_required { Required::True } else { Required::False };
    let request = RequestBodyBuilder::new().required(Some(required));
    BODIES.into_iter().fold(request, |request, media_type| request.content(media_type, content())).build()
}

fn success(entry: &Entry, schema: &RefOr<Schema>) -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(schema.clone())).example(Some(entry.example.clone()));
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
