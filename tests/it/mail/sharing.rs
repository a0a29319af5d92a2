//! Several instances on one queue, instances that die, and those that stop in good order.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use latchkey::app::Tx;
use latchkey::db::{Conn, Event, latchkey_mail};
use latchkey::mail::{Mailer, Outgoing, queue};
use serde_json::json;
use tokio::time::timeout;

use super::{TOKEN, changed, column, delivered, enqueue, reset, server, settings};
use crate::harness::binary::Latchkey;
use crate::harness::http::PATIENCE;
use crate::harness::{Backend, Server, Smtp, TestDatabase};

both!(instances_share_a_queue_and_send_nothing_twice);
fn instances_share_a_queue_and_send_nothing_twice(backend: Backend) {
    let smtp = Smtp::start();
    let one = server(backend, &smtp);
    let two = Server::on(Arc::clone(&one.db), &settings(&smtp.url()));
    for n in 0..30 {
        enqueue(&one, &format!("user{n}@example.com"), &changed("alice"));
    }
    let (first, second) = thread::scope(|scope| {
        let other = scope.spawn(|| two.deliver_mail());
        (one.deliver_mail(), other.join().unwrap())
    });
    assert_eq!(first.sent + second.sent, 30);
    let mails = smtp.received();
    let ids: BTreeSet<_> = mails.iter().map(|mail| mail.headers["message-id"].clone()).collect();
    assert_eq!((mails.len(), ids.len()), (30, 30));
}

both!(who_waits_for_a_link_or_a_code_waits_for_no_notice);
fn who_waits_for_a_link_or_a_code_waits_for_no_notice(backend: Backend) {
    let server = server(backend, &Smtp::start());
    let notice = |tx: &mut Tx<'_>| {
        let mail = Outgoing { to: "a@example.com", user: None, letter: &changed("a"), secret: None, give_up_at: None };
        tx.send(&mail)
    };
    for _ in 0..3 {
        server.wait(server.app.write(notice)).unwrap();
    }
    server.advance(60);
    enqueue(&server, "b@example.com", &reset("b"));
    enqueue(&server, "c@example.com", &reset("c"));
    let now = server.app.now();
    let claim = move |conn: &mut Conn| latchkey_mail::claim_due(conn, "me", (now, now + Duration::from_mins(1)), 1);
    let order: Vec<_> = (0..4).map(|_| server.wait(server.app.db.write(claim)).unwrap()[0].recipient.clone()).collect();
    assert_eq!(order, ["b@example.com", "c@example.com", "a@example.com", "a@example.com"]);
}

both!(what_a_dead_instance_held_is_taken_over_after_its_lease);
fn what_a_dead_instance_held_is_taken_over_after_its_lease(backend: Backend) {
    let smtp = Smtp::start();
    let server = server(backend, &smtp);
    enqueue(&server, "alice@example.com", &changed("alice"));
    // The mail server takes the mail, and the instance dies before it hears so.
    smtp.answer(&json!({"DATA": "nothing"}));
    let (app, runtime) = (&server.app, runtime());
    let (kill, killed) = tokio::sync::oneshot::channel::<()>();
    thread::scope(|scope| {
        let dying = scope.spawn(|| {
            runtime.block_on(async {
                tokio::select! {
                    ended = queue::deliver_due(&app.db, &app.mailer, &app.clock) => panic!("{ended:?}"),
                    killed = timeout(PATIENCE, killed) => drop(killed),
                }
            });
        });
        smtp.wait();
        drop(kill);
        dying.join().unwrap();
    });
    smtp.answer(&json!({}));
    server.advance(599);
    assert_eq!(server.deliver_mail(), delivered(0, 0, 0), "it may still be at it");
    server.advance(1);
    assert_eq!(server.deliver_mail(), delivered(1, 0, 0));
    server.advance(86_400);
    assert_eq!(server.deliver_mail(), delivered(0, 0, 0));
    let mails = smtp.received();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].headers["message-id"], mails[1].headers["message-id"]);
    assert_eq!(mails[0].headers["date"], mails[1].headers["date"]);
}

both!(that_a_mail_was_sent_is_noted_even_where_that_fails_at_first);
fn that_a_mail_was_sent_is_noted_even_where_that_fails_at_first(backend: Backend) {
    let smtp = Smtp::start();
    let server = server(backend, &smtp);
    enqueue(&server, "alice@example.com", &changed("alice"));
    let failures = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&failures);
    server.app.db.observe(Box::new(move |event| {
        let is_note = matches!(event, Event::Starts(text) if text.contains("UPDATE") && text.contains("done_at"));
        assert!(!is_note || seen.fetch_add(1, Ordering::SeqCst) > 0, "the first note is lost, as the test wants it");
    }));
    assert_eq!(server.deliver_mail(), delivered(1, 0, 0));
    assert_eq!(failures.load(Ordering::SeqCst), 2);
    assert_eq!(column(&server, "status").as_deref(), Some("sent"));
    smtp.only();
}

both!(a_stop_gives_back_what_could_not_be_finished);
fn a_stop_gives_back_what_could_not_be_finished(backend: Backend) {
    let smtp = Smtp::start();
    let server = server(backend, &smtp);
    enqueue(&server, "alice@example.com", &changed("alice"));
    smtp.answer(&json!({"DATA": "nothing"}));
    let (app, runtime) = (&server.app, runtime());
    let mailer = Mailer::new(&app.config).with_deadline(Duration::from_secs(12));
    thread::scope(|scope| {
        let sender = scope
            .spawn(|| runtime.block_on(async { timeout(PATIENCE, queue::run(&app.db, &mailer, &app.clock)).await }));
        smtp.wait();
        mailer.stop();
        sender.join().unwrap().expect("it ends");
    });
    assert_eq!(column(&server, "claim"), None, "the next instance need not wait for the lease");
    assert!(column(&server, "error").unwrap().contains("stopped before"));
    smtp.answer(&json!({}));
    server.advance(60);
    assert_eq!(server.deliver_mail(), delivered(1, 0, 0));
}

both!(the_running_server_sends_what_waits_and_logs_no_secret);
fn the_running_server_sends_what_waits_and_logs_no_secret(backend: Backend) {
    let smtp = Smtp::start();
    let server = server(backend, &smtp);
    // By the wall clock of the real binary it is long overdue, and still worth sending.
    enqueue(&server, "alice@example.com", &reset("alice"));
    server.db.execute("UPDATE latchkey_mail SET give_up_at = '9999-01-01 00:00:00'");
    let latchkey = Latchkey::on(TestDatabase::empty(Backend::Sqlite)).set("DATABASE_URL", &server.db.url);
    let latchkey = latchkey.set("EMAIL_URL", &smtp.url()).set("RUST_LOG", "trace");
    let serving = latchkey.serve();
    assert_eq!(smtp.wait().token(), TOKEN);
    let said = serving.stop().expect(0);
    assert!(said.err.contains("sent a mail"), "{said:?}");
    for secret in [TOKEN, "alice@"] {
        assert!(!said.out.contains(secret) && !said.err.contains(secret), "{secret} was said");
    }
    assert_eq!(column(&server, "status").as_deref(), Some("sent"));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
