//! Sessions: the list, the page of one, ending them.

use std::sync::Arc;

use serde_json::json;

use super::pages_of;
use crate::harness::forge::jti;
use crate::harness::{Backend, Pair, Panel, Server};

const SESSIONS: &str = "/admin/sessions/";

fn session_of(server: &Server, token: &str) -> String {
    server
        .db
        .text(&format!("SELECT session_id AS t FROM latchkey_token WHERE token_id = {}", server.token_id(token)))
        .unwrap()
}

/// A superuser who has logged in, and a session each of alice and bob, with one rotation.
fn server_with_sessions(backend: Backend) -> (Server, Panel, [(String, Pair); 2]) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let sessions = ["alice", "bob"].map(|name| {
        server.add_user(name);
        let first = server.log_in(name);
        server.advance(60);
        let second = Pair::of(&server.refresh(&first.refresh));
        (session_of(&server, &first.refresh), second)
    });
    let panel = server.panel_of("root");
    (server, panel, sessions)
}

/// The ids of the sessions that a list shows, in its order.
fn listed(page: &str) -> Vec<String> {
    let rows = page.split("<tbody>").nth(1).unwrap_or_default().split("</tbody>").next().unwrap();
    let links = rows.split("<th scope=\"row\"><a href=\"/admin/sessions/").skip(1);
    links.map(|link| link.split('/').next().unwrap().to_owned()).collect()
}

both!(sessions_are_found_filtered_and_sorted);
fn sessions_are_found_filtered_and_sorted(backend: Backend) {
    let (server, mut panel, [(alices, pair), (bobs, _)]) = server_with_sessions(backend);
    server.db.execute(&format!("UPDATE latchkey_session SET ip = '192.0.2.7' WHERE id = '{bobs}'"));
    let id = server.db.count("SELECT id FROM auth_user WHERE username = 'alice'");
    let body = json!({ "refresh_token": pair.refresh });
    server.client.bearer("POST", "/api/logout/", &pair.access, &body).expect_status(200);
    let mut found = |query: &str| listed(&panel.get(&format!("{SESSIONS}{query}")).expect_status(200).text());
    let both = [bobs.clone(), alices.clone()];
    assert_eq!(found(""), both);
    assert_eq!(found("?sort=began"), [alices.clone(), bobs.clone()]);
    assert_eq!(found("?sort=-expires"), both);
    for (query, expected) in [
        (format!("?q={alices}"), &alices),
        ("?q=ali".to_owned(), &alices),
        (format!("?q={id}"), &alices),
        ("?q=bob@example.com".to_owned(), &bobs),
        ("?status=live".to_owned(), &bobs),
        ("?status=ended".to_owned(), &alices),
        ("?reason=logout".to_owned(), &alices),
        ("?ip=192.0.2.7".to_owned(), &bobs),
        ("?ip=192.0.2.7&sort=expires".to_owned(), &bobs),
        ("?reason=logout&sort=expires".to_owned(), &alices),
    ] {
        assert_eq!(found(&query), std::slice::from_ref(expected), "{query}");
    }
    for query in ["?status=expired", "?q=nobody", "?reason=reuse", "?began=1999", "?ip=192.0.2.8", "?q=%00'%22"] {
        assert!(found(query).is_empty() || query.contains("%00"), "{query}");
    }
    let page = panel.get(SESSIONS).text();
    assert!(page.contains("Ended: logout") && page.contains("192.0.2.7"), "{page}");
}

both!(a_session_that_a_setting_limits_is_not_live);
fn a_session_that_a_setting_limits_is_not_live(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    server.add_user("alice");
    let id = session_of(&server, &server.log_in("alice").refresh);
    for (setting, value) in [("SESSION_MAX_AGE", "1h"), ("SESSION_IDLE_TIMEOUT", "1h")] {
        let server = Server::on(Arc::clone(&server.db), &[(setting, value)]);
        server.advance(3599);
        let mut panel = server.panel_of("root");
        assert_eq!(
            listed(&panel.get(&format!("{SESSIONS}?status=live")).text()),
            std::slice::from_ref(&id),
            "{setting}"
        );
        server.advance(1);
        assert!(listed(&panel.get(&format!("{SESSIONS}?status=live")).text()).is_empty(), "{setting}");
        assert_eq!(
            listed(&panel.get(&format!("{SESSIONS}?status=expired")).text()),
            std::slice::from_ref(&id),
            "{setting}"
        );
        assert!(panel.get(&format!("{SESSIONS}{id}/")).text().contains("Expired"));
    }
}

both!(turning_the_pages_shows_every_session_once);
fn turning_the_pages_shows_every_session_once(backend: Backend) {
    let server = Server::start(backend);
    let root = server.add_superuser("root").id;
    // Many began at the same time: the order is total all the same.
    let rows: Vec<String> = (0..130)
        .map(|n| {
            format!("('s{n:04}', {root}, '2026-03-01 12:00:0{}', '2027-03-01 12:00:0{}', 'curl/8', '')", n % 3, n % 4)
        })
        .collect();
    server.db.execute(&format!(
        "INSERT INTO latchkey_session (id, user_id, created_at, expires_at, user_agent, label) VALUES {}",
        rows.join(",")
    ));
    let mut panel = server.panel_of("root");
    for query in ["", "?sort=expires", "?status=live", "?q=root"] {
        let pages = pages_of(&mut panel, &format!("{SESSIONS}{query}"));
        let mut seen: Vec<String> = pages.iter().flat_map(|page| listed(page)).collect();
        assert_eq!(seen.len(), 130, "{query}");
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((seen.len(), pages.len()), (130, 3), "{query}");
    }
}

both!(the_page_of_a_session_shows_its_chain);
fn the_page_of_a_session_shows_its_chain(backend: Backend) {
    let (server, mut panel, [(id, second), _]) = server_with_sessions(backend);
    let page = panel.get(&format!("{SESSIONS}{id}/")).expect_status(200).text();
    assert_eq!(page.matches("<svg viewBox=\"0 0 1000 16\"").count(), 2, "{page}");
    assert!(page.contains("1 rotation") && page.contains("End session…"), "{page}");
    assert!(page.contains(&format!("/outstandingtoken/{}/change/", server.token_id(&second.refresh))));
    assert!(page.contains(&format!("/outstandingtoken/?session={id}")));
}

both!(a_reuse_alarm_is_explained);
fn a_reuse_alarm_is_explained(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    server.add_user("alice");
    let first = server.log_in("alice");
    server.advance(600);
    let second = Pair::of(&server.refresh(&first.refresh));
    server.advance(600);
    server.refresh(&second.refresh).expect_status(200);
    server.advance(600);
    server.refresh(&second.refresh).expect_status(401);
    let id = session_of(&server, &first.refresh);
    let mut panel = server.panel_of("root");
    let page = panel.get(&format!("{SESSIONS}{id}/")).expect_status(200).text();
    for words in [
        "Ended: reuse alarm",
        "Someone may have a copy of token 2.",
        "because a used token came back",
        ">Reused</span>",
        "presented again at",
        "<path class=\"bad\" d=\"M",
        "2 rotations",
        "Reuse alarm: a used refresh token came back",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("End session…") && page.contains(&jti(&second.refresh)[..12]));
}

both!(a_session_of_thousands_of_rotations_is_cut_short);
fn a_session_of_thousands_of_rotations_is_cut_short(backend: Backend) {
    let (server, mut panel, [(id, _), _]) = server_with_sessions(backend);
    let rows: Vec<String> = (0..2000)
        .map(|n| {
            format!("('h.p', '2026-03-01 12:{:02}:{:02}', '2027-03-01 12:00:00', NULL, 'jti-{n}')", n / 60, n % 60)
        })
        .collect();
    server.db.execute(&format!(
        "INSERT INTO token_blacklist_outstandingtoken (token, created_at, expires_at, user_id, jti) VALUES {}",
        rows.join(",")
    ));
    server.db.execute(&format!(
        "INSERT INTO latchkey_token (token_id, session_id) SELECT id, '{id}' FROM token_blacklist_outstandingtoken \
         WHERE jti LIKE 'jti-%'"
    ));
    let page = panel.get(&format!("{SESSIONS}{id}/")).expect_status(200).text();
    assert_eq!(page.matches("<svg viewBox=\"0 0 1000 16\"").count(), 45);
    assert!(page.contains("1,957 rotations in between") && page.contains("2,001 rotations"), "{page}");
}

both!(superusers_end_sessions_and_staff_look);
fn superusers_end_sessions_and_staff_look(backend: Backend) {
    let (server, mut root, [(alices, pair), (bobs, _)]) = server_with_sessions(backend);
    server.add_staff("sam");
    let mut sam = server.panel_of("sam");
    let (address, end) = (format!("{SESSIONS}{alices}/"), format!("{SESSIONS}{alices}/end/"));
    assert!(!sam.get(&address).expect_status(200).text().contains("/end/"));
    assert!(!sam.get(SESSIONS).expect_status(200).text().contains("name=\"selected\""));
    sam.get(&end).expect_status(403);

    let question = root.get(&end);
    assert!(question.expect_status(200).text().contains("End this session of alice?"));
    let answer = root.submit(&question, "/end/", &[]);
    assert_eq!((answer.status, answer.header("location")), (303, Some(&*address)));
    let page = root.follow(&answer).text();
    assert!(page.contains("The session was ended.") && page.contains("Ended: by an admin"), "{page}");
    server.refresh(&pair.refresh).expect_status(401);
    let reasons = "SELECT count(*) FROM latchkey_token WHERE blacklist_reason = 'admin' AND blacklisted_by = 'root'";
    assert_eq!(server.db.count(reasons), 1);
    let logged =
        format!("SELECT count(*) FROM latchkey_audit_log WHERE action = 'session.end' AND object = '{alices}'");
    assert_eq!(server.db.count(&logged), 1);
    // Again, from an old page: nothing more happens.
    let again = root.submit(&question, "/end/", &[]);
    assert!(root.follow(&again).text().contains("The session was over already."));
    assert_eq!((server.db.count(&logged), root.get(&end).status), (1, 303));
    assert!(root.get(&format!("{SESSIONS}{bobs}/")).text().contains(">Live</span>"));
}

both!(chosen_sessions_are_ended_together);
fn chosen_sessions_are_ended_together(backend: Backend) {
    let (server, mut panel, [(alices, alice), (bobs, bob)]) = server_with_sessions(backend);
    let list = panel.get(SESSIONS);
    let nothing = panel.submit(&list, "/action/", &[("action", "end")]);
    assert!(panel.follow(&nothing).text().contains("Select one or more sessions first."));
    let ticked = [("action", "end"), ("selected", &*alices), ("selected", &bobs), ("selected", "'; DROP--")];
    let question = panel.submit(&list, "/action/", &ticked);
    assert!(question.expect_status(200).text().contains("End 2 sessions?"), "{}", question.text());
    server.refresh(&alice.refresh).expect_status(200);
    let answer = panel.submit(&question, "/action/", &[]);
    assert!(panel.follow(&answer).text().contains("2 sessions were ended."));
    server.refresh(&bob.refresh).expect_status(401);
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_session WHERE end_reason = 'admin'"), 2);
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_audit_log WHERE action = 'session.end'"), 2);
    // What is over is said to be.
    let question = panel.submit(&list, "/action/", &ticked);
    assert!(
        question.expect_status(200).text().contains("The selected sessions have ended already."),
        "{}",
        question.text()
    );
}

both!(sessions_that_are_not_there_are_not_found);
fn sessions_that_are_not_there_are_not_found(backend: Backend) {
    let (_server, mut panel, _) = server_with_sessions(backend);
    for id in ["0123456789abcdef0123456789abcdef", "1", "%00", "a%27b", "%F0%9F%98%80", &"x".repeat(500)] {
        for address in [format!("{SESSIONS}{id}/"), format!("{SESSIONS}{id}/end/")] {
            assert_eq!(panel.get(&address).status, 404, "{address}");
        }
    }
}

both!(hostile_devices_and_labels_do_no_harm);
fn hostile_devices_and_labels_do_no_harm(backend: Backend) {
    let (server, mut panel, [(id, _), _]) = server_with_sessions(backend);
    let evil = "<script>alert(1)</script>\"><img src=x>";
    server.db.execute(&format!(
        "UPDATE latchkey_session SET user_agent = '{evil}', label = '{evil}', ip = '{}', end_reason = '<b>'",
        &evil[..25]
    ));
    server.db.execute(&format!("UPDATE latchkey_token SET ip = '{}'", &evil[..25]));
    for address in [SESSIONS.to_owned(), format!("{SESSIONS}{id}/"), format!("{SESSIONS}{id}/end/")] {
        let page = panel.get(&address).expect_status(200).text();
        assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{page}");
    }
}
