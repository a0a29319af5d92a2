//! Forgotten and changed passwords over the API: what the links in mail are good for and what kills them, who is told, and
//! which logins end.

use std::thread;

use latchkey::accounts::change::OwnPassword;
use latchkey::accounts::confirm::Confirmed;
use latchkey::accounts::endings::Kept;
use latchkey::accounts::link::ReceivedAt;
use latchkey::accounts::manage::{ManageError, NewPassword};
use latchkey::accounts::{change, email_change};
use latchkey::db::types::{EncodedPassword, UserId};
use latchkey::guard::throttle::{ADDRESS, MAIL_ASKED, MAIL_SENT};
use latchkey::journal::Client;
use serde_json::{Value, json};

use crate::harness::{Answer, Backend, PASSWORD, Pair, Server, Smtp, forge};

pub const NEW: &str = "quiet-lantern-23";
const INVALID: &str = "This link is invalid or has expired.";

/// A mail server, and a server with `alice` that sends to it.
pub fn stage(backend: Backend, settings: &[(&str, &str)]) -> (Smtp, Server) {
    let smtp = Smtp::start();
    let url = smtp.url();
    let settings = [&[("EMAIL_URL", url.as_str())], settings].concat();
    let server = Server::with(backend, &settings);
    server.add_user("alice");
    (smtp, server)
}

impl Server {
    pub fn ask_for_reset(&self, email: &str) -> Answer {
        self.client.post("/api/password/reset/", &json!({"email": email}))
    }

    pub fn reset(&self, token: &str, password: &str) -> Answer {
        self.client.post("/api/password/reset/confirm/", &json!({"token": token, "password": password}))
    }

    /// The token of a link that alice just asked for.
    #[track_caller]
    pub fn reset_token(&self, smtp: &Smtp) -> String {
        self.ask_for_reset("alice@example.com").expect_status(200);
        self.deliver_mail();
        smtp.last_token()
    }

    pub fn text(&self, query: &str) -> String {
        self.db.text(&format!("SELECT coalesce(({query}), '') AS t")).unwrap_or_default()
    }
}

#[track_caller]
pub fn assert_dead(answer: &Answer) {
    assert_eq!((answer.status, answer.json()), (400, json!({"token": [INVALID]})));
}

both!(a_forgotten_password_is_replaced_by_mail_and_every_login_ends);
fn a_forgotten_password_is_replaced_by_mail_and_every_login_ends(backend: Backend) {
    let (smtp, server) = stage(backend, &[]);
    server.add_staff("bob");
    let (pair, bob) = (server.log_in("alice"), server.log_in("bob"));
    server.db.execute("UPDATE auth_user SET is_staff = is_active WHERE username = 'alice'");
    let mut panel = server.panel_of("alice");
    let token = server.reset_token(&smtp);
    server.reset(&token, NEW).expect_status(200);

    let used_up = json!({"detail": "Token is blacklisted", "code": "token_not_valid"});
    server.refresh(&pair.refresh).expect(401, used_up);
    assert_eq!(panel.get("/admin/").status, 302);
    server.refresh(&bob.refresh).expect_status(200);
    let of_alice = format!("jti = '{}'", forge::jti(&pair.refresh));
    let reason = format!(
        "SELECT t.blacklist_reason AS t FROM latchkey_token t JOIN token_blacklist_outstandingtoken o ON o.id = t.token_id WHERE {of_alice}"
    );
    assert_eq!(server.text(&reason), "password_reset");
    assert_eq!(
        server.text("SELECT end_reason AS t FROM latchkey_session WHERE end_reason IS NOT NULL"),
        "password_reset"
    );
    server.obtain("alice", PASSWORD).expect_status(401);
    Pair::of(&server.obtain("alice", NEW));
    assert_eq!(
        server.text("SELECT confirmed_email AS t FROM latchkey_user WHERE confirmed_email IS NOT NULL"),
        "alice@example.com"
    );
    server.deliver_mail();
    assert_eq!(smtp.last_to("alice@example.com").subject(), "Your password for Latchkey was changed");
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_audit_log WHERE action = 'user.reset_password'"), 1);
}

both!(a_link_works_once);
fn a_link_works_once(backend: Backend) {
    let (smtp, server) = stage(backend, &[]);
    let token = server.reset_token(&smtp);
    server.reset(&token, NEW).expect_status(200);
    assert_dead(&server.reset(&token, PASSWORD));
    assert_dead(&server.reset("nonsense", PASSWORD));
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_link"), 0);
}

both!(a_link_is_over_after_an_hour);
fn a_link_is_over_after_an_hour(backend: Backend) {
    let (smtp, server) = stage(backend, &[]);
    let late = server.reset_token(&smtp);
    server.advance(3600);
    assert_dead(&server.reset(&late, NEW));
    let in_time = server.reset_token(&smtp);
    server.advance(3599);
    server.reset(&in_time, NEW).expect_status(200);
}

both!(a_link_dies_with_what_it_was_made_under);
fn a_link_dies_with_what_it_was_made_under(backend: Backend) {
    let (smtp, server) = stage(backend, &[("LOGIN_THROTTLE", "false")]);
    let alice = UserId::Integer(server.db.count("SELECT id FROM auth_user"));
    let dies = |what: &dyn Fn()| {
        let token = server.reset_token(&smtp);
        server.advance(1);
        what();
        assert_dead(&server.reset(&token, NEW));
    };
    dies(&|| server.set_password(alice, PASSWORD));
    dies(&|| server.db.execute("UPDATE auth_user SET password = 'pbkdf2_sha256$1$a$b' WHERE username = 'alice'"));
    server.set_password(alice, PASSWORD);
    dies(&|| drop(server.log_in("alice")));
    // Within the same minute as the last one, which `last_login` does not tell.
    dies(&|| drop(server.log_in("alice")));
    dies(&|| drop(server.reset_token(&smtp)));
    dies(&|| server.set_active(alice, false));
    server.set_active(alice, true);
    let token = server.reset_token(&smtp);
    server.db.execute("UPDATE auth_user SET email = 'other@example.com' WHERE username = 'alice'");
    assert_dead(&server.reset(&token, NEW));
    Pair::of(&server.obtain("alice", PASSWORD));
}

both!(of_eight_who_use_one_link_at_once_one_wins);
fn of_eight_who_use_one_link_at_once_one_wins(backend: Backend) {
    let (smtp, server) = stage(backend, &[("LOGIN_THROTTLE", "false")]);
    let token = server.reset_token(&smtp);
    let answers: Vec<(usize, u16)> = thread::scope(|scope| {
        let (server, token) = (&server, &token);
        let tries: Vec<_> = (0..8)
            .map(|each| {
                scope.spawn(move || {
                    (
                        each,
                        server
                            .client
                            .clone()
                            .post(
                                "/api/password/reset/confirm/",
                                &json!({"token": token, "password": format!("{NEW}-{each}")}),
                            )
                            .status,
                    )
                })
            })
            .collect();
        tries.into_iter().map(|each| each.join().unwrap()).collect()
    });
    let won: Vec<_> = answers.iter().filter(|(_, status)| *status == 200).map(|(each, _)| each).collect();
    assert_eq!((won.len(), answers.iter().filter(|(_, status)| *status == 400).count()), (1, 7), "{answers:?}");
    Pair::of(&server.obtain("alice", &format!("{NEW}-{}", won[0])));
}

both!(a_reset_is_done_wholly_or_not_at_all);
fn a_reset_is_done_wholly_or_not_at_all(backend: Backend) {
    let (smtp, server) = stage(backend, &[]);
    let pair = server.log_in("alice");
    server.advance(1);
    let token = server.reset_token(&smtp);
    let (before, rest) = backend.pick(
        ("", "WHEN NEW.action = 'user.reset_password' BEGIN SELECT RAISE(ABORT, 'no'); END"),
        (
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END';",
            "FOR EACH ROW WHEN (NEW.action = 'user.reset_password') EXECUTE FUNCTION refuse()",
        ),
    );
    server.db.execute(&format!("{before} CREATE TRIGGER refuse BEFORE INSERT ON latchkey_audit_log {rest}"));
    assert!(server.reset(&token, NEW).status >= 500);
    server.refresh(&pair.refresh).expect_status(200);
    server.db.execute(backend.pick("DROP TRIGGER refuse", "DROP TRIGGER refuse ON latchkey_audit_log"));
    server.reset(&token, NEW).expect_status(200);
}

both!(nobody_learns_who_has_an_account);
fn nobody_learns_who_has_an_account(backend: Backend) {
    // A hash would take days.
    let smtp = Smtp::start();
    let url = smtp.url();
    let server = Server::with(backend, &[("EMAIL_URL", &url), ("BCRYPT_ROUNDS", "31")]);
    let encoded = || NewPassword::Encoded(EncodedPassword("pbkdf2_sha256$1$salt$hash".to_owned()));
    server.add("alice", |user| user.password = encoded());
    server.add("carol", |user| (user.password, user.is_active) = (encoded(), false));
    server.add("dave", |user| user.password = NewPassword::Unusable);
    let ask = |name: &str| {
        let before = server.app.db.statements();
        let answer = server.ask_for_reset(&format!("{name}@example.com"));
        let spent = server.app.db.statements() - before;
        answer.expect_status(200);
        (answer.text(), answer.headers.len(), spent)
    };
    let nobody = ask("nobody");
    assert_eq!([ask("carol"), ask("dave")], [nobody.clone(), nobody.clone()]);
    let known = ask("Alice");
    assert_eq!((&known.0, known.1), (&nobody.0, nobody.1));
    server.deliver_mail();
    assert_eq!(smtp.only().to, ["alice@example.com"]);
    server.ask_for_reset("alice").expect(400, json!({"email": ["Enter a valid email address."]}));
}

both!(everybody_with_the_address_gets_a_link_of_their_own);
fn everybody_with_the_address_gets_a_link_of_their_own(backend: Backend) {
    let (smtp, server) = stage(backend, &[("LOGIN_THROTTLE", "false")]);
    server.add_user("bob");
    server.db.execute("UPDATE auth_user SET email = 'ALICE@example.com' WHERE username = 'bob'");
    server.ask_for_reset("alice@example.com").expect_status(200);
    server.deliver_mail();
    let mails = smtp.received();
    assert_eq!(mails.len(), 2);
    for name in ["alice", "bob"] {
        let mail = mails.iter().find(|mail| mail.text.contains(&format!("Account: {name}"))).unwrap();
        server.reset(&mail.token(), NEW).expect_status(200);
        Pair::of(&server.obtain(name, NEW));
    }
}

both!(a_bad_password_leaves_the_link_good);
fn a_bad_password_leaves_the_link_good(backend: Backend) {
    let (smtp, server) = stage(backend, &[("PASSWORD_RULES", "nist")]);
    let token = server.reset_token(&smtp);
    let problems =
        ["This password is too short. It must contain at least 15 characters.", "This password is too common."];
    server.reset(&token, "letmein1").expect(400, json!({"password": problems}));
    let similar = json!({"password": ["The password is too similar to the email address."]});
    server.reset(&token, "alice@example.com").expect(400, similar);
    server.reset(&token, NEW).expect_status(200);
}

both!(who_asks_for_much_mail_has_to_wait);
fn who_asks_for_much_mail_has_to_wait(backend: Backend) {
    let (smtp, server) = stage(backend, &[]);
    for _ in 0..MAIL_ASKED.free {
        server.ask_for_reset("alice@example.com").expect_status(200);
    }
    let answer = server.ask_for_reset("nobody@example.com");
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("60")));
    // Whoever asks gets the same answers; whoever is asked for gets three mails.
    server.deliver_mail();
    assert_eq!(i32::try_from(smtp.received().len()).unwrap(), MAIL_SENT.free);
}

both!(guessing_tokens_is_slowed_down);
fn guessing_tokens_is_slowed_down(backend: Backend) {
    let (smtp, server) = stage(backend, &[]);
    let token = server.reset_token(&smtp);
    for _ in 0..ADDRESS.free {
        assert_dead(&server.reset("nonsense", NEW));
    }
    assert_eq!(server.reset(&token, NEW).status, 429);
    server.advance(10);
    server.reset(&token, NEW).expect_status(200);
}

both!(the_mail_leads_to_the_front_end_that_the_settings_name);
fn the_mail_leads_to_the_front_end_that_the_settings_name(backend: Backend) {
    let (smtp, server) = stage(backend, &[("PASSWORD_RESET_URL", "https://app.example.com/#/reset/{token}")]);
    server.ask_for_reset("alice@example.com").expect_status(200);
    server.deliver_mail();
    let link = smtp.only().link("https://app.example.com/#/reset/");
    server.reset(link.rsplit('/').next().unwrap(), NEW).expect_status(200);
}

fn change(server: &Server, access: &str, old: &str, new: &str) -> Answer {
    server.client.bearer("POST", "/api/password/change/", access, &json!({"old_password": old, "new_password": new}))
}

both!(whoever_changes_the_password_stays_logged_in_and_nobody_else_does);
fn whoever_changes_the_password_stays_logged_in_and_nobody_else_does(backend: Backend) {
    let (smtp, server) = stage(backend, &[("PASSWORD_RULES", "nist")]);
    let (here, elsewhere) = (server.log_in("alice"), server.log_in("alice"));
    let wrong = json!({"old_password": ["Your old password was entered incorrectly. Please enter it again."]});
    change(&server, &here.access, "wrong", NEW).expect(400, wrong);
    let short = json!({"new_password": ["This password is too short. It must contain at least 15 characters."]});
    change(&server, &here.access, PASSWORD, "harbour-17").expect(400, short);
    change(&server, &here.access, PASSWORD, NEW).expect_status(200);
    server.refresh(&elsewhere.refresh).expect_status(401);
    server.refresh(&here.refresh).expect_status(200);
    Pair::of(&server.obtain("alice", NEW));
    server.deliver_mail();
    assert_eq!(smtp.only().subject(), "Your password for Latchkey was changed");
    let unknown = server.client.post("/api/password/change/", &json!({}));
    assert_eq!(unknown.status, 401);
}

both!(sessions_go_on_where_the_settings_say_so);
fn sessions_go_on_where_the_settings_say_so(backend: Backend) {
    let (_smtp, server) = stage(backend, &[("END_SESSIONS_ON_USER_CHANGE", "false")]);
    let (here, elsewhere) = (server.log_in("alice"), server.log_in("alice"));
    let answer = change(&server, &here.access, PASSWORD, NEW);
    answer.expect(200, json!({"detail": "The password was changed."}));
    server.refresh(&elsewhere.refresh).expect_status(200);
}

both!(users_are_told_unless_the_settings_say_otherwise);
fn users_are_told_unless_the_settings_say_otherwise(backend: Backend) {
    for (setting, mails) in [("true", 1), ("false", 0)] {
        let (smtp, server) = stage(backend, &[("SECURITY_MAIL", setting)]);
        let alice = UserId::Integer(server.db.count("SELECT id FROM auth_user"));
        server.set_password(alice, NEW);
        server.deliver_mail();
        let received = smtp.received();
        assert_eq!(received.len(), mails);
        assert!(received.iter().all(|mail| mail.text.contains("an operator")), "{received:?}");
    }
}

both!(a_body_without_its_fields_is_refused_before_anything_is_done);
fn a_body_without_its_fields_is_refused_before_anything_is_done(backend: Backend) {
    let server = Server::start(backend);
    let required = json!(["This field is required."]);
    let ask = |path: &str| -> Value { server.client.post(path, &json!({})).json() };
    assert_eq!(ask("/api/password/reset/"), json!({"email": required}));
    assert_eq!(ask("/api/password/reset/confirm/"), json!({"token": required, "password": required}));
    assert_eq!(ask("/api/email/confirm/"), json!({"token": required}));
}

both!(a_thief_who_logs_in_elsewhere_does_not_make_the_link_worthless);
fn a_thief_who_logs_in_elsewhere_does_not_make_the_link_worthless(backend: Backend) {
    let (smtp, server) = stage(backend, &[("TRUSTED_PROXIES", "127.0.0.1")]);
    let token = server.reset_token(&smtp);
    server.advance(1);
    let body = json!({"username": "alice", "password": PASSWORD}).to_string();
    let headers = [("x-forwarded-for", "203.0.113.9"), ("content-type", "application/json")];
    server.client.send("POST", "/api/token/", &headers, &body).expect_status(200);
    server.reset(&token, NEW).expect_status(200);
    // What the thief used is a stranger's again.
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_device"), 1);
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_device WHERE network = '203.0.113.9'"), 0);
}

both!(what_was_checked_before_a_reset_changes_nothing_after_it);
fn what_was_checked_before_a_reset_changes_nothing_after_it(backend: Backend) {
    let (smtp, server) = stage(backend, &[]);
    let id = UserId::Integer(server.db.count("SELECT id FROM auth_user"));
    let alice = server.wait(server.app.read(move |tx| tx.app.users.find(tx.conn, id))).unwrap().unwrap();
    let thief = Client { ip: Some("203.0.113.9".parse().unwrap()), ..Client::default() };
    let checked = Confirmed::by_password(&server.app, &alice, &thief, PASSWORD.into());
    let checked = server.wait(checked).unwrap().expect("the right password");
    let token = server.reset_token(&smtp);
    server.reset(&token, NEW).expect_status(200);
    let stolen = OwnPassword { password: NewPassword::Plain("stolen-password-99".into()), kept: Kept::default() };
    let change = change::set_own_password(&server.app, &checked, &alice, stolen);
    assert!(matches!(server.wait(change), Err(ManageError::Stale)));
    let email = "thief@example.net";
    let request = email_change::request(&server.app, &checked, email, (&thief, ReceivedAt::now()));
    server.wait(request).unwrap();
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_link"), 0);
    server.obtain("alice", NEW).expect_status(200);
}
