//! The same request as a curl command, to be copied into a terminal.

use actix_web::http::Method;
use serde_json::{Map, Value, json};

use crate::config::Config;

use super::super::field::{Control, Field};
use super::page_request::{ACCESS_TOKEN, PageRequest};
use super::title_case;

/// Stands for empty fields and for every password.
const LEFT_OUT: &str = "…";

/// A command for curl that sends these fields as a client does. Passwords and codes are left out.
pub fn command(config: &Config, method: &Method, request: &PageRequest, fields: &[Field]) -> String {
    let curl = if *method == Method::GET { "curl".to_owned() } else { format!("curl -X {method}") };
    let mut parts = vec![curl];
    if fields.iter().any(|field| field.name == ACCESS_TOKEN) {
        let (name, jwt) = (&config.jwt.auth_header_name, &config.jwt);
        let scheme = jwt.auth_header_types.first().map_or("Bearer", String::as_str);
        let token = request.token(ACCESS_TOKEN).unwrap_or(LEFT_OUT);
        parts.push(format!("-H {}", quoted(&format!("{}: {scheme} {token}", title_case(name)))));
    }
    if [Method::POST, Method::PATCH].contains(method) {
        parts.push("-H 'Content-Type: application/json'".to_owned());
        parts.push(format!("-d {}", quoted(&body(request, fields).to_string())));
    }
    parts.push(quoted(&format!("{}{}", config.server.public_origin(), request.frame.here)));
    parts.join(" \\\n  ")
}

fn body(request: &PageRequest, fields: &[Field]) -> Value {
    let value = |field: &Field| match field.control {
        Control::Password | Control::Code => Some(json!(LEFT_OUT)),
        Control::Checkbox => request.fields.has(field.name).then(|| json!(true)),
        Control::Text | Control::Token => Some(json!(request.token(field.name).unwrap_or(LEFT_OUT))),
    };
    let fields = fields.iter().filter(|field| field.name != ACCESS_TOKEN);
    Value::Object(fields.filter_map(|field| Some((field.name.to_owned(), value(field)?))).collect::<Map<_, _>>())
}

/// Quotes a word for a POSIX shell, so that nothing in it has a special meaning.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/%".contains(c);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_every_word_as_it_is() {
        assert_eq!(quoted("http://127.0.0.1:8000/api/token/"), "http://127.0.0.1:8000/api/token/");
        assert_eq!(quoted("$(id) `id` \\ \"x\""), "'$(id) `id` \\ \"x\"'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted("a\nb;c"), "'a\nb;c'");
    }
}
