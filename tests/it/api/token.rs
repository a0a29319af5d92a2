//! Obtaining and verifying tokens.

use serde_json::json;

use crate::harness::forge::{claims, jti};
use crate::harness::server::NOW;
use crate::harness::{Backend, PASSWORD, Pair, Server};

both!(a_token_pair_has_the_claims_of_simplejwt);
fn a_token_pair_has_the_claims_of_simplejwt(backend: Backend) {
    let server = Server::start(backend);
    let user = server.add_user("alice");
    let answer = server.obtain("alice", PASSWORD);
    let text = answer.text();
    assert!(text.find("\"refresh\"") < text.find("\"access\""), "{text}");

    let pair = Pair::of(&answer);
    for (token, kind, lifetime) in [(&pair.refresh, "refresh", 86_400), (&pair.access, "access", 300)] {
        let mut claims = claims(token);
        let jti = claims["jti"].take();
        assert_eq!(jti.as_str().unwrap().len(), 32);
        claims.as_object_mut().unwrap().remove("sid");
        let expected =
            json!({"token_type": kind, "exp": NOW + lifetime, "iat": NOW, "jti": null, "user_id": user.id.to_string()});
        assert_eq!(claims, expected);
    }
}

both!(a_refresh_token_is_recorded_without_its_signature);
fn a_refresh_token_is_recorded_without_its_signature(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let pair = server.log_in("alice");
    let (unsigned, _) = pair.refresh.rsplit_once('.').unwrap();
    let stored = server.db.texts("SELECT token AS t FROM token_blacklist_outstandingtoken");
    assert_eq!(stored, [Some(unsigned.to_owned())]);
    assert_eq!(server.db.text("SELECT jti AS t FROM token_blacklist_outstandingtoken"), Some(jti(&pair.refresh)));
}

both!(every_address_of_the_pair_endpoint_works);
fn every_address_of_the_pair_endpoint_works(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    for path in ["/api/token/", "/api/token", "/api/v1/token/", "/api/v1/token"] {
        Pair::of(&server.client.post(path, &json!({"username": "alice", "password": PASSWORD})));
    }
}

both!(unknown_inactive_and_wrong_password_sound_the_same);
fn unknown_inactive_and_wrong_password_sound_the_same(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let inactive = server.add_user("ina");
    server.set_active(inactive.id, false);
    let mut answers = Vec::new();
    for (username, password) in [("nobody", PASSWORD), ("ina", PASSWORD), ("alice", "wrong"), ("ALICE", PASSWORD)] {
        let answer = server.obtain(username, password);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"api\""));
        answer.expect(401, json!({"detail": "No active account found with the given credentials"}));
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
}

both!(verify_accepts_every_type_of_token);
fn verify_accepts_every_type_of_token(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let pair = server.log_in("alice");
    for token in [&pair.access, &pair.refresh] {
        server.client.post("/api/token/verify/", &json!({"token": token})).expect(200, json!({}));
    }
}

both!(verify_refuses_a_blacklisted_token);
fn verify_refuses_a_blacklisted_token(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let pair = server.log_in("alice");
    server.client.post("/api/token/blacklist/", &json!({"refresh": pair.refresh})).expect(200, json!({}));
    let answer = server.client.post("/api/token/verify/", &json!({"token": pair.refresh}));
    answer.expect(400, json!({"non_field_errors": ["Token is blacklisted"]}));
}

both!(an_access_token_expires);
fn an_access_token_expires(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let pair = server.log_in("alice");
    server.advance(299);
    server.me(&pair.access).expect_status(200);
    server.advance(1);
    let answer = server.client.post("/api/token/verify/", &json!({"token": pair.access}));
    answer.expect(401, json!({"detail": "Token is expired", "code": "token_not_valid"}));
    server.me(&pair.access).expect(
        401,
        json!({
            "detail": "Given token not valid for any token type",
            "code": "token_not_valid",
            "messages": [{"token_class": "AccessToken", "token_type": "access", "message": "Token is expired"}],
        }),
    );
}

both!(me_shows_the_user_and_no_more);
fn me_shows_the_user_and_no_more(backend: Backend) {
    let server = Server::start(backend);
    let user = server.add_user("alice");
    let pair = server.log_in("alice");
    let me = server.me(&pair.access).expect_status(200).json();
    assert_eq!(
        (&me["id"], &me["username"], &me["email"]),
        (&json!(user.id), &json!("alice"), &json!("alice@example.com"))
    );
    let names: Vec<&str> = me.as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        ["id", "username", "email", "first_name", "last_name", "is_staff", "is_superuser", "date_joined", "last_login"];
    assert_eq!(names, expected);
    assert_eq!(me["date_joined"], "2026-03-01T12:00:00.123456Z");
}
