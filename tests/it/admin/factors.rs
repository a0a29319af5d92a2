//! Second factors in the panel: on the page of a user, in the list, in "My account", the posture and on the dashboard;
//! what superusers may do about them, and staff may not.

use latchkey::db::users::User;

use super::USERS;
use crate::api::second_factor::App;
use crate::harness::{Answer, Backend, PASSWORD, Panel, Server, Smtp, http};

fn page_of(user: &User) -> String {
    format!("{USERS}{}/change/", user.id)
}

/// Ann with an authenticator app, and root in the panel.
fn stage(backend: Backend, settings: &[(&str, &str)]) -> (Server, User, App, Panel) {
    let server = Server::with(backend, settings);
    server.add_superuser("root");
    let ann = server.add_user("ann");
    let app = server.enrol_totp("ann");
    let panel = server.panel_of("root");
    (server, ann, app, panel)
}

/// Remembers a browser of ann's.
fn remember(server: &Server, app: &App) -> String {
    let challenge = server.challenge("ann");
    let body =
        serde_json::json!({"challenge": challenge, "method": "totp", "code": server.totp(app), "remember": true});
    let answer = server.client.post("/api/token/second-factor/", &body).expect_status(200).json();
    server.advance(30);
    answer["device_token"].as_str().unwrap().to_owned()
}

/// Whether the password and this token are enough.
fn is_remembered(server: &Server, token: &str) -> bool {
    let body = serde_json::json!({"username": "ann", "password": PASSWORD, "device_token": token});
    server.client.post("/api/token/", &body).status == 200
}

/// Asks at an address, and does it.
#[track_caller]
fn confirm(panel: &mut Panel, address: &str) -> Answer {
    let question = panel.get(address);
    question.expect_status(200);
    let answer = panel.submit(&question, address, &[]);
    answer.expect_status(303);
    panel.follow(&answer)
}

both!(the_page_of_a_user_shows_what_they_log_in_with);
fn the_page_of_a_user_shows_what_they_log_in_with(backend: Backend) {
    let (server, ann, app, mut panel) = stage(backend, &[]);
    remember(&server, &app);
    let page = panel.get(&page_of(&ann)).expect_status(200).text();
    for words in [
        "Authenticator app",
        "10 recovery codes are left. Optional for this account.",
        "Remembered browsers",
        "Remove…",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains(&app.secret), "no secret");
    let other = server.add_user("bob");
    let page = panel.get(&page_of(&other)).text();
    assert!(page.contains("bob has none and logs in with the password alone. Optional for this account."), "{page}");
    assert!(!page.contains("Remembered browsers"));
}

both!(a_superuser_removes_a_factor_and_the_user_is_told);
fn a_superuser_removes_a_factor_and_the_user_is_told(backend: Backend) {
    let smtp = Smtp::start();
    let url = smtp.url();
    let (server, ann, app, mut panel) = stage(backend, &[("EMAIL_URL", &url)]);
    let browser = remember(&server, &app);
    // Those of before.
    server.deliver_mail();
    let address = format!("{USERS}{}/second_factors/{}/remove/", ann.id, app.id);
    let question = panel.get(&address).expect_status(200).text();
    for words in [
        "Remove “Authenticator app” of ann?",
        "Deleted with the last second factor",
        "gets a mail about it",
        "No longer remembered",
    ] {
        assert!(question.contains(words), "{words}: {question}");
    }
    assert!(confirm(&mut panel, &address).text().contains("A second factor of ann was removed."));
    for table in ["latchkey_second_factor", "latchkey_recovery_code", "latchkey_browser"] {
        assert_eq!(server.db.count(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
    assert!(is_remembered(&server, &browser), "the password alone is enough again");
    let entry = "SELECT actor || ' ' || object || ' ' || detail AS t FROM latchkey_audit_log \
                 WHERE action = 'second_factor.remove'";
    let entry = server.db.text(entry).unwrap();
    assert_eq!(entry, r#"root ann {"kind":"totp","name":"Authenticator app"}"#);
    server.deliver_mail();
    let mail = smtp.last_to("ann@example.com");
    assert!(mail.text.contains("authenticator app") && mail.text.contains("root"), "{}", mail.text);
    // It is gone.
    panel.get(&address).expect_status(404);
}

both!(a_removal_with_an_old_login_asks_for_ones_own_password);
fn a_removal_with_an_old_login_asks_for_ones_own_password(backend: Backend) {
    let (server, ann, app, mut panel) = stage(backend, &[]);
    server.advance(3600);
    let address = format!("{USERS}{}/second_factors/{}/remove/", ann.id, app.id);
    let question = panel.get(&address);
    assert!(question.text().contains("name=\"own_password\""));
    let wrong = panel.submit(&question, &address, &[("own_password", "wrong")]);
    let text = wrong.expect_status(200).text();
    assert!(text.contains("Your password was entered incorrectly.") && text.contains("<title>Error: "), "{text}");
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_second_factor"), 1);
    panel.submit(&wrong, &address, &[("own_password", PASSWORD)]).expect_status(303);
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_second_factor"), 0);
}

both!(staff_see_them_and_change_nothing);
fn staff_see_them_and_change_nothing(backend: Backend) {
    let (server, ann, app, mut root) = stage(backend, &[]);
    remember(&server, &app);
    server.add_staff("sam");
    let mut panel = server.panel_of("sam");
    let page = panel.get(&page_of(&ann)).expect_status(200).text();
    assert!(page.contains("Authenticator app") && page.contains("Remembered browsers"));
    for word in ["Remove…", "Require one…", "Forget…"] {
        assert!(!page.contains(word), "{word}");
    }
    let own = panel.get("/admin/account/").text();
    let csrf = own.split("name=\"csrf_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let factor = format!("second_factors/{}/remove", app.id);
    for what in [&*factor, "second_factors/require", "second_factors/unrequire", "browsers/all/forget"] {
        let address = format!("{USERS}{}/{what}/", ann.id);
        panel.get(&address).expect_status(403);
        panel.post(&address, &[("csrf_token", &csrf)]).expect_status(403);
        server.panel().get(&address).expect_status(302);
        root.post(&address, &[("csrf_token", &csrf)]).expect_status(400);
    }
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_second_factor"), 1);
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_browser"), 1);
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_user WHERE second_factor_required"), 0);
}

both!(ones_own_factor_is_removed_with_a_factor);
fn ones_own_factor_is_removed_with_a_factor(backend: Backend) {
    let server = Server::start(backend);
    let root = server.add_superuser("root");
    let mut panel = server.panel_of("root");
    let app = server.enrol_totp("root");
    let page = panel.get(&page_of(&root)).text();
    assert!(!page.contains("Remove…") && page.contains("href=\"/account/second-factors/\""), "{page}");
    let address = format!("{USERS}{}/second_factors/{}/remove/", root.id, app.id);
    assert_eq!(panel.get(&address).header("location"), Some("/account/second-factors/"));
    let form = panel.get(&page_of(&root));
    let csrf = form.text().split("name=\"csrf_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let answer = panel.post(&address, &[("csrf_token", &csrf)]);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/account/second-factors/")));
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_second_factor"), 1);
    let account = panel.get("/admin/account/").text();
    assert!(account.contains("My second factors") && account.contains("10 recovery codes are left."), "{account}");
}

both!(a_factor_is_required_at_the_next_login_and_no_longer);
fn a_factor_is_required_at_the_next_login_and_no_longer(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let bob = server.add_user("bob");
    let pair = server.log_in("bob");
    let mut panel = server.panel_of("root");
    let address = format!("{USERS}{}/second_factors/require/", bob.id);
    let question = panel.get(&address).text();
    assert!(question.contains("bob has none and must set one up at the next login."), "{question}");
    assert!(question.contains("Not affected"), "{question}");
    let page = confirm(&mut panel, &address).text();
    assert!(page.contains("bob now needs a second factor at the next login."), "{page}");
    assert!(page.contains("A superuser requires one of bob.") && page.contains("Make optional…"), "{page}");
    server.me(&pair.access).expect_status(200);
    server.refresh(&pair.refresh).expect_status(200);
    let refused = server.obtain("bob", PASSWORD);
    assert_eq!(refused.expect_status(401).json()["code"], "second_factor_enrolment_required");

    confirm(&mut panel, &format!("{USERS}{}/second_factors/unrequire/", bob.id));
    server.obtain("bob", PASSWORD).expect_status(200);
    let actions = "SELECT action AS t FROM latchkey_audit_log WHERE action LIKE 'second_factor.%' ORDER BY id";
    let actions: Vec<_> = server.db.texts(actions).into_iter().flatten().collect();
    assert_eq!(actions, ["second_factor.require", "second_factor.unrequire"]);
    panel.get(&format!("{USERS}{}/second_factors/anything/", bob.id)).expect_status(404);
}

both!(to_require_one_of_who_has_one_says_that_it_changes_nothing_now);
fn to_require_one_of_who_has_one_says_that_it_changes_nothing_now(backend: Backend) {
    let (server, ann, app, mut panel) = stage(backend, &[]);
    let question = panel.get(&format!("{USERS}{}/second_factors/require/", ann.id)).text();
    assert!(question.contains("ann already has one."), "{question}");
    confirm(&mut panel, &format!("{USERS}{}/second_factors/require/", ann.id));
    server.log_in_with("ann", &app);
}

both!(remembered_browsers_are_forgotten_one_or_all);
fn remembered_browsers_are_forgotten_one_or_all(backend: Backend) {
    let (server, ann, app, mut panel) = stage(backend, &[]);
    let tokens: Vec<_> = (0..3).map(|_| remember(&server, &app)).collect();
    let newest = server.db.text("SELECT id AS t FROM latchkey_browser ORDER BY last_used_at DESC LIMIT 1").unwrap();
    let address = format!("{USERS}{}/browsers/{newest}/forget/", ann.id);
    assert!(confirm(&mut panel, &address).text().contains("1 browser of ann was forgotten."));
    assert!(!is_remembered(&server, &tokens[2]) && is_remembered(&server, &tokens[1]));
    let gone = panel.get(&address);
    assert!(panel.follow(&gone).text().contains("This browser is no longer remembered."));
    assert!(
        confirm(&mut panel, &format!("{USERS}{}/browsers/all/forget/", ann.id)).text().contains("2 browsers of ann")
    );
    assert!(!is_remembered(&server, &tokens[0]));
    let detail = "SELECT detail AS t FROM latchkey_audit_log WHERE action = 'second_factor.forget_browser' ORDER BY id";
    let details: Vec<_> = server.db.texts(detail).into_iter().flatten().collect();
    assert_eq!(details, [r#"{"browsers":1}"#, r#"{"browsers":2}"#]);
    assert!(panel.get("/admin/audit_log/").text().contains("Remembered browsers forgotten"));
}

both!(a_browser_of_somebody_else_is_not_forgotten_by_its_id);
fn a_browser_of_somebody_else_is_not_forgotten_by_its_id(backend: Backend) {
    let (server, ann, app, mut panel) = stage(backend, &[]);
    let token = remember(&server, &app);
    let bob = server.add_user("bob");
    let id = server.db.text("SELECT id AS t FROM latchkey_browser").unwrap();
    let form = panel.get(&format!("{USERS}{}/browsers/{id}/forget/", ann.id));
    let csrf = form.text().split("name=\"csrf_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let theirs = format!("{USERS}{}/browsers/{id}/forget/", bob.id);
    panel.get(&theirs).expect_status(303);
    panel.post(&theirs, &[("csrf_token", &csrf)]).expect_status(303);
    assert!(is_remembered(&server, &token));
}

both!(who_loses_the_rights_while_a_form_is_on_its_way_does_nothing);
fn who_loses_the_rights_while_a_form_is_on_its_way_does_nothing(backend: Backend) {
    let (server, ann, app, mut panel) = stage(backend, &[]);
    let address = format!("{USERS}{}/second_factors/{}/remove/", ann.id, app.id);
    let page = panel.get(&address).text();
    let csrf = page.split("name=\"csrf_token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let body = format!("csrf_token={csrf}&own_password={PASSWORD}");
    let head = format!(
        "POST {address} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        panel.cookies(),
        body.len()
    );
    let (first, rest) = body.split_at(body.len() - 5);
    let demote = || server.db.execute("UPDATE auth_user SET is_superuser = (1 = 0) WHERE username = 'root'");
    let begun = format!("{head}{first}");
    let answer = http::wire_in_two(server.port, begun.as_bytes(), demote, rest.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    server.db.execute("UPDATE auth_user SET is_superuser = (1 = 1) WHERE username = 'root'");
    let deactivate = || server.db.execute("UPDATE auth_user SET is_active = (1 = 0) WHERE username = 'root'");
    let answer = http::wire_in_two(server.port, begun.as_bytes(), deactivate, rest.as_bytes());
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(server.factor_rows(), 1);
    server.db.execute("UPDATE auth_user SET is_active = (1 = 1) WHERE username = 'root'");
    assert!(http::wire(server.port, format!("{head}{body}").as_bytes()).starts_with("HTTP/1.1 303"));
    assert_eq!(server.factor_rows(), 0);
    // An id that no text may hold.
    let odd = format!("{USERS}{}/browsers/%00/forget/", ann.id);
    assert!(panel.get(&odd).status < 500);
    assert!(panel.post(&odd, &[("csrf_token", csrf)]).status < 500);
}

both!(log_out_everywhere_forgets_browsers);
fn log_out_everywhere_forgets_browsers(backend: Backend) {
    let (server, ann, app, mut panel) = stage(backend, &[]);
    let token = remember(&server, &app);
    let address = format!("{USERS}{}/blacklist/", ann.id);
    let question = panel.get(&address).text();
    assert!(question.contains("the next login there asks for a second factor"), "{question}");
    confirm(&mut panel, &address);
    assert!(!is_remembered(&server, &token));
    let detail = "SELECT detail AS t FROM latchkey_audit_log WHERE action = 'user.blacklist_tokens'";
    assert!(server.db.text(detail).unwrap().contains(r#""browsers":1"#));
}

both!(what_factors_and_browsers_are_called_is_text);
fn what_factors_and_browsers_are_called_is_text(backend: Backend) {
    let (server, ann, app, mut panel) = stage(backend, &[]);
    remember(&server, &app);
    let evil = "<script>alert(1)</script>\"onload=x";
    server.db.execute(&format!("UPDATE latchkey_second_factor SET name = '{evil}'"));
    server.db.execute(&format!("UPDATE latchkey_browser SET user_agent = '{evil}', ip = '<i>'"));
    for address in
        ["change/".to_owned(), format!("second_factors/{}/remove/", app.id), "browsers/all/forget/".to_owned()]
    {
        let page = panel.get(&format!("{USERS}{}/{address}", ann.id)).expect_status(200).text();
        assert!(!page.contains("<script>alert") && !page.contains("\"onload=x") && !page.contains("<i>"), "{page}");
    }
}

both!(numbers_that_no_factor_has_are_pages_that_are_not_there);
fn numbers_that_no_factor_has_are_pages_that_are_not_there(backend: Backend) {
    let (server, ann, app, mut panel) = stage(backend, &[]);
    let bob = server.add_user("bob");
    for address in [
        format!("{}/second_factors/999999/remove/", ann.id),
        format!("{}/second_factors/{}/remove/", bob.id, app.id),
        format!("{}/second_factors/x/remove/", ann.id),
        format!("999999/second_factors/{}/remove/", app.id),
        "999999/second_factors/require/".to_owned(),
        "999999/browsers/all/forget/".to_owned(),
    ] {
        panel.get(&format!("{USERS}{address}")).expect_status(404);
    }
    let form = panel.get(&format!("{USERS}{}/second_factors/{}/remove/", ann.id, app.id));
    let theirs = format!("{USERS}{}/second_factors/{}/remove/", bob.id, app.id);
    let csrf = form.text().split("name=\"csrf_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    panel.post(&theirs, &[("csrf_token", &csrf)]).expect_status(404);
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_second_factor"), 1);
}

both!(the_list_of_users_is_filtered_by_it);
fn the_list_of_users_is_filtered_by_it(backend: Backend) {
    let (server, _, _, mut panel) = stage(backend, &[]);
    server.add_user("bob");
    let all = panel.get(USERS).text();
    assert_eq!(all.matches("</svg>Second factor</span>").count(), 1, "{all}");
    let has = |who: &str, page: &str| page.contains(&format!("<strong class=\"cut\">{who}</strong>"));
    let with = panel.get(&format!("{USERS}?second_factor=yes")).text();
    assert!(has("ann", &with) && !has("bob", &with) && !has("root", &with), "{with}");
    let without = panel.get(&format!("{USERS}?second_factor=no")).text();
    assert!(!has("ann", &without) && has("bob", &without) && has("root", &without), "{without}");
    let superusers = panel.get(&format!("{USERS}?second_factor=no&is_superuser=yes&is_active=yes")).text();
    assert!(!has("bob", &superusers) && has("root", &superusers), "{superusers}");
}

both!(the_posture_counts_who_has_none);
fn the_posture_counts_who_has_none(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    server.add_superuser("other");
    let mut panel = server.panel_of("root");
    server.enrol_totp("other");
    server.add_staff("sam");
    let page = panel.get("/admin/settings/").text();
    let row = page.split("<tr id=\"asvs-6.3.3\">").nth(1).unwrap().split("</tr>").next().unwrap();
    assert!(
        row.contains("1 of 2 superusers") && row.contains("1 of 1 other staff") && row.contains("Not met"),
        "{row}"
    );
    for href in row.split("href=\"/admin").skip(1) {
        let address = format!("/admin{}", href.split('"').next().unwrap().replace("&#38;", "&"));
        let list = panel.get(&address).expect_status(200).text();
        let other = list.contains("<strong class=\"cut\">other</strong>");
        assert!(list.contains("<strong class=\"cut\">") && !other, "{address}");
    }
}

both!(a_site_on_the_web_is_told_of_superusers_without_one);
fn a_site_on_the_web_is_told_of_superusers_without_one(backend: Backend) {
    let words = "1 superuser has no second factor";
    let server = Server::with(backend, &[("PUBLIC_URL", "https://localhost"), ("EMAIL_URL", "smtp://localhost")]);
    server.add_superuser("root");
    let mut panel = server.panel_of("root");
    assert!(panel.get("/admin/").text().contains(words));
    server.enrol_totp("root");
    assert!(!panel.get("/admin/").text().contains(words));
    let server = Server::start(backend);
    server.add_superuser("root");
    assert!(!server.panel_of("root").get("/admin/").text().contains(words));
}
