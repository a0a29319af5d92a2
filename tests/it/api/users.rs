//! Users who are disabled, deleted, or have a new password: what their tokens are still worth.

use serde_json::json;

use crate::harness::{Backend, PASSWORD, Pair, Server};

const REFUSED: &str = "No active account found with the given credentials";

both!(a_disabled_user_is_out);
fn a_disabled_user_is_out(backend: Backend) {
    let server = Server::start(backend);
    let user = server.add_user("alice");
    let pair = server.log_in("alice");
    server.set_active(user.id, false);
    server.obtain("alice", PASSWORD).expect(401, json!({"detail": REFUSED}));
    server.me(&pair.access).expect(401, json!({"detail": "User is inactive", "code": "user_inactive"}));
    server.refresh(&pair.refresh).expect_status(401);
    // END_SESSIONS_ON_USER_CHANGE: being active again does not bring the old tokens back.
    server.set_active(user.id, true);
    server.refresh(&pair.refresh).expect(401, json!({"detail": "Token is blacklisted", "code": "token_not_valid"}));
    server.log_in("alice");
}

both!(a_user_disabled_by_a_django_beside_us_is_out);
fn a_user_disabled_by_a_django_beside_us_is_out(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let pair = server.log_in("alice");
    server.db.execute("UPDATE auth_user SET is_active = false WHERE username = 'alice'");
    server.refresh(&pair.refresh).expect(401, json!({"detail": "No active account found for the given token."}));
    server.me(&pair.access).expect(401, json!({"detail": "User is inactive", "code": "user_inactive"}));
    server.db.execute("UPDATE auth_user SET is_active = true WHERE username = 'alice'");
    Pair::of(&server.refresh(&pair.refresh));
}

both!(a_deleted_user_is_out_and_its_tokens_stay_without_an_owner);
fn a_deleted_user_is_out_and_its_tokens_stay_without_an_owner(backend: Backend) {
    let server = Server::start(backend);
    let user = server.add_user("alice");
    let pair = server.log_in("alice");
    server.delete(user.id);
    server.me(&pair.access).expect(401, json!({"detail": "User not found", "code": "user_not_found"}));
    server.refresh(&pair.refresh).expect_status(401);
    assert_eq!(server.db.count("SELECT count(*) FROM token_blacklist_outstandingtoken WHERE user_id IS NULL"), 1);
    assert_eq!(server.db.count("SELECT count(*) FROM token_blacklist_blacklistedtoken"), 1);
    assert_eq!(server.db.count("SELECT count(*) FROM auth_user"), 0);
}

both!(a_user_deleted_by_a_django_beside_us_is_out);
fn a_user_deleted_by_a_django_beside_us_is_out(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let pair = server.log_in("alice");
    // As Django does it, in one transaction.
    server
        .db
        .execute("BEGIN; UPDATE token_blacklist_outstandingtoken SET user_id = NULL; DELETE FROM auth_user; COMMIT");
    server.refresh(&pair.refresh).expect(401, json!({"detail": "No active account found for the given token."}));
    server.me(&pair.access).expect(401, json!({"detail": "User not found", "code": "user_not_found"}));
    server.client.post("/api/token/blacklist/", &json!({"refresh": pair.refresh})).expect(200, json!({}));
}

both!(a_new_password_ends_the_old_sessions);
fn a_new_password_ends_the_old_sessions(backend: Backend) {
    let server = Server::start(backend);
    let user = server.add_user("alice");
    let pair = server.log_in("alice");
    server.set_password(user.id, "quiet-lantern-23");
    server.obtain("alice", PASSWORD).expect(401, json!({"detail": REFUSED}));
    server.refresh(&pair.refresh).expect(401, json!({"detail": "Token is blacklisted", "code": "token_not_valid"}));
    Pair::of(&server.obtain("alice", "quiet-lantern-23"));
}

both!(an_outdated_hash_is_replaced_after_a_correct_login);
fn an_outdated_hash_is_replaced_after_a_correct_login(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    // "violet-harbour-17", as PBKDF2 with a thousand rounds.
    let old = "pbkdf2_sha256$1000$tests$G3qaLX2aqss1d3Kvocb8oBCmte6jsxiwbte+71z4uCA=";
    server.db.execute(&format!("UPDATE auth_user SET password = '{old}'"));
    let stored = || server.db.text("SELECT password AS t FROM auth_user").unwrap();

    server.obtain("alice", "wrong").expect_status(401);
    assert_eq!(stored(), old);
    server.log_in("alice");
    let new = stored();
    assert!(new.starts_with("bcrypt_sha256$$2b$04$"), "{new}");
    server.log_in("alice");
    assert_eq!(stored(), new);
}

both!(a_login_by_address_needs_it_to_be_the_only_one);
fn a_login_by_address_needs_it_to_be_the_only_one(backend: Backend) {
    let server = Server::with(backend, &[("USERNAME_FIELD", "username_or_email")]);
    server.add_user("alice");
    server.add_user("bob");
    Pair::of(&server.obtain("alice@example.com", PASSWORD));
    server.db.execute("UPDATE auth_user SET email = 'alice@example.com'");
    server.obtain("alice@example.com", PASSWORD).expect(401, json!({"detail": REFUSED}));
    Pair::of(&server.obtain("alice", PASSWORD));
}

both!(with_addresses_as_names_the_field_is_called_email);
fn with_addresses_as_names_the_field_is_called_email(backend: Backend) {
    let server = Server::with(backend, &[("USERNAME_FIELD", "email")]);
    server.add_user("alice");
    let post = |body| server.client.post("/api/token/", &body);
    Pair::of(&post(json!({"email": "alice@example.com", "password": PASSWORD})));
    post(json!({"username": "alice", "password": PASSWORD})).expect(400, json!({"email": ["This field is required."]}));
}
