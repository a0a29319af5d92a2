//! The files under `/static/`, embedded in the binary. An address contains the hash of the content, so browsers cache
//! it for a year and still see a new release immediately.

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};

use crate::crypto::digest::sha256_hex;

/// A file and its media type.
struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: &'static [u8],
}

/// Every file, by its name under `static/admin/`.
static ASSETS: &[Asset] = &[
    Asset {
        name: "panel.css",
        media_type: "text/css; charset=utf-8",
        content: include_bytes!("../../static/admin/panel.css"),
    },
    Asset {
        name: "panel.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../../static/admin/panel.js"),
    },
    Asset {
        name: "passkey.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../../static/admin/passkey.js"),
    },
    Asset {
        name: "favicon.svg",
        media_type: "image/svg+xml",
        content: include_bytes!("../../static/admin/favicon.svg"),
    },
];

/// The first 16 hex digits of each content's SHA-256, in the order of `ASSETS`.
static VERSIONS: LazyLock<Vec<String>> =
    LazyLock::new(|| ASSETS.iter().map(|asset| sha256_hex(asset.content)[..16].to_owned()).collect());

/// The address of `static/admin/NAME`, with its version.
pub fn url(name: &str) -> String {
    match ASSETS.iter().position(|asset| asset.name == name) {
        Some(at) => format!("/static/admin/{name}?v={}", VERSIONS[at]),
        None => format!("/static/admin/{name}"),
    }
}

/// `GET /static/…`
pub async fn serve(request: HttpRequest, path: Path<String>) -> HttpResponse {
    let found = path.strip_prefix("admin/").and_then(|name| ASSETS.iter().position(|asset| asset.name == name));
    let Some(at) = found else { return super::middleware::not_found(request).await };
    let (asset, version) = (&ASSETS[at], &VERSIONS[at]);
    let etag = format!("\"{version}\"");
    let is_current = request.query_string() == format!("v={version}");
    let cache = if is_current { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == etag.as_bytes());
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::CACHE_CONTROL, cache)).insert_header((header::ETAG, etag));
    if known { response.finish() } else { response.content_type(asset.media_type).body(asset.content) }
}
