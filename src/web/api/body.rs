//! Bodies: read with a limit in size and time, and parsed by `Content-Type` (JSON, form or multipart)
//! with the error texts of Django REST framework's parsers.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_multipart::Multipart;
use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::error::ApiError;
pub use super::fields::Fields;
use super::fields::Value;
use super::media_type::MediaType;
use super::python::{self, Charset};

/// Largest body.
const LIMIT: usize = 128 * 1024;
/// So much of a larger one is read and thrown away: a client that is still sending would not see our answer.
const DRAINED: usize = 4 * 1024 * 1024;
/// How long a body may take to arrive.
const TIME: Duration = Duration::from_secs(20);
/// Most fields of a form, as in Django.
const MAX_FIELDS: usize = 1000;

/// A header's bytes as text, as a WSGI server hands them on.
pub fn text_of(value: &HeaderValue) -> String {
    python::latin1(value.as_bytes())
}

/// The whole body.
pub async fn read(payload: &mut Payload) -> Result<Bytes, ApiError> {
    timeout(TIME, collect(payload)).await.unwrap_or_else(|_| Err(ApiError::too_slow()))
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

/// The fields of a body.
pub async fn parse(headers: &HeaderMap, body: Bytes) -> Result<Fields, ApiError> {
    if body.is_empty() {
        return Ok(Fields::default());
    }
    let content_type = headers.get(header::CONTENT_TYPE).map(text_of).unwrap_or_default();
    let media_type = MediaType::parse(&content_type);
    let charset = media_type.param("charset").map_or(Charset::Utf8, Charset::by_name);
    if content_type.len() > MediaType::MAX_LENGTH {
        Err(ApiError::unsupported_media_type(&content_type))
    } else if media_type.covers("application", "json") {
        json(&body, charset)
    } else if media_type.covers("application", "x-www-form-urlencoded") {
        form(&body, charset)
    } else if media_type.covers("multipart", "form-data") {
        multipart(&content_type, &media_type, body).await
    } else {
        Err(ApiError::unsupported_media_type(&content_type))
    }
}

fn json(body: &[u8], charset: Charset) -> Result<Fields, ApiError> {
    let fail = |reason: String| ApiError::parse(&format!("JSON parse error - {reason}"));
    let text = charset.decode(body).map_err(fail)?;
    // Kept as text: so numbers of any size and half surrogate pairs stay what they are, and depth costs nothing.
    let document: &RawValue = serde_json::from_str(&text).map_err(|error| fail(error.to_string()))?;
    if python::has_endless_integer(document.get()) {
        return Err(fail("Exceeds the limit (4300 digits) for integer string conversion".to_owned()));
    }
    let python_type = match document.get().as_bytes().first() {
        Some(b'{') => {
            let members: BTreeMap<String, &RawValue> =
                serde_json::from_str(document.get()).map_err(|error| fail(error.to_string()))?;
            return Ok(Fields(members.into_iter().map(|(name, raw)| (name, json_value(raw.get()))).collect()));
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
        Some(b'[' | b'{') => Value::Other { is_empty: raw[1..raw.len() - 1].trim().is_empty() },
        Some(b'"') => match serde_json::from_str(raw) {
            Ok(text) => Value::text(text),
            Err(_) => half_pairs(raw),
        },
        _ => Value::Number(python::number(raw)),
    }
}

/// JSON text that is well formed but for `\ud800` to `\udfff` without their other half, which Python lets pass.
fn half_pairs(raw: &str) -> Value {
    let mut units = Vec::new();
    let mut chars = raw[1..raw.len() - 1].chars();
    while let Some(c) = chars.next() {
        let c = if c == '\\' {
            match chars.next().unwrap_or('\\') {
                'u' => {
                    let hex: String = chars.by_ref().take(4).collect();
                    units.push(u16::from_str_radix(&hex, 16).unwrap_or(0xfffd));
                    continue;
                }
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                plain => plain,
            }
        } else {
            c
        };
        units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
    }
    let mut surrogate = None;
    let decoded = char::decode_utf16(units).map(|unit| {
        unit.unwrap_or_else(|half| {
            surrogate.get_or_insert(u32::from(half.unpaired_surrogate()));
            char::REPLACEMENT_CHARACTER
        })
    });
    Value::Text { text: decoded.collect(), surrogate }
}

fn form(body: &[u8], charset: Charset) -> Result<Fields, ApiError> {
    let text = charset.decode(body).unwrap_or_else(|_| python::latin1(body));
    if text.split('&').count() > MAX_FIELDS {
        return Err(too_many_fields());
    }
    let pairs = python::parse_form(&text, charset);
    Ok(Fields(pairs.into_iter().map(|(name, value)| (name, Value::text(value))).collect()))
}

async fn multipart(content_type: &str, media_type: &MediaType, body: Bytes) -> Result<Fields, ApiError> {
    let fail = |reason: String| ApiError::parse(&format!("Multipart form parse error - {reason}"));
    if !content_type.is_ascii() {
        return Err(fail(format!("Invalid non-ASCII Content-Type in multipart: {content_type}")));
    }
    let boundary = media_type.param("boundary").unwrap_or_default();
    let is_graphic = |byte: u8| (b' '..=b'~').contains(&byte);
    if boundary.is_empty() || boundary.len() > 201 || boundary.ends_with(' ') || !boundary.bytes().all(is_graphic) {
        let shown = if boundary.is_empty() { "None" } else { boundary };
        return Err(fail(format!("Invalid boundary in multipart: {shown}")));
    }
    // Django reads what is there: a missing end is as good as an end.
    let end = Bytes::from(format!("\r\n--{boundary}--\r\n"));
    let stream = stream::iter([Ok::<_, PayloadError>(body), Ok(end)]);
    let mut headers = HeaderMap::new();
    let quoted = format!("multipart/form-data; boundary=\"{}\"", boundary.replace('\\', "\\\\").replace('"', "\\\""));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(&quoted).map_err(|error| fail(error.to_string()))?);
    let mut parts = Multipart::new(&headers, stream);
    let mut fields = Fields::default();
    // What is no part is no field either: Django passes over it.
    while let Ok(Some(mut part)) = parts.try_next().await {
        let Some(name) = part.name().map(|name| name.trim().to_owned()) else { continue };
        let disposition = part.content_disposition();
        let is_file = disposition.is_some_and(|disposition| disposition.get_filename().is_some());
        let has_name =
            disposition.and_then(|disposition| disposition.get_filename()).is_some_and(|name| !name.is_empty());
        let mut content = BytesMut::new();
        while let Ok(Some(chunk)) = part.try_next().await {
            content.extend_from_slice(&chunk);
        }
        match (is_file, has_name) {
            (false, _) => fields.0.push((name, Value::text(String::from_utf8_lossy(&content).into_owned()))),
            (true, true) => fields.0.push((name, Value::Other { is_empty: false })),
            (true, false) => {}
        }
        if fields.0.len() > MAX_FIELDS {
            return Err(too_many_fields());
        }
    }
    Ok(fields)
}

fn too_many_fields() -> ApiError {
    ApiError::parse("The number of GET/POST parameters exceeded settings.DATA_UPLOAD_MAX_NUMBER_FIELDS.")
}
