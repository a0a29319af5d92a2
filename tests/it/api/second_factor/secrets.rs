//! No secret of a factor stands anywhere in the clear: not in the database, not in the log of what was done.

use serde_json::json;

use super::{CONFIRM, FINISH, stage_with_mail, text, totp_at};
use crate::harness::{Backend, Server};

/// Every value of our tables and Django's, as text.
fn dump(server: &Server) -> String {
    let tables = [
        "latchkey_second_factor",
        "latchkey_recovery_code",
        "latchkey_challenge",
        "latchkey_browser",
        "latchkey_audit_log",
        "latchkey_mail",
        "latchkey_throttle",
        "latchkey_link",
        "latchkey_session",
        "latchkey_user",
    ];
    let texts = tables.map(|table| {
        let columns = server.db.texts(&server.db.backend.pick(
            format!("SELECT name AS t FROM pragma_table_info('{table}')"),
            format!("SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'"),
        ));
        assert!(!columns.is_empty(), "{table}");
        let all = columns.into_iter().flatten().flat_map(|column| {
            server.db.texts(&format!("SELECT coalesce(CAST({column} AS TEXT), '') AS t FROM {table}"))
        });
        all.flatten().collect::<Vec<_>>().join("\n")
    });
    texts.join("\n")
}

both!(no_secret_is_in_the_database_in_the_clear);
fn no_secret_is_in_the_database_in_the_clear(backend: Backend) {
    let (smtp, server) = stage_with_mail(backend, &[("LOGIN_THROTTLE", "false")]);
    let access = server.log_in("alice").access;
    let started = server.begin_factor(&access, "totp").expect_status(200).json();
    let (enrolment, secret) = (text(&started, "enrolment"), text(&started, "secret"));
    let mut secrets = vec![enrolment.clone(), secret.clone()];
    let waiting = dump(&server);
    assert!(secrets.iter().all(|secret| !waiting.contains(secret.as_str())), "while it waits");
    let body = json!({"enrolment": enrolment, "code": totp_at(&secret, server.time())});
    let done = server.client.post(CONFIRM, &body).expect_status(200).json();
    let codes = done["recovery_codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap());
    secrets.extend(codes.flat_map(|code| [code.to_owned(), code.replace('-', "")]));
    server.enrol_email(&smtp, &access);
    let challenge = server.challenge("alice");
    server.client.post("/api/token/second-factor/email/", &json!({"challenge": challenge})).expect_status(200);
    // A code that waits to be sent is sealed, too.
    let queued = dump(&server);
    let code = server.mailed_code(&smtp);
    let is_alone = |text: &str| text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == code);
    assert!(!is_alone(&queued) && !is_alone(&dump(&server)));
    secrets.push(challenge.clone());
    server.advance(30);
    let app = super::App { secret: secret.clone(), recovery_codes: vec![], id: 0 };
    let body = json!({"challenge": challenge, "method": "totp", "code": server.totp(&app), "remember": true});
    let device = text(&server.client.post(FINISH, &body).expect_status(200).json(), "device_token");
    secrets.push(device);
    let after = dump(&server);
    for secret in secrets {
        assert!(!after.contains(&secret), "{secret}");
    }
}

both!(a_secret_that_is_moved_to_another_user_opens_nothing);
fn a_secret_that_is_moved_to_another_user_opens_nothing(backend: Backend) {
    let (_smtp, server) = stage_with_mail(backend, &[]);
    server.add_user("bob");
    let alices = server.enrol_totp("alice");
    let bobs = server.enrol_totp("bob");
    server.db.execute(&format!(
        "UPDATE latchkey_second_factor SET data = (SELECT data FROM latchkey_second_factor WHERE id = {}) WHERE id = {}",
        bobs.id, alices.id
    ));
    super::assert_wrong(&server.answer(&server.challenge("alice"), "totp", &server.totp(&bobs)));
}
