//! Logging in and out of the panel, and when a session ends by itself.

use super::{OUTSTANDING, USERS};
use crate::harness::{Answer, Backend, PASSWORD, Panel, Server};

/// Whether this visitor sees the panel, and not the login form.
fn is_in(panel: &mut Panel) -> bool {
    panel.get("/admin/").status == 200
}

fn sessions(server: &Server) -> i64 {
    server.db.count("SELECT count(*) FROM latchkey_admin_session")
}

fn session_cookie(answer: &Answer) -> String {
    let cookies = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap().to_owned());
    cookies.into_iter().find(|cookie| cookie.starts_with("latchkey_session=")).expect("a session cookie")
}

both!(a_visitor_is_led_through_the_login_to_the_page_that_was_asked_for);
fn a_visitor_is_led_through_the_login_to_the_page_that_was_asked_for(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let mut panel = server.panel();
    let wanted = "/admin/auth/user/?q=root";
    let answer = panel.get(wanted);
    answer.expect_status(302);
    assert_eq!(answer.header("location"), Some("/admin/login/?next=/admin/auth/user/%3Fq%3Droot"));
    let form = panel.follow(&answer);
    form.expect_status(200);
    let answer = panel.submit(&form, "/admin/login/", &[("username", "root"), ("password", PASSWORD)]);
    assert_eq!((answer.status, answer.header("location")), (303, Some(wanted)));
    assert!(panel.follow(&answer).expect_status(200).text().contains("root"));
}

both!(a_neighbours_cookie_that_cannot_be_read_keeps_nobody_out);
fn a_neighbours_cookie_that_cannot_be_read_keeps_nobody_out(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let cookies = format!("junk=%ff; {}; nonsense", server.panel_of("root").cookies());
    let page = server.client.get("/admin/", &[("cookie", &cookies), ("accept", "text/html")]);
    assert_eq!(page.status, 200);
}

both!(logging_out_ends_the_session_for_good);
fn logging_out_ends_the_session_for_good(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let mut panel = server.panel_of("root");
    let mut thief = server.panel();
    thief.take_cookies(&panel);
    assert!(is_in(&mut thief));
    let page = panel.get("/admin/");
    let answer = panel.submit(&page, "/admin/logout/", &[]);
    answer.expect_status(303);
    assert!(!is_in(&mut panel));
    assert!(!is_in(&mut thief));
    assert_eq!(sessions(&server), 0);
}

both!(a_refused_login_never_says_why);
fn a_refused_login_never_says_why(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    server.add_user("alice");
    let inactive = server.add_superuser("ina");
    server.set_active(inactive.id, false);
    for (username, password) in [("root", "wrong"), ("nobody", PASSWORD), ("alice", PASSWORD), ("ina", PASSWORD)] {
        let mut panel = server.panel();
        let answer = panel.log_in(username, password);
        answer.expect_status(200);
        assert!(
            answer.text().contains("Please enter the correct username and password for a staff account."),
            "{username}"
        );
        assert!(!answer.text().contains(password), "{username}");
        assert!(!is_in(&mut panel));
    }
    assert_eq!(sessions(&server), 0);
}

both!(staff_may_look_where_the_setting_says_so);
fn staff_may_look_where_the_setting_says_so(backend: Backend) {
    for (may_view, status) in [("true", 303), ("false", 200)] {
        let server = Server::with(backend, &[("STAFF_MAY_VIEW", may_view)]);
        server.add_staff("sam");
        assert_eq!(server.panel().log_in("sam", PASSWORD).status, status, "STAFF_MAY_VIEW={may_view}");
    }
}

both!(a_login_leads_only_to_pages_of_the_panel);
fn a_login_leads_only_to_pages_of_the_panel(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    for next in [
        "https://evil.example/",
        "//evil.example/admin/",
        "/admin/\\evil.example",
        "/\\evil.example",
        "javascript:x",
        "/api/me/",
    ] {
        let mut panel = server.panel();
        let form = panel.get("/admin/login/");
        let fields = [("username", "root"), ("password", PASSWORD), ("next", next)];
        let answer = panel.submit(&form, "/admin/login/", &fields);
        assert_eq!((answer.status, answer.header("location")), (303, Some("/admin/")), "{next}");
    }
}

both!(forms_without_a_valid_token_are_refused);
fn forms_without_a_valid_token_are_refused(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let (mut panel, mut other) = (server.panel(), server.panel());
    let login = [("username", "root"), ("password", PASSWORD)];
    let refused = |answer: Answer| assert!([400, 403].contains(&answer.status), "{answer:?}");
    refused(panel.post("/admin/login/", &login));
    panel.get("/admin/login/");
    refused(panel.post("/admin/login/", &login));
    let foreign = other.get("/admin/login/");
    refused(panel.submit(&foreign, "/admin/login/", &login));
    assert_eq!(sessions(&server), 0);

    // The token of before the login, or of another session, is not good for this one.
    let before = panel.get("/admin/login/");
    let mut panel = server.panel_of("root");
    refused(panel.post("/admin/logout/", &[]));
    refused(panel.submit(&before, "/admin/login/", &login));
    let page_of_another_session = server.panel_of("root").get("/admin/");
    refused(panel.submit(&page_of_another_session, "/admin/logout/", &[]));
    assert!(is_in(&mut panel));
}

both!(forms_of_other_sites_are_refused);
fn forms_of_other_sites_are_refused(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let mut panel = server.panel_of("root");
    let page = panel.get("/admin/").text();
    let token = page.split("name=\"csrf_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let cookies = panel.cookies();
    for header in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("origin", "null")] {
        let form = ("content-type", "application/x-www-form-urlencoded");
        let headers = [("cookie", cookies.as_str()), form, header];
        let answer = server.client.send("POST", "/admin/logout/", &headers, format!("csrf_token={token}"));
        assert!([400, 403].contains(&answer.status), "{header:?}: {answer:?}");
    }
    assert!(is_in(&mut panel));
}

both!(the_session_cookie_is_guarded_and_new_at_each_login);
fn the_session_cookie_is_guarded_and_new_at_each_login(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let mut panel = server.panel();
    let first = session_cookie(&panel.log_in("root", PASSWORD));
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/admin"] {
        assert!(first.contains(attribute), "{first}");
    }
    assert!(!first.contains("Secure"), "{first}");
    let second = session_cookie(&server.panel().log_in("root", PASSWORD));
    assert_ne!(first, second);

    let server = Server::with(backend, &[("PUBLIC_URL", "https://auth.example.com")]);
    server.add_superuser("root");
    let cookie = session_cookie(&server.panel().log_in("root", PASSWORD));
    assert!(cookie.contains("Secure"), "{cookie}");
}

both!(a_dump_of_the_sessions_lets_nobody_in);
fn a_dump_of_the_sessions_lets_nobody_in(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let panel = server.panel_of("root");
    let stored = server.db.text("SELECT key_hash || state || user_agent AS t FROM latchkey_admin_session").unwrap();
    let cookies = panel.cookies();
    for value in cookies.split("; ").filter_map(|cookie| Some(cookie.split_once('=')?.1)) {
        assert!(!stored.contains(value), "{value}");
    }
}

both!(a_new_password_ends_the_sessions_of_the_panel);
fn a_new_password_ends_the_sessions_of_the_panel(backend: Backend) {
    let server = Server::start(backend);
    let root = server.add_superuser("root");
    let mut panel = server.panel_of("root");
    server.set_password(root.id, "quiet-lantern-23");
    assert!(!is_in(&mut panel));

    // Also when a Django beside us changed it.
    let mut panel = server.panel();
    panel.log_in("root", "quiet-lantern-23").expect_status(303);
    server.db.execute("UPDATE auth_user SET password = '!'");
    assert!(!is_in(&mut panel));
}

both!(who_is_no_longer_staff_or_active_is_out_at_once);
fn who_is_no_longer_staff_or_active_is_out_at_once(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let mut panel = server.panel_of("root");
    server.db.execute("UPDATE auth_user SET is_staff = false, is_superuser = false");
    for path in ["/admin/", USERS, OUTSTANDING] {
        assert!([302, 403].contains(&panel.get(path).status), "{path}");
    }
    server.db.execute("UPDATE auth_user SET is_staff = true, is_superuser = true");
    let mut panel = server.panel_of("root");
    server.db.execute("UPDATE auth_user SET is_active = false");
    assert!(!is_in(&mut panel));
}

both!(an_access_token_does_not_open_the_panel);
fn an_access_token_does_not_open_the_panel(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let pair = server.log_in("root");
    let authorization = format!("Bearer {}", pair.access);
    server.client.get("/admin/", &[("authorization", &authorization)]).expect_status(302);
}

both!(a_login_to_the_panel_is_a_last_login);
fn a_login_to_the_panel_is_a_last_login(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let known = "SELECT count(*) FROM auth_user WHERE last_login IS NOT NULL";
    assert_eq!(server.db.count(known), 0);
    server.panel_of("root");
    assert_eq!(server.db.count(known), 1);
}
