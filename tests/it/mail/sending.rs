//! A mail on its way to a real server: how it looks there, and what is left of it here.

use super::{TOKEN, enqueue, reset, server};
use crate::harness::{Backend, Smtp};

both!(a_mail_arrives_with_text_and_looks);
fn a_mail_arrives_with_text_and_looks(backend: Backend) {
    let smtp = Smtp::start();
    let server = server(backend, &smtp);
    enqueue(&server, "alice@example.com", &reset(&server, "alice"), None);
    let delivered = server.deliver_mail();
    assert_eq!((delivered.sent, delivered.again, delivered.given_up), (1, 0, 0));
    let mail = smtp.only();
    assert_eq!(
        (&*mail.from, mail.to.as_slice()),
        ("accounts@example.com", ["alice@example.com".to_owned()].as_slice())
    );
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
        assert!(part.contains("alice") && part.contains("Bücherei Süd") && part.contains("203.0.113.9"), "{part}");
        assert!(part.contains("1 March 2026, 13:00 UTC"), "{part}");
    }
    assert_eq!(server.deliver_mail().sent, 0, "it is sent once");
}
