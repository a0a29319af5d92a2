//! Users in the panel: adding, changing, setting a password, deleting; what is refused, and what stale forms do.

use futures_util::future::join;
use latchkey::accounts::change::Edit;
use latchkey::accounts::change::{self, fingerprint};
use latchkey::accounts::confirm::Confirmed;
use latchkey::db::users::User;
use latchkey::db::users::profile::Profile;
use serde_json::json;

use super::USERS;
use crate::harness::{Answer, Backend, PASSWORD, Panel, Server};

const ADD: &str = "/admin/auth/user/add/";

fn page_of(user: &User) -> String {
    format!("{USERS}{}/change/", user.id)
}

/// The fields of the change form as they stand, for a user who may log in.
fn fields(name: &str) -> Vec<(&'static str, String)> {
    vec![("username", name.to_owned()), ("email", format!("{name}@example.com")), ("is_active", "on".to_owned())]
}

/// Fills in the form of `page` and sends it.
fn save(panel: &mut Panel, page: &Answer, action: &str, fields: &[(&'static str, String)]) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, &**value)).collect();
    panel.submit(page.expect_status(200), action, &fields)
}

fn with(mut fields: Vec<(&'static str, String)>, name: &'static str, value: &str) -> Vec<(&'static str, String)> {
    fields.retain(|(field, _)| *field != name);
    if !value.is_empty() {
        fields.push((name, value.to_owned()));
    }
    fields
}

#[track_caller]
fn refused(answer: &Answer, text: &str) {
    let page = answer.expect_status(200).text();
    assert!(page.contains(text) && page.contains("<title>Error: "), "{text}: {page}");
}

fn active_superusers(server: &Server) -> i64 {
    server.db.count("SELECT count(*) FROM auth_user WHERE is_superuser AND is_active")
}

both!(a_user_is_added_and_can_log_in);
fn a_user_is_added_and_can_log_in(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let mut panel = server.panel_of("root");
    let form = panel.get(ADD);
    let passwords = [("password1", "quiet-lantern-23"), ("password2", "quiet-lantern-23"), ("_continue", "1")];
    let all = passwords.iter().fold(fields("ann"), |all, (name, value)| with(all, name, value));
    let answer = save(&mut panel, &form, ADD, &with(all, "email", " Ann@EXAMPLE.com "));
    let id = server.db.count("SELECT id FROM auth_user WHERE username = 'ann'");
    assert_eq!((answer.status, answer.header("location")), (303, Some(&*format!("{USERS}{id}/change/"))));
    assert!(panel.follow(&answer).text().contains("The user “ann” was added."));
    assert_eq!(server.db.text("SELECT email AS t FROM auth_user WHERE username = 'ann'").unwrap(), "Ann@example.com");
    server.obtain("ann", "quiet-lantern-23").expect_status(200);
}

both!(a_user_may_be_added_without_a_password);
fn a_user_may_be_added_without_a_password(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let mut panel = server.panel_of("root");
    let form = panel.get(ADD);
    let answer = save(&mut panel, &form, ADD, &with(fields("robot"), "usable_password", "false"));
    assert_eq!((answer.status, answer.header("location")), (303, Some(USERS)));
    assert!(server.db.text("SELECT password AS t FROM auth_user WHERE username = 'robot'").unwrap().starts_with('!'));
}

both!(what_is_wrong_with_a_form_is_said_in_djangos_words);
fn what_is_wrong_with_a_form_is_said_in_djangos_words(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let ann = server.add_user("ann");
    let mut panel = server.panel_of("root");
    let add = with(with(fields("bob"), "password1", "a-long-password"), "password2", "a-long-password");
    let form = panel.get(ADD);
    for (field, value, text) in [
        ("username", "", "This field is required."),
        ("username", "b b", "Enter a valid username. This value may contain only letters"),
        ("username", "ann", "A user with that username already exists."),
        ("email", "nonsense", "Enter a valid email address."),
        ("email", "ANN@example.com", "A user with that email address already exists."),
        ("first_name", &"x".repeat(151), "Ensure this value has at most 150 characters (it has 151)."),
        ("password2", "another", "The two password fields didn’t match."),
        ("password2", "", "This field is required."),
    ] {
        refused(&save(&mut panel, &form, ADD, &with(add.clone(), field, value)), text);
    }
    let long = with(with(add, "password1", &"x".repeat(4097)), "password2", &"x".repeat(4097));
    refused(&save(&mut panel, &form, ADD, &long), "Ensure this value has at most 4096 bytes.");
    let form = panel.get(&page_of(&ann));
    for (field, value, text) in [
        ("username", "root", "A user with that username already exists."),
        ("email", "root@example.com", "A user with that email address already exists."),
    ] {
        refused(&save(&mut panel, &form, "/change/", &with(fields("ann"), field, value)), text);
    }
    assert_eq!(server.db.count("SELECT count(*) FROM auth_user"), 2);
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_audit_log WHERE action = 'user.change'"), 0);
}

both!(a_change_is_noted_field_by_field);
fn a_change_is_noted_field_by_field(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let ann = server.add_user("ann");
    let mut panel = server.panel_of("root");
    let form = panel.get(&page_of(&ann));
    let changed = with(with(fields("ann"), "email", "a@example.com"), "is_staff", "on");
    let answer = save(&mut panel, &form, "/change/", &with(changed.clone(), "_continue", "1"));
    let page = panel.follow(&answer).text();
    assert!(page.contains("The user “ann” was changed."), "{page}");
    assert!(
        page.contains("User changed by root (Email: ann@example.com → a@example.com; Is staff: no → yes)"),
        "{page}"
    );
    let detail = "SELECT detail AS t FROM latchkey_audit_log WHERE action = 'user.change'";
    let noted: serde_json::Value = serde_json::from_str(&server.db.text(detail).unwrap()).unwrap();
    assert_eq!(noted, json!({"changes": {"email": ["ann@example.com", "a@example.com"], "is_staff": [false, true]}}));
    let form = panel.get(&page_of(&ann));
    let answer = save(&mut panel, &form, "/change/", &changed);
    assert!(panel.follow(&answer).text().contains("The user “ann” was not changed."));
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_audit_log WHERE action = 'user.change'"), 1);
}

both!(a_name_that_django_took_elsewhere_does_not_stop_another_change);
fn a_name_that_django_took_elsewhere_does_not_stop_another_change(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let ann = server.add_user("ann");
    server.db.execute("UPDATE auth_user SET username = 'an n', email = 'odd' WHERE username = 'ann'");
    let mut panel = server.panel_of("root");
    let form = panel.get(&page_of(&ann));
    let odd = with(with(fields("an n"), "email", "odd"), "last_name", "Moreau");
    save(&mut panel, &form, "/change/", &odd).expect_status(303);
    assert_eq!(server.db.text("SELECT last_name AS t FROM auth_user WHERE username = 'an n'").unwrap(), "Moreau");
}

both!(a_stale_form_overwrites_nothing_and_shows_both_values);
fn a_stale_form_overwrites_nothing_and_shows_both_values(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let ann = server.add_user("ann");
    let mut panel = server.panel_of("root");
    let form = panel.get(&page_of(&ann));
    server.db.execute("UPDATE auth_user SET first_name = 'Anna' WHERE username = 'ann'");
    let mine = with(fields("ann"), "first_name", "Annette");
    let again = save(&mut panel, &form, "/change/", &mine);
    refused(&again, "someone else changed this user after you opened the form");
    assert!(again.text().contains("Current value: <strong>Anna</strong>") && again.text().contains("Annette"));
    let first_name = "SELECT first_name AS t FROM auth_user WHERE username = 'ann'";
    assert_eq!(server.db.text(first_name).unwrap(), "Anna");
    // A refusal for another reason does not make a form of before good.
    let wrong = save(&mut panel, &form, "/change/", &with(mine.clone(), "email", "nonsense"));
    refused(&wrong, "someone else changed this user");
    save(&mut panel, &again, "/change/", &mine).expect_status(303);
    assert_eq!(server.db.text(first_name).unwrap(), "Annette");
}

both!(deactivating_ends_the_sessions);
fn deactivating_ends_the_sessions(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let sam = server.add_staff("sam");
    let (pair, mut sams) = (server.log_in("sam"), server.panel_of("sam"));
    let mut panel = server.panel_of("root");
    let form = panel.get(&page_of(&sam));
    save(&mut panel, &form, "/change/", &with(fields("sam"), "is_active", "")).expect_status(303);
    sams.get("/admin/").expect_status(302);
    server.refresh(&pair.refresh).expect_status(401);
    assert!(panel.get(&page_of(&sam)).text().contains("has no live session"));
}

both!(nobody_takes_their_own_rights);
fn nobody_takes_their_own_rights(backend: Backend) {
    let server = Server::start(backend);
    let root = server.add_superuser("root");
    server.add_superuser("other");
    let mut panel = server.panel_of("root");
    let form = panel.get(&page_of(&root));
    let all = with(with(fields("root"), "is_staff", "on"), "is_superuser", "on");
    for right in ["is_active", "is_staff", "is_superuser"] {
        refused(
            &save(&mut panel, &form, "/change/", &with(all.clone(), right, "")),
            "You cannot take this right away from yourself",
        );
    }
    assert!(!form.text().contains("/delete/"), "no way to delete oneself is offered");
    let question = panel.get(&format!("{USERS}{}/delete/", root.id));
    refused(&panel.submit(&question, "/delete/", &[]), "You cannot delete yourself");
    assert_eq!(active_superusers(&server), 2);
}

both!(two_superusers_who_demote_each_other_leave_one);
fn two_superusers_who_demote_each_other_leave_one(backend: Backend) {
    let server = Server::start(backend);
    let (ann, bob) = (server.add_superuser("ann"), server.add_superuser("bob"));
    let by = Confirmed::command_line();
    let demote = |user: &User| {
        let profile = Profile::from(user);
        let (app, by, id, as_read) = (server.app.clone(), by.clone(), user.id, fingerprint(&profile));
        async move {
            let edit = Edit { of: as_read, new: Profile { is_superuser: false, ..profile } };
            change::update(&app, &by, id, edit).await
        }
    };
    let (one, other) = server.wait(join(demote(&ann), demote(&bob)));
    assert_eq!(u8::from(one.is_ok()) + u8::from(other.is_ok()), 1, "{one:?} {other:?}");
    let refusal = one.err().or(other.err()).unwrap().to_string();
    assert!(refusal.contains("the last active superuser"), "{refusal}");
    assert_eq!(active_superusers(&server), 1);

    // Nor can the last one be deactivated or deleted, whoever asks.
    let last = server.db.count("SELECT id FROM auth_user WHERE is_superuser");
    let last = if ann.id == latchkey::db::types::UserId::Integer(last) { ann.id } else { bob.id };
    assert!(server.wait(change::set_active(&server.app, &by, last, false)).is_err());
    assert!(server.wait(change::delete(&server.app, &by, last)).is_err());
    assert_eq!(active_superusers(&server), 1);
}

both!(a_password_is_set_or_taken_away);
fn a_password_is_set_or_taken_away(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let ann = server.add_user("ann");
    let pair = server.log_in("ann");
    let mut panel = server.panel_of("root");
    let address = format!("{USERS}{}/password/", ann.id);
    let form = panel.get(&address);
    let typed = [("password1", "quiet-lantern-23"), ("password2", "quiet-lantern-23")];
    panel.submit(&form, "/password/", &typed).expect_status(303);
    server.refresh(&pair.refresh).expect_status(401);
    server.obtain("ann", "quiet-lantern-23").expect_status(200);
    server.obtain("ann", PASSWORD).expect_status(401);
    panel.submit(&form, "/password/", &[("usable_password", "false")]).expect_status(303);
    server.obtain("ann", "quiet-lantern-23").expect_status(401);
    refused(&panel.submit(&form, "/password/", &typed[..1]), "This field is required.");
    let log = server.db.texts("SELECT action || object || detail AS t FROM latchkey_audit_log");
    assert!(!format!("{log:?}").contains("quiet-lantern"), "{log:?}");
}

both!(deleting_says_what_goes_and_keeps_the_tokens_on_record);
fn deleting_says_what_goes_and_keeps_the_tokens_on_record(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let ann = server.add_user("ann");
    let pair = server.log_in("ann");
    let mut panel = server.panel_of("root");
    let question = panel.get(&format!("{USERS}{}/delete/", ann.id));
    let page = question.expect_status(200).text();
    for part in ["Delete user ann?", "Live sessions", "Outstanding tokens", "Kept, without a user", "Keep the user"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let answer = panel.submit(&question, "/delete/", &[]);
    assert!(panel.follow(&answer).text().contains("The user “ann” was deleted."));
    assert_eq!(server.db.count("SELECT count(*) FROM auth_user"), 1);
    assert_eq!(server.db.count("SELECT count(*) FROM token_blacklist_outstandingtoken WHERE user_id IS NULL"), 1);
    server.refresh(&pair.refresh).expect_status(401);
    panel.get(&page_of(&ann)).expect_status(404);
    panel.submit(&question, "/delete/", &[]).expect_status(404);
}

both!(staff_see_no_form_and_may_send_none);
fn staff_see_no_form_and_may_send_none(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    server.add_staff("sam");
    let ann = server.add_user("ann");
    let mut panel = server.panel_of("sam");
    let page = panel.get(&page_of(&ann));
    assert!(!page.expect_status(200).text().contains("as_read"), "{}", page.text());
    let token = page.text().split("name=\"csrf_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    for address in ["add/".to_owned(), format!("{}/password/", ann.id), format!("{}/delete/", ann.id)] {
        panel.get(&format!("{USERS}{address}")).expect_status(403);
    }
    for what in ["change", "password", "delete"] {
        let address = format!("{USERS}{}/{what}/", ann.id);
        panel.post(&address, &[("csrf_token", &token), ("password1", "x"), ("password2", "x")]).expect_status(403);
        server.panel_of("root").post(&address, &[("username", "x")]).expect_status(400);
    }
    server.obtain("ann", PASSWORD).expect_status(200);
}

both!(numbers_that_no_user_has_are_pages_that_are_not_there);
fn numbers_that_no_user_has_are_pages_that_are_not_there(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let mut panel = server.panel_of("root");
    let page = panel.get(ADD);
    let token = page.text().split("name=\"csrf_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    for id in ["0", "-1", "999999", "9223372036854775807", "99999999999999999999", "x", "%00"] {
        for what in ["change", "password", "delete", "blacklist"] {
            let address = format!("{USERS}{id}/{what}/");
            panel.get(&address).expect_status(404);
            let fields = [("csrf_token", &*token), ("username", "a"), ("password1", "b"), ("password2", "b")];
            let status = panel.post(&address, &fields).status;
            assert!(status == 404 || status == 200 && what == "change", "{address}: {status}");
        }
    }
}

both!(typed_text_that_looks_like_html_comes_back_as_text);
fn typed_text_that_looks_like_html_comes_back_as_text(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let ann = server.add_user("ann");
    let mut panel = server.panel_of("root");
    let evil = "\"><script>alert(1)</script>";
    server.db.execute("UPDATE auth_user SET first_name = '<b>\"&' WHERE username = 'ann'");
    let form = panel.get(&page_of(&ann));
    let all = with(with(fields("ann"), "first_name", evil), "email", evil);
    for answer in
        [save(&mut panel, &form, "/change/", &all), save(&mut panel, &form, "/change/", &with(all, "as_read", "x"))]
    {
        let page = answer.expect_status(200).text();
        assert!(page.contains("alert(1)") && !page.contains("<script>alert") && !page.contains("<b>\""), "{page}");
    }
    let name = with(fields("ann"), "first_name", evil);
    let answer = save(&mut panel, &form, "/change/", &with(name, "_continue", "1"));
    assert!(!panel.follow(&answer).text().contains("<script>alert"));
}
