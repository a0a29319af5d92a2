//! Every way in asks: pairs, sliding tokens, cookies, the versioned address, forms and the pages of the API. And a reset
//! password is no way round.

use serde_json::{Value, json};

use super::{App, FINISH, LOGIN, stage, stage_with_mail, text};
use crate::harness::{Answer, Backend, PASSWORD, Pair, Server};

const ASK: (&str, &str) = ("x-refresh-cookie", "1");
const JSON: (&str, &str) = ("content-type", "application/json");

fn credentials() -> Value {
    json!({"username": "alice", "password": PASSWORD})
}

fn answer_at(server: &Server, path: &str, challenge: &str, app: &App) -> Answer {
    let answer = server.client.post(path, &json!({"challenge": challenge, "method": "totp", "code": server.totp(app)}));
    server.advance(30);
    answer
}

both!(each_address_asks_and_gives_what_was_asked_for_there);
fn each_address_asks_and_gives_what_was_asked_for_there(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    for path in [LOGIN, "/api/token", "/api/v1/token/", "/api/token/sliding/", "/api/v1/token/sliding"] {
        for finish in [FINISH, "/api/v1/token/second-factor"] {
            let asked = server.client.post(path, &credentials());
            assert_eq!((asked.status, &asked.json()["code"]), (401, &json!("second_factor_required")), "{path}");
            let answer = answer_at(&server, finish, &text(&asked.json(), "challenge"), &app);
            let names = |answer: &Answer| answer.json().as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            let wanted: &[&str] = if path.contains("sliding") { &["token"] } else { &["refresh", "access"] };
            assert_eq!(names(answer.expect_status(200)), wanted, "{path}");
        }
    }
    let form = [("username", "alice"), ("password", PASSWORD)];
    let asked = server.client.post_form(LOGIN, &form);
    let challenge = text(&asked.expect_status(401).json(), "challenge");
    let code = server.totp(&app);
    let fields = [("challenge", challenge.as_str()), ("method", "totp"), ("code", &code)];
    Pair::of(&server.client.post_form(FINISH, &fields));
}

both!(the_pages_of_the_api_ask_and_go_on);
fn the_pages_of_the_api_ask_and_go_on(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    let page = |path: &str, fields: &[(&str, &str)]| {
        let headers = [("accept", "text/html"), ("content-type", "application/x-www-form-urlencoded")];
        server.client.send("POST", path, &headers, crate::harness::http::form(fields))
    };
    for path in [LOGIN, "/api/token/sliding/"] {
        let asked = page(path, &[("username", "alice"), ("password", PASSWORD)]);
        assert_eq!(asked.status, 401);
        let text = asked.text();
        assert!(text.contains("Second factor required"), "{text}");
        assert!(!text.contains("eyJ"), "no token is on the page");
        for step in ["Use an app's code", "Use a recovery code"] {
            assert!(text.replace("&#39;", "'").contains(step), "{text}");
        }
        assert!(
            text.contains(&format!(
                "<form method=\"post\" action=\"{FINISH}\"><input type=\"hidden\" name=\"challenge\""
            ))
        );
        assert!(!text.contains("Mail a code"), "alice has no codes by email");
    }
    let challenge = server.challenge("alice");
    // Opening the form tries nothing, and fills in what is known.
    let open = [("challenge", challenge.as_str()), ("method", "totp"), ("_method", "OPTIONS")];
    for _ in 0..6 {
        let opened = page(FINISH, &open);
        assert!(opened.expect_status(200).text().contains(&format!("value=\"{challenge}\"")));
    }
    let wrong = page(FINISH, &[("challenge", &challenge), ("method", "totp"), ("code", "12345")]);
    assert!(wrong.expect_status(401).text().contains("id=\"code-error\""), "{}", wrong.text());
    assert!(!wrong.text().contains("value=\"12345\"") && !wrong.text().contains("value=\"second_factor_not_valid\""));
    let none = page(FINISH, &[("challenge", "x"), ("method", "totp"), ("code", "12345")]);
    assert!(none.expect_status(401).text().contains("id=\"challenge-error\""), "{}", none.text());
    let code = server.totp(&app);
    let answered = page(FINISH, &[("challenge", &challenge), ("method", "totp"), ("code", &code)]);
    assert!(answered.expect_status(200).text().contains("eyJ"));
    for path in ["", "email/", "passkey/"].map(|end| format!("{FINISH}{end}")) {
        server.client.get(&path, &[("accept", "text/html")]).expect_status(405);
    }
    for path in ["", "confirm/", "challenge/", "recovery-codes/", "1/", "browsers/x/"] {
        let path = format!("/api/second-factors/{path}");
        let shown = server.client.get(&path, &[("accept", "text/html")]);
        assert!([401, 405].contains(&shown.status), "{path}: {}", shown.status);
        assert!(shown.text().contains("<html"), "{path}");
    }
}

both!(in_cookie_mode_nothing_of_it_is_in_the_body);
fn in_cookie_mode_nothing_of_it_is_in_the_body(backend: Backend) {
    let server = stage(backend, &[("JWT_COOKIE", "refresh")]);
    let app = server.enrol_totp("alice");
    let send = |path: &str, cookie: &str, body: &Value| {
        server.client.send("POST", path, &[ASK, JSON, ("cookie", cookie)], body.to_string())
    };
    let asked = send(LOGIN, "", &credentials());
    assert!(asked.expect_status(401).header("set-cookie").is_none());
    let challenge = text(&asked.json(), "challenge");
    let answer = json!({"challenge": challenge, "method": "totp", "code": server.totp(&app), "remember": true});
    let answered = send(FINISH, "", &answer);
    assert_eq!(answered.expect_status(200).json().as_object().unwrap().keys().collect::<Vec<_>>(), ["access"]);
    let set: Vec<_> = answered.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect();
    assert_eq!(set.len(), 2, "{set:?}");
    let device = set.iter().find(|line| line.starts_with("latchkey_device=")).unwrap();
    assert!(device.ends_with("; HttpOnly; SameSite=Strict; Path=/api/; Max-Age=2592000"), "{device}");
    let cookie = device.split(';').next().unwrap();
    let remembered = send(LOGIN, &format!("theme=dark; {cookie}"), &credentials());
    assert_eq!(remembered.expect_status(200).json().as_object().unwrap().keys().collect::<Vec<_>>(), ["access"]);
    // A neighbour may set another one; without the header none is looked at; the field is not for this mode.
    send(LOGIN, &format!("latchkey_device=x; {cookie}"), &credentials()).expect_status(401);
    server.client.send("POST", LOGIN, &[JSON, ("cookie", cookie)], credentials().to_string()).expect_status(401);
    let mut field = credentials();
    field["device_token"] = json!(cookie.split_once('=').unwrap().1);
    send(LOGIN, "", &field).expect_status(401);
    server.client.post(LOGIN, &field).expect_status(200);
    // A logout keeps the browser.
    let access = text(&remembered.json(), "access");
    let headers = [ASK, JSON, ("cookie", cookie), ("authorization", &format!("Bearer {access}"))];
    let bye = server.client.send("POST", "/api/logout/", &headers, r#"{"all": true}"#);
    let set: Vec<_> = bye.headers.get_all("set-cookie").iter().collect();
    assert_eq!(set.len(), 1, "{set:?}");
    send(LOGIN, cookie, &credentials()).expect_status(200);
}

both!(a_password_reset_is_no_way_round);
fn a_password_reset_is_no_way_round(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[]);
    let app = server.enrol_totp("alice");
    let pair = server.log_in_with("alice", &app);
    let token = server.reset_token(&smtp);
    server.reset(&token, "quiet-lantern-23").expect_status(200);
    server.refresh(&pair.refresh).expect_status(401);
    let asked = server.obtain("alice", "quiet-lantern-23");
    assert_eq!((asked.status, &asked.json()["code"]), (401, &json!("second_factor_required")));
    assert_eq!(server.factor_rows(), 1);
    Pair::of(&answer_at(&server, FINISH, &text(&asked.json(), "challenge"), &app));
}

both!(a_link_in_a_mail_survives_a_login_that_waits);
fn a_link_in_a_mail_survives_a_login_that_waits(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[]);
    server.enrol_totp("alice");
    let token = server.reset_token(&smtp);
    server.advance(1);
    server.challenge("alice");
    server.reset(&token, "quiet-lantern-23").expect_status(200);
}
