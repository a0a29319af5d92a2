//! Writes an answer: JSON, or for a browser the same JSON in a page.

use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::negotiation::Format;

/// What a page may load: nothing.
const PAGE_POLICY: (&str, &str) = ("content-security-policy", "default-src 'none'; frame-ancestors 'none'");

/// The finished answer.
pub fn render(mut response: HttpResponseBuilder, format: Format, name: &str, body: &Value) -> HttpResponse {
    match format {
        Format::Json { indent: 0 } => response.content_type("application/json").body(body.to_string()),
        Format::Json { indent } => response.content_type("application/json").body(indented(body, indent)),
        Format::Html => {
            response.insert_header(PAGE_POLICY).content_type("text/html; charset=utf-8").body(page(name, body))
        }
    }
}

fn indented(body: &Value, indent: usize) -> String {
    let spaces = " ".repeat(indent);
    let mut out = Vec::new();
    let mut writer = Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(spaces.as_bytes()));
    match body.serialize(&mut writer) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(_) => body.to_string(),
    }
}

fn page(name: &str, body: &Value) -> String {
    let json = escape(&indented(body, 4));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{name}</title></head>\n\
         <body><main><h1>{name}</h1><pre>{json}</pre></main></body>\n</html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_page_escapes_what_it_shows() {
        let page = page("Me", &json!({"detail": "<script>\"&"}));
        assert!(page.contains("&lt;script&gt;"));
        assert!(!page.contains("<script"));
    }

    #[test]
    fn json_is_indented_as_asked() {
        assert_eq!(indented(&json!({"a": [1]}), 2), "{\n  \"a\": [\n    1\n  ]\n}");
    }
}
