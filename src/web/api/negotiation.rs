//! The format of an answer, from `Accept` and `?format=` by the rules of Django REST framework: the most specific media
//! type first, `q` is ignored, JSON comes before HTML.

use actix_web::http::header::{self, HeaderMap};

use super::body::text_of;
use super::error::ApiError;
use super::media_type::MediaType;
use super::python;

const MAX_HEADER: usize = 8192;
const MAX_TYPES: usize = 64;
const MAX_INDENT: usize = 8;

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON, on one line or indented.
    Json {
        /// Spaces per level; 0 is one line.
        indent: usize,
    },
    /// A page that shows the JSON to people.
    Html,
}

impl Default for Format {
    fn default() -> Self {
        Self::Json { indent: 0 }
    }
}

impl Format {
    /// Whether the answer is a page.
    pub fn is_html(self) -> bool {
        self == Self::Html
    }
}

/// Picks the format that the request asks for: JSON or, if the API is `browsable`, HTML.
pub fn negotiate(headers: &HeaderMap, query: &str, browsable: bool) -> Result<Format, ApiError> {
    let (json, html) = match format(query).as_deref() {
        None | Some("") => (true, browsable),
        Some("json") => (true, false),
        Some("api") if browsable => (false, true),
        Some(_) => return Err(ApiError::unknown_format()),
    };
    let accepted = accepted(headers);
    for precedence in (0..=3).rev() {
        let level = || accepted.iter().filter(|media_type| media_type.precedence() == precedence);
        if json && let Some(media_type) = level().find(|media_type| media_type.covers("application", "json")) {
            return Ok(Format::Json { indent: indent(media_type) });
        }
        if html && level().any(|media_type| media_type.covers("text", "html")) {
            return Ok(Format::Html);
        }
    }
    Err(ApiError::not_acceptable())
}

/// The value of `?format=`.
pub fn format(query: &str) -> Option<String> {
    let fields = python::parse_form(query, python::Charset::Utf8);
    fields.into_iter().rev().find(|(name, _)| name == "format").map(|(_, value)| value)
}

fn accept_header(headers: &HeaderMap) -> String {
    let mut lines = headers.get_all(header::ACCEPT).map(text_of).peekable();
    if lines.peek().is_none() { "*/*".to_owned() } else { lines.collect::<Vec<_>>().join(",") }
}

/// The media types that the client accepts.
pub fn accepted(headers: &HeaderMap) -> Vec<MediaType> {
    let header = accept_header(headers);
    let header = match header.char_indices().nth(MAX_HEADER) {
        Some((end, _)) => header[..end].rfind(',').map_or("", |cut| &header[..cut]),
        None => &header,
    };
    let tokens = header.split(',').map(str::trim);
    let usable = tokens.filter(|token| !token.is_empty() && token.chars().count() <= MediaType::MAX_LENGTH);
    usable.take(MAX_TYPES).map(MediaType::parse).collect()
}

fn indent(media_type: &MediaType) -> usize {
    media_type.param("indent").and_then(|value| value.trim().parse::<usize>().ok()).unwrap_or(0).min(MAX_INDENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    const JSON: Format = Format::Json { indent: 0 };

    fn negotiated(accept: &str, query: &str) -> Option<Format> {
        let request = TestRequest::default().insert_header((header::ACCEPT, accept)).to_http_request();
        negotiate(request.headers(), query, true).ok()
    }

    #[test]
    fn the_most_specific_type_wins_and_json_comes_first() {
        assert_eq!(negotiated("*/*", ""), Some(JSON));
        assert_eq!(negotiated("application/*", ""), Some(JSON));
        assert_eq!(negotiated("text/*", ""), Some(Format::Html));
        assert_eq!(negotiated("text/html,application/xhtml+xml,*/*;q=0.8", ""), Some(Format::Html));
        assert_eq!(negotiated("text/html;q=0.1, application/json", ""), Some(JSON));
        assert_eq!(negotiated("application/json;q=0", ""), Some(JSON));
        assert_eq!(negotiated("APPLICATION/JSON; indent=4", ""), Some(Format::Json { indent: 4 }));
        assert_eq!(negotiated("application/json; indent=99", ""), Some(Format::Json { indent: 8 }));
    }

    #[test]
    fn nothing_that_we_can_write_is_not_acceptable() {
        assert_eq!(negotiated("application/xml", ""), None);
        assert_eq!(negotiated("", ""), None);
        assert_eq!(negotiated(",,", ""), None);
    }

    #[test]
    fn the_format_parameter_narrows_the_choice() {
        assert_eq!(negotiated("text/html", "format=json"), None);
        assert_eq!(negotiated("*/*", "format=api"), Some(Format::Html));
        assert_eq!(negotiated("*/*", "format=xml"), None);
        assert_eq!(negotiated("*/*", "format="), Some(JSON));
    }

    #[test]
    fn without_pages_there_is_only_json() {
        let without = |accept: &str, query: &str| {
            let request = TestRequest::default().insert_header((header::ACCEPT, accept)).to_http_request();
            negotiate(request.headers(), query, false).ok()
        };
        assert_eq!(without("text/html,application/xhtml+xml,*/*;q=0.8", ""), Some(JSON));
        assert_eq!(without("text/html", ""), None);
        assert_eq!(without("*/*", "format=api"), None);
    }

    #[test]
    fn a_very_long_header_is_cut_at_a_comma() {
        let long = format!("application/json,{}", "x".repeat(10_000));
        assert_eq!(negotiated(&long, ""), Some(JSON));
        assert_eq!(negotiated(&"x".repeat(10_000), ""), None);
    }
}
