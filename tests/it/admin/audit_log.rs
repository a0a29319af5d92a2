//! The audit log: what it shows, its filters, its pages, its export. And the export of users.

use latchkey::db::types::UserId;
use serde_json::{Value, json};

use super::{USERS, pages_of};
use crate::harness::{Backend, Panel, Server};

const LOG: &str = "/admin/audit_log/";

/// Entries of a quiet year: action, actor, address, user, object, detail, count.
fn write(server: &Server, rows: &[(&str, &str, &str, UserId, &str, &str, i32)]) {
    for (n, (action, actor, ip, user, object, detail, count)) in rows.iter().enumerate() {
        server.db.execute(&format!(
            "INSERT INTO latchkey_audit_log (at, action, actor, ip, user_id, object, detail, count) VALUES \
             ('2025-06-0{} 12:00:00', '{action}', '{actor}', '{ip}', {user}, '{object}', '{detail}', {count})",
            n + 1
        ));
    }
}

/// A server with a superuser, alice, and five old entries.
fn server_with_entries(backend: Backend) -> (Server, Panel, UserId) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let alice = server.add_user("alice").id;
    let change = r#"{"changes":{"email":["old@example.com","new@example.com"],"is_staff":[false,true]}}"#;
    let reuse = r#"{"session":"abc","rotated_at":"2025-06-02T11:00:00Z","rotated_by":"192.0.2.1","presented_by":"192.0.2.2","user_agent":"curl/8"}"#;
    write(
        &server,
        &[
            ("user.change", "carol", "192.0.2.9", alice, "alice", change, 1),
            ("session.reuse", "Latchkey", "192.0.2.2", alice, "jti-of-alice", reuse, 1),
            ("login.failed", "", "192.0.2.7", alice, "alice", "{}", 12),
            ("token.reveal", "carol", "192.0.2.9", UserId::Integer(99), "jti-of-nobody", "not json", 1),
            ("strange.new_thing", "Command line", "", UserId::Integer(99), "gone", "[1]", 1),
        ],
    );
    let panel = server.panel_of("root");
    (server, panel, alice)
}

fn rows(page: &str) -> &str {
    page.split("<tbody>").nth(1).unwrap_or_default().split("</tbody>").next().unwrap()
}

both!(entries_are_told_in_words);
fn entries_are_told_in_words(backend: Backend) {
    let (_server, mut panel, alice) = server_with_entries(backend);
    let page = panel.get(LOG).expect_status(200).text();
    for words in [
        "User changed",
        "Email: old@example.com → new@example.com",
        "Is staff: no → yes",
        "Reuse alarm: a used refresh token came back",
        "5 details",
        "Presented by: 192.0.2.2",
        "12 failed logins",
        "Strange new thing",
        "Command line",
        "Logged in to the panel",
        &format!("/admin/auth/user/{alice}/change/"),
    ] {
        assert!(rows(&page).contains(words), "{words}: {page}");
    }
    let places: Vec<_> = ["Strange new", "Token revealed", "12 failed", "User changed"]
        .map(|words| rows(&page).find(words).unwrap())
        .to_vec();
    assert!(places.is_sorted(), "newest first: {places:?}");
    for forbidden in ["/delete/", "name=\"selected\""] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

both!(entries_are_filtered);
fn entries_are_filtered(backend: Backend) {
    let (_server, mut panel, alice) = server_with_entries(backend);
    let all = ["User changed", "Reuse alarm:", "12 failed logins", "Token revealed", "Strange new thing"];
    for (query, expected) in [
        ("action=session.reuse".to_owned(), vec![1]),
        ("actor=carol".to_owned(), vec![0, 3]),
        ("actor=carol&action=token.reveal".to_owned(), vec![3]),
        ("user=alice&at=2025".to_owned(), vec![0, 1, 2]),
        (format!("user={alice}&at=2025-06-02"), vec![1]),
        ("user=99".to_owned(), vec![3, 4]),
        ("q=ali&at=2025".to_owned(), vec![0, 1, 2]),
        ("q=jti-of-nobody".to_owned(), vec![3]),
        ("q=alice&user=99".to_owned(), vec![]),
        ("at_from=2025-06-03&at_to=2025-06-04".to_owned(), vec![2, 3]),
        ("ip=192.0.2.9&sort=when".to_owned(), vec![0, 3]),
        ("action=drop&actor=%00%ff&user=%27&at=x&ip=%22&sort=id&after=1~1".to_owned(), vec![]),
    ] {
        let page = panel.get(&format!("{LOG}?{query}")).expect_status(200).text();
        let found: Vec<_> = (0..all.len()).filter(|at| rows(&page).contains(all[*at])).collect();
        assert_eq!(found, expected, "{query}: {page}");
    }
}

both!(turning_the_pages_shows_every_entry_once);
fn turning_the_pages_shows_every_entry_once(backend: Backend) {
    let (server, mut panel, _) = server_with_entries(backend);
    let entries: Vec<String> = (0..1200)
        .map(|n| format!("('2025-07-01 12:00:0{}', 'user.change', 'dave', NULL, 'thing-{n:04}', '{{}}')", n % 7))
        .collect();
    server.db.execute(&format!(
        "INSERT INTO latchkey_audit_log (at, action, actor, user_id, object, detail) VALUES {}",
        entries.join(",")
    ));
    for query in ["?actor=dave", "?at=2025-07-01"] {
        let pages = pages_of(&mut panel, &format!("{LOG}{query}"));
        let mut seen: Vec<String> = pages
            .iter()
            .flat_map(|page| rows(page).match_indices(">thing-").map(|(at, _)| rows(page)[at + 1..at + 11].to_owned()))
            .collect();
        assert_eq!(seen.len(), 1200, "{query}");
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((seen.len(), pages.len()), (1200, 24), "{query}");
    }
    // Several batches.
    let exported = lines(&mut panel, "?actor=dave");
    assert_eq!(exported.len(), 1200);
    assert_eq!(exported[0]["object"], "thing-1199");
}

#[track_caller]
fn lines(panel: &mut Panel, query: &str) -> Vec<Value> {
    let answer = panel.get(&format!("{LOG}export/{query}"));
    answer.expect_status(200);
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"audit_log.jsonl\""));
    assert_eq!(answer.header("content-type"), Some("application/jsonl; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

both!(the_export_has_the_rows_of_the_list);
fn the_export_has_the_rows_of_the_list(backend: Backend) {
    let (server, _, alice) = server_with_entries(backend);
    server.add_staff("sam");
    let mut sam = server.panel_of("sam");
    let page = sam.get(&format!("{LOG}?user=alice&at=2025")).text();
    assert!(page.contains(&format!("{LOG}export/?user=alice&#38;at=2025")), "{page}");
    let exported = lines(&mut sam, "?user=alice&at=2025");
    let actions: Vec<_> = exported.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["login.failed", "session.reuse", "user.change"]);
    assert_eq!(
        exported[2],
        json!({
            "id": exported[2]["id"],
            "at": "2025-06-01T12:00:00Z",
            "last_at": null,
            "action": "user.change",
            "actor": "carol",
            "actor_id": null,
            "user_id": alice,
            "user": "alice",
            "object": "alice",
            "ip": "192.0.2.9",
            "count": 1,
            "detail": {"changes": {"email": ["old@example.com", "new@example.com"], "is_staff": [false, true]}},
        })
    );
    assert_eq!(exported[0]["count"], 12);
    let all = lines(&mut sam, "");
    assert_eq!(i64::try_from(all.len()).unwrap(), server.db.count("SELECT count(*) FROM latchkey_audit_log"));
    // Each export is an entry itself, with its filters.
    assert_eq!((&all[0]["action"], &all[0]["actor"]), (&json!("audit_log.export"), &json!("sam")));
    assert_eq!(all[1]["detail"], json!({"user": "alice", "at": "2025"}));
    assert_eq!(all.last().unwrap()["action"], "user.create");
}

both!(entries_that_look_like_html_do_no_harm);
fn entries_that_look_like_html_do_no_harm(backend: Backend) {
    let (server, mut panel, alice) = server_with_entries(backend);
    let evil = "<script>alert(1)</script>";
    let detail = format!(r#"{{"{evil}":"{evil}","changes":{{"{evil}":["{evil}","{evil}"]}}}}"#);
    write(&server, &[("<b>.<i>_x", evil, "<img src=x>", alice, evil, &detail, 3)]);
    let page = panel.get(LOG).expect_status(200).text();
    assert!(!page.contains(evil) && !page.contains("<img src=x>") && !page.contains("<b>"), "{page}");
    assert!(lines(&mut panel, "?at=2025").iter().any(|entry| entry["actor"] == evil));
}

both!(the_users_are_exported_as_a_table);
fn the_users_are_exported_as_a_table(backend: Backend) {
    let (server, mut root, _) = server_with_entries(backend);
    server.add_staff("sam");
    let mut sam = server.panel_of("sam");
    assert!(!sam.get(USERS).text().contains("/export/"));
    sam.get(&format!("{USERS}export/")).expect_status(403);
    server.db.execute(
        "UPDATE auth_user SET first_name = '=HYPERLINK(\"http://evil.test\")', last_name = '-1, \"x\"', \
         email = '@SUM(A1)' WHERE username = 'alice'",
    );
    let answer = root.get(&format!("{USERS}export/"));
    answer.expect_status(200);
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"users.csv\""));
    let text = answer.text();
    let mut table = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(table.headers().unwrap().iter().take(3).collect::<Vec<_>>(), ["id", "username", "email"]);
    let users: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(users.iter().map(|user| &user[1]).collect::<Vec<_>>(), ["alice", "root", "sam"]);
    let alice: Vec<_> = users[0].iter().skip(2).take(6).collect();
    assert_eq!(alice, ["'@SUM(A1)", "'=HYPERLINK(\"http://evil.test\")", "'-1, \"x\"", "true", "false", "false"]);
    let staff = root.get(&format!("{USERS}export/?is_staff=yes&sort=-last_login")).text();
    assert_eq!(staff.lines().count(), 3, "{staff}");
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_audit_log WHERE action = 'user.export'"), 2);
    // The names of many, in several batches, each once.
    let many: Vec<String> = (0..1100)
        .map(|n| format!("('!', false, 'user-{n:04}', '', '', '', false, true, '2026-01-01 00:00:00')"))
        .collect();
    server.db.execute(&format!(
        "INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, \
         date_joined) VALUES {}",
        many.join(",")
    ));
    assert_eq!(root.get(&format!("{USERS}export/?is_staff=no")).text().lines().count(), 1102);
}
