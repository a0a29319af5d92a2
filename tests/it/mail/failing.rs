//! Servers that refuse, hang or are away: when a mail is tried again, and when it is given up.

use std::net::TcpListener;
use std::time::Duration;

use latchkey::db::types::Instant;
use latchkey::mail::Mailer;
use latchkey::mail::queue;
use serde_json::json;

use super::{TOKEN, changed, column, delivered, enqueue, enqueueing, reset, server, settings};
use crate::harness::server::NOW;
use crate::harness::{Backend, Server, Smtp};

both!(a_server_that_is_busy_is_tried_again_and_again);
fn a_server_that_is_busy_is_tried_again_and_again(backend: Backend) {
    let smtp = Smtp::start();
    let server = server(backend, &smtp);
    enqueue(&server, "alice@example.com", &changed("alice"));
    smtp.answer(&json!({"RCPT": "451 4.3.0 Try again later"}));
    for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(server.deliver_mail(), delivered(0, 1, 0));
        server.advance(minutes * 60 - 1);
        assert_eq!(server.deliver_mail(), delivered(0, 0, 0), "{minutes} minutes are not over");
        server.advance(1);
    }
    assert_eq!(column(&server, "attempts").as_deref(), Some("8"));
    let error = column(&server, "error").unwrap();
    assert!(error.contains("answered 451: 4.3.0 Try again later."), "{error}");
    smtp.answer(&json!({}));
    assert_eq!(server.deliver_mail(), delivered(1, 0, 0));
    assert_eq!((column(&server, "status").as_deref(), column(&server, "error")), (Some("sent"), None));
    smtp.only();
}

both!(a_mail_is_given_up_after_a_day);
fn a_mail_is_given_up_after_a_day(backend: Backend) {
    let smtp = Smtp::start();
    let server = server(backend, &smtp);
    enqueue(&server, "alice@example.com", &changed("alice"));
    smtp.answer(&json!({"MAIL": "421 4.3.2 Not now"}));
    let mut attempts = 0;
    while server.deliver_mail() != delivered(0, 0, 1) {
        attempts += 1;
        assert!(attempts < 40, "it goes on for ever");
        server.advance(3600);
    }
    assert!((22..=24).contains(&attempts), "{attempts}");
    assert_eq!(column(&server, "status").as_deref(), Some("failed"));
    assert!(column(&server, "error").unwrap().contains("421"));
    server.advance(86_400);
    assert_eq!(server.deliver_mail(), delivered(0, 0, 0));
}

both!(a_link_that_is_over_is_not_sent_any_more);
fn a_link_that_is_over_is_not_sent_any_more(backend: Backend) {
    let smtp = Smtp::start();
    let server = server(backend, &smtp);
    let over = Instant::from_timestamp(NOW + 3600);
    server.wait(server.app.write(enqueueing("a@example.com", &reset("a"), over))).unwrap();
    // Nobody was there to send it.
    server.advance(3600);
    assert_eq!(server.deliver_mail(), delivered(0, 0, 1));
    assert!(column(&server, "error").unwrap().contains("waited for too long"));
    assert!(smtp.received().is_empty());
    assert_eq!(column(&server, "secret"), None);
}

both!(a_refusal_for_good_is_not_tried_again);
fn a_refusal_for_good_is_not_tried_again(backend: Backend) {
    let smtp = Smtp::start();
    let server = server(backend, &smtp);
    for (verb, answer) in
        [("RCPT", "550 5.1.1 <alice@example.com> is unknown"), ("DATA", "554 5.7.1 It looks like spam")]
    {
        enqueue(&server, "alice@example.com", &changed("alice"));
        smtp.answer(&json!({verb: answer}));
        assert_eq!(server.deliver_mail(), delivered(0, 0, 1), "{answer}");
    }
    let errors = server.db.texts("SELECT error AS t FROM latchkey_mail ORDER BY id");
    assert!(errors[0].as_ref().unwrap().ends_with("answered 550: 5.1.1 <alice@example.com> is unknown."), "{errors:?}");
    assert!(errors[1].as_ref().unwrap().ends_with("answered 554: 5.7.1 It looks like spam."), "{errors:?}");
}

both!(an_address_that_mail_cannot_be_sent_to_is_given_up);
fn an_address_that_mail_cannot_be_sent_to_is_given_up(backend: Backend) {
    let smtp = Smtp::start();
    let server = server(backend, &smtp);
    for address in ["nobody", "a@example.com\r\nRCPT TO:<eve@example.com>", ""] {
        enqueue(&server, address, &changed("alice"));
        assert_eq!(server.deliver_mail(), delivered(0, 0, 1), "{address:?}");
    }
    assert!(smtp.received().is_empty());
}

both!(what_cannot_be_read_is_given_up_with_the_reason);
fn what_cannot_be_read_is_given_up_with_the_reason(backend: Backend) {
    let smtp = Smtp::start();
    let server = server(backend, &smtp);
    for (change, reason) in [
        ("template = 'from_the_future'", "Another version of Latchkey wrote it"),
        ("parameters = '{}'", "Another version of Latchkey wrote it"),
        ("parameters = 'no json'", "Another version of Latchkey wrote it"),
        ("secret = NULL", "The link of this mail is not there any more."),
        ("secret = 'AAAA'", "SECRET_KEY has changed"),
        ("recipient = 'eve@example.com'", "SECRET_KEY has changed"),
    ] {
        enqueue(&server, "alice@example.com", &reset("alice"));
        server.db.execute(&format!("UPDATE latchkey_mail SET {change} WHERE status = 'queued'"));
        assert_eq!(server.deliver_mail(), delivered(0, 0, 1), "{change}");
        let error = server.db.text("SELECT error AS t FROM latchkey_mail ORDER BY id DESC LIMIT 1").unwrap();
        assert!(error.contains(reason), "{change}: {error}");
    }
    let moved =
        Server::on(std::sync::Arc::clone(&server.db), &[("SECRET_KEY", "another-key-0123456789-another-key-0123")]);
    enqueue(&server, "alice@example.com", &reset("alice"));
    assert_eq!(moved.deliver_mail(), delivered(0, 0, 1));
    assert!(smtp.received().is_empty());
}

both!(a_login_that_the_server_refuses_can_be_mended);
fn a_login_that_the_server_refuses_can_be_mended(backend: Backend) {
    let smtp = Smtp::with(&json!({"user": "post", "password": "open-sesame"}));
    let url = |password: &str| format!("smtp://post:{password}@127.0.0.1:{}?tls=none", smtp.port);
    let wrong = Server::with(backend, &settings(&url("wrong-sesame")));
    enqueue(&wrong, "alice@example.com", &changed("alice"));
    smtp.answer(&json!({"AUTH": "535 5.7.8 wrong-sesame is wrong"}));
    assert_eq!(wrong.deliver_mail(), delivered(0, 1, 0));
    let error = column(&wrong, "error").unwrap();
    assert!(error.contains("answered 535: 5.7.8 *** is wrong."), "{error}");
    let missing = Server::on(std::sync::Arc::clone(&wrong.db), &settings(&smtp.url()));
    missing.advance(60);
    assert_eq!(missing.deliver_mail(), delivered(0, 1, 0), "530 Authentication required");
    smtp.answer(&json!({}));
    let right = Server::on(std::sync::Arc::clone(&wrong.db), &settings(&url("open-sesame")));
    right.advance(180);
    assert_eq!(right.deliver_mail(), delivered(1, 0, 0));
    assert_eq!(smtp.only().user.as_deref(), Some("post"));
}

both!(a_server_that_repeats_a_link_does_not_leave_it_with_us);
fn a_server_that_repeats_a_link_does_not_leave_it_with_us(backend: Backend) {
    let smtp = Smtp::start();
    let server = server(backend, &smtp);
    enqueue(&server, "alice@example.com", &reset("alice"));
    smtp.answer(&json!({"DATA": format!("554 The address https://a.b/?token={TOKEN} is on a list")}));
    assert_eq!(server.deliver_mail(), delivered(0, 0, 1));
    let error = column(&server, "error").unwrap();
    assert!(error.contains("token=*** is on a list") && !error.contains(TOKEN), "{error}");
}

both!(a_server_that_says_nothing_holds_nothing_up);
fn a_server_that_says_nothing_holds_nothing_up(backend: Backend) {
    // The system takes connections for it; nobody ever says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("smtp://{}?tls=none", silent.local_addr().unwrap());
    let server = Server::with(backend, &settings(&url));
    (0..8).for_each(|_| enqueue(&server, "alice@example.com", &changed("alice")));
    let mailer = Mailer::new(&server.app.config).with_deadline(Duration::from_millis(200));
    let all = server.wait(queue::deliver_due(&server.app.db, &mailer, &server.app.clock)).unwrap();
    assert_eq!(all, delivered(0, 8, 0));
    let errors = server.db.texts("SELECT DISTINCT error AS t FROM latchkey_mail");
    assert!(errors.len() == 1 && errors[0].as_ref().unwrap().contains("was not done within"), "{errors:?}");
}

both!(a_server_that_is_away_is_tried_again);
fn a_server_that_is_away_is_tried_again(backend: Backend) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = Server::with(backend, &settings(&format!("smtp://127.0.0.1:{port}?tls=none")));
    enqueue(&server, "alice@example.com", &changed("alice"));
    assert_eq!(server.deliver_mail(), delivered(0, 1, 0));
    let error = column(&server, "error").unwrap();
    assert!(error.contains(&format!("The mail server 127.0.0.1:{port} cannot be used: Connection refused")), "{error}");
}
