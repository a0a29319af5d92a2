//! The API document (OpenAPI 3.1), computed from the running settings and from the views that answer. `entry.rs` is what a
//! view says about itself; `schema.rs` and `docs.rs` beside this folder serve it, as a file and as a page.

use utoipa::openapi::info::{InfoBuilder, LicenseBuilder};
use utoipa::openapi::path::PathsBuilder;
use utoipa::openapi::schema::ComponentsBuilder;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi, OpenApiBuilder, Paths, Server, Tag};

use crate::config::{Config, Jwt};
use crate::web::{VIEWS, health};

use super::schema;

pub mod entry;
mod operation;
pub mod schemas;
mod shared;

pub use operation::{describe, failures};

/// Name of the one security scheme.
const SECURITY: &str = "jwt";

const DESCRIPTION: &str = "Latchkey speaks the wire protocol of Django's SimpleJWT.\n\n\
    Every path works with and without its last slash, and what is under `/api/` is under `/api/v1/` too. \
    A body is JSON, form-encoded or multipart and has at most 128 KiB; fields that are not listed are ignored.\n\n\
    `OPTIONS` describes an endpoint. Another method is answered with 405 and `Allow`, an unknown path with 404, \
    and a `Host` that the settings do not name with 400. Errors have a `detail` for people, most of them a `code` \
    for programs; what is wrong with a field stands under its name.";

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
        .servers(Some([Server::new(config.server.public_url.as_str().trim_end_matches('/'))]))
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

/// The headings, in the order in which the paths need them.
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
    let mut components =
        ComponentsBuilder::new().schemas_from_iter(schemas::all()).security_scheme(SECURITY, security(&config.jwt));
    for (name, fault) in shared::faults() {
        for (_, response) in failures(vec![fault], config) {
            components = components.response(name, response);
        }
    }
    for (name, header) in shared::headers() {
        components = components.header(name, header);
    }
    components.build()
}

/// `Authorization: Bearer …` has a scheme of its own; every other header or word is an API key to OpenAPI.
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
