//! Every state of a token is brought about; the page names it, and says of each endpoint exactly what that endpoint then
//! answers. So explanation and behaviour cannot diverge.

use std::cell::Cell;

use serde_json::{Value, json};

use super::{agrees, explain, server, text, verdict};
use crate::harness::forge::{self, jti};
use crate::harness::key_source::{KeySource, Signer};
use crate::harness::server::{NOW, SECRET};
use crate::harness::{Backend, PASSWORD, Pair};

both!(good_tokens_of_each_type_are_accepted_until);
fn good_tokens_of_each_type_are_accepted_until(backend: Backend) {
    let (server, mut panel) = server(backend, &[("JWT_AUTH_TOKEN_CLASSES", "access,sliding")]);
    server.add_user("alice");
    let pair = server.log_in("alice");
    agrees(&server, &mut panel, &pair.access, "Accepted until 1 Mar 2026, 12:05:00 UTC");
    let page = agrees(&server, &mut panel, &pair.refresh, "Accepted until 2 Mar 2026, 12:00:00 UTC");
    assert!(page.contains("current key") && page.contains("alice@example.com") && page.contains("/admin/sessions/"));
    let login = json!({"username": "alice", "password": PASSWORD});
    let sliding = server.client.post("/api/token/sliding/", &login).json()["token"].as_str().unwrap().to_owned();
    agrees(&server, &mut panel, &sliding, "Accepted until 1 Mar 2026, 12:05:00 UTC");
    // A token of another server with our key is nowhere recorded, and good.
    let foreign = forge::token("refresh", 2, |_| {});
    assert!(agrees(&server, &mut panel, &foreign, "Accepted until").contains("Not recorded here"));
}

both!(a_rotated_token_says_when_and_into_what);
fn a_rotated_token_says_when_and_into_what(backend: Backend) {
    let (server, mut panel) = server(backend, &[]);
    server.add_user("alice");
    let first = server.log_in("alice");
    let second = Pair::of(&server.refresh(&first.refresh));
    let used = "Refused: this refresh token was used already";
    let page = agrees(&server, &mut panel, &first.refresh, used);
    assert!(page.contains(&jti(&second.refresh)[..12]) && page.contains("1 Mar 2026, 12:00:00 UTC"), "{page}");
    assert!(!page.contains("session would end"));
    server.advance(11);
    let page = explain(&mut panel, &first.refresh);
    assert!(page.contains("session would end"), "{page}");
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_session WHERE ended_at IS NOT NULL"), 0);
    agrees(&server, &mut panel, &first.refresh, used);
    let page = agrees(&server, &mut panel, &first.refresh, used);
    assert!(page.contains("Its session ended") && page.contains("A used token came back"), "{page}");
    agrees(&server, &mut panel, &second.refresh, "Refused: it is blacklisted");
}

both!(a_refresh_that_may_be_repeated_is_accepted);
fn a_refresh_that_may_be_repeated_is_accepted(backend: Backend) {
    let (server, mut panel) = server(backend, &[("REFRESH_GRACE", "20s"), ("REUSE_ALARM_AFTER", "30s")]);
    server.add_user("alice");
    let first = server.log_in("alice");
    Pair::of(&server.refresh(&first.refresh));
    let page = explain(&mut panel, &first.refresh);
    assert!(verdict(&page).starts_with("Accepted until") && page.contains("REFRESH_GRACE"), "{page}");
    agrees(&server, &mut panel, &first.refresh, "Accepted until");
    server.advance(21);
    agrees(&server, &mut panel, &first.refresh, "Refused: this refresh token was used already");
}

both!(a_blacklisted_token_says_by_whom_and_why);
fn a_blacklisted_token_says_by_whom_and_why(backend: Backend) {
    let (server, mut panel) = server(backend, &[]);
    server.add_superuser("root");
    let mut root = server.panel_of("root");
    let alice = server.add_user("alice");
    let tokens: Vec<Pair> = (0..6).map(|_| server.log_in("alice")).collect();
    let out = |pair: &Pair, body: &Value| {
        server.client.bearer("POST", "/api/logout/", &pair.access, body).expect_status(200).status
    };
    out(&tokens[0], &json!({"refresh_token": tokens[0].refresh}));
    server.client.post("/api/token/blacklist/", &json!({"refresh": tokens[1].refresh})).expect_status(200);
    server.client.post("/api/token/revoke/", &json!({"token": tokens[2].refresh})).expect_status(200);
    let question =
        root.get(&format!("{}{}/blacklist/", super::super::OUTSTANDING, server.token_id(&tokens[3].refresh)));
    root.submit(&question, "/blacklist/", &[]).expect_status(303);
    out(&tokens[4], &json!({"others": true}));
    server.set_password(alice.id, "another-violet-harbour");
    for (pair, words) in tokens.iter().zip([
        "by alice, because the user logged out",
        "by alice, because a client sent it to the blacklist endpoint",
        "because a client revoked a token of its session",
        "by root, by an administrator",
        "by Command line, because the user’s password was changed",
        "by alice, because the user logged out all other sessions",
    ]) {
        let page = agrees(&server, &mut panel, &pair.refresh, "Refused: it is blacklisted");
        assert!(text(&page).contains(words), "{words}: {page}");
    }
}

both!(a_user_who_is_gone_or_inactive_is_the_reason);
fn a_user_who_is_gone_or_inactive_is_the_reason(backend: Backend) {
    let settings = [("END_SESSIONS_ON_USER_CHANGE", "false"), ("JWT_AUTH_TOKEN_CLASSES", "access,sliding")];
    let (server, mut panel) = server(backend, &settings);
    let alice = server.add_user("alice");
    let pair = server.log_in("alice");
    let sliding = forge::token("sliding", alice.id, |claims| claims["refresh_exp"] = json!(NOW + 60));
    server.set_active(alice.id, false);
    for token in [&pair.refresh, &pair.access, &sliding] {
        let page = agrees(&server, &mut panel, token, "Refused: its user is inactive");
        assert!(page.contains("Activate the user") || page.contains("active account"), "{page}");
    }
    server.delete(alice.id);
    agrees(&server, &mut panel, &pair.access, "Refused: it names an unknown user");
    agrees(&server, &mut panel, &pair.refresh, "Refused: its user was deleted");
    let unseen = forge::token("refresh", alice.id, |_| {});
    agrees(&server, &mut panel, &unseen, "Refused: it names an unknown user");
    let nobody = |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove("user_id"));
    agrees(&server, &mut panel, &forge::token("access", 1, nobody), "Refused: it names no user");
    agrees(&server, &mut panel, &forge::token("refresh", 1, nobody), "Refused: it names an unknown user");
}

both!(a_changed_password_is_the_reason_where_it_counts);
fn a_changed_password_is_the_reason_where_it_counts(backend: Backend) {
    let settings = [("END_SESSIONS_ON_USER_CHANGE", "false"), ("JWT_CHECK_REVOKE_TOKEN", "true")];
    let (server, mut panel) = server(backend, &settings);
    let alice = server.add_user("alice");
    let pair = server.log_in("alice");
    agrees(&server, &mut panel, &pair.access, "Accepted until");
    server.set_password(alice.id, "another-violet-harbour");
    for token in [&pair.refresh, &pair.access] {
        agrees(&server, &mut panel, token, "Refused: the password was changed");
    }
}

both!(a_session_that_is_over_is_the_reason);
fn a_session_that_is_over_is_the_reason(backend: Backend) {
    let settings = [
        ("JWT_CHECK_SESSION", "true"),
        ("SESSION_IDLE_TIMEOUT", "1h"),
        ("SESSION_MAX_AGE", "90m"),
        ("JWT_ACCESS_TOKEN_LIFETIME", "3h"),
    ];
    let (server, mut panel) = server(backend, &settings);
    let alice = server.add_user("alice");
    let (idle, pair) = (server.log_in("alice"), server.log_in("alice"));
    agrees(&server, &mut panel, &pair.access, "Accepted until 1 Mar 2026, 13:00:00 UTC");
    server.advance(3599);
    let pair = Pair::of(&server.refresh(&pair.refresh));
    server.advance(1);
    let ended = "Refused: its session has ended";
    assert!(explain(&mut panel, &idle.refresh).contains("SESSION_IDLE_TIMEOUT"));
    agrees(&server, &mut panel, &idle.access, ended);
    agrees(&server, &mut panel, &idle.refresh, ended);
    agrees(&server, &mut panel, &pair.access, "Accepted until 1 Mar 2026, 13:30:00 UTC");
    // One that names the session of another, or none that is there.
    let sid = forge::claims(&pair.access)["sid"].clone();
    let unseen = forge::token("refresh", alice.id, |claims| {
        (claims["sid"], claims["exp"]) = (sid, json!(NOW + 36_000));
    });
    server.advance(1800);
    assert!(explain(&mut panel, &unseen).contains("SESSION_MAX_AGE"));
    agrees(&server, &mut panel, &unseen, ended);
    let nowhere = forge::token("access", alice.id, |claims| {
        (claims["sid"], claims["exp"]) = (json!("0"), json!(NOW + 36_000));
    });
    agrees(&server, &mut panel, &nowhere, ended);
}

both!(what_the_token_itself_says_is_the_reason);
fn what_the_token_itself_says_is_the_reason(backend: Backend) {
    let (server, mut panel) = server(backend, &[("JWT_AUDIENCE", "us"), ("JWT_ISSUER", "me"), ("JWT_LEEWAY", "10s")]);
    let alice = server.add_user("alice");
    let good = |claims: &mut Value| (claims["aud"], claims["iss"]) = (json!("us"), json!("me"));
    let number = Cell::new(0);
    let token = |kind: &str, change: &dyn Fn(&mut Value)| {
        forge::token(kind, alice.id, |claims| {
            // A refresh with one would blacklist all that have its id.
            number.set(number.get() + 1);
            claims["jti"] = json!(format!("token {}", number.get()));
            good(claims);
            change(claims);
        })
    };
    let without = |name: &'static str| move |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove(name));
    for (change, wanted) in [
        (&(|_: &mut Value| {}) as &dyn Fn(&mut Value), "Accepted until 1 Mar 2026, 13:00:10 UTC"),
        (&|claims| claims["exp"] = json!(NOW - 10), "Refused: it expired"),
        (&|claims| claims["exp"] = json!("9999999999"), "Refused: its claims cannot be read"),
        (&|claims| claims["exp"] = json!(1e300), "Refused: its claims cannot be read"),
        (&|claims| claims["iat"] = json!(NOW + 60), "Refused: it is not valid yet"),
        (&|claims| claims["nbf"] = json!(NOW + 60), "Refused: it is not valid yet"),
        (&|claims| claims["nbf"] = json!({}), "Refused: it is not valid yet"),
        (&|claims| claims["sub"] = json!(5), "Refused: its claims cannot be read"),
        (&|claims| claims["iss"] = json!("you"), "Refused: it has another issuer"),
        (&|claims| claims["aud"] = json!(["them"]), "Refused: it is meant for another audience"),
        (&without("exp"), "Refused: its claims cannot be read"),
        (&without("jti"), "Refused: it has no id"),
        (&|claims| claims["jti"] = json!("x".repeat(256)), "Refused: its claims cannot be read"),
        (&|claims| claims["token_type"] = json!("id"), "Accepted until"),
        (&without("token_type"), "Accepted until"),
    ] {
        agrees(&server, &mut panel, &token("refresh", change), wanted);
        // Each of them at the other endpoints, and as the other types.
        for kind in ["access", "sliding"] {
            agrees(&server, &mut panel, &token(kind, change), "");
        }
    }
    let until = |exp: i64| token("sliding", &move |claims: &mut Value| claims["refresh_exp"] = json!(exp));
    agrees(&server, &mut panel, &until(NOW + 60), "Accepted until 1 Mar 2026, 12:01:10 UTC");
    agrees(&server, &mut panel, &until(NOW - 60), "Refused: it can no longer be refreshed");
    agrees(&server, &mut panel, &token("access", &without("exp")), "Refused: its claims cannot be read");
}

both!(a_bad_signature_or_form_is_the_reason);
fn a_bad_signature_or_form_is_the_reason(backend: Backend) {
    let (server, mut panel) = server(backend, &[]);
    server.add_user("alice");
    let pair = server.log_in("alice");
    let claims = forge::claims(&pair.refresh);
    let signed = |header: Value| forge::sign(&header, &claims, SECRET);
    let (message, _) = pair.refresh.rsplit_once('.').unwrap();
    let none = forge::sign(&json!({"alg": "none"}), &claims, SECRET);
    let payload = forge::sign_raw(br#"{"alg":"HS256"}"#, b"[]", SECRET);
    for (token, wanted) in [
        (
            forge::sign(&json!({"alg": "HS256"}), &claims, "another key, of thirty-two bytes"),
            "Refused: its signature is invalid",
        ),
        (format!("{message}."), "Refused: its signature is invalid"),
        (none.clone(), "Refused: it claims to need no signature"),
        (format!("{}.", none.rsplit_once('.').unwrap().0), "Refused: it claims to need no signature"),
        (signed(json!({"alg": "RS256"})), "Refused: it is signed with another algorithm"),
        (signed(json!({})), "Refused: it is signed with another algorithm"),
        (signed(json!({"alg": "HS256", "kid": 5})), "Refused: its header requires"),
        (signed(json!({"alg": "HS256", "crit": ["exp"]})), "Refused: its header requires"),
        (payload, "Refused: its claims cannot be read"),
        ("a.b.c".to_owned(), "Refused: this is not a token"),
        (format!("{}.x", pair.refresh), "Refused: this is not a token"),
        ("{\"access\": 5}".to_owned(), "Refused: this is not a token"),
        ("<script>alert(1)</script> & more".to_owned(), "Refused: this is not a token"),
        ("é".repeat(300), "Refused: this is not a token"),
        ("ey.".repeat(20_000), "Refused: this is not a token"),
    ] {
        let page = agrees(&server, &mut panel, &token, wanted);
        assert!(!page.contains("<script>"));
    }
}

both!(with_a_key_set_its_keys_count_and_no_other);
fn with_a_key_set_its_keys_count_and_no_other(backend: Backend) {
    let (other, own) = (Signer::new("2026"), Signer::new("own").pem());
    let source = KeySource::of(&[&other]);
    let settings = [("JWT_ALGORITHM", "EdDSA"), ("JWT_SIGNING_KEY", own.as_str()), ("JWT_JWK_URL", &source.url())];
    let (server, mut panel) = server(backend, &settings);
    let alice = server.add_user("alice");
    let id = alice.id.to_string();
    let claims = json!({"token_type": "access", "exp": NOW + 60, "iat": NOW, "jti": "j", "user_id": id});
    let page = agrees(&server, &mut panel, &other.sign(&claims), "Accepted until");
    assert!(text(&page).contains("Valid, made with the key “2026” of JWT_JWK_URL"), "{page}");
    let page = agrees(&server, &mut panel, &server.log_in("alice").access, "Refused: its key is not accepted");
    assert!(page.contains("This server made it"), "{page}");
    let page = agrees(&server, &mut panel, &Signer::new("1999").sign(&claims), "Refused: its key is not accepted");
    assert!(text(&page).contains("no usable key “1999”"), "{page}");
    agrees(&server, &mut panel, &Signer::new("2026").sign(&claims), "Refused: its signature is invalid");
}

both!(without_rotation_a_token_is_tried_the_other_way);
fn without_rotation_a_token_is_tried_the_other_way(backend: Backend) {
    let (server, mut panel) = server(backend, &[("JWT_ROTATE_REFRESH_TOKENS", "false"), ("SESSION_MAX_AGE", "1h")]);
    let alice = server.add_user("alice");
    let pair = server.log_in("alice");
    agrees(&server, &mut panel, &pair.refresh, "Accepted until");
    let sid = forge::claims(&pair.refresh)["sid"].clone();
    let longer = forge::token("refresh", alice.id, |claims| {
        (claims["sid"], claims["exp"]) = (sid, json!(NOW + 36_000));
    });
    server.advance(3600);
    agrees(&server, &mut panel, &longer, "Refused: its session has ended");
    agrees(&server, &mut panel, &pair.refresh, "Refused: it expired");
}
