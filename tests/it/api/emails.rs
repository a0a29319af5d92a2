//! Another address over the API: it is confirmed where it is read, and the old one hears of it.

use latchkey::db::types::UserId;
use serde_json::json;

use super::passwords::{NEW, assert_dead, stage};
use crate::harness::{Answer, Backend, PASSWORD, Pair, Server, Smtp};

const CONFIRMED: &str = "SELECT confirmed_email AS t FROM latchkey_user WHERE confirmed_email IS NOT NULL";

impl Server {
    fn ask_for_address(&self, access: &str, email: &str, password: &str) -> Answer {
        self.client.bearer("POST", "/api/email/change/", access, &json!({"email": email, "password": password}))
    }

    fn confirm_address(&self, token: &str) -> Answer {
        self.client.post("/api/email/confirm/", &json!({"token": token}))
    }

    fn address_of_alice(&self) -> String {
        self.text("SELECT email AS t FROM auth_user WHERE username = 'alice'")
    }
}

/// The token of a link to this address.
#[track_caller]
fn token(smtp: &Smtp, server: &Server, access: &str, email: &str) -> String {
    server.ask_for_address(access, email, PASSWORD).expect_status(200);
    server.deliver_mail();
    smtp.last_token()
}

both!(an_address_becomes_the_users_when_it_is_confirmed);
fn an_address_becomes_the_users_when_it_is_confirmed(backend: Backend) {
    let (smtp, server) = stage(backend, &[("EMAIL_CONFIRM_URL", "https://app.example.com/confirm?token={token}")]);
    let pair = server.log_in("alice");
    let reset = server.reset_token(&smtp);
    let token = token(&smtp, &server, &pair.access, "Alice@EXAMPLE.org");
    assert!(smtp.last_to("Alice@example.org").text.contains("https://app.example.com/confirm?token="));
    assert_eq!(server.address_of_alice(), "alice@example.com");
    server.confirm_address(&token).expect(200, json!({"email": "Alice@example.org"}));
    assert_eq!(server.address_of_alice(), "Alice@example.org");
    assert_eq!(server.text(CONFIRMED), "Alice@example.org");
    assert_dead(&server.confirm_address(&token));
    assert_dead(&server.reset(&reset, NEW));
    server.deliver_mail();
    let notice = smtp.last_to("alice@example.com");
    assert_eq!(notice.subject(), "Your email address for Latchkey was changed");
    assert!(notice.text.contains("Alice@example.org"), "{}", notice.text);
    server.refresh(&pair.refresh).expect_status(200);
}

both!(the_present_address_is_confirmed_in_the_same_way);
fn the_present_address_is_confirmed_in_the_same_way(backend: Backend) {
    let (smtp, server) = stage(backend, &[]);
    let pair = server.log_in("alice");
    let token = token(&smtp, &server, &pair.access, "alice@example.com");
    assert_eq!(server.text(CONFIRMED), "");
    server.confirm_address(&token).expect(200, json!({"email": "alice@example.com"}));
    assert_eq!(server.text(CONFIRMED), "alice@example.com");
    server.deliver_mail();
    assert_eq!(smtp.received().len(), 1, "nothing changed, so nobody is told");
}

both!(nobody_learns_whose_an_address_is);
fn nobody_learns_whose_an_address_is(backend: Backend) {
    let (smtp, server) = stage(backend, &[]);
    server.add_user("bob");
    let access = server.log_in("alice").access;
    let taken = server.ask_for_address(&access, "BOB@example.com", PASSWORD);
    let free = server.ask_for_address(&access, "free@example.com", PASSWORD);
    assert_eq!((taken.status, taken.text()), (free.status, free.text()));
    server.deliver_mail();
    assert_eq!(smtp.only().to, ["free@example.com"]);
    // Somebody else was quicker.
    server.db.execute("UPDATE auth_user SET email = 'free@example.com' WHERE username = 'bob'");
    assert_dead(&server.confirm_address(&smtp.only().token()));
}

both!(an_address_takes_the_password_and_has_to_be_one);
fn an_address_takes_the_password_and_has_to_be_one(backend: Backend) {
    let (smtp, server) = stage(backend, &[]);
    let access = server.log_in("alice").access;
    let wrong = json!({"password": ["Your password was entered incorrectly. Please enter it again."]});
    server.ask_for_address(&access, "a@example.org", "wrong").expect(400, wrong);
    let invalid = json!({"email": ["Enter a valid email address."]});
    server.ask_for_address(&access, "nonsense", PASSWORD).expect(400, invalid);
    server.deliver_mail();
    assert!(smtp.received().is_empty());
}

both!(a_link_to_an_address_dies_after_a_day_and_with_the_password);
fn a_link_to_an_address_dies_after_a_day_and_with_the_password(backend: Backend) {
    let (smtp, server) = stage(backend, &[("JWT_ACCESS_TOKEN_LIFETIME", "2 days")]);
    let access = server.log_in("alice").access;
    let late = token(&smtp, &server, &access, "a@example.org");
    server.advance(24 * 3600);
    assert_dead(&server.confirm_address(&late));
    let old = token(&smtp, &server, &access, "b@example.org");
    let newer = token(&smtp, &server, &access, "c@example.org");
    assert_dead(&server.confirm_address(&old));
    server.set_password(UserId::Integer(server.db.count("SELECT id FROM auth_user")), NEW);
    assert_dead(&server.confirm_address(&newer));
    // A link for an address is none for a password, and the other way round.
    Pair::of(&server.obtain("alice", NEW));
    server.advance(1);
    let reset = server.reset_token(&smtp);
    assert_dead(&server.confirm_address(&reset));
    server.reset(&reset, PASSWORD).expect_status(200);
}
