//! The API document (OpenAPI 3.1), computed from the current settings and from the views. Views describe themselves
//! with `operation_doc.rs`; `schema.rs` and `docs.rs` beside this folder serve the document as a file and as a page.

use utoipa::openapi::info::{InfoBuilder, LicenseBuilder};
use utoipa::openapi::path::PathsBuilder;
use utoipa::openapi::schema::ComponentsBuilder;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi, OpenApiBuilder, Paths, Server, Tag};

use crate::config::{Config, Jwt};
use crate::web::{VIEWS, health};

use super::schema;

pub mod examples;
mod operation;
pub mod operation_doc;
pub mod schemas;
mod shared;

pub use operation::{describe, error_responses};

/// Name of the security scheme of access tokens.
pub const SECURITY: &str = "jwt";
/// Name of the security scheme of `INTROSPECTION_CLIENT_ID`.
pub const CLIENT: &str = "client";

const DESCRIPTION: &str = "Latchkey speaks the wire protocol of Django's SimpleJWT.\n\n\
    Every path works with and without its last slash, and everything under `/api/` is also under `/api/v1/`. \
    A body is JSON, form-encoded or multipart and has at most 128 KiB; fields that are not listed are ignored.\n\n\
    `OPTIONS` describes an endpoint. Another method is answered with 405 and `Allow`, an unknown path with 404, \
    and a `Host` that the settings do not name with 400. Errors have a `detail` for people, most of them a `code` \
    for programs; errors of a field are listed under its name.";

/// The document for these settings.
pub fn document(config: &Config) -> OpenApi {
    let info = InfoBuilder::new()
        .title("Latchkey")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build()));
    let paths = paths(config);
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new(config.server.public_origin())]))
        .tags(Some(tags(&paths)))
        .paths(paths)
        .components(Some(components(config)))
        .build()
}

fn paths(config: &Config) -> Paths {
    let views = VIEWS.iter().map(|endpoint| endpoint.describe(config));
    let others = [schema::describe(config)].into_iter().chain(health::describe());
    views.chain(others).fold(PathsBuilder::new(), |paths, (path, item)| paths.path(path, item)).build()
}

/// The headings, in the order in which the paths use them.
fn tags(paths: &Paths) -> Vec<Tag> {
    let mut names: Vec<&String> = Vec::new();
    for item in paths.paths.values() {
        let operation = item.get.as_ref().or(item.post.as_ref());
        for tag in operation.and_then(|operation| operation.tags.as_ref()).into_iter().flatten() {
            if !names.contains(&tag) {
                names.push(tag);
            }
        }
    }
    names.into_iter().map(Tag::new).collect()
}

fn components(config: &Config) -> Components {
    let client = HttpBuilder::new().scheme(HttpAuthScheme::Basic);
    let client = client.description(Some("The client of `INTROSPECTION_CLIENT_ID` and `INTROSPECTION_CLIENT_SECRET`."));
    let mut components = ComponentsBuilder::new()
        .schemas_from_iter(schemas::all())
        .security_scheme(SECURITY, security(&config.jwt))
        .security_scheme(CLIENT, SecurityScheme::Http(client.build()));
    for shared in shared::errors() {
        for (_, response) in error_responses(vec![shared.example], config) {
            components = components.response(shared.response, response);
        }
    }
    for (name, header) in shared::headers() {
        components = components.header(name, header);
    }
    components.build()
}

/// OpenAPI has a scheme for `Authorization: Bearer …`; any other header or word is an API key in its terms.
fn security(jwt: &Jwt) -> SecurityScheme {
    let (header, words) = (jwt.auth_header_name.as_str(), &jwt.auth_header_types);
    if header == "authorization" && words.iter().any(|word| word == "Bearer") {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
        return SecurityScheme::Http(bearer.description(Some("An access token.")).build());
    }
    let word = words.first().map_or("Bearer", String::as_str);
    let description = format!("The word `{word}`, a space and an access token.");
    SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(header.to_owned(), description)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    fn document() -> Value {
        let config = Config::load(&|name| (name == "SECRET_KEY").then(|| "x".repeat(32))).unwrap();
        serde_json::to_value(super::document(&config)).unwrap()
    }

    /// Every value of this key, at any depth.
    fn all<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get(key).and_then(Value::as_str));
                members.values().for_each(|value| all(value, key, found));
            }
            Value::Array(items) => items.iter().for_each(|value| all(value, key, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let mut references = Vec::new();
        all(&document, "$ref", &mut references);
        assert!(references.len() > 100);
        for reference in references {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_operation_has_an_id_of_its_own_and_links_name_them() {
        let document = document();
        let operations = || document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap());
        let ids: BTreeSet<&str> = operations().filter_map(|(_, operation)| operation["operationId"].as_str()).collect();
        assert_eq!(ids.len(), operations().count());
        assert!(ids.contains("token_sliding_refresh") && ids.contains("logout_token") && ids.contains("me"));
        let links = operations().filter_map(|(_, operation)| operation["responses"]["200"]["links"].as_object());
        for link in links.flatten().map(|(_, link)| link["operationId"].as_str().unwrap()) {
            assert!(ids.contains(link), "{link}");
        }
    }

    #[test]
    fn every_view_is_in_the_document() {
        let document = document();
        let config = Config::load(&|name| (name == "SECRET_KEY").then(|| "x".repeat(32))).unwrap();
        for view in VIEWS {
            let (path, _) = view.describe(&config);
            assert!(document["paths"][&path].is_object(), "{path}");
        }
    }
}
