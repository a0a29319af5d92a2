//! The list of mail in the panel, and what the dashboard says of it.

use crate::harness::{Backend, Panel, Server};

use super::pages_of;

const MAIL: &str = "/admin/mail/";

/// Writes a mail as the queue has it.
fn write(server: &Server, to: &str, user: &str, status: &str, at: &str, error: &str) {
    let [next, done] =
        if status == "queued" { [format!("'{at}'"), "NULL".into()] } else { ["NULL".into(), format!("'{at}'")] };
    server.db.execute(&format!(
        "INSERT INTO latchkey_mail (created_at, user_id, recipient, subject, template, parameters, secret, status, attempts, \
         next_at, give_up_at, done_at, error) VALUES ('{at}', (SELECT id FROM auth_user WHERE username = '{user}'), '{to}', \
         'About {to}', 'test', '{{\"unseen\": 1}}', 'sealed', '{status}', 1, {next}, '{at}', {done}, nullif('{error}', ''))"
    ));
}

fn site(backend: Backend) -> (Server, Panel) {
    let server = Server::start(backend);
    server.add_superuser("root");
    server.add_user("alice");
    write(&server, "alice@example.com", "alice", "sent", "2026-03-01 11:00:00", "");
    write(&server, "Old.Alice@example.org", "alice", "failed", "2026-03-01 11:10:00", "550 No such user");
    write(&server, "bob@example.com", "nobody", "queued", "2026-03-01 11:20:00", "451 Later");
    let panel = server.panel_of("root");
    (server, panel)
}

/// To whom the mails of a list went, in its order.
fn listed(page: &str) -> Vec<String> {
    let rows = page.split("<tbody>").nth(1).unwrap_or_default().split("</tbody>").next().unwrap();
    rows.split("\"line\">About ").skip(1).map(|row| row.split('<').next().unwrap().to_owned()).collect()
}

both!(mails_are_found_by_status_recipient_and_user);
fn mails_are_found_by_status_recipient_and_user(backend: Backend) {
    let (server, mut panel) = site(backend);
    let id = server.db.count("SELECT id FROM auth_user WHERE username = 'alice'");
    let (alice, old, bob) = ("alice@example.com", "Old.Alice@example.org", "bob@example.com");
    for (query, expected) in [
        (String::new(), &[bob, old, alice][..]),
        ("?sort=when".into(), &[alice, old, bob]),
        ("?status=sent".into(), &[alice]),
        ("?status=failed".into(), &[old]),
        ("?status=queued".into(), &[bob]),
        ("?q=bob@example.com".into(), &[bob]),
        ("?q=BOB@example.com".into(), &[bob]),
        ("?q=bo".into(), &[bob]),
        ("?q=old.alice@EXAMPLE.org".into(), &[old]),
        ("?q=old".into(), &[old]),
        ("?q=ali".into(), &[old, alice]),
        (format!("?q={id}"), &[old, alice]),
        (format!("?q={id}&status=failed"), &[old]),
        (format!("?q={id}&sort=when"), &[alice, old]),
        ("?q=alice@example.com&status=failed".into(), &[]),
        ("?q=bo&status=sent".into(), &[]),
        ("?at=2026-03-01".into(), &[bob, old, alice]),
        ("?at=2026-03-02".into(), &[]),
        ("?q=100%25".into(), &[]),
        ("?q=%00'%22".into(), &[]),
    ] {
        let page = panel.get(&format!("{MAIL}{query}")).expect_status(200).text();
        assert_eq!(listed(&page), expected, "{query}");
    }
}

both!(a_mail_is_shown_without_what_is_in_it);
fn a_mail_is_shown_without_what_is_in_it(backend: Backend) {
    let (server, mut panel) = site(backend);
    let page = panel.get(MAIL).expect_status(200).text();
    for words in ["550 No such user", "451 Later", "Failed", "Sent", "Queued", "next try"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("unseen") && !page.contains("sealed"), "{page}");
    server.add_staff("staff");
    server.panel_of("staff").get(MAIL).expect_status(200);
    server.panel().get(MAIL).expect_status(302);
}

both!(turning_the_pages_shows_every_mail_once);
fn turning_the_pages_shows_every_mail_once(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    for n in 0..120 {
        let status = ["sent", "failed"][n % 2];
        write(&server, &format!("user{n}@example.com"), "root", status, &format!("2026-03-01 11:00:0{}", n % 3), "");
    }
    let mut panel = server.panel_of("root");
    for (query, expected) in [("", 120), ("?sort=when", 120), ("?status=failed", 60), ("?q=root", 120), ("?q=use", 120)]
    {
        let mut seen: Vec<_> =
            pages_of(&mut panel, &format!("{MAIL}{query}")).iter().flat_map(|page| listed(page)).collect();
        assert_eq!(seen.len(), expected, "{query}");
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), expected, "{query}");
    }
}

both!(the_dashboard_says_what_is_wrong_with_mail);
fn the_dashboard_says_what_is_wrong_with_mail(backend: Backend) {
    let (server, mut panel) = site(backend);
    let mut says = |words: &str| panel.get("/admin/").expect_status(200).text().contains(words);
    assert!(says("1 mail failed in 24 hours"));
    assert!(says("Mail has been waiting for 40 minutes"));
    assert!(!says("Mail is not sent"), "nobody else reaches this server either");
    server.db.execute("UPDATE latchkey_mail SET next_at = '2026-03-01 11:50:01'");
    assert!(!says("Mail has been waiting"), "not yet for ten minutes");
    server.advance(86_400);
    server.db.execute("DELETE FROM latchkey_mail WHERE status = 'queued'");
    // The old login is over.
    let page = server.panel_of("root").get("/admin/").expect_status(200).text();
    assert!(!page.contains("given up in 24 hours"), "{page}");
}

#[test]
fn a_site_on_the_web_that_prints_its_mail_is_told_so() {
    let server = Server::with(Backend::Sqlite, &[("PUBLIC_URL", "https://auth.example.com")]);
    server.add_superuser("root");
    let page = server.panel_of("root").get("/admin/").expect_status(200).text();
    assert!(page.contains("Mail is not sent"), "{page}");
}
