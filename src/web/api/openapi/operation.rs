//! Converts a view and its description to an operation of the API document.

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
use super::super::field::Field;
use super::operation_doc::{AnswerDoc, BodyDoc, ErrorExample, OperationDoc};
use super::{schemas, shared};

const JSON: &str = "application/json";
/// The media types that a request's body may have.
const BODIES: &[&str] = &[JSON, "application/x-www-form-urlencoded", "multipart/form-data"];
/// The headers of every answer of a view.
const HEADERS: &[&str] = &["Allow", "Cache-Control", "Vary", "X-Request-ID"];

/// The entry of a view at a path.
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
    let doc = V::doc(config, method);
    let takes_body = doc.body.is_some();
    let takes_fields = doc.body.as_ref().is_some_and(|body| body.schema.is_none());
    let mut fields = if takes_fields { V::fields(config) } else { Vec::new() };
    fields.retain(|field| !field.is_read_only);
    let id = if V::METHODS.len() == 1 { operation_id(path) } else { format!("{}_{method}", operation_id(path)) };
    let mut operation = OperationBuilder::new()
        .tag(V::SUBJECT.heading())
        .operation_id(Some(id.to_lowercase()))
        .summary(Some(V::NAME))
        .description(Some(doc.description.unwrap_or(V::DESCRIPTION)))
        .request_body(doc.body.as_ref().map(|body| request_body(body, &fields)));
    operation = match &doc.answer {
        Some(answer) => operation.response("200", success(&doc, answer)),
        None => operation.response("204", with_headers(ResponseBuilder::new().description(doc.success), HEADERS)),
    };
    for parameter in path_parameters(path).chain(doc.headers) {
        operation = operation.parameter(parameter);
    }
    for scheme in V::Caller::security() {
        operation = operation.security(SecurityRequirement::new::<_, [&str; 0], &str>(*scheme, []));
    }
    let mut errors = V::Caller::errors(config);
    if takes_body {
        errors.extend(shared::body_errors(&fields));
    }
    errors.extend(doc.errors);
    for (status, response) in error_responses(errors, config) {
        operation = operation.response(status.as_str(), response);
    }
    for shared in shared::errors().into_iter().filter(|shared| takes_body || !shared.is_about_body) {
        let reference = Ref::from_response_name(shared.response);
        operation = operation.response(shared.example.error.status.as_str(), reference);
    }
    operation
}

/// The parts of a path in braces.
fn path_parameters(path: &str) -> impl Iterator<Item = Parameter> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(|name| {
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
        parameter.schema(Some(schemas::text().min_length(Some(1)))).description(Some("The id in the list.")).build()
    })
}

/// `token_refresh` for `/api/token/refresh/`; parts in braces are left out.
pub fn operation_id(path: &str) -> String {
    let parts = path.trim_start_matches("/api").split('/').filter(|part| !part.is_empty() && !part.starts_with('{'));
    parts.collect::<Vec<_>>().join("_").replace('-', "_")
}

fn request_body(body: &BodyDoc, fields: &[Field]) -> RequestBody {
    let schema = || body.schema.clone().unwrap_or_else(|| schema_of_fields(body, fields).into());
    let content = || ContentBuilder::new().schema(Some(schema())).example(Some(body.example.clone())).build();
    let required = if body.is_required { Required::True } else { Required::False };
    let request = RequestBodyBuilder::new().required(Some(required));
    BODIES.iter().fold(request, |request, media_type| request.content(*media_type, content())).build()
}

/// An object with these fields, and the further members that the body may have; others are ignored.
fn schema_of_fields(body: &BodyDoc, fields: &[Field]) -> ObjectBuilder {
    let object = fields.iter().fold(ObjectBuilder::new(), |object, field| {
        let object = object.property(field.name, field.schema());
        if field.is_required { object.required(field.name) } else { object }
    });
    body.unlisted.iter().fold(object, |object, (name, schema)| object.property(*name, schema.clone()))
}

fn success(doc: &OperationDoc, answer: &AnswerDoc) -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(answer.schema.clone())).example(Some(answer.example.clone()));
    let response = ResponseBuilder::new().description(doc.success).content(JSON, content.build());
    let response = doc.links.iter().fold(response, |response, (operation, body)| {
        let link = LinkBuilder::new().operation_id(*operation).request_body(Some(body.clone())).build();
        response.link(*operation, link)
    });
    with_headers(response, HEADERS)
}

/// One response for each status, with an example of each error.
pub fn error_responses(errors: Vec<ErrorExample>, config: &Config) -> BTreeMap<StatusCode, ResponseBuilder> {
    let mut by_status: BTreeMap<StatusCode, Vec<ErrorExample>> = BTreeMap::new();
    for example in errors {
        by_status.entry(example.error.status).or_default().push(example);
    }
    by_status.into_iter().map(|(status, errors)| (status, error_response(status, errors, config))).collect()
}

fn error_response(status: StatusCode, errors: Vec<ErrorExample>, config: &Config) -> ResponseBuilder {
    let head = errors.first().map(|example| example.error.head(&config.jwt.auth_header_types).finish());
    let own = head.iter().flat_map(|head| head.headers().keys()).map(|name| title_case(name.as_str()));
    let headers: Vec<String> = own.chain(HEADERS.iter().map(|name| (*name).to_owned())).collect();
    let schema = error_schema(&errors);
    let examples = errors
        .into_iter()
        .map(|ErrorExample { name, when, error }| (name, ExampleBuilder::new().summary(when).value(Some(error.body))));
    let content = ContentBuilder::new().schema(Some(schema)).examples_from_iter(examples);
    let response = ResponseBuilder::new().description(status.canonical_reason().unwrap_or("Error"));
    with_headers(response.content(JSON, content.build()), headers)
}

/// The schema of these errors, or a choice of several.
fn error_schema(errors: &[ErrorExample]) -> RefOr<Schema> {
    let bodies = || errors.iter().map(|example| &example.error.body);
    let shapes: BTreeSet<&str> = bodies().filter_map(schemas::of_error).collect();
    let by_field = bodies().filter(|body| schemas::of_error(body).is_none()).filter_map(Value::as_object);
    let names: BTreeSet<&str> = by_field.flat_map(|body| body.keys()).map(String::as_str).collect();
    let mut schemas: Vec<RefOr<Schema>> = shapes.into_iter().map(|name| Ref::from_schema_name(name).into()).collect();
    if !names.is_empty() {
        schemas.push(schemas::field_errors(names).into());
    }
    schemas::one_of(schemas)
}

fn with_headers(response: ResponseBuilder, names: impl IntoIterator<Item = impl AsRef<str>>) -> ResponseBuilder {
    names.into_iter().fold(response, |response, name| {
        let name = name.as_ref();
        let reference = Ref::new(format!("#/components/headers/{name}"));
        response.header_ref(name, reference)
    })
}
