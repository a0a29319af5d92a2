//! Cross-origin requests, answered as django-cors-headers answers them: everywhere but under `/admin/` and `/static/`.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse};

use crate::app::App;
use crate::config::Cors;

const METHODS: &str = "DELETE, GET, OPTIONS, PATCH, POST, PUT";
/// Seconds that a browser may remember a preflight.
const MAX_AGE: &str = "86400";

/// Middleware: answers preflights, and adds the headers to every other answer.
pub async fn share(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let Some(app) = request.app_data::<Data<App>>().cloned() else {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    };
    // Decoded, as routes are matched: `/%61dmin/` is the panel too.
    let path = request.match_info().as_str();
    let is_admin = path.starts_with("/admin/") || path.starts_with("/static/");
    let is_options = request.method() == Method::OPTIONS;
    let origin = request.headers().get(header::ORIGIN).cloned();
    let is_preflight = is_options && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);

    let mut response = if is_preflight && !is_admin {
        request.into_response(HttpResponse::Ok().finish()).map_into_right_body()
    } else {
        next.call(request).await?.map_into_left_body()
    };
    vary_on_origin(response.headers_mut());
    if !is_admin && let Some(origin) = origin {
        allow(&app.config.cors, &origin, is_options, response.headers_mut());
    }
    Ok(response)
}

/// Whether the browser reports that a page of another site sends this. Such a page cannot read the answer, but it could
/// make its visitors try passwords until their own network is throttled.
pub fn is_foreign(cors: &Cors, headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let site = text(HeaderName::from_static("sec-fetch-site"));
    let is_listed = || text(header::ORIGIN).is_some_and(|origin| is_listed(&cors.allowed_origins, origin));
    matches!(site, Some("cross-site" | "same-site")) && !cors.allow_all_origins && !is_listed()
}

fn vary_on_origin(headers: &mut HeaderMap) {
    let mut vary: Vec<String> =
        headers.get_all(header::VARY).filter_map(|value| value.to_str().ok()).map(str::to_owned).collect();
    vary.push("origin".to_owned());
    insert(headers, header::VARY, &vary.join(", "));
}

fn allow(cors: &Cors, origin: &HeaderValue, is_options: bool, headers: &mut HeaderMap) {
    let Ok(text) = origin.to_str() else { return };
    if text.is_empty() || !(cors.allow_all_origins || is_listed(&cors.allowed_origins, text)) {
        return;
    }
    let shown = if cors.allow_all_origins && !cors.allow_credentials { "*" } else { text };
    insert(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, shown);
    if cors.allow_credentials {
        insert(headers, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    if !cors.expose_headers.is_empty() {
        insert(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, &cors.expose_headers.join(", "));
    }
    if is_options {
        insert(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &cors.allow_headers.join(", "));
        insert(headers, header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        insert(headers, header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Scheme and authority must be those of a listed origin; `null` only where it is listed itself.
pub fn is_listed(allowed: &[String], origin: &str) -> bool {
    if origin == "null" {
        return allowed.iter().any(|listed| listed == "null");
    }
    let wanted = scheme_and_authority(origin);
    wanted.is_some() && allowed.iter().any(|listed| scheme_and_authority(listed) == wanted)
}

fn scheme_and_authority(origin: &str) -> Option<(String, &str)> {
    let (scheme, rest) = origin.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    Some((scheme.to_ascii_lowercase(), authority))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_listed_origins_are_allowed() {
        let allowed = ["https://app.example.com".to_owned()];
        assert!(is_listed(&allowed, "https://app.example.com"));
        assert!(!is_listed(&allowed, "http://app.example.com"));
        assert!(!is_listed(&allowed, "https://app.example.com:8443"));
        assert!(!is_listed(&allowed, "https://app.example.com.evil.test"));
        assert!(!is_listed(&allowed, "app.example.com"));
        assert!(!is_listed(&allowed, "null"));
        assert!(is_listed(&["null".to_owned()], "null"));
    }

    proptest! {
        #[test]
        fn only_what_is_listed_is_ever_allowed(origin in vec(any::<u8>(), 0..40), near in "(HTTPS?://)?[a-z.@:/?#]{0,12}") {
            let cors = Cors {
                allowed_origins: vec!["https://app.example.com".to_owned()],
                allow_all_origins: false,
                allow_credentials: true,
                allow_headers: Vec::new(),
                expose_headers: Vec::new(),
            };
            for origin in [origin, near.clone().into_bytes(), format!("https://app.example.com{near}").into_bytes()] {
                let Ok(value) = HeaderValue::from_bytes(&origin) else { continue };
                let mut headers = HeaderMap::new();
                allow(&cors, &value, true, &mut headers);
                if let Some(allowed) = headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
                    let rest = allowed.as_bytes().strip_prefix(b"https://app.example.com");
                    prop_assert!(rest.is_some_and(|rest| rest.is_empty() || b"/?#".contains(&rest[0])), "{:?}", allowed);
                }
            }
        }
    }
}
