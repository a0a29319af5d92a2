//! The same request as a command, to be copied into a terminal.

use actix_web::http::Method;
use serde_json::{Map, Value, json};

use crate::config::Config;

use super::form::{self, Sent};
use super::title_case;

/// What nobody filled in, and every password.
const LEFT_OUT: &str = "…";

/// A command for curl that sends these fields as a client does. The password is left out.
pub fn command(config: &Config, method: &Method, path: &str, fields: &[&'static str], sent: &Sent) -> String {
    let curl = if *method == Method::GET { "curl".to_owned() } else { format!("curl -X {method}") };
    let mut parts = vec![curl];
    if fields.contains(&form::ACCESS_TOKEN) {
        let (name, jwt) = (&config.jwt.auth_header_name, &config.jwt);
        let scheme = jwt.auth_header_types.first().map_or("Bearer", String::as_str);
        let token = sent.token(form::ACCESS_TOKEN).unwrap_or(LEFT_OUT);
        parts.push(format!("-H {}", quoted(&format!("{}: {scheme} {token}", title_case(name)))));
    }
    if [Method::POST, Method::PATCH].contains(method) {
        parts.push("-H 'Content-Type: application/json'".to_owned());
        parts.push(format!("-d {}", quoted(&body(fields, sent).to_string())));
    }
    parts.push(quoted(&format!("{}{path}", config.server.public_origin())));
    parts.join(" \\\n  ")
}

fn body(fields: &[&'static str], sent: &Sent) -> Value {
    let value = |name: &str| match name {
        "password" | "code" => Some(json!(LEFT_OUT)),
        "all" | "others" | "remember" => sent.fields.has(name).then(|| json!(true)),
        _ => Some(json!(sent.token(name).unwrap_or(LEFT_OUT))),
    };
    let fields = fields.iter().filter(|name| **name != form::ACCESS_TOKEN);
    Value::Object(fields.filter_map(|name| Some(((*name).to_owned(), value(name)?))).collect::<Map<_, _>>())
}

/// A word as a POSIX shell takes it: nothing inside means anything.
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
