//! The three kinds of body that the endpoints read, and how values are cleaned.

use serde_json::json;

use crate::harness::{Backend, PASSWORD, Pair, Server};

both!(json_form_and_multipart_bodies_are_the_same);
fn json_form_and_multipart_bodies_are_the_same(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    Pair::of(&server.client.post("/api/token/", &json!({"username": "alice", "password": PASSWORD})));
    let pair = Pair::of(&server.client.post_form("/api/token/", &[("username", "alice"), ("password", PASSWORD)]));
    let part =
        |name: &str, value: &str| format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let multipart = |body: String, path: &str| {
        let body = format!("{body}--x--\r\n");
        server.client.send("POST", path, &[("content-type", "multipart/form-data; boundary=x")], body)
    };
    Pair::of(&multipart(part("username", "alice") + &part("password", PASSWORD), "/api/token/"));
    Pair::of(&multipart(part("refresh", &pair.refresh), "/api/token/refresh/"));
}

both!(values_are_trimmed_and_numbers_become_text);
fn values_are_trimmed_and_numbers_become_text(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("4711");
    Pair::of(&server.client.post("/api/token/", &json!({"username": 4711, "password": format!("  {PASSWORD}\n")})));
    Pair::of(&server.client.post("/api/token/", &json!({"username": "\u{a0}4711\t", "password": PASSWORD})));
}

both!(the_last_of_repeated_names_counts);
fn the_last_of_repeated_names_counts(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let twice = format!(r#"{{"username":"bob","username":"alice","password":"{PASSWORD}"}}"#);
    Pair::of(&server.client.send("POST", "/api/token/", &[("content-type", "application/json")], twice));
    let twice = [("username", "bob"), ("username", "alice"), ("password", PASSWORD)];
    Pair::of(&server.client.post_form("/api/token/", &twice));
}
