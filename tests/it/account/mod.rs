//! The pages of users over HTTP. Here are passwords and addresses: no cookie, no script, nothing that a program which only
//! follows links could burn. `visits` are the short logins to one's own account, `factors` what is done in them.

mod changes;
mod factors;
mod outlived;
mod visits;

use serde_json::json;

use crate::api::passwords::{NEW, stage};
use crate::api::second_factor::App;
use crate::harness::{Answer, Backend, PASSWORD, Pair, Panel, Server};

const RESET: &str = "/account/password/reset/";
const CONFIRM: &str = "/account/password/reset/confirm/";
const CHANGE: &str = "/account/password/change/";
const EMAIL: &str = "/account/email/change/";
const EMAIL_CONFIRM: &str = "/account/email/confirm/";

const LOGIN: &str = "/account/login/";
const STEP: &str = "/account/login/second-factor/";
const FACTORS: &str = "/account/second-factors/";
const ADD_TOTP: &str = "/account/second-factors/add/totp/";

/// The first step of a login to one's own account.
fn log_in(visitor: &mut Panel, username: &str, password: &str) -> Answer {
    let page = visitor.get(LOGIN);
    visitor.submit(&page, LOGIN, &[("username", username), ("password", password)])
}

/// The second one, from the page that asks for it.
fn step(visitor: &mut Panel, asked: &Answer, method: &str, code: &str) -> Answer {
    visitor.submit(asked, STEP, &[("method", method), ("code", code)])
}

/// A visit of somebody without a factor.
#[track_caller]
fn visit_of(server: &Server, username: &str) -> Panel {
    let mut visitor = server.panel();
    log_in(&mut visitor, username, PASSWORD).expect_status(303);
    visitor
}

/// A visit of somebody with an authenticator app, whose step is over then.
#[track_caller]
pub fn visit_with(server: &Server, username: &str, app: &App) -> Panel {
    let mut visitor = server.panel();
    let asked = log_in(&mut visitor, username, PASSWORD);
    step(&mut visitor, &asked, "totp", &server.totp(app)).expect_status(303);
    server.advance(30);
    visitor
}

#[track_caller]
fn leads_to(answer: &Answer, location: &str) {
    assert_eq!((answer.status, answer.header("location")), (303, Some(location)), "{}", answer.text());
}

/// What stands on a page between these.
#[track_caller]
fn between(page: &str, from: &str, to: &str) -> String {
    let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("no {from} in {page}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to} in {page}")).0.to_owned()
}

/// The secret that a page shows for an authenticator app.
#[track_caller]
fn secret_on(page: &Answer) -> String {
    between(&page.expect_status(200).text(), "class=\"secret\">", "<").replace(' ', "")
}

impl Server {
    fn page(&self, path: &str) -> Answer {
        self.client.get(path, &[])
    }

    fn send(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.client.post_form(path, fields)
    }
}

/// The form with a new password for the token of a link.
fn choose(server: &Server, token: &str, password: &str) -> Answer {
    server.send(CONFIRM, &[("token", token), ("password1", password), ("password2", password)])
}

both!(a_forgotten_password_is_replaced_on_the_pages);
fn a_forgotten_password_is_replaced_on_the_pages(backend: Backend) {
    let (smtp, server) = stage(backend, &[("SITE_NAME", "Harbour News"), ("PASSWORD_RULES", "nist")]);
    let pair = server.log_in("alice");
    server.advance(1);
    assert!(server.page(RESET).expect_status(200).text().contains("Harbour News"));
    let known = server.send(RESET, &[("email", "alice@example.com")]);
    let unknown = server.send(RESET, &[("email", "nobody@example.com")]);
    assert_eq!(known.text(), unknown.text().replace("nobody@", "alice@"));
    server.deliver_mail();
    let link = smtp.only().link("http://localhost:0/account/");
    let (_, address) = link.split_once("localhost:0").unwrap();
    for _ in 0..5 {
        // Programs that look at mail follow its links.
        let page = server.page(address).expect_status(200).text();
        assert!(page.contains("alice") && page.contains("autocomplete=\"new-password\""), "{page}");
    }
    let token = smtp.only().token();
    let refused = choose(&server, &token, "letmein1");
    assert!(refused.expect_status(200).text().contains("This password is too common."));
    let twice = [("token", token.as_str()), ("password1", NEW), ("password2", PASSWORD)];
    assert!(server.send(CONFIRM, &twice).expect_status(200).text().contains("didn’t match"));
    assert!(choose(&server, &token, NEW).expect_status(200).text().contains("Your password was changed"));
    Pair::of(&server.obtain("alice", NEW));
    server.refresh(&pair.refresh).expect_status(401);
    for answer in [server.page(address), choose(&server, &token, PASSWORD)] {
        assert!(answer.expect_status(400).text().contains("This link is invalid or has expired"));
    }
}

both!(who_knows_the_password_changes_it_without_a_login);
fn who_knows_the_password_changes_it_without_a_login(backend: Backend) {
    let (smtp, server) = stage(backend, &[]);
    let pair = server.log_in("alice");
    let change = |name: &str, old: &str| {
        server.send(CHANGE, &[("username", name), ("old_password", old), ("password1", NEW), ("password2", NEW)])
    };
    for refused in [change("alice", "wrong"), change("nobody", PASSWORD)] {
        assert!(refused.expect_status(200).text().contains("Please enter a correct username and password."));
    }
    assert!(server.send(CHANGE, &[]).text().matches("This field is required.").count() >= 4);
    assert!(change("alice", PASSWORD).expect_status(200).text().contains("Your password was changed"));
    Pair::of(&server.obtain("alice", NEW));
    server.refresh(&pair.refresh).expect_status(401);
    server.deliver_mail();
    assert_eq!(smtp.only().subject(), "Your password for Latchkey was changed");
}

both!(another_address_is_confirmed_on_the_pages);
fn another_address_is_confirmed_on_the_pages(backend: Backend) {
    let (smtp, server) = stage(backend, &[]);
    let ask = |password: &str, email: &str| {
        server.send(EMAIL, &[("username", "alice"), ("password", password), ("email", email)])
    };
    assert!(ask("wrong", "a@example.org").text().contains("correct username and password"));
    assert!(ask(PASSWORD, "nobody").text().contains("Enter a valid email address."));
    assert!(ask(PASSWORD, "a@example.org").expect_status(200).text().contains("Check your mail"));
    server.deliver_mail();
    let token = smtp.only().token();
    let question = server.page(&format!("{EMAIL_CONFIRM}?token={token}")).expect_status(200).text();
    assert!(question.contains("a@example.org will become the address"), "{question}");
    let email = || server.text("SELECT email FROM auth_user");
    assert_eq!(email(), "alice@example.com");
    assert!(server.send(EMAIL_CONFIRM, &[("token", &token)]).expect_status(200).text().contains("is confirmed"));
    assert_eq!(email(), "a@example.org");
    server.send(EMAIL_CONFIRM, &[("token", &token)]).expect_status(400);
}

both!(tokens_of_addresses_leak_nowhere);
fn tokens_of_addresses_leak_nowhere(backend: Backend) {
    let server = Server::start(backend);
    let paths =
        [RESET, CONFIRM, "/account/password/reset/confirm/?token=x", CHANGE, EMAIL, EMAIL_CONFIRM, "/account/x/"];
    for path in paths {
        let answer = server.page(path);
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("strict-origin"), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self'") && !policy.contains("script"), "{path}");
        assert!(answer.header("set-cookie").is_none() && !answer.text().contains("<script"), "{path}");
    }
}

both!(forms_of_other_sites_are_refused);
fn forms_of_other_sites_are_refused(backend: Backend) {
    let (smtp, server) = stage(backend, &[]);
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", "https://evil.example")];
    let answer = server.client.send("POST", RESET, &headers, "email=alice%40example.com");
    assert!(answer.expect_status(400).text().contains("another site"));
    server.client.send("POST", RESET, &[], "\u{0}=%ff".repeat(100_000)).expect_status(400);
    server.client.send("DELETE", RESET, &[], "").expect_status(405);
    server.deliver_mail();
    assert!(smtp.received().is_empty());
}

both!(whoever_tries_too_much_waits_on_the_pages_too);
fn whoever_tries_too_much_waits_on_the_pages_too(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let change = || {
        let fields = [("username", "alice"), ("old_password", "x"), ("password1", NEW), ("password2", NEW)];
        server.send(CHANGE, &fields)
    };
    let waits = (0..7).map(|_| change()).find(|answer| answer.status == 429).expect("a limit");
    assert_eq!(waits.header("retry-after"), Some("1"));
    assert!(waits.text().contains("Too many attempts"));
}

both!(addresses_that_others_know_lead_here);
fn addresses_that_others_know_lead_here(backend: Backend) {
    let server = Server::start(backend);
    let answer = server.page("/.well-known/change-password");
    assert_eq!((answer.status, answer.header("location")), (302, Some(CHANGE)));
    let answer = server.page("/account/password/reset/confirm?token=x");
    assert_eq!((answer.status, answer.header("location")), (301, Some("/account/password/reset/confirm/?token=x")));
    assert!(server.page("/admin/login/").text().contains(&format!("href=\"{RESET}\"")));
    let answer = server.page("/account/");
    assert_eq!((answer.status, answer.header("location")), (303, Some(FACTORS)));
    assert!(server.page("/account/x/").expect_status(404).text().contains("Page not found"));
}

both!(a_superuser_invites_somebody_without_a_password);
fn a_superuser_invites_somebody_without_a_password(backend: Backend) {
    let (smtp, server) = stage(backend, &[]);
    server.add_superuser("root");
    let invited = server.add("bob", |user| user.password = latchkey::accounts::manage::NewPassword::Unusable);
    let mut panel = server.panel_of("root");
    let page = |id: String| format!("/admin/auth/user/{id}/reset_link/");
    let question = panel.get(&page(invited.id.to_string()));
    assert!(question.text().contains("bob@example.com"));
    panel.submit(&question, "/reset_link/", &[]).expect_status(303);
    let entry = "SELECT actor || ' ' || object FROM latchkey_audit_log WHERE action = 'user.reset_link'";
    assert_eq!(server.text(entry), "root bob");
    server.deliver_mail();
    let mail = smtp.only();
    assert_eq!(
        (mail.subject(), mail.to.as_slice()),
        ("Choose your password for Latchkey", ["bob@example.com".to_owned()].as_slice())
    );
    choose(&server, &mail.token(), NEW).expect_status(200);
    Pair::of(&server.obtain("bob", NEW));

    server.set_active(invited.id, false);
    assert!(panel.get(&page(invited.id.to_string())).text().contains("This user is inactive"));
    server.db.execute("UPDATE auth_user SET email = '' WHERE username = 'alice'");
    let alice = server.db.count("SELECT id FROM auth_user WHERE username = 'alice'");
    assert!(panel.get(&page(alice.to_string())).text().contains("no email address"));
    let refused = panel.submit(&question, "/reset_link/", &[]);
    assert!(refused.expect_status(200).text().contains("This user is inactive"));
    server.deliver_mail();
    assert_eq!(smtp.received().iter().filter(|mail| mail.subject().starts_with("Choose")).count(), 1);
    server.add_staff("staff");
    server.panel_of("staff").get(&page(alice.to_string())).expect_status(403);
}

both!(the_panel_and_the_command_line_say_whether_an_address_is_confirmed);
fn the_panel_and_the_command_line_say_whether_an_address_is_confirmed(backend: Backend) {
    let (smtp, server) = stage(backend, &[]);
    server.add_superuser("root");
    let alice = server.db.count("SELECT id FROM auth_user WHERE username = 'alice'");
    let latchkey = crate::harness::binary::Latchkey::on(crate::harness::TestDatabase::empty(backend))
        .set("DATABASE_URL", &server.db.url);
    let shown = || latchkey.run(&["users", "show", "alice", "--json"]).expect(0).json()["email_confirmed_at"].clone();
    let mut panel = server.panel_of("root");
    let mut page = || panel.get(&format!("/admin/auth/user/{alice}/change/")).text();
    assert!(page().contains("Not confirmed"));
    assert_eq!(shown(), json!(null));
    let token = server.reset_token(&smtp);
    server.reset(&token, NEW).expect_status(200);
    assert!(!page().contains("Not confirmed"));
    assert_eq!(shown(), json!("2026-03-01T12:00:00.123456Z"));
    // A confirmation is of an address, not of a user.
    server.db.execute("UPDATE auth_user SET email = 'other@example.com' WHERE username = 'alice'");
    assert!(page().contains("Not confirmed"));
}

both!(a_superuser_changes_an_address_and_the_old_one_hears_of_it);
fn a_superuser_changes_an_address_and_the_old_one_hears_of_it(backend: Backend) {
    let (smtp, server) = stage(backend, &[]);
    server.add_superuser("root");
    let alice = server.db.count("SELECT id FROM auth_user WHERE username = 'alice'");
    let mut panel = server.panel_of("root");
    let form = panel.get(&format!("/admin/auth/user/{alice}/change/"));
    let fields = [("username", "alice"), ("email", "new@example.com"), ("is_active", "on")];
    panel.submit(&form, "/change/", &fields).expect_status(303);
    server.deliver_mail();
    let mail = smtp.only();
    assert_eq!((mail.subject(), &*mail.to[0]), ("Your email address for Latchkey was changed", "alice@example.com"));
    assert!(mail.text.contains("root, an administrator of the site"), "{}", mail.text);
}
