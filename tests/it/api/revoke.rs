//! RFC 7009: whoever holds a token ends its session with it, and is never told whether there was one.

use serde_json::{Value, json};

use crate::harness::forge::{self, claims};
use crate::harness::{Answer, Backend, PASSWORD, Pair, Server};

const PATH: &str = "/api/token/revoke/";

fn revoke(server: &Server, token: &str) -> Answer {
    server.client.post_form(PATH, &[("token", token), ("token_type_hint", "whatever")])
}

#[track_caller]
fn expect_done(server: &Server, token: &str) {
    revoke(server, token).expect(200, json!({}));
}

fn revoked(server: &Server) -> i64 {
    server.db.count("SELECT count(*) FROM latchkey_session WHERE end_reason = 'revoke' AND ended_by = 'alice'")
}

both!(a_refresh_token_ends_its_session_and_no_other);
fn a_refresh_token_ends_its_session_and_no_other(backend: Backend) {
    let server = Server::with(backend, &[("JWT_CHECK_SESSION", "true")]);
    server.add_user("alice");
    let (here, there) = (server.log_in("alice"), server.log_in("alice"));
    expect_done(&server, &here.refresh);
    server.refresh(&here.refresh).expect_status(401);
    server.me(&here.access).expect_status(401);
    assert_eq!(revoked(&server), 1);
    expect_done(&server, &here.refresh);
    let there = Pair::of(&server.refresh(&there.refresh));
    server.me(&there.access).expect_status(200);
    server.client.post("/api/v1/token/revoke", &json!({"token": there.refresh})).expect(200, json!({}));
    assert_eq!(revoked(&server), 2);
}

both!(a_rotated_token_ends_its_session_too);
fn a_rotated_token_ends_its_session_too(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let first = server.log_in("alice");
    let second = Pair::of(&server.refresh(&first.refresh));
    expect_done(&server, &first.refresh);
    server.refresh(&second.refresh).expect_status(401);
    assert_eq!(revoked(&server), 1);
}

both!(sliding_and_access_tokens_end_their_session);
fn sliding_and_access_tokens_end_their_session(backend: Backend) {
    let server = Server::with(backend, &[("JWT_AUTH_TOKEN_CLASSES", "access,sliding")]);
    server.add_user("alice");
    let pair = server.log_in("alice");
    expect_done(&server, &pair.access);
    server.refresh(&pair.refresh).expect_status(401);
    expect_done(&server, &pair.access);
    let login = json!({"username": "alice", "password": PASSWORD});
    let sliding = server.client.post("/api/token/sliding/", &login).json()["token"].as_str().unwrap().to_owned();
    server.me(&sliding).expect_status(200);
    expect_done(&server, &sliding);
    server.me(&sliding).expect_status(401);
    assert_eq!(revoked(&server), 2);
}

both!(an_access_token_without_a_session_cannot_be_revoked);
fn an_access_token_without_a_session_cannot_be_revoked(backend: Backend) {
    let server = Server::with(backend, &[("JWT_SESSION_CLAIM", "none")]);
    server.add_user("alice");
    let pair = server.log_in("alice");
    let description = "This token belongs to no session and has no id: it ends by itself.";
    let unsupported = json!({"error": "unsupported_token_type", "error_description": description});
    revoke(&server, &pair.access).expect(400, unsupported);
    expect_done(&server, &pair.refresh);
    server.refresh(&pair.refresh).expect_status(401);
    assert_eq!(revoked(&server), 1);
}

both!(what_is_no_good_token_is_no_error);
fn what_is_no_good_token_is_no_error(backend: Backend) {
    let server = Server::start(backend);
    let alice = server.add_user("alice").id;
    server.add_user("bob");
    let (pair, bob) = (server.log_in("alice"), server.log_in("bob"));
    for token in ["x", "a.b.c", "a\0b", "é", &"z".repeat(50_000)] {
        expect_done(&server, token);
    }
    let header = json!({"alg": "HS256", "typ": "JWT"});
    expect_done(&server, &forge::sign(&header, &claims(&pair.refresh), "another key of thirty-two bytes!!"));
    let changed = |kind: &str, change: &dyn Fn(&mut Value)| forge::token(kind, alice, change);
    let expired = |claims: &mut Value| claims["exp"] = claims["iat"].clone();
    expect_done(&server, &changed("refresh", &expired));
    expect_done(&server, &changed("refresh", &|claims| claims["jti"] = json!("x".repeat(256))));
    // Somebody else's session is not ended by a token of one's own.
    let stranger = claims(&bob.access)["sid"].clone();
    for kind in ["access", "refresh"] {
        expect_done(&server, &changed(kind, &|claims| claims["sid"] = stranger.clone()));
    }
    expect_done(&server, &changed("access", &|claims| claims["sid"] = json!("unknown")));
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_session WHERE ended_at IS NULL"), 2);
    server.refresh(&bob.refresh).expect_status(200);
}

both!(a_token_has_to_be_there);
fn a_token_has_to_be_there(backend: Backend) {
    let server = Server::start(backend);
    let missing = json!({"error": "invalid_request", "error_description": "The parameter token is missing."});
    server.client.post_form(PATH, &[]).expect(400, missing.clone());
    server.client.post_form(PATH, &[("token", "")]).expect(400, missing.clone());
    server.client.post(PATH, &json!({"token": null})).expect(400, missing);
    server.client.get(PATH, &[]).expect_status(405);
}

both!(a_token_of_django_is_revoked_although_nobody_here_has_seen_it);
fn a_token_of_django_is_revoked_although_nobody_here_has_seen_it(backend: Backend) {
    let server = Server::start(backend);
    let alice = server.add_user("alice");
    let pair = server.log_in("alice");
    // Django rotated a token of ours: only its claim says where it belongs.
    let unseen = forge::token("refresh", alice.id, |made| made["sid"] = claims(&pair.access)["sid"].clone());
    expect_done(&server, &unseen);
    server.refresh(&unseen).expect_status(401);
    server.refresh(&pair.refresh).expect_status(401);
    assert_eq!(revoked(&server), 1);
    let nobodys = forge::token("refresh", 999_999, |claims| claims["jti"] = json!("n".repeat(32)));
    expect_done(&server, &nobodys);
}
