//! Where mail can go, by the real binary: a server with STARTTLS or TLS and a login, the terminal, a directory.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::{TOKEN, enqueue, reset, settings};
use crate::harness::binary::{Latchkey, Said};
use crate::harness::key_source::KeySource;
use crate::harness::{Backend, Server, Smtp, TestDatabase};

/// `latchkey sendtestemail` with this `EMAIL_URL`. It needs no database.
fn send(url: &str, trusted: &str) -> Said {
    let latchkey = Latchkey::on(TestDatabase::empty(Backend::Sqlite)).set("EMAIL_URL", url);
    latchkey.set("SSL_CERT_FILE", trusted).set("SITE_NAME", "Example").run(&["sendtestemail", "alice@example.com"])
}

#[test]
fn starttls_and_a_login_protect_the_mail() {
    let smtp = Smtp::with_starttls("post@example.com", "open/sesame");
    let url = format!("smtp://post%40example.com:open%2Fsesame@localhost:{}", smtp.port);
    let said = send(&format!("{url}?tls=required"), &KeySource::ca_file()).expect(0);
    let way = format!("smtp://post@example.com:***@localhost:{}?tls=required", smtp.port);
    assert_eq!(said.out, format!("Sent a test mail to alice@example.com by {way}\n"));
    let mail = smtp.only();
    assert!(mail.is_encrypted);
    assert_eq!((mail.user.as_deref(), mail.subject()), (Some("post@example.com"), "Test mail from Example"));
}

#[test]
fn tls_from_the_first_byte_protects_the_mail() {
    let smtp = Smtp::with(&json!({"tls": "implicit", "user": "post", "password": "open-sesame"}));
    send(&format!("smtps://post:open-sesame@localhost:{}", smtp.port), &KeySource::ca_file()).expect(0);
    assert!(smtp.only().is_encrypted);
}

#[test]
fn a_server_that_nobody_vouches_for_gets_no_mail_and_no_password() {
    let smtp = Smtp::with_starttls("post", "open-sesame");
    for (url, trusted) in [
        (format!("smtp://post:open-sesame@localhost:{}?tls=required", smtp.port), "/nothing".to_owned()),
        // Its certificate is one of "localhost".
        (format!("smtp://post:open-sesame@127.0.0.1:{}?tls=required", smtp.port), KeySource::ca_file()),
    ] {
        let said = send(&url, &trusted).expect(1).expect_words(&["cannot be used: invalid peer certificate"]);
        assert_eq!(said.err.lines().count(), 1, "{said:?}");
        assert!(!said.err.contains("open-sesame"), "{said:?}");
    }
    let plain = Smtp::start();
    send(&format!("smtp://localhost:{}?tls=required", plain.port), &KeySource::ca_file())
        .expect(1)
        .expect_words(&["STARTTLS is not supported"]);
    assert!(smtp.received().is_empty() && plain.received().is_empty());
}

#[test]
fn on_this_machine_tls_is_used_where_it_is_there() {
    // As a Postfix with the certificate that its package made.
    let smtp = Smtp::with_starttls("post", "open-sesame");
    send(&format!("smtp://post:open-sesame@127.0.0.1:{}", smtp.port), "/nothing").expect(0);
    assert!(smtp.only().is_encrypted);
    let plain = Smtp::start();
    send(&format!("smtp://127.0.0.1:{}", plain.port), "/nothing").expect(0);
    assert!(!plain.only().is_encrypted);
}

#[test]
fn what_the_server_says_is_said_in_one_sentence() {
    let smtp = Smtp::start();
    smtp.answer(&json!({"RCPT": "550 5.7.1 Relaying denied"}));
    let said = send(&smtp.url(), "").expect(1);
    let sentence = format!("The mail server 127.0.0.1:{} answered 550: 5.7.1 Relaying denied.", smtp.port);
    assert_eq!(said.err, format!("Error: Nothing was sent to alice@example.com. {sentence}\n"));
    let latchkey = Latchkey::on(TestDatabase::empty(Backend::Sqlite)).set("EMAIL_URL", &smtp.url());
    latchkey.run(&["sendtestemail"]).expect(2);
    latchkey.run(&["sendtestemail", "nobody"]).expect(1).expect_words(&["Mail cannot be sent to this address"]);
}

#[test]
fn the_terminal_shows_the_text_of_a_mail_and_the_log_does_not() {
    let said = send("console:", "").expect(0);
    for words in ["To: alice@example.com\n", "Subject: Test mail from Example\n", "This is a test mail"] {
        assert!(said.out.contains(words), "{said:?}");
    }
    assert!(!said.out.contains("<td") && said.err.is_empty(), "{said:?}");
}

both!(a_directory_gets_a_file_for_each_mail);
fn a_directory_gets_a_file_for_each_mail(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let mails = folder.path().join("deeper/mail");
    let server = Server::with(backend, &settings(&format!("file://{}", mails.display())));
    for name in ["alice", "bob"] {
        enqueue(&server, &format!("{name}@example.com"), &reset(name));
    }
    assert_eq!(server.deliver_mail().sent, 2);
    let mut files: Vec<_> = std::fs::read_dir(&mails).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 2, "{files:?}");
    assert_eq!(mails.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    for (file, name) in files.iter().zip(["alice", "bob"]) {
        assert_eq!(file.extension().unwrap(), "eml");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.contains(&format!("To: {name}@example.com\r\n")), "{text}");
        assert!(text.replace("=\r\n", "").contains(TOKEN), "{text}");
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let server = Server::with(Backend::Sqlite, &settings(&format!("file://{}/mail", file.display())));
    enqueue(&server, "alice@example.com", &reset("alice"));
    assert_eq!(server.deliver_mail(), super::delivered(0, 1, 0));
    assert!(super::column(&server, "error").unwrap().contains("cannot be written"));
}
