//! The dashboard: its figures are those of the database, in the pictures as in the tables.

use latchkey::accounts::upkeep;
use serde_json::json;

use crate::harness::admin::unescape;
use crate::harness::{Backend, Pair, Server};

/// A server on which everything happened that the dashboard shows.
fn busy(backend: Backend) -> Server {
    let server = Server::start(backend);
    server.add_superuser("root");
    server.add_user("alice");
    let mut pair = server.log_in("alice");
    for _ in 0..3 {
        pair = Pair::of(&server.refresh(&pair.refresh));
    }
    server.advance(3600);
    server.client.bearer("POST", "/api/logout/", &pair.access, &json!({"all": true}));
    let pair = server.log_in("alice");
    server.client.post("/api/token/revoke/", &json!({"token": pair.refresh})).expect_status(200);
    for _ in 0..4 {
        server.obtain("alice", "wrong").expect_status(401);
    }
    let stolen = server.log_in("alice");
    server.refresh(&stolen.refresh).expect_status(200);
    server.advance(3600);
    server.refresh(&stolen.refresh).expect_status(401);
    server
}

/// The figures of a table, by column, added up over its rows.
fn sums(page: &str, caption: &str) -> Vec<i64> {
    let table = page.split(&format!("<caption class=\"sr\">{caption}</caption>")).nth(1).expect("the table");
    let table = table.split("</table>").next().unwrap();
    let mut sums = Vec::new();
    for row in table.split("<tr>").skip(2) {
        let figures = row.split("<td class=\"num\">").skip(1).map(|cell| cell.split('<').next().unwrap());
        for (column, figure) in figures.enumerate() {
            sums.resize(sums.len().max(column + 1), 0);
            sums[column] += figure.replace(',', "").parse::<i64>().unwrap();
        }
    }
    sums
}

/// The figures in the titles of a picture's bars, added up.
fn drawn(page: &str, label: &str) -> (i64, usize) {
    let svg = page.split(&format!("role=\"img\" aria-label=\"{label}")).nth(1).expect("the picture");
    let svg = svg.split("</svg>").next().unwrap();
    let figures = svg.split("<title>").skip(1).map(|title| {
        let title = title.split("</title>").next().unwrap().rsplit(": ").next().unwrap();
        title.replace(',', "").parse::<i64>().unwrap()
    });
    (figures.sum(), svg.matches("<rect").count())
}

both!(the_figures_are_those_of_the_database);
fn the_figures_are_those_of_the_database(backend: Backend) {
    let server = busy(backend);
    let mut panel = server.panel_of("root");
    for (path, unit) in [("/admin/", "hour"), ("/admin/?last=30-days", "day")] {
        let page = panel.get(path).expect_status(200).text();
        // Issued, refreshed, blacklisted but by rotation, reuse alarms.
        assert_eq!(sums(&page, &format!("Tokens by {unit}")), [7, 4, 2, 1], "{path}");
        assert_eq!(sums(&page, &format!("Logins and failed logins by {unit}")), [4, 4, 0], "{path}");
        for (name, sum) in [("Issued", 7), ("Refreshed", 4), ("Blacklisted", 2), ("Reuse alarms", 1)] {
            let (total, bars) = drawn(&page, &format!("{name} by {unit}: {sum} in"));
            assert_eq!(total, sum);
            assert!((1..=3).contains(&bars), "{name}: {bars}");
        }
    }
    let table = |name: &str| server.db.count(&format!("SELECT count(*) FROM token_blacklist_{name}"));
    let page = panel.get("/admin/").text();
    for (name, count) in [
        ("Users", 2),
        ("Outstanding tokens", table("outstandingtoken")),
        ("Blacklisted tokens", table("blacklistedtoken")),
        ("Active sessions", 1),
    ] {
        assert!(page.contains(&format!("<span>{name}</span><b>{count}</b>")), "{name}: {count} in {page}");
    }
}

both!(what_happened_is_told_in_sentences);
fn what_happened_is_told_in_sentences(backend: Backend) {
    let server = busy(backend);
    server.set_active(server.add_user("carol").id, false);
    let page = server.panel_of("root").get("/admin/").text();
    let recent = page.split("id=\"recent\"").nth(1).unwrap().split("</section>").next().unwrap();
    let words: String = recent.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text).collect();
    for sentence in [
        "Command line deactivated carol",
        "Latchkey ended a session of alice: a used refresh token came back",
        "Somebody revoked token ",
        "Command line added user alice",
    ] {
        assert!(words.contains(sentence), "{sentence} in {words}");
    }
    assert!(!words.contains("logged in to the panel"), "logins are routine");
    assert!(page.contains("1 session ended by reuse in 24 hours"));
    assert!(page.contains("Tokens are signed with SECRET_KEY"));
}

both!(guessing_is_seen);
fn guessing_is_seen(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let mut panel = server.panel_of("root");
    for _ in 0..5 + 101 {
        server.obtain("somebody", "x");
    }
    let page = panel.get("/admin/").text();
    assert_eq!(sums(&page, "Logins and failed logins by hour"), [1, 5, 101]);
    assert!(
        page.contains("101 logins that Latchkey <a href=\"/admin/audit_log/?action=login.throttled\">throttled</a>")
    );
    assert!(page.contains("101 logins throttled in 24 hours"));
    let log = panel.get("/admin/audit_log/?action=login.throttled").text();
    assert!(log.contains("101 throttled logins"), "{log}");
}

both!(what_needs_attention_is_named_until_it_is_done);
fn what_needs_attention_is_named_until_it_is_done(backend: Backend) {
    let key = "another-key-for-the-tokens-0123456789abcdef";
    let server = Server::with(backend, &[("JWT_SIGNING_KEY", key), ("PURGE_INTERVAL", "0")]);
    server.add_superuser("root");
    let mut panel = server.panel_of("root");
    assert!(panel.get("/admin/").text().contains("nothing needs attention"));
    server.add_user("alice");
    server.log_in("alice");
    server.db.execute("UPDATE auth_user SET email = 'Same@example.com'");
    server.db.execute("DROP INDEX latchkey_user_last_login");
    server.advance(11 * 3600);
    server.db.execute("UPDATE token_blacklist_outstandingtoken SET expires_at = created_at");
    server.wait(upkeep::once(&server.app)).unwrap();
    let page = panel.get("/admin/").text();
    for words in
        ["1 index missing", "latchkey_user_last_login", "1 expired tokens are waiting", "1 email address is shared"]
    {
        assert!(page.contains(words), "{words}");
    }
    assert!(page.contains("3 things need attention"), "{page}");
}

both!(days_are_those_of_the_reader);
fn days_are_those_of_the_reader(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    // It is noon in UTC; in New York and Tokyo the day has other hours.
    let mut panel = server.panel_of("root");
    let page = panel.get("/admin/").text();
    assert!(page.contains("<th scope=\"row\">1 Mar 2026, 12:00</th>"), "{page}");
    let cookie = format!("{}; latchkey_time_zone=Asia/Tokyo", panel.cookies());
    let page = server.client.get("/admin/", &[("cookie", &cookie)]).expect_status(200).text();
    assert!(page.contains("<th scope=\"row\">1 Mar 2026, 21:00</th>"));
}

both!(names_that_look_like_markup_stay_names);
fn names_that_look_like_markup_stay_names(backend: Backend) {
    let server = busy(backend);
    let evil = "</title><svg onload=alert(1)>\"'&";
    let quoted = evil.replace('\'', "''");
    server.db.execute(&format!("UPDATE auth_user SET username = '{quoted}' WHERE username = 'alice'"));
    server.db.execute(&format!("UPDATE latchkey_audit_log SET object = '{quoted}', actor = '{quoted}', detail = '{{\"changes\":{{\"<b>\":1}}}}'"));
    server.db.execute("UPDATE latchkey_audit_log SET action = 'user.change' WHERE action = 'user.create'");
    server.db.execute("INSERT INTO latchkey_rollup (event, hour, shard, count) SELECT '<script>', hour, 7, 7 FROM latchkey_rollup WHERE event = 'login'");
    let page = server.panel_of("root").get("/admin/").expect_status(200).text();
    assert!(!page.contains("<svg onload") && !page.contains("<script>") && !page.contains("<b>\""), "{page}");
    assert!(unescape(&page).contains(evil));
}

both!(the_dashboard_costs_a_handful_of_statements);
fn the_dashboard_costs_a_handful_of_statements(backend: Backend) {
    let server = busy(backend);
    let mut panel = server.panel_of("root");
    for path in ["/admin/", "/admin/?last=30-days", "/admin/?last=%FF%00&last=x", "/admin/?nonsense"] {
        let before = server.app.db.statements();
        panel.get(path).expect_status(200);
        let spent = server.app.db.statements() - before;
        // The twelfth is what the queue of mail says.
        assert!(spent <= 12, "{path}: {spent}");
    }
}
