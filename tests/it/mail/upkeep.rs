//! What is over is deleted in the background: mails that are done, links, devices and tries.

use latchkey::accounts::upkeep;

use super::{changed, enqueue, server};
use crate::harness::{Backend, Smtp};

both!(what_is_over_is_deleted_after_a_month_and_nothing_else);
fn what_is_over_is_deleted_after_a_month_and_nothing_else(backend: Backend) {
    let smtp = Smtp::start();
    let server = server(backend, &smtp);
    let user = server.add_user("alice").id;
    enqueue(&server, "alice@example.com", &changed("alice"));
    server.deliver_mail();
    let (old, new) = ("'2026-03-01 12:00:00'", "'2026-03-31 13:00:00'");
    let link = |hash: &str, end: &str| {
        format!(
            "INSERT INTO latchkey_link VALUES ('{hash}', 'password_reset', {user}, 'a@b.co', '', '', {old}, {end});"
        )
    };
    let device = |name: &str, last: &str| {
        format!("INSERT INTO latchkey_device VALUES ({user}, '192.0.2.1', '{name}', {old}, {last});")
    };
    let bucket =
        |bucket: i64, last: &str| format!("INSERT INTO latchkey_throttle VALUES ({bucket}, 1, {last}, {last});");
    server.db.execute(
        &[link("a", old), link("b", new), device("a", old), device("b", new), bucket(1, old), bucket(2, new)].concat(),
    );
    let left = || {
        ["latchkey_mail", "latchkey_link", "latchkey_device", "latchkey_throttle"]
            .map(|table| server.db.count(&format!("SELECT count(*) FROM {table}")))
    };
    assert_eq!(left(), [1, 2, 2, 2]);
    server.advance(30 * 86_400 - 1);
    enqueue(&server, "bob@example.com", &changed("bob"));
    server.wait(upkeep::once(&server.app)).unwrap();
    assert_eq!(left(), [2, 1, 2, 1], "only links are over at once");
    server.advance(2);
    server.wait(upkeep::once(&server.app)).unwrap();
    assert_eq!(left(), [1, 1, 1, 1]);
    assert_eq!(server.db.text("SELECT recipient AS t FROM latchkey_mail").as_deref(), Some("bob@example.com"));
}
