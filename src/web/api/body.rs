//! Reads bodies within a limit of size and time, and parses them according to `Content-Type` (JSON, form or multipart),
//! with the error texts of Django REST framework's parsers.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt;
use serde::de::{Deserialize, Deserializer, Visitor};
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::error::ApiError;
pub use super::fields::Fields;
use super::fields::Value;
use super::media_type::MediaType;
use super::multipart;
use super::python::{self, Charset};

/// The largest body that is accepted, in bytes.
pub const LIMIT: usize = 128 * 1024;
/// How much of a larger body is read and discarded: a client that is still sending would not see our answer.
const DRAINED: usize = 4 * 1024 * 1024;
/// How long a body may take to arrive.
const TIME: Duration = Duration::from_secs(20);
/// The most fields that a form may have, as in Django.
const MAX_FIELDS: usize = 1000;

/// A header's bytes as text, decoded as a WSGI server decodes them.
pub fn text_of(value: &HeaderValue) -> String {
    python::latin1(value.as_bytes())
}

/// Reads and parses a body.
pub async fn fields(headers: &HeaderMap, payload: &mut Payload) -> Result<Fields, ApiError> {
    parse(headers, &read(payload).await?)
}

/// Reads the whole body.
pub async fn read(payload: &mut Payload) -> Result<Bytes, ApiError> {
    read_within(TIME, payload).await
}

async fn read_within(time: Duration, payload: &mut Payload) -> Result<Bytes, ApiError> {
    timeout(time, collect(payload)).await.unwrap_or_else(|_| Err(ApiError::too_slow()))
}

async fn collect(payload: &mut Payload) -> Result<Bytes, ApiError> {
    let (mut body, mut size) = (BytesMut::new(), 0);
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| ApiError::parse(&format!("Request body could not be read: {error}.")))?;
        size += chunk.len();
        if size <= LIMIT {
            body.extend_from_slice(&chunk);
        } else if size > DRAINED {
            break;
        }
    }
    if size > LIMIT { Err(ApiError::too_large(LIMIT)) } else { Ok(body.freeze()) }
}

/// Whether a body was sent by a plain HTML form.
pub fn is_form(headers: &HeaderMap) -> bool {
    let media_type = MediaType::parse(&headers.get(header::CONTENT_TYPE).map(text_of).unwrap_or_default());
    media_type.covers("application", "x-www-form-urlencoded") && !media_type.covers("application", "json")
}

/// The fields of a body.
pub(super) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Fields, ApiError> {
    if body.is_empty() {
        return Ok(Fields::default());
    }
    let content_type = headers.get(header::CONTENT_TYPE).map(text_of).unwrap_or_default();
    if content_type.len() > MediaType::MAX_LENGTH {
        return Err(ApiError::unsupported_media_type(&content_type));
    }
    let media_type = MediaType::parse(&content_type);
    if media_type.covers("application", "json") {
        json(body, charset(&media_type)?)
    } else if media_type.covers("application", "x-www-form-urlencoded") {
        form(body, charset(&media_type)?)
    } else if media_type.covers("multipart", "form-data") {
        multipart(&content_type, body, charset(&media_type)?)
    } else {
        Err(ApiError::unsupported_media_type(&content_type))
    }
}

fn charset(media_type: &MediaType) -> Result<Charset, ApiError> {
    let Some(name) = media_type.param("charset") else { return Ok(Charset::Utf8) };
    let unsupported = || ApiError::parse(&format!("Unsupported charset \"{name}\" in request Content-Type header."));
    Charset::by_name(name).ok_or_else(unsupported)
}

/// The fields of a JSON body in UTF-8.
pub fn parse_json(body: &[u8]) -> Result<Fields, ApiError> {
    json(body, Charset::Utf8)
}

fn json(body: &[u8], charset: Charset) -> Result<Fields, ApiError> {
    let fail = |reason: String| ApiError::parse(&format!("JSON parse error - {reason}"));
    let text = charset.decode(body).map_err(fail)?;
    // Kept as text, so that numbers of any size and lone surrogates survive, and nesting costs nothing.
    let document: &RawValue = serde_json::from_str(&text).map_err(|error| fail(error.to_string()))?;
    if python::has_endless_integer(document.get()) {
        return Err(fail("Exceeds the limit (4300 digits) for integer string conversion".to_owned()));
    }
    let python_type = match document.get().as_bytes().first() {
        Some(b'{') => {
            let members: BTreeMap<JsonText, &RawValue> =
                serde_json::from_str(document.get()).map_err(|error| fail(error.to_string()))?;
            return Ok(Fields(members.into_iter().map(|(name, raw)| (name.lossy(), json_value(raw.get()))).collect()));
        }
        Some(b'n') => return Err(ApiError::non_field("No data provided")),
        Some(b'[') => "list",
        Some(b'"') => "str",
        Some(b't' | b'f') => "bool",
        _ if document.get().contains(['.', 'e', 'E']) => "float",
        _ => "int",
    };
    Err(ApiError::non_field(&format!("Invalid data. Expected a dictionary, but got {python_type}.")))
}

fn json_value(raw: &str) -> Value {
    match raw.as_bytes().first() {
        Some(b'n') => Value::Null,
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'[' | b'{') => Value::Nested(raw.to_owned()),
        Some(b'"') => match serde_json::from_str::<JsonText>(raw) {
            Ok(text) => Value::Text { surrogate: text.surrogate(), text: text.lossy() },
            // It cannot fail: the text was already read as part of the document.
            Err(_) => Value::Null,
        },
        _ => Value::Number(python::number(raw)),
    }
}

/// A JSON string. Python accepts `\ud800` to `\udfff` in it without their other half; apart from those it is UTF-8.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct JsonText(Vec<u8>);

impl JsonText {
    /// The text, with U+FFFD in place of lone surrogates.
    fn lossy(self) -> String {
        String::from_utf8(self.0).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// The first lone surrogate.
    fn surrogate(&self) -> Option<u32> {
        let mut threes = self.0.windows(3);
        let half = threes.find(|bytes| bytes[0] == 0xed && bytes[1] >= 0xa0)?;
        Some(0xd000 | u32::from(half[1] & 0x3f) << 6 | u32::from(half[2] & 0x3f))
    }
}

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(JsonTextVisitor)
    }
}

struct JsonTextVisitor;

impl Visitor<'_> for JsonTextVisitor {
    type Value = JsonText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<JsonText, E> {
        Ok(JsonText(bytes.to_vec()))
    }
}

fn form(body: &[u8], charset: Charset) -> Result<Fields, ApiError> {
    let text = charset.decode(body).unwrap_or_else(|_| python::latin1(body));
    if text.split('&').count() > MAX_FIELDS {
        return Err(too_many_fields());
    }
    let pairs = python::parse_form(&text, charset);
    Ok(Fields(pairs.into_iter().map(|(name, value)| (name, Value::text(value))).collect()))
}

fn multipart(content_type: &str, body: &[u8], charset: Charset) -> Result<Fields, ApiError> {
    let parsed = multipart::boundary(content_type).and_then(|boundary| multipart::parse(body, &boundary, charset));
    let fields = parsed.map_err(|reason| ApiError::parse(&format!("Multipart form parse error - {reason}")))?;
    if fields.len() > MAX_FIELDS { Err(too_many_fields()) } else { Ok(Fields(fields)) }
}

fn too_many_fields() -> ApiError {
    ApiError::parse(&format!("Request body has more than {MAX_FIELDS} fields."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::FromRequest;
    use actix_web::test::TestRequest;

    fn parsed(content_type: &str, body: &[u8]) -> Result<Fields, String> {
        let request = TestRequest::default().insert_header((header::CONTENT_TYPE, content_type)).to_http_request();
        parse(request.headers(), body).map_err(|error| error.body.to_string())
    }

    fn value(json: &str) -> Value {
        parsed("application/json", format!("{{\"a\": {json}}}").as_bytes()).unwrap().get("a").unwrap().clone()
    }

    #[test]
    fn json_values_are_read_as_in_python() {
        assert_eq!(value("null"), Value::Null);
        assert_eq!(value("false"), Value::Bool(false));
        assert_eq!(value("123456789012345678901234567890"), Value::Number("123456789012345678901234567890".into()));
        assert_eq!(value("1e400"), Value::Number("inf".into()));
        assert_eq!(value("[ ]"), Value::Nested("[ ]".into()));
        assert_eq!(value("{\"b\": 1}"), Value::Nested("{\"b\": 1}".into()));
        assert_eq!(value("\"\\u00e4\\n\""), Value::text("ä\n".into()));
        assert_eq!(
            value("\"\\ud83d\\ude00 \\\"\\udc00\""),
            Value::Text { text: "😀 \"\u{fffd}\u{fffd}\u{fffd}".into(), surrogate: Some(0xdc00) }
        );
        let named = parsed("application/json", br#"{"\ud800": 1, "a": true}"#).unwrap();
        assert_eq!((named.0.len(), named.get("a")), (2, Some(&Value::Bool(true))));
    }

    #[test]
    fn json_that_is_no_object_names_its_type() {
        for (json, python) in [("[1]", "list"), ("\"\"", "str"), ("true", "bool"), ("-1", "int"), ("1e5", "float")] {
            let error = parsed("application/json", json.as_bytes()).unwrap_err();
            assert!(error.contains(&format!("but got {python}.")), "{error}");
        }
        assert!(parsed("application/json", b"null").unwrap_err().contains("No data provided"));
    }

    #[test]
    fn broken_json_is_a_parse_error() {
        let endless = "9".repeat(5000);
        for json in ["{", "{'a': 1}", "{} {}", "[NaN]", "\u{feff}{}", "01", " ", "{\"a\": \"\t\"}", &endless] {
            let error = parsed("application/json", json.as_bytes()).unwrap_err();
            assert!(error.starts_with("{\"detail\":\"JSON parse error - "), "{error}");
        }
        assert!(parsed("application/json", &[0xff]).is_err());
        assert!(parsed("application/json", "[".repeat(100_000).as_bytes()).is_err());
        assert!(parsed("application/json", &[b"{\"a\":".repeat(20_000), b"1".to_vec()].concat()).is_err());
    }

    #[test]
    fn the_type_decides_and_an_empty_body_needs_none() {
        let text = Some(&Value::text("ä".into()));
        let name = |content_type: &str, body: &[u8]| parsed(content_type, body).unwrap();
        assert_eq!(name("*/*", "{\"a\": \"ä\"}".as_bytes()).get("a"), text);
        assert_eq!(name("application/json; charset=latin-1", b"{\"a\": \"\xe4\"}").get("a"), text);
        assert_eq!(name("application/x-www-form-urlencoded", b"a=x&a=%C3%A4").get("a"), text);
        assert_eq!(name("application/x-www-form-urlencoded", b"a=\xe4").get("a"), text);
        assert!(parsed("text/plain", b"").unwrap().0.is_empty());
        assert_eq!(
            parsed("text/plain", b"x").unwrap_err(),
            r#"{"detail":"Unsupported media type \"text/plain\" in request."}"#
        );
        assert!(parsed("application/json; charset=zlib", b"{}").unwrap_err().contains("Unsupported charset"));
        assert!(parsed("text/plain; charset=zlib", b"{}").unwrap_err().contains("Unsupported media type"));
        assert_eq!(name("application/json; charset=utf-8-sig", "\u{feff}{\"a\": \"ä\"}".as_bytes()).get("a"), text);
        assert_eq!(
            name("application/json; charset=UTF-16", b"\xff\xfe{\0\"\0a\0\"\0:\0\"\0\xe4\0\"\0}\0").get("a"),
            text
        );
    }

    #[actix_web::test]
    async fn a_body_that_does_not_come_is_given_up() {
        let never = futures_util::stream::pending().boxed_local();
        let request = TestRequest::default().to_http_request();
        let mut payload = Payload::from_request(&request, &mut actix_web::dev::Payload::from(never)).await.unwrap();
        let error = read_within(Duration::ZERO, &mut payload).await.unwrap_err();
        assert_eq!(error.body, serde_json::json!({"detail": "Request body was not received in time."}));
    }

    #[test]
    fn a_form_may_not_have_endless_fields() {
        assert!(parsed("application/x-www-form-urlencoded", "a=1&".repeat(999).as_bytes()).is_ok());
        assert!(parsed("application/x-www-form-urlencoded", "a=1&".repeat(1001).as_bytes()).is_err());
    }
}
