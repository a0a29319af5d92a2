//! `docs/`: the API document as a page for people, made from the same document that `schema/` serves.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde_json::Value;

use crate::app::App;
use crate::config::Jwt;
use crate::web::middleware::{PAGE_POLICY, not_found};

use super::browsable::frame::Frame;
use super::browsable::title_case;
use super::openapi::examples::ACCESS;
use super::schema::Document;

/// Its path, without the last slash.
pub const PATH: &str = "/api/docs";

/// `GET docs/`, if `JWT_BROWSABLE_API` allows pages.
pub async fn page(request: HttpRequest, app: Data<App>, document: Data<Document>) -> HttpResponse {
    if !app.config.jwt.browsable_api {
        return not_found(request).await;
    }
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_SECURITY_POLICY, PAGE_POLICY))
        .insert_header((header::CACHE_CONTROL, "no-cache"));
    response.content_type("text/html; charset=utf-8").body(document.page.clone())
}

/// Renders the page of a document.
pub fn render(document: &Value, jwt: &Jwt) -> Result<String, askama::Error> {
    let word = jwt.auth_header_types.first().map_or("Bearer", String::as_str);
    let reader = Reader { document, credentials: format!("{}: {word} {ACCESS}", title_case(&jwt.auth_header_name)) };
    Page {
        frame: Frame::new(PATH),
        intro: text(&document["info"]["description"]).split("\n\n").collect(),
        groups: reader.groups(),
        shared: reader.shared(),
        credentials: format!("{}: {word} TOKEN", title_case(&jwt.auth_header_name)),
    }
    .render()
}

/// Everything on the page.
#[derive(Template)]
#[template(path = "api/docs.html")]
struct Page<'a> {
    frame: Frame,
    intro: Vec<&'a str>,
    groups: Vec<Group<'a>>,
    /// Errors that any endpoint may answer with.
    shared: Vec<ErrorRow<'a>>,
    /// The header that authenticates a request.
    credentials: String,
}

/// The endpoints under one heading.
struct Group<'a> {
    name: &'a str,
    endpoints: Vec<Endpoint<'a>>,
}

struct Endpoint<'a> {
    id: &'a str,
    name: &'a str,
    description: &'a str,
    method: String,
    path: &'a str,
    needs_token: bool,
    fields: Vec<Field<'a>>,
    curl: String,
    /// The meaning of a success.
    answer: &'a str,
    example: Option<String>,
    errors: Vec<ErrorRow<'a>>,
}

impl Endpoint<'_> {
    /// Whether the path contains the id of one row: then there is no page that could be opened.
    fn is_one_of_several(&self) -> bool {
        self.path.contains('{')
    }
}

/// A field or parameter of a request.
struct Field<'a> {
    name: &'a str,
    need: &'static str,
    description: &'a str,
}

/// An error that an endpoint may answer with.
struct ErrorRow<'a> {
    status: &'a str,
    reason: &'a str,
    when: &'a str,
    body: String,
}

/// Splits a text into pieces, alternately words and `code`.
pub fn pieces(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.split('`').enumerate().map(|(at, piece)| (at % 2 == 1, piece))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// Extracts the page's content from the document.
struct Reader<'a> {
    document: &'a Value,
    /// The header of an authenticated request.
    credentials: String,
}

impl<'a> Reader<'a> {
    fn groups(&self) -> Vec<Group<'a>> {
        let tags = self.document["tags"].as_array().into_iter().flatten().map(|tag| text(&tag["name"]));
        let endpoints = |tag: &str| {
            let items = members(&self.document["paths"]);
            let operations = items.flat_map(|(path, item)| members(item).map(move |(method, it)| (path, method, it)));
            let tagged = operations.filter(|(.., operation)| operation["tags"][0] == tag);
            tagged.map(|(path, method, operation)| self.endpoint(path, method, operation)).collect()
        };
        tags.map(|name| Group { name, endpoints: endpoints(name) }).collect()
    }

    fn endpoint(&self, path: &'a str, method: &str, operation: &'a Value) -> Endpoint<'a> {
        let (good, bad): (Vec<_>, Vec<_>) =
            members(&operation["responses"]).partition(|(status, _)| status.starts_with('2'));
        let good = good.first().map_or(&Value::Null, |(_, response)| response);
        Endpoint {
            id: text(&operation["operationId"]),
            name: text(&operation["summary"]),
            description: text(&operation["description"]),
            method: method.to_uppercase(),
            path,
            needs_token: operation["security"].is_array(),
            fields: fields(operation),
            curl: self.curl(path, method, operation),
            answer: text(&good["description"]),
            example: good["content"]["application/json"].get("example").map(indented),
            errors: bad.into_iter().flat_map(|(status, response)| errors(status, response)).collect(),
        }
    }

    /// Errors that endpoints refer to.
    fn shared(&self) -> Vec<ErrorRow<'a>> {
        let mut statuses: Vec<(&str, &str)> = Vec::new();
        for (_, item) in members(&self.document["paths"]) {
            for (_, operation) in members(item) {
                let responses = members(&operation["responses"]);
                statuses.extend(responses.filter_map(|(status, response)| Some((status, response["$ref"].as_str()?))));
            }
        }
        statuses.sort_unstable();
        statuses.dedup();
        let response = |reference: &str| self.document.pointer(reference.trim_start_matches('#'));
        let responses = statuses.into_iter().filter_map(|(status, reference)| Some((status, response(reference)?)));
        responses.flat_map(|(status, response)| errors(status, response)).collect()
    }

    fn curl(&self, path: &str, method: &str, operation: &Value) -> String {
        let mut lines = vec![match method {
            "get" => "curl".to_owned(),
            other => format!("curl -X {}", other.to_uppercase()),
        }];
        if operation["security"].is_array() {
            lines.push(format!("-H '{}'", self.credentials));
        }
        if let Some(example) = operation["requestBody"]["content"]["application/json"].get("example") {
            lines.push("-H 'Content-Type: application/json'".to_owned());
            lines.push(format!("-d '{example}'"));
        }
        lines.push(format!("{}{path}", text(&self.document["servers"][0]["url"])));
        lines.join(" \\\n  ")
    }
}

/// The fields of the body, and the parameters of the address and the headers.
fn fields(operation: &Value) -> Vec<Field<'_>> {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let body: Vec<_> = match schema["anyOf"].as_array() {
        Some(alternatives) if alternatives.len() > 1 => alternatives.iter().flat_map(alternative).collect(),
        Some(alternatives) => alternatives.iter().flat_map(members_of_body).collect(),
        None => members_of_body(schema).collect(),
    };
    let parameters = operation["parameters"].as_array().into_iter().flatten().map(|parameter| {
        let description = text(&parameter["description"]);
        let need = match text(&parameter["in"]) {
            "path" => "in the address",
            "header" => "a header, optional",
            _ => "in the address, optional",
        };
        Field { name: text(&parameter["name"]), need, description }
    });
    body.into_iter().chain(parameters).collect()
}

/// The members of a body with one shape.
fn members_of_body(schema: &Value) -> impl Iterator<Item = Field<'_>> {
    let required = schema["required"].as_array();
    members(&schema["properties"]).map(move |(name, schema)| {
        let is_required = required.is_some_and(|names| names.iter().any(|other| other == name));
        let description = schema["description"].as_str().unwrap_or_else(|| match &schema["type"] {
            kind if kind == "boolean" => "`true` or `false`.",
            kind if kind == "string" => "Text. It may be blank.",
            _ => "Text, not blank.",
        });
        Field { name, need: if is_required { "required" } else { "optional" }, description }
    })
}

/// The members of one of several shapes that a body can have.
fn alternative(schema: &Value) -> impl Iterator<Item = Field<'_>> {
    members_of_body(schema).map(|field| Field { need: "one of these", ..field })
}

/// The errors in a response that is not shared.
fn errors<'a>(status: &'a str, response: &'a Value) -> Vec<ErrorRow<'a>> {
    let (reason, content) = (text(&response["description"]), &response["content"]["application/json"]);
    let row = |when, body: &Value| ErrorRow { status, reason, when, body: body.to_string() };
    let named = members(&content["examples"]).map(|(_, it)| row(text(&it["summary"]), &it["value"]));
    named.chain(content.get("example").map(|body| row(reason, body))).collect()
}

fn indented(json: &Value) -> String {
    serde_json::to_string_pretty(json).unwrap_or_else(|_| json.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn needs(schema: &Value) -> Vec<(String, &'static str)> {
        let operation = json!({"requestBody": {"content": {"application/json": {"schema": schema}}}});
        fields(&operation).into_iter().map(|field| (field.name.to_owned(), field.need)).collect()
    }

    #[test]
    fn a_field_is_required_only_if_the_schema_says_so() {
        let schema = json!({"required": ["password"], "properties": {"password": {}, "device_token": {}}});
        assert_eq!(needs(&schema), [("password".into(), "required"), ("device_token".into(), "optional")]);
    }

    #[test]
    fn of_several_shapes_one_is_enough() {
        let shape = |name: &str| json!({"required": [name], "properties": {name: {}}});
        let needs = needs(&json!({"anyOf": [shape("refresh_token"), shape("all")]}));
        assert_eq!(needs, [("refresh_token".into(), "one of these"), ("all".into(), "one of these")]);
    }
}
