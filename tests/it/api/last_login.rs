//! `last_login`: written by a login, but no lever for a flood of writes.

use crate::harness::{Backend, Server};

fn last_login(server: &Server) -> Option<String> {
    server.db.text("SELECT last_login AS t FROM auth_user")
}

both!(a_login_is_noted_at_most_once_a_minute);
fn a_login_is_noted_at_most_once_a_minute(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    assert_eq!(last_login(&server), None);
    server.log_in("alice");
    let first = last_login(&server).unwrap();
    assert!(first.starts_with("2026-03-01 12:00:00.123456"), "{first}");
    server.advance(59);
    server.log_in("alice");
    assert_eq!(last_login(&server), Some(first));
    server.advance(2);
    server.log_in("alice");
    let later = last_login(&server).unwrap();
    assert!(later.starts_with("2026-03-01 12:01:01.123456"), "{later}");
}

both!(a_refused_login_is_not_noted);
fn a_refused_login_is_not_noted(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    server.obtain("alice", "wrong").expect_status(401);
    assert_eq!(last_login(&server), None);
}

both!(nothing_is_noted_where_the_setting_says_so);
fn nothing_is_noted_where_the_setting_says_so(backend: Backend) {
    let server = Server::with(backend, &[("JWT_UPDATE_LAST_LOGIN", "false")]);
    server.add_user("alice");
    server.log_in("alice");
    assert_eq!(last_login(&server), None);
}
