//! A database that Django and SimpleJWT made: its users log in, its tokens go on working, nothing of it is changed.

use serde_json::json;

use crate::harness::{Backend, Pair, Server, TestDatabase};

fn server(backend: Backend) -> Server {
    let database = TestDatabase::django(backend);
    database.migrate().unwrap();
    Server::on(database, &[])
}

/// The recorded token with this key.
fn recorded(server: &Server, id: i64) -> String {
    server.db.text(&format!("SELECT token AS t FROM token_blacklist_outstandingtoken WHERE id = {id}")).unwrap()
}

both!(django_s_users_log_in_and_keep_their_hashes);
fn django_s_users_log_in_and_keep_their_hashes(backend: Backend) {
    let server = server(backend);
    let hash = || server.db.text("SELECT password AS t FROM auth_user WHERE username = 'alice'").unwrap();
    let before = hash();
    assert!(before.starts_with("pbkdf2_sha256$1000$"), "{before}");
    Pair::of(&server.obtain("alice", "ecila-1"));
    assert_eq!(hash(), before);
    // Right, but inactive.
    server.obtain("bob", "bob-1").expect_status(401);
    let new = server.add_user("dora");
    let hash = server.db.text(&format!("SELECT password AS t FROM auth_user WHERE id = {}", new.id)).unwrap();
    assert!(hash.starts_with("pbkdf2_sha256$"), "{hash}");
}

both!(django_s_refresh_tokens_refresh_once);
fn django_s_refresh_tokens_refresh_once(backend: Backend) {
    let server = server(backend);
    let (live, blacklisted, of_inactive) = (recorded(&server, 1), recorded(&server, 2), recorded(&server, 3));
    let refused = json!({"detail": "Token is blacklisted", "code": "token_not_valid"});
    let pair = Pair::of(&server.refresh(&live));
    server.refresh(&live).expect(401, refused.clone());
    server.refresh(&blacklisted).expect(401, refused);
    server.refresh(&of_inactive).expect(401, json!({"detail": "No active account found for the given token."}));
    server.me(&pair.access).expect_status(200);
    assert_eq!(recorded(&server, 1), live);
    assert_eq!(server.db.count("SELECT count(*) FROM token_blacklist_outstandingtoken"), 7);
}

both!(django_may_delete_what_our_tables_refer_to);
fn django_may_delete_what_our_tables_refer_to(backend: Backend) {
    let server = server(backend);
    Pair::of(&server.obtain("alice", "ecila-1"));
    Pair::of(&server.refresh(&recorded(&server, 1)));
    // Its admin and its flushexpiredtokens know nothing of ours.
    let keys = backend.pick("PRAGMA foreign_keys = ON;", "");
    server.db.execute(&format!(
        "{keys} BEGIN; DELETE FROM token_blacklist_blacklistedtoken; DELETE FROM token_blacklist_outstandingtoken; \
         DELETE FROM auth_user; COMMIT"
    ));
    for table in ["latchkey_token", "latchkey_user", "latchkey_admin_session"] {
        assert_eq!(server.db.count(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
    server.obtain("alice", "ecila-1").expect_status(401);
}
