//! A mail on its way to a real server: how it looks there, and what is left of it here.

use serde_json::json;

use super::{TOKEN, changed, column, delivered, enqueue, letters, reset, server};
use crate::harness::{Backend, Smtp};

both!(a_mail_arrives_with_text_and_looks);
fn a_mail_arrives_with_text_and_looks(backend: Backend) {
    let smtp = Smtp::start();
    let server = server(backend, &smtp);
    enqueue(&server, "alice@example.com", &reset("alice"));
    assert_eq!(server.deliver_mail(), delivered(1, 0, 0));
    let mail = smtp.only();
    assert_eq!((&*mail.from, mail.to.as_slice()), ("accounts@example.com", &["alice@example.com".to_owned()][..]));
    assert_eq!(mail.hello, "auth.example.com");
    assert_eq!(mail.kind, "multipart/alternative");
    assert_eq!(mail.subject(), "Reset your password for Bücherei Süd");
    assert_eq!(mail.headers["from"], "Bücherei Süd <accounts@example.com>");
    assert_eq!(mail.headers["auto-submitted"], "auto-generated");
    assert_eq!(mail.headers["date"], "Sun, 01 Mar 2026 12:00:00 +0000");
    assert!(mail.headers["message-id"].ends_with("@auth.example.com>"), "{mail:?}");
    let link = format!("https://auth.example.com/account/password/reset/confirm/?token={TOKEN}");
    assert_eq!((mail.link("https://auth.example.com/account/"), mail.token()), (link.clone(), TOKEN.to_owned()));
    assert!(mail.html.contains(&format!("href=\"{link}\"")), "{}", mail.html);
    for part in [&mail.text, &mail.html] {
        for word in ["alice", "Bücherei Süd", "203.0.113.9", "1 March 2026, 13:00 UTC"] {
            assert!(part.contains(word), "{word}: {part}");
        }
    }
    assert_eq!(server.deliver_mail(), delivered(0, 0, 0), "it is sent once");
}

both!(a_secret_is_encrypted_while_it_waits_and_gone_afterwards);
fn a_secret_is_encrypted_while_it_waits_and_gone_afterwards(backend: Backend) {
    let smtp = Smtp::start();
    let server = server(backend, &smtp);
    enqueue(&server, "alice@example.com", &reset("alice"));
    let all = "SELECT recipient || subject || parameters || coalesce(secret, '') || coalesce(error, '') AS t FROM latchkey_mail";
    assert!(!server.db.text(all).unwrap().contains(TOKEN));
    assert!(column(&server, "secret").is_some());
    server.deliver_mail();
    assert_eq!((column(&server, "status").as_deref(), column(&server, "secret")), (Some("sent"), None));
    enqueue(&server, "bob@example.com", &reset("bob"));
    smtp.answer(&json!({"RCPT": "550 5.1.1 No such user here"}));
    assert_eq!(server.deliver_mail(), delivered(0, 0, 1));
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_mail WHERE secret IS NOT NULL"), 0);
}

#[test]
fn a_front_ends_pages_are_what_the_links_lead_to() {
    let smtp = Smtp::start();
    let url = smtp.url();
    let pages = [
        ("PASSWORD_RESET_URL", "https://app.example.com/#/reset/{token}"),
        ("EMAIL_CONFIRM_URL", "https://app.example.com/confirm?a=1&token={token}"),
    ];
    let settings = [&super::settings(&url)[..], &pages].concat();
    let server = crate::harness::Server::with(Backend::Sqlite, &settings);
    for letter in &letters("alice") {
        enqueue(&server, "alice@example.com", letter);
    }
    server.deliver_mail();
    let mails = smtp.received();
    let sent = |start: &str| mails.iter().find(|mail| mail.subject().starts_with(start)).unwrap();
    assert_eq!(sent("Reset").link("https://app"), format!("https://app.example.com/#/reset/{TOKEN}"));
    assert_eq!(sent("Confirm").token(), TOKEN);
    assert!(sent("Confirm").html.contains("confirm?a=1&#38;token="), "{}", sent("Confirm").html);
    assert_eq!(smtp.last_to("alice@example.com").to, ["alice@example.com"]);
    let own = "https://auth.example.com/account/password/reset/";
    assert_eq!(sent("Your password").link("https://auth.example.com/account"), own);
    assert_eq!(sent("New login").link("https://auth.example.com/account"), own);
}

#[test]
fn every_letter_says_what_happened_in_both_parts() {
    let smtp = Smtp::start();
    let server = server(Backend::Sqlite, &smtp);
    let letters = letters("alice");
    for letter in &letters {
        enqueue(&server, "alice@example.com", letter);
    }
    assert_eq!(server.deliver_mail(), delivered(letters.len(), 0, 0));
    for mail in smtp.received() {
        for part in [&mail.text, &mail.html] {
            assert!(part.contains("Bücherei Süd") && part.contains("You received this mail because"), "{part}");
            assert!(!part.contains("{{") && !part.contains("Some("), "{part}");
        }
        assert!(mail.text.lines().all(|line| !line.starts_with('<')), "{}", mail.text);
        assert!(!mail.text.contains("\n\n\n") && !mail.text.contains('!'), "{}", mail.text);
        assert!(mail.raw.lines().all(|line| line.len() < 998), "RFC 5322, 2.1.1");
    }
}

both!(names_from_outside_are_text_and_nothing_else);
fn names_from_outside_are_text_and_nothing_else(backend: Backend) {
    let smtp = Smtp::start();
    let server = server(backend, &smtp);
    let hostile = "eve<b data-injected>\r\nBcc: everybody@example.com\r\n\r\nhello\" onload=\"x\u{202e}'&amp;{{ 7*7 }}";
    let letters = letters(hostile);
    for letter in &letters {
        enqueue(&server, "alice@example.com", letter);
    }
    server.deliver_mail();
    let mails = smtp.received();
    assert_eq!(mails.len(), letters.len());
    for mail in mails {
        assert_eq!(mail.to, ["alice@example.com"]);
        assert!(!mail.headers.contains_key("bcc"), "{mail:?}");
        assert!(!mail.html.contains("<b data") && !mail.html.contains("hello\" on"), "{}", mail.html);
        assert!(!mail.text.contains("\nBcc") && !mail.text.contains('\u{202e}'), "{}", mail.text);
        assert!(!mail.headers.values().any(|value| value.contains("eve")), "{:?}", mail.headers);
    }
}

both!(what_is_rolled_back_sends_nothing);
fn what_is_rolled_back_sends_nothing(backend: Backend) {
    use latchkey::app::Tx;
    use latchkey::db::DbError;
    let smtp = Smtp::start();
    let server = server(backend, &smtp);
    let enqueue = super::enqueueing("alice@example.com", &changed("alice"), None);
    let job = move |tx: &mut Tx<'_>| enqueue(tx).and(Err::<(), _>(DbError::NotFound));
    assert!(server.wait(server.app.write(job)).is_err());
    assert_eq!(server.deliver_mail(), delivered(0, 0, 0));
    assert!(smtp.received().is_empty());
}
