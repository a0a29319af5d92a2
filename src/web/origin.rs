//! Checks the origin of a form, as the browser reports it. Used by the panel before it checks a form's token
//! (`admin/csrf.rs`), by the account pages, and by the API for forms of its own pages (`api/browsable/`).

use actix_web::http::header::{self, HeaderMap, HeaderName};
use url::Url;

/// Whether the browser reports that the request comes from one of our pages. A browser that reports nothing is trusted.
pub fn is_same_origin(headers: &HeaderMap, public_url: &Url) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site"))
        && !matches!(site, "same-origin" | "none")
    {
        return false;
    }
    let Some(source) = text(header::ORIGIN).or_else(|| text(header::REFERER)) else { return true };
    let Ok(source) = Url::parse(source) else { return false };
    source.origin() == public_url.origin() || text(header::HOST) == Some(authority(&source).as_str())
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn accepts(headers: &[(&str, &str)]) -> bool {
        let mut request = TestRequest::default();
        for header in headers {
            request = request.insert_header(*header);
        }
        let public = Url::parse("https://auth.example.com").unwrap();
        is_same_origin(request.to_http_request().headers(), &public)
    }

    #[test]
    fn forms_of_our_own_pages_are_accepted() {
        assert!(accepts(&[]));
        assert!(accepts(&[("sec-fetch-site", "same-origin"), ("origin", "https://auth.example.com")]));
        assert!(accepts(&[("origin", "http://127.0.0.1:8000"), ("host", "127.0.0.1:8000")]));
        assert!(accepts(&[("referer", "https://auth.example.com/admin/login/?next=/admin/")]));
    }

    #[test]
    fn forms_of_other_sites_are_refused() {
        assert!(!accepts(&[("sec-fetch-site", "cross-site")]));
        assert!(!accepts(&[("sec-fetch-site", "same-site")]));
        assert!(!accepts(&[("origin", "https://evil.example.com")]));
        assert!(!accepts(&[("origin", "null")]));
        assert!(!accepts(&[("origin", "http://localhost:8001"), ("host", "localhost:8000")]));
        assert!(!accepts(&[("referer", "https://auth.example.com.evil.test/")]));
    }
}
