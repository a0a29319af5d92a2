//! What is done with ticked rows, and what can be taken back.

use super::{BLACKLISTED, OUTSTANDING, USERS};
use crate::harness::forge::jti;
use crate::harness::{Backend, Pair, Panel, Server};

fn id_of(server: &Server, username: &str) -> String {
    server.db.count(&format!("SELECT id FROM auth_user WHERE username = '{username}'")).to_string()
}

/// Ticks rows of a list, chooses what to do, and answers the question with yes. The text of the page that follows.
#[track_caller]
fn act(panel: &mut Panel, list: &str, action: &str, ticked: &[&str]) -> String {
    let page = panel.get(list);
    let mut fields = vec![("action", action)];
    fields.extend(ticked.iter().map(|key| ("selected", *key)));
    let question = panel.submit(&page, "/action/", &fields);
    question.expect_status(200);
    let answer = panel.submit(&question, "/action/", &[]);
    answer.expect_status(303);
    panel.follow(&answer).expect_status(200).text()
}

both!(ticked_tokens_are_blacklisted_after_a_question);
fn ticked_tokens_are_blacklisted_after_a_question(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let pairs = ["alice", "bob", "carol"].map(|name| {
        server.add_user(name);
        server.log_in(name)
    });
    let ids = pairs.each_ref().map(|pair| server.token_id(&pair.refresh).to_string());
    let mut panel = server.panel_of("root");
    let page = panel.get(OUTSTANDING);
    let question = panel.submit(&page, "/action/", &[("action", "blacklist"), ("selected", &ids[0])]);
    assert!(question.text().contains("Blacklist 1 token of 1 user?"));
    assert_eq!(
        server.db.count("SELECT count(*) FROM token_blacklist_blacklistedtoken"),
        0,
        "a question changes nothing"
    );
    let page = act(&mut panel, OUTSTANDING, "blacklist", &[&ids[0], &ids[1], "no number", "999999"]);
    assert!(page.contains("2 tokens were blacklisted."), "{page}");
    for (pair, status) in pairs.iter().zip([401, 401, 200]) {
        server.refresh(&pair.refresh).expect_status(status);
    }
    let noted = "SELECT count(*) FROM latchkey_audit_log WHERE action = 'token.blacklist' AND actor = 'root'";
    assert_eq!(server.db.count(noted), 2, "one entry for each owner");
    let again = act(&mut panel, OUTSTANDING, "blacklist", &[&ids[0]]);
    assert!(again.contains("had been blacklisted already"), "{again}");
    let page = panel.get(OUTSTANDING);
    let nothing = panel.submit(&page, "/action/", &[("action", "blacklist")]);
    assert!(panel.follow(&nothing).text().contains("Select one or more tokens first"));
}

both!(a_blacklisting_by_a_superuser_can_be_taken_back);
fn a_blacklisting_by_a_superuser_can_be_taken_back(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    server.add_user("alice");
    let token = server.log_in("alice").refresh;
    let id = server.token_id(&token).to_string();
    let mut panel = server.panel_of("root");
    act(&mut panel, OUTSTANDING, "blacklist", &[&id]);
    server.refresh(&token).expect_status(401);
    let entry = server.db.count("SELECT max(id) FROM token_blacklist_blacklistedtoken");
    let question = panel.get(&format!("{BLACKLISTED}{entry}/delete/"));
    assert!(question.text().contains("Undo the blacklisting of this token"), "{}", question.text());
    let answer = panel.submit(&question, "/delete/", &[]);
    assert!(panel.follow(&answer).text().contains("accepted again"));
    server.refresh(&token).expect_status(200);
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_session WHERE ended_at IS NOT NULL"), 0);
}

both!(a_rotated_token_stays_blacklisted);
fn a_rotated_token_stays_blacklisted(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    server.add_user("alice");
    let first = server.log_in("alice").refresh;
    let second = Pair::of(&server.refresh(&first)).refresh;
    server.client.post("/api/token/blacklist/", &serde_json::json!({ "refresh": second })).expect_status(200);
    let mut panel = server.panel_of("root");
    for token in [&first, &second] {
        let entry = "SELECT b.id FROM token_blacklist_blacklistedtoken b JOIN token_blacklist_outstandingtoken o ON \
                     o.id = b.token_id WHERE o.jti";
        let entry = server.db.count(&format!("{entry} = '{}'", jti(token)));
        let page = panel.get(&format!("{BLACKLISTED}{entry}/change/")).expect_status(200).text();
        assert!(page.contains("Can be undone") && !page.contains("Undo blacklisting"), "{page}");
        // Even a form that was made up changes nothing.
        assert_eq!(panel.get(&format!("{BLACKLISTED}{entry}/delete/")).status, 303);
        let csrf = panel.get(OUTSTANDING);
        let body =
            csrf.text().split("name=\"csrf_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let cookies = panel.cookies();
        let headers = [("cookie", &*cookies), ("content-type", "application/x-www-form-urlencoded")];
        let address = format!("{BLACKLISTED}{entry}/delete/");
        server.client.send("POST", &address, &headers, format!("csrf_token={body}")).expect_status(303);
    }
    assert_eq!(server.db.count("SELECT count(*) FROM token_blacklist_blacklistedtoken"), 2);
}

both!(ticked_users_are_deactivated_but_never_the_last_superuser);
fn ticked_users_are_deactivated_but_never_the_last_superuser(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    for name in ["alice", "bob"] {
        server.add_user(name);
    }
    let token = server.log_in("alice").refresh;
    let ids = ["alice", "bob", "root"].map(|name| id_of(&server, name));
    let mut panel = server.panel_of("root");
    let page = act(&mut panel, USERS, "deactivate", &[&ids[0], &ids[1], &ids[2]]);
    assert!(page.contains("2 users were deactivated.") && page.contains("root: "), "{page}");
    server.refresh(&token).expect_status(401);
    let active = "SELECT count(*) FROM auth_user WHERE is_active";
    assert_eq!(server.db.count(active), 1);
    let page = act(&mut panel, USERS, "activate", &[&ids[0], &ids[2]]);
    assert!(page.contains("1 user was activated."), "{page}");
    assert_eq!(server.db.count(active), 2);
    let token = server.log_in("alice").refresh;
    let page = act(&mut panel, USERS, "log_out", &[&ids[0]]);
    assert!(page.contains("1 user was logged out everywhere."), "{page}");
    server.refresh(&token).expect_status(401);
}

both!(a_bulk_change_of_users_asks_for_the_password_after_a_while);
fn a_bulk_change_of_users_asks_for_the_password_after_a_while(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    server.add_user("alice");
    let id = id_of(&server, "alice");
    let mut panel = server.panel_of("root");
    server.advance(16 * 60);
    let page = panel.get(USERS);
    let question = panel.submit(&page, "/action/", &[("action", "deactivate"), ("selected", &id)]);
    assert!(question.text().contains("own_password"));
    let wrong = panel.submit(&question, "/action/", &[("own_password", "not it")]);
    assert!(wrong.expect_status(200).text().contains("incorrectly"));
    assert_eq!(server.db.count("SELECT count(*) FROM auth_user WHERE NOT is_active"), 0);
}

both!(staff_who_are_no_superusers_see_no_actions);
fn staff_who_are_no_superusers_see_no_actions(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    server.add_user("alice");
    server.db.execute("UPDATE auth_user SET is_staff = true WHERE username = 'alice'");
    server.log_in("alice");
    let mut panel = server.panel_of("alice");
    for list in [USERS, OUTSTANDING] {
        let page = panel.get(list).expect_status(200).text();
        assert!(!page.contains("name=\"selected\"") && !page.contains("/action/"), "{page}");
    }
}

both!(filters_narrow_a_list_and_can_be_taken_off);
fn filters_narrow_a_list_and_can_be_taken_off(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    server.add_user("alice");
    let first = server.log_in("alice").refresh;
    let second = Pair::of(&server.refresh(&first)).refresh;
    let mut panel = server.panel_of("root");
    for (query, has_first, has_second) in [
        ("status=live", false, true),
        ("status=rotated", true, false),
        ("status=expired", false, false),
        ("status=nonsense", true, true),
        ("created=2026-03-01", true, true),
        ("created=2026-03", true, true),
        ("created=2025", false, false),
        ("created_from=2026-03-02", false, false),
        ("created_to=2026-03-01&sort=expires", true, true),
        ("expires_from=2026-03-02&expires_to=2026-03-02", true, true),
        ("session=nothing", false, false),
    ] {
        let page = panel.get(&format!("{OUTSTANDING}?{query}")).expect_status(200).text();
        let has = |token: &str| page.contains(&format!(">{}<", jti(token)));
        assert_eq!((has(&first), has(&second)), (has_first, has_second), "{query}: {page}");
    }
    let page = panel.get(&format!("{BLACKLISTED}?reason=rotated")).text();
    assert!(page.contains(&jti(&first)) && page.contains("Reason: Rotation"), "{page}");
    assert!(!panel.get(&format!("{BLACKLISTED}?reason=logout")).text().contains(&jti(&first)));
    let page = panel.get(&format!("{USERS}?is_superuser=yes")).text();
    assert!(page.contains(">root<") && !page.contains(">alice<"), "{page}");
}
