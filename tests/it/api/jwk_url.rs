//! `JWT_JWK_URL` through the API: tokens of another issuer, by the keys that it publishes.
//! How the set is fetched and kept is in `key_set.rs`.

use latchkey::key_set::{COOLDOWN, LIFESPAN};
use serde_json::{Value, json};

use crate::harness::key_source::{KeySource, Signer, nobody};
use crate::harness::server::NOW;
use crate::harness::{Answer, Backend, Server};

fn server(backend: Backend, url: &str) -> Server {
    let own = Signer::new("own").pem();
    Server::with(backend, &[("JWT_ALGORITHM", "EdDSA"), ("JWT_SIGNING_KEY", &own), ("JWT_JWK_URL", url)])
}

/// A token of the other issuer for user 1; `number` makes it another one.
fn token(signer: &Signer, kind: &str, number: u8) -> String {
    let jti = format!("{number:032}");
    signer.sign(&json!({"token_type": kind, "exp": NOW + 36_000, "iat": NOW, "jti": jti, "user_id": "1"}))
}

fn verify(server: &Server, token: &str) -> Answer {
    server.client.post("/api/token/verify/", &json!({"token": token}))
}

fn invalid() -> Value {
    json!({"detail": "Token is invalid", "code": "token_not_valid"})
}

/// `COOLDOWN` and `LIFESPAN` in the server's time.
fn seconds(duration: std::time::Duration) -> i64 {
    duration.as_secs().try_into().unwrap()
}

both!(tokens_of_another_issuer_are_good_at_every_endpoint);
fn tokens_of_another_issuer_are_good_at_every_endpoint(backend: Backend) {
    let other = Signer::new("2026");
    let source = KeySource::of(&[&other]);
    let server = server(backend, &source.url());
    server.add_user("alice");
    let (access, refresh) = (token(&other, "access", 1), token(&other, "refresh", 2));
    server.me(&access).expect_status(200);
    verify(&server, &access).expect(200, json!({}));
    server.refresh(&refresh).expect_status(200);
    let blacklisted = json!({"detail": "Token is blacklisted", "code": "token_not_valid"});
    server.refresh(&refresh).expect(401, blacklisted);
    server.client.post("/api/token/blacklist/", &json!({"refresh": token(&other, "refresh", 3)})).expect_status(200);
    assert_eq!(source.asked(), 1);
}

both!(no_other_key_verifies_also_not_our_own);
fn no_other_key_verifies_also_not_our_own(backend: Backend) {
    let other = Signer::new("2026");
    let source = KeySource::of(&[&other]);
    let server = server(backend, &source.url());
    server.add_user("alice");
    // As in SimpleJWT: what we sign names no key.
    let pair = server.log_in("alice");
    for bad in [pair.access.clone(), token(&Signer::new("2026"), "access", 1), token(&Signer::new("no"), "access", 1)] {
        verify(&server, &bad).expect(401, invalid());
        assert_eq!(server.me(&bad).expect_status(401).json()["messages"][0]["message"], "Token is invalid");
    }
    server.refresh(&pair.refresh).expect(401, invalid());
    assert_eq!(source.asked(), 1);
}

both!(a_rotated_key_is_found_and_a_lost_source_is_not_missed);
fn a_rotated_key_is_found_and_a_lost_source_is_not_missed(backend: Backend) {
    let (old, new) = (Signer::new("2025"), Signer::new("2026"));
    let source = KeySource::of(&[&old]);
    let server = server(backend, &source.url());
    server.add_user("alice");
    server.me(&token(&old, "access", 1)).expect_status(200);
    source.publish(&[&new]);
    server.advance(seconds(COOLDOWN));
    server.me(&token(&new, "access", 2)).expect_status(200);
    server.me(&token(&old, "access", 1)).expect_status(401);
    source.go_away();
    server.advance(seconds(LIFESPAN) * 10);
    server.me(&token(&new, "access", 2)).expect_status(200);
    verify(&server, &token(&old, "access", 1)).expect(401, invalid());
}

both!(before_the_first_keys_every_token_is_invalid);
fn before_the_first_keys_every_token_is_invalid(backend: Backend) {
    let other = Signer::new("2026");
    let source = KeySource::of(&[&other]);
    for answer in ["<html>", r#"{"keys":[{"kty":"oct","k":"AAAA","kid":"2026"}]}"#, r#"{"keys":[]}"#] {
        source.answer(200, answer);
        let server = server(backend, &source.url());
        verify(&server, &token(&other, "access", 1)).expect(401, invalid());
        server.me(&token(&other, "access", 1)).expect_status(401);
    }
    let server = server(backend, &nobody());
    server.add_user("alice");
    verify(&server, &token(&other, "access", 1)).expect(401, invalid());
    // Logging in needs no key of others.
    server.log_in("alice");
}
