//! "Remember this browser" in the panel's login: the password alone opens it there, for a while and for one user.

use crate::api::second_factor::App;
use crate::harness::{Answer, Backend, PASSWORD, Panel, Server};

const STEP: &str = "/admin/login/second-factor/";
const NAME: &str = "latchkey_admin_device";

fn with_app(backend: Backend, settings: &[(&str, &str)]) -> (Server, App) {
    let server = Server::with(backend, settings);
    server.add_superuser("root");
    let app = server.enrol_totp("root");
    (server, app)
}

/// Logs root in with the box ticked; the answer has the cookie.
fn tick(server: &Server, app: &App) -> (Panel, Answer) {
    let mut panel = server.panel();
    let page = panel.log_in("root", PASSWORD);
    let fields = [("code", &*server.totp(app)), ("remember", "on")];
    let answer = panel.submit(&page, STEP, &fields);
    answer.expect_status(303);
    server.advance(30);
    (panel, answer)
}

/// The `Set-Cookie` of the browser's token.
fn set_cookie(answer: &Answer) -> Option<String> {
    let lines = answer.headers.get_all("set-cookie");
    lines.into_iter().filter_map(|line| line.to_str().ok()).find(|line| line.starts_with(NAME)).map(str::to_owned)
}

/// Whether the password alone is enough, with what the browser keeps.
fn is_enough(server: &Server, keeps: &Panel, username: &str, password: &str) -> bool {
    let mut panel = server.panel();
    panel.take_cookies(keeps);
    let out = panel.get("/admin/account/");
    if out.status == 200 {
        panel.submit(&out, "/admin/logout/", &[]).expect_status(303);
    }
    let answer = panel.log_in(username, password);
    match answer.status {
        303 => panel.get("/admin/").status == 200,
        _ => !answer.expect_status(200).text().contains(STEP),
    }
}

both!(a_remembered_browser_needs_the_password_alone_for_thirty_days);
fn a_remembered_browser_needs_the_password_alone_for_thirty_days(backend: Backend) {
    let (server, app) = with_app(backend, &[]);
    let page = server.panel().log_in("root", PASSWORD);
    assert!(page.text().contains("Remember this browser for 30 days"), "{}", page.text());
    let (panel, _) = tick(&server, &app);
    assert!(is_enough(&server, &panel, "root", PASSWORD));
    let last_used = "SELECT count(*) FROM latchkey_browser WHERE last_used_at > created_at";
    assert_eq!(server.db.count(last_used), 1);
    server.advance(30 * 24 * 3600 - 31);
    assert!(is_enough(&server, &panel, "root", PASSWORD));
    server.advance(1);
    assert!(!is_enough(&server, &panel, "root", PASSWORD));
    assert!(!is_enough(&server, &server.panel(), "root", PASSWORD));
}

both!(the_cookie_is_for_the_panel_alone);
fn the_cookie_is_for_the_panel_alone(backend: Backend) {
    let (server, app) = with_app(backend, &[]);
    let cookie = set_cookie(&tick(&server, &app).1).unwrap();
    for attribute in ["; Path=/admin/", "; HttpOnly", "; SameSite=Lax", "; Max-Age=2592000"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "{cookie}");
    let token = cookie.split(['=', ';']).nth(1).unwrap();
    assert_eq!(server.db.count(&format!("SELECT count(*) FROM latchkey_browser WHERE token_hash = '{token}'")), 0);

    let (server, app) = with_app(backend, &[("PUBLIC_URL", "https://localhost"), ("SECOND_FACTOR_REMEMBER", "8h")]);
    let cookie = set_cookie(&tick(&server, &app).1).unwrap();
    assert!(cookie.contains("; Secure") && cookie.contains("; Max-Age=28800"), "{cookie}");
    assert!(server.panel().log_in("root", PASSWORD).text().contains("Remember this browser for 8 hours"));
}

both!(nobody_is_remembered_who_did_not_ask_for_it);
fn nobody_is_remembered_who_did_not_ask_for_it(backend: Backend) {
    let (server, app) = with_app(backend, &[]);
    let mut panel = server.panel();
    let page = panel.log_in("root", PASSWORD);
    let wrong = panel.submit(&page, STEP, &[("code", "000000"), ("remember", "on")]);
    assert!(
        wrong.text().contains("aria-describedby=\"remember-hint\" checked"),
        "the box stays ticked: {}",
        wrong.text()
    );
    assert!(set_cookie(&wrong).is_none());
    let answer = panel.submit(&page, STEP, &[("code", &server.totp(&app))]);
    assert!(set_cookie(answer.expect_status(303)).is_none());
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_browser"), 0);
}

both!(where_the_setting_is_zero_no_browser_is_remembered);
fn where_the_setting_is_zero_no_browser_is_remembered(backend: Backend) {
    let (server, app) = with_app(backend, &[("SECOND_FACTOR_REMEMBER", "0")]);
    assert!(!server.panel().log_in("root", PASSWORD).text().contains("remember"));
    let (panel, answer) = tick(&server, &app);
    assert!(set_cookie(&answer).is_none() && !is_enough(&server, &panel, "root", PASSWORD));
}

both!(a_token_of_the_api_opens_no_panel_and_the_other_way_round);
fn a_token_of_the_api_opens_no_panel_and_the_other_way_round(backend: Backend) {
    let (server, app) = with_app(backend, &[]);
    let cookie = set_cookie(&tick(&server, &app).1).unwrap();
    let body = serde_json::json!({
        "challenge": server.challenge("root"),
        "method": "totp",
        "code": server.totp(&app),
        "remember": true,
    });
    let answer = server.client.post("/api/token/second-factor/", &body).expect_status(200).json();
    let mut panel = server.panel();
    panel.set_cookie(NAME, answer["device_token"].as_str().unwrap());
    assert!(!is_enough(&server, &panel, "root", PASSWORD));
    let token = cookie.split(['=', ';']).nth(1).unwrap();
    let login = serde_json::json!({"username": "root", "password": PASSWORD, "device_token": token});
    server.client.post("/api/token/", &login).expect_status(401);
}

both!(a_remembered_browser_does_nothing_for_another_user);
fn a_remembered_browser_does_nothing_for_another_user(backend: Backend) {
    let (server, app) = with_app(backend, &[]);
    server.add_superuser("other");
    let others = server.enrol_totp("other");
    let (panel, _) = tick(&server, &app);
    assert!(!is_enough(&server, &panel, "other", PASSWORD));
    assert!(is_enough(&server, &panel, "root", PASSWORD));
    drop(others);
}

both!(a_new_password_and_a_removed_factor_end_it);
fn a_new_password_and_a_removed_factor_end_it(backend: Backend) {
    let (server, app) = with_app(backend, &[]);
    let (panel, _) = tick(&server, &app);
    let root =
        latchkey::db::types::UserId::Integer(server.db.count("SELECT id FROM auth_user WHERE username = 'root'"));
    server.set_password(root, "quiet-lantern-23");
    assert!(!is_enough(&server, &panel, "root", "quiet-lantern-23"));
    server.set_password(root, PASSWORD);
    let (panel, _) = tick(&server, &app);
    assert!(is_enough(&server, &panel, "root", PASSWORD));
    server.db.execute("DELETE FROM latchkey_browser");
    assert!(!is_enough(&server, &panel, "root", PASSWORD));
}

both!(two_cookies_of_the_name_are_none);
fn two_cookies_of_the_name_are_none(backend: Backend) {
    let (server, app) = with_app(backend, &[]);
    let (_, answer) = tick(&server, &app);
    let cookie = set_cookie(&answer).unwrap();
    let ours = cookie.split(';').next().unwrap();
    let mut visitor = server.panel();
    let form = visitor.get("/admin/login/").text();
    let csrf = form.split("name=\"csrf_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let log_in = |kept: &str| {
        let cookies = format!("{}; {kept}", visitor.cookies());
        let headers = [("cookie", &*cookies), ("content-type", "application/x-www-form-urlencoded")];
        let body = format!("csrf_token={csrf}&username=root&password={PASSWORD}");
        server.client.send("POST", "/admin/login/", &headers, body).status
    };
    assert_eq!(log_in(ours), 303);
    assert_eq!(log_in(&format!("{ours}; {NAME}=nonsense")), 200);
    assert_eq!(log_in(&format!("{NAME}=nonsense; {ours}")), 200);
    for nonsense in ["%00", "x", "", "\"", "a b"] {
        assert_eq!(log_in(&format!("{NAME}={nonsense}")), 200, "{nonsense}");
    }
}
