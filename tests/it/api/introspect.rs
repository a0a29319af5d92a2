//! RFC 7662: who may ask, what an active token says, and that every other says nothing at all.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::forge::{self, claims};
use crate::harness::http::form;
use crate::harness::{Answer, Backend, PASSWORD, Pair, Server};

const PATH: &str = "/api/token/introspect/";
const SECRET: &str = "s3cret+with/signs=0123456789abcdef";
const CLIENT: [(&str, &str); 2] = [("INTROSPECTION_CLIENT_ID", "my-api"), ("INTROSPECTION_CLIENT_SECRET", SECRET)];

fn with_client(backend: Backend, settings: &[(&str, &str)]) -> Server {
    Server::with(backend, &CLIENT.iter().chain(settings).copied().collect::<Vec<_>>())
}

fn basic(server: &Server, credentials: &str, fields: &[(&str, &str)]) -> Answer {
    let authorization = format!("Basic {}", STANDARD.encode(credentials));
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    server.client.send("POST", PATH, &headers, form(fields))
}

fn ask(server: &Server, token: &str) -> Answer {
    basic(server, &format!("my-api:{SECRET}"), &[("token", token), ("token_type_hint", "access_token")])
}

#[track_caller]
fn expect_inactive(server: &Server, token: &str) {
    ask(server, token).expect(200, json!({"active": false}));
}

#[track_caller]
fn expect_active(server: &Server, token: &str) -> Value {
    let answer = ask(server, token).expect_status(200).json();
    assert_eq!(answer["active"], json!(true), "{answer}");
    answer
}

fn sliding(server: &Server) -> String {
    let login = json!({"username": "alice", "password": PASSWORD});
    server.client.post("/api/token/sliding/", &login).json()["token"].as_str().unwrap().to_owned()
}

both!(only_who_may_ask_is_told);
fn only_who_may_ask_is_told(backend: Backend) {
    let server = with_client(backend, &[]);
    for name in ["alice", "bob"] {
        server.add_user(name);
    }
    server.add_superuser("root");
    let (alice, root) = (server.log_in("alice"), server.log_in("root"));
    let token = [("token", alice.access.as_str())];
    let body = json!({"token": alice.access});
    for path in [PATH, "/api/token/introspect", "/api/v1/token/introspect/"] {
        let answer = server.client.bearer("POST", path, &root.access, &body);
        assert_eq!(answer.expect_status(200).json()["username"], "alice");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let denied = json!({"detail": "You do not have permission to perform this action."});
    server.client.bearer("POST", PATH, &alice.access, &body).expect(403, denied);
    let nobody = server.client.post(PATH, &body);
    assert_eq!(nobody.header("www-authenticate"), Some("Bearer realm=\"api\""));
    nobody.expect(401, json!({"detail": "Authentication credentials were not provided."}));
    server.client.bearer("POST", PATH, "nonsense", &body).expect_status(401);

    let wrong = json!({"error": "invalid_client"});
    let encoded = SECRET.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    basic(&server, &format!("my-api:{encoded}"), &token).expect_status(200);
    for credentials in ["my-api:wrong", "other:s3cret", ":", "my-api", &format!("other:{SECRET}"), "\u{0}:\u{0}"] {
        let refused = basic(&server, credentials, &token);
        assert_eq!(refused.header("www-authenticate"), Some("Basic realm=\"api\""), "{credentials}");
        refused.expect(401, wrong.clone());
    }
    // The same in the body, where there is no header.
    let in_body = |id: &str, secret: &str| {
        server.client.post(PATH, &json!({"token": alice.access, "client_id": id, "client_secret": secret}))
    };
    in_body("my-api", SECRET).expect_status(200);
    in_body("my-api", "").expect(401, wrong.clone());
    server.client.post(PATH, &json!({"token": alice.access, "client_id": "my-api"})).expect(401, wrong);
}

both!(without_a_client_in_the_settings_nobody_is_it);
fn without_a_client_in_the_settings_nobody_is_it(backend: Backend) {
    let server = Server::start(backend);
    for credentials in [":", "my-api:", &format!("my-api:{SECRET}")] {
        basic(&server, credentials, &[("token", "x")]).expect(401, json!({"error": "invalid_client"}));
    }
    let fields = [("token", "x"), ("client_id", ""), ("client_secret", "")];
    server.client.post_form(PATH, &fields).expect(401, json!({"error": "invalid_client"}));
}

both!(a_token_has_to_be_there);
fn a_token_has_to_be_there(backend: Backend) {
    let server = with_client(backend, &[]);
    let missing = json!({"error": "invalid_request", "error_description": "The parameter token is missing."});
    let credentials = format!("my-api:{SECRET}");
    basic(&server, &credentials, &[]).expect(400, missing.clone());
    basic(&server, &credentials, &[("token", "  ")]).expect(400, missing.clone());
    for token in [Value::Null, json!(5), json!(["a"]), json!("")] {
        let body = json!({"token": token, "client_id": "my-api", "client_secret": SECRET});
        server.client.post(PATH, &body).expect(400, missing.clone());
    }
    server.client.get(PATH, &[]).expect_status(405);
}

both!(an_active_token_says_who_and_until_when);
fn an_active_token_says_who_and_until_when(backend: Backend) {
    let settings =
        [("JWT_AUDIENCE", "https://api"), ("JWT_ISSUER", "https://auth"), ("JWT_EXTRA_CLAIMS", "email,is_staff")];
    let server = with_client(backend, &settings);
    let alice = server.add_user("alice");
    let pair = server.log_in("alice");
    let own = claims(&pair.access);
    let answer = expect_active(&server, &pair.access);
    let expected = json!({
        "active": true, "token_type": "access", "exp": own["exp"], "iat": own["iat"], "jti": own["jti"],
        "user_id": alice.id.to_string(), "sub": alice.id.to_string(), "username": "alice",
        "email": "alice@example.com", "is_staff": false, "sid": own["sid"],
        "aud": "https://api", "iss": "https://auth",
    });
    assert_eq!(answer, expected);
    assert_eq!(expect_active(&server, &pair.refresh)["token_type"], "refresh");
    let sliding = expect_active(&server, &sliding(&server));
    assert_eq!((&sliding["token_type"], sliding.get("refresh_exp").is_some()), (&json!("sliding"), true));
    // Whoever is made staff since is staff.
    server.db.execute("UPDATE auth_user SET is_staff = true");
    assert_eq!(expect_active(&server, &pair.access)["is_staff"], true);
}

both!(other_names_of_claims_are_told_under_those_of_the_rfc);
fn other_names_of_claims_are_told_under_those_of_the_rfc(backend: Backend) {
    let settings = [
        ("JWT_TOKEN_TYPE_CLAIM", "typ"),
        ("JWT_JTI_CLAIM", "id"),
        ("JWT_USER_ID_CLAIM", "uid"),
        ("JWT_USER_ID_FIELD", "uuid"),
        ("JWT_SESSION_CLAIM", "none"),
        ("JWT_CHECK_REVOKE_TOKEN", "true"),
    ];
    let server = with_client(backend, &settings);
    let alice = server.add_user("alice");
    let pair = server.log_in("alice");
    let answer = expect_active(&server, &pair.refresh);
    assert_eq!(
        (&answer["token_type"], &answer["jti"], &answer["sub"]),
        (&answer["typ"], &answer["id"], &answer["uid"])
    );
    assert_eq!((answer["typ"].as_str(), answer["sub"].as_str().map(str::len)), (Some("refresh"), Some(36)));
    // The database knows the session of a refresh token; the fingerprint of the password is nobody's business.
    assert!(answer["sid"].is_string() && answer.get("hash_password").is_none(), "{answer}");
    expect_active(&server, &pair.access);
    server.set_password(alice.id, "another-harbour-18");
    expect_inactive(&server, &pair.access);
}

both!(whatever_would_not_be_accepted_is_inactive);
fn whatever_would_not_be_accepted_is_inactive(backend: Backend) {
    let server = with_client(backend, &[]);
    let alice = server.add_user("alice").id;
    let forged = |change: fn(&mut Value)| forge::token("access", alice, change);
    expect_active(&server, &forged(|_| {}));
    expect_inactive(&server, "x");
    expect_inactive(&server, "a\0b");
    expect_inactive(&server, &"z".repeat(50_000));
    expect_inactive(&server, &forged(|claims| claims["exp"] = claims["iat"].clone()));
    expect_inactive(&server, &forged(|claims| claims["token_type"] = json!("other")));
    expect_inactive(&server, &forged(|claims| drop(claims.as_object_mut().unwrap().remove("token_type"))));
    expect_inactive(&server, &forged(|claims| drop(claims.as_object_mut().unwrap().remove("jti"))));
    expect_inactive(&server, &forged(|claims| drop(claims.as_object_mut().unwrap().remove("user_id"))));
    expect_inactive(&server, &forged(|claims| drop(claims.as_object_mut().unwrap().remove("exp"))));
    expect_inactive(&server, &forged(|claims| claims["user_id"] = json!("999999")));
    expect_inactive(&server, &forged(|claims| claims["sid"] = json!("0".repeat(32))));
    expect_inactive(&server, &forged(|claims| claims["sid"] = json!(["a"])));
    let header = json!({"alg": "HS256", "typ": "JWT"});
    expect_inactive(&server, &forge::sign(&header, &claims(&forged(|_| {})), "another key of thirty-two bytes!!"));
    expect_inactive(&server, &forge::token("refresh", alice, |claims| claims["jti"] = json!("x".repeat(256))));
}

both!(what_was_ended_is_inactive);
fn what_was_ended_is_inactive(backend: Backend) {
    let server = with_client(backend, &[("END_SESSIONS_ON_USER_CHANGE", "false")]);
    let alice = server.add_user("alice");
    let login = || {
        let pair = server.log_in("alice");
        expect_active(&server, &pair.access);
        pair
    };
    let gone = |pair: &Pair| {
        expect_inactive(&server, &pair.refresh);
        expect_inactive(&server, &pair.access);
    };
    // Rotated: the old refresh token only.
    let first = login();
    let pair = Pair::of(&server.refresh(&first.refresh));
    expect_inactive(&server, &first.refresh);
    expect_active(&server, &first.access);
    // Logged out.
    server
        .client
        .bearer("POST", "/api/logout/", &pair.access, &json!({"refresh_token": pair.refresh}))
        .expect_status(200);
    gone(&pair);
    expect_inactive(&server, &first.access);
    // Blacklisted.
    let pair = login();
    server.client.post("/api/token/blacklist/", &json!({"refresh": pair.refresh})).expect_status(200);
    gone(&pair);
    // Reuse alarm.
    let first = login();
    let pair = Pair::of(&server.refresh(&first.refresh));
    server.advance(11);
    server.refresh(&first.refresh).expect_status(401);
    gone(&pair);
    // Disabled, and let in again.
    let (pair, token) = (login(), sliding(&server));
    server.set_active(alice.id, false);
    gone(&pair);
    expect_inactive(&server, &token);
    server.set_active(alice.id, true);
    expect_active(&server, &token);
    // Deleted.
    server.delete(alice.id);
    gone(&pair);
    expect_inactive(&server, &token);
}

both!(an_idle_session_makes_its_tokens_inactive);
fn an_idle_session_makes_its_tokens_inactive(backend: Backend) {
    let server = with_client(backend, &[("SESSION_IDLE_TIMEOUT", "1h"), ("JWT_ACCESS_TOKEN_LIFETIME", "2h")]);
    server.add_user("alice");
    let pair = server.log_in("alice");
    server.advance(3599);
    expect_active(&server, &pair.access);
    server.advance(1);
    expect_inactive(&server, &pair.access);
    expect_inactive(&server, &pair.refresh);
}
