//! Properties of every body and header, whatever it contains: property tests of the parsers in this folder. Tests of
//! single inputs are beside the code; the answers of the whole server are tested in `tests/it/api/`.

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::test::TestRequest;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::body::{self, Fields};
use super::error::ApiError;
use super::fields::Value;
use super::media_type::MediaType;
use super::negotiation::{Format, negotiate};
use super::python::{self, Charset};

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=edge";

fn parse(content_type: &[u8], bytes: &[u8]) -> Result<Fields, ApiError> {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(content_type) {
        headers.insert(header::CONTENT_TYPE, value);
    }
    body::parse(&headers, bytes)
}

fn is_client_error(error: &ApiError) -> bool {
    error.head(&[]).finish().status().is_client_error()
}

/// Content types that are understood, nearly understood, or not understood at all.
fn content_type() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..40),
        r#"(application/(json|x-www-form-urlencoded)|multipart/form-data|\*/\*|[a-z/]{0,9})(; ?(charset|boundary|[a-z]{0,3})="?(utf-8|latin-1|ascii|utf-16|zlib|edge|[ -~]{0,9})"?){0,3}"#
            .prop_map(String::into_bytes),
    ]
}

/// Bodies that are nearly JSON, a form or multipart.
fn nearly_a_body() -> impl Strategy<Value = Vec<u8>> {
    let json = r#"[ \n]{0,2}\{?("(a|\\u[0-9a-f]{4}|\PC{0,3})" ?: ?("\PC{0,5}"|-?[0-9.eE+-]{1,9}|\[*\]*|\{\}|null|true|NaN),?){0,4}\}?"#;
    let form = "((a|%[0-9a-fA-F]{0,2}|\\PC{0,3})=?(\\+|%[0-9a-fA-F]{0,2}|\\PC{0,3})&?){0,6}";
    let multipart = "(--edge(--)?\r?\n?)?((Content-Disposition|Content-Transfer-Encoding): ?(form-data|base64)?(; ?(name|filename)=\"?[a-z*]{0,3}\"?){0,2}\r?\n){0,2}(\r\n)?\\PC{0,9}\r?\n?(--edge(--)?\r?\n?){0,2}";
    prop_oneof![
        vec(any::<u8>(), 0..200),
        json.prop_map(String::into_bytes),
        form.prop_map(String::into_bytes),
        vec(multipart, 0..4).prop_map(|parts| parts.concat().into_bytes()),
    ]
}

proptest! {
    #[test]
    fn every_body_is_read_or_refused(content_type in content_type(), bytes in nearly_a_body()) {
        match parse(&content_type, &bytes) {
            Err(error) => prop_assert!(is_client_error(&error)),
            Ok(fields) => {
                prop_assert!(fields.0.len() <= bytes.len());
                let size: usize = fields.0.iter().map(|(name, value)| name.len() + size_of_text(value)).sum();
                prop_assert!(size <= 3 * bytes.len(), "{} bytes made {}", bytes.len(), size);
                match fields.texts(["a", "b"]) {
                    Ok(texts) => prop_assert!(texts.iter().all(|text| is_clean(text))),
                    Err(error) => prop_assert!(is_client_error(&error)),
                }
            }
        }
    }

    #[test]
    fn every_kind_of_body_is_read_by_its_reader(bytes in nearly_a_body()) {
        for content_type in ["application/json", FORM, MULTIPART] {
            for charset in ["", "; charset=latin-1", "; charset=ascii"] {
                if let Err(error) = parse(format!("{content_type}{charset}").as_bytes(), &bytes) {
                    prop_assert!(is_client_error(&error));
                }
            }
        }
    }

    #[test]
    fn json_form_and_multipart_say_the_same(fields in vec(("[a-z_]{1,8}", "\\PC{0,20}|[ -~\r\n\t]{0,20}"), 0..8)) {
        let json = fields.iter().map(|(name, value)| format!("{}:{}", json!(name), json!(value))).collect::<Vec<_>>();
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        let part = |(name, value): &(String, String)| {
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let multipart = fields.iter().map(part).collect::<String>() + "--edge--\r\n";
        let json = parse(b"application/json", format!("{{{}}}", json.join(",")).as_bytes()).unwrap();
        let form = parse(FORM.as_bytes(), form.as_bytes()).unwrap();
        let multipart = parse(MULTIPART.as_bytes(), multipart.as_bytes()).unwrap();
        for (name, _) in &fields {
            let last = fields.iter().rev().find(|(other, _)| other == name).map(|(_, value)| Value::text(value.clone()));
            prop_assert_eq!(json.get(name), last.as_ref());
            prop_assert_eq!(form.get(name), last.as_ref());
            prop_assert_eq!(multipart.get(name), last.as_ref());
        }
    }

    #[test]
    fn every_accept_header_has_an_answer(
        accept in prop_oneof![
            vec(any::<u8>(), 0..80),
            r"((application/json|text/html|\*/\*|text/\*|[a-z*/]{0,6})(; ?(q|indent|[a-z]{0,2})=[ -~]{0,4}){0,2},? ?){0,6}"
                .prop_map(String::into_bytes),
        ],
        query in "(format=(json|api|[a-z%]{0,4})|\\PC{0,6})&?(format=)?",
    ) {
        let Ok(accept) = HeaderValue::from_bytes(&accept) else { return Ok(()) };
        let request = TestRequest::default().insert_header((header::ACCEPT, accept)).to_http_request();
        match negotiate(request.headers(), &query, true) {
            Ok(Format::Json { indent }) => prop_assert!(indent <= 8),
            Ok(Format::Html) => {}
            Err(error) => prop_assert!(is_client_error(&error)),
        }
    }

    #[test]
    fn every_text_is_a_media_type(text in prop_oneof![any::<String>(), "[a-z*/]{0,5}(;[ a-z*]{0,3}=?[\"\\\\;a-z]{0,6}){0,4}"]) {
        let media_type = MediaType::parse(&text);
        prop_assert!(media_type.precedence() <= 3);
        prop_assert!(media_type.param("a").is_none_or(|value| value.len() <= text.len()));
    }

    #[test]
    fn a_quoted_parameter_reads_as_it_was_meant(value in r"[ -\[\]-~]{0,12}") {
        let quoted = value.replace('"', "\\\"");
        let media_type = MediaType::parse(&format!("text/html; a=1; name=\"{quoted}\"; b=2"));
        prop_assert_eq!(media_type.param("b"), Some("2"));
        prop_assert_eq!(media_type.param("name"), Some(value.as_str()));
    }

    #[test]
    fn a_form_reads_as_it_was_written(pairs in vec((any::<String>(), any::<String>()), 0..6)) {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        prop_assert_eq!(python::parse_form(&form, Charset::Utf8), pairs);
    }

    #[test]
    fn python_takes_any_text_and_any_bytes(text in any::<String>(), bytes in vec(any::<u8>(), 0..40)) {
        let stripped = python::strip(&text);
        prop_assert_eq!(python::strip(stripped), stripped);
        for charset in Charset::by_name(&text).into_iter().chain([Charset::Utf8, Charset::Latin1, Charset::Ascii]) {
            prop_assert!(charset.decode(&bytes).is_err() || charset.decode(&bytes) == Ok(charset.decode_lossy(&bytes)));
        }
        prop_assert_eq!(python::latin1(&bytes).chars().count(), bytes.len());
    }

    #[test]
    fn a_float_reads_as_it_was_written(value in any::<f64>()) {
        let value = if value.is_finite() { value } else { 0.5 };
        prop_assert_eq!(python::number(&format!("{value:e}")).parse(), Ok(value));
    }
}

fn size_of_text(value: &Value) -> usize {
    match value {
        Value::Text { text, .. } => text.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Nested(_) | Value::File => 0,
    }
}

fn is_clean(text: &str) -> bool {
    !text.is_empty() && !text.contains('\0') && python::strip(text) == text
}
