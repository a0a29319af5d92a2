//! The pages of one token and of one user: what they show, revealing, blacklisting.

use std::sync::Arc;

use serde_json::json;

use super::{BLACKLISTED, OUTSTANDING, USERS};
use crate::harness::forge::jti;
use crate::harness::{Backend, Pair, Panel, Server, TestDatabase};

fn page_of(server: &Server, token: &str) -> String {
    format!("{OUTSTANDING}{}/change/", server.token_id(token))
}

fn audit(server: &Server, action: &str) -> i64 {
    server.db.count(&format!("SELECT count(*) FROM latchkey_audit_log WHERE action LIKE '%{action}%'"))
}

#[track_caller]
fn reveal(panel: &mut Panel, address: &str) -> String {
    let page = panel.get(address);
    page.expect_status(200);
    panel.submit(&page, "/reveal/", &[]).expect_status(200).text()
}

both!(a_revealed_token_is_the_one_that_the_client_got);
fn a_revealed_token_is_the_one_that_the_client_got(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    server.add_user("alice");
    let first = server.log_in("alice");
    let second = Pair::of(&server.refresh(&first.refresh));
    let mut panel = server.panel_of("root");
    for (times, token) in [&first.refresh, &second.refresh].into_iter().enumerate() {
        let address = page_of(&server, token);
        assert!(!panel.get(&address).text().contains(token.as_str()));
        assert!(reveal(&mut panel, &address).contains(token.as_str()));
        assert_eq!(audit(&server, "reveal"), i64::try_from(times).unwrap() + 1);
    }
    let logged = server.db.texts("SELECT action || actor || object || detail AS t FROM latchkey_audit_log");
    assert!(!logged.into_iter().flatten().any(|entry| entry.contains(first.refresh.rsplit('.').next().unwrap())));
}

both!(a_token_of_another_key_is_not_revealed);
fn a_token_of_another_key_is_not_revealed(backend: Backend) {
    let old_key = [("JWT_SIGNING_KEY", "the-signing-key-of-last-year-0123456789-0123456789")];
    let server = Server::with(backend, &old_key);
    server.add_user("alice");
    let token = server.log_in("alice").refresh;
    let unsigned = token.rsplit_once('.').unwrap().0.to_owned();
    let server = Server::on(Arc::clone(&server.db), &[]);
    server.add_superuser("root");
    let mut panel = server.panel_of("root");
    let page = reveal(&mut panel, &page_of(&server, &token));
    assert!(!page.contains(&unsigned) && page.contains("key"), "{page}");
}

both!(a_token_that_django_stored_is_shown_as_it_is);
fn a_token_that_django_stored_is_shown_as_it_is(backend: Backend) {
    let database = TestDatabase::django(backend);
    database.migrate().unwrap();
    let server = Server::on(database, &[]);
    let token = server.db.text("SELECT token AS t FROM token_blacklist_outstandingtoken WHERE id = 1").unwrap();
    let mut panel = server.panel();
    panel.log_in("carol", "lorac-1").expect_status(303);
    assert!(reveal(&mut panel, &format!("{OUTSTANDING}1/change/")).contains(&token));
}

both!(only_superusers_reveal_and_blacklist);
fn only_superusers_reveal_and_blacklist(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    server.add_staff("sam");
    let alice = server.add_user("alice");
    let token = server.log_in("alice").refresh;
    let (mut root, mut sam) = (server.panel_of("root"), server.panel_of("sam"));
    let address = page_of(&server, &token);
    let page = sam.get(&address);
    assert!(!page.expect_status(200).text().contains("/reveal/"));
    assert!(!page.text().contains("/blacklist/\""), "{}", page.text());
    // With a good token of sam's own, at addresses that only root is shown.
    let one = format!("{OUTSTANDING}{}", server.token_id(&token));
    let csrf = sam.get("/admin/").text().split("name=\"csrf_token\" value=\"").nth(1).unwrap()[..64].to_owned();
    for target in [format!("{one}/reveal/"), format!("{one}/blacklist/"), format!("{USERS}{}/blacklist/", alice.id)] {
        let answer = sam.post(&target, &[("csrf_token", &csrf)]);
        assert_eq!(answer.status, 403, "{target}: {}", answer.text());
        assert!(!answer.text().contains(&token));
    }
    sam.get(&format!("{one}/blacklist/")).expect_status(403);
    Pair::of(&server.refresh(&token));
    root.get(&address).expect_status(200);
}

both!(a_superuser_blacklists_a_token);
fn a_superuser_blacklists_a_token(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    server.add_user("alice");
    let (token, other) = (server.log_in("alice").refresh, server.log_in("alice").refresh);
    let mut panel = server.panel_of("root");
    let question = panel.get(&format!("{OUTSTANDING}{}/blacklist/", server.token_id(&token)));
    question.expect_status(200);
    assert_eq!(server.db.count("SELECT count(*) FROM token_blacklist_blacklistedtoken"), 0);
    let answer = panel.submit(&question, "/blacklist/", &[]);
    answer.expect_status(303);
    panel.follow(&answer).expect_status(200);
    server.refresh(&token).expect(401, json!({"detail": "Token is blacklisted", "code": "token_not_valid"}));
    Pair::of(&server.refresh(&other));
    assert_eq!(audit(&server, "blacklist"), 1);
    server.add_superuser("ruth");
    let id = server.token_id(&token);
    let entry = server.db.count(&format!("SELECT id FROM token_blacklist_blacklistedtoken WHERE token_id = {id}"));
    let entry = format!("{BLACKLISTED}{entry}/change/");
    let page = server.panel_of("ruth").get(&entry).expect_status(200).text();
    assert!(page.contains(&jti(&token)) && page.contains("root"), "who did it is said: {page}");
}

both!(a_superuser_blacklists_all_tokens_of_a_user);
fn a_superuser_blacklists_all_tokens_of_a_user(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let alice = server.add_user("alice");
    server.add_user("bob");
    let (one, two, bobs) = (server.log_in("alice"), server.log_in("alice"), server.log_in("bob"));
    let mut panel = server.panel_of("root");
    let question = panel.get(&format!("{USERS}{}/blacklist/", alice.id));
    let answer = panel.submit(question.expect_status(200), "/blacklist/", &[]);
    answer.expect_status(303);
    for token in [&one.refresh, &two.refresh] {
        server.refresh(token).expect(401, json!({"detail": "Token is blacklisted", "code": "token_not_valid"}));
    }
    Pair::of(&server.refresh(&bobs.refresh));
}

both!(a_blacklisted_token_says_why_and_leads_to_its_token);
fn a_blacklisted_token_says_why_and_leads_to_its_token(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    server.add_user("alice");
    let (rotated, left) = (server.log_in("alice"), server.log_in("alice"));
    server.refresh(&rotated.refresh).expect_status(200);
    let logout = json!({"refresh_token": left.refresh});
    server.client.bearer("POST", "/api/logout/", &left.access, &logout).expect_status(200);
    let mut panel = server.panel_of("root");
    for (token, why) in [(&rotated.refresh, "rotat"), (&left.refresh, "log")] {
        let id = server.token_id(token);
        let entry = server.db.count(&format!("SELECT id FROM token_blacklist_blacklistedtoken WHERE token_id = {id}"));
        let page = panel.get(&format!("{BLACKLISTED}{entry}/change/")).expect_status(200).text();
        assert!(page.contains(&jti(token)) && page.contains(&format!("{OUTSTANDING}{id}/change/")), "{page}");
        assert!(page.to_lowercase().contains(why), "{why}: {page}");
    }
}

both!(a_token_s_page_shows_claims_user_and_neighbours);
fn a_token_s_page_shows_claims_user_and_neighbours(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let alice = server.add_user("alice");
    let first = server.log_in("alice").refresh;
    let second = Pair::of(&server.refresh(&first)).refresh;
    let mut panel = server.panel_of("root");
    let (old, new) = (page_of(&server, &first), page_of(&server, &second));
    let page = panel.get(&old).expect_status(200).text();
    let user_page = format!("{USERS}{}/change/", alice.id);
    for part in [&jti(&first), "token_type", "HS256", &new, &user_page, "2026"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(panel.get(&new).text().contains(&old));
    let user = panel.get(&user_page).expect_status(200).text();
    assert!(user.contains("alice@example.com") && !user.contains("bcrypt_sha256$"), "{user}");
}
