//! Cross-origin requests: django-cors-headers' settings under its names. `web/cors.rs` applies them.

use super::parse::{self, ValueError};
use super::reader::Reader;

/// django-cors-headers' settings.
#[derive(Debug, Clone)]
pub struct Cors {
    /// `CORS_ALLOWED_ORIGINS`, as a browser sends them; `null` may be among them.
    pub allowed_origins: Vec<String>,
    /// `CORS_ALLOW_ALL_ORIGINS`.
    pub allow_all_origins: bool,
    /// `CORS_ALLOW_CREDENTIALS`.
    pub allow_credentials: bool,
    /// `CORS_ALLOW_HEADERS`, in lower case.
    pub allow_headers: Vec<String>,
    /// `CORS_EXPOSE_HEADERS`.
    pub expose_headers: Vec<String>,
}

impl Cors {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let cors = Self {
            allowed_origins: reader.optional("CORS_ALLOWED_ORIGINS", parse::some(origin)).unwrap_or_default(),
            allow_all_origins: reader.read("CORS_ALLOW_ALL_ORIGINS", parse::boolean),
            allow_credentials: reader.read("CORS_ALLOW_CREDENTIALS", parse::boolean),
            allow_headers: reader.read("CORS_ALLOW_HEADERS", parse::some(parse::header_name)),
            expose_headers: reader.read("CORS_EXPOSE_HEADERS", parse::some(parse::http_token)),
        };
        // django-cors-headers allows this and echoes the origin; so do we, but with a warning.
        if cors.allow_all_origins && cors.allow_credentials {
            reader.warnings.push(
                "CORS_ALLOW_ALL_ORIGINS with CORS_ALLOW_CREDENTIALS lets every web site act with its visitors' cookies; \
                 name the origins in CORS_ALLOWED_ORIGINS"
                    .to_owned(),
            );
        }
        cors
    }
}

/// `scheme://host[:port]` in the form of RFC 6454 section 6.2, or `null`.
fn origin(value: &str) -> Result<String, ValueError> {
    if value == "null" {
        return Ok(value.to_owned());
    }
    let fault = || "is no origin: scheme://host or scheme://host:port, without a path".to_owned();
    let url = url::Url::parse(value).map_err(|_| fault())?;
    let (_, authority) = value.split_once("://").ok_or_else(fault)?;
    let is_bare = !authority.contains(['/', '?', '#', '@', '\\', '*']) && !value.contains(char::is_whitespace);
    if !is_bare || url.host_str().is_none_or(str::is_empty) {
        return Err(fault());
    }
    // Browsers omit the scheme's default port, so the list must not have it either.
    match url.origin() {
        origin @ url::Origin::Tuple(..) => Ok(origin.ascii_serialization()),
        url::Origin::Opaque(_) => Ok(value.to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_kept_as_browsers_send_them() {
        for (given, kept) in [
            ("https://App.example.com", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("null", "null"),
        ] {
            assert_eq!(origin(given).as_deref(), Ok(kept));
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for given in [
            "app.example.com",
            "https://",
            "https://a.example.com/",
            "https://a.example.com/path",
            "https://a?b",
            "https://a#b",
            "https://user@a",
            "https://*.example.com",
            "*",
            "https:a",
            "https://a b",
            "http://a:99999",
        ] {
            assert!(origin(given).is_err(), "{given}");
        }
    }
}
