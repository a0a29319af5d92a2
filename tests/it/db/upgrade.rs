//! What was issued before a migration is good after it: account sessions that were challenges, remembered browsers, and
//! recovery codes whose hashes were made in another way.

use latchkey::accounts::account_session;
use latchkey::crypto::digest::hmac_sha256;
use latchkey::crypto::random::hex;
use latchkey::db::DbError;
use latchkey::db::types::UserId;
use latchkey::factors::challenge::{self, LoginTarget, Purpose};
use latchkey::factors::remembered_browser;
use latchkey::journal::Client;
use latchkey::journal::authentication::AuthenticatedBy;

use crate::api::second_factor::stage;
use crate::harness::server::SECRET;
use crate::harness::{Backend, Pair};

/// As versions before migration 7 joined what a code is about: with spaces.
fn older_mac(text: &str) -> String {
    hex(&hmac_sha256(SECRET.as_bytes(), text.as_bytes()))
}

both!(what_was_issued_before_migration_7_is_good_after_it);
fn what_was_issued_before_migration_7_is_good_after_it(backend: Backend) {
    let server = stage(backend, &[]);
    let app = server.enrol_totp("alice");
    let id = UserId::Integer(server.db.count("SELECT id FROM auth_user WHERE username = 'alice'"));
    let client = Client::default();
    let issued = server.wait(server.app.write(move |tx| {
        let user = tx.app.users.find(tx.conn, id)?.ok_or(DbError::NotFound)?;
        let by = AuthenticatedBy::Factor(latchkey::journal::authentication::Method::Recovery);
        Ok::<_, DbError>((
            account_session::open(tx, &user, &client, by)?,
            remembered_browser::remember(tx, &user, &client)?.expect("SECOND_FACTOR_REMEMBER is on"),
            challenge::begin(tx, &user, &client, Purpose::Login(LoginTarget::TokenPair))?,
            user,
        ))
    }));
    let (session, browser, pending, user) = issued.unwrap();

    // Back to before the migration, with the fingerprints and hashes of that time.
    let folder = backend.pick("sqlite", "postgres");
    let undo =
        format!("{}/migrations/{folder}/2026-11-29-000007_account_sessions/down.sql", env!("CARGO_MANIFEST_DIR"));
    server.db.execute(&std::fs::read_to_string(undo).unwrap());
    server.db.execute("DELETE FROM __diesel_schema_migrations WHERE version = '20261129000007'");
    let state = older_mac(&format!("latchkey challenge {id} {}", user.password.0));
    for table in ["latchkey_challenge", "latchkey_browser"] {
        server.db.execute(&format!("UPDATE {table} SET state = '{state}'"));
    }
    let code = &app.recovery_codes[0];
    let hash = older_mac(&format!("latchkey recovery code {id} {}", code.replace('-', "")));
    server.db.execute("DELETE FROM latchkey_recovery_code");
    server.db.execute(&format!(
        "INSERT INTO latchkey_recovery_code (user_id, code_hash, created_at) VALUES ({id}, '{hash}', '2026-03-01 12:00:00')"
    ));
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_challenge WHERE purpose = 'visit'"), 1);

    server.db.migrate().unwrap();
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_challenge WHERE purpose = 'visit'"), 0);
    assert!(server.wait(account_session::find(&server.app, session)).unwrap().is_some());
    let recognised = server.app.write(move |tx| remembered_browser::recognise(tx, &user, &browser, &Client::default()));
    assert!(server.wait(recognised).unwrap());
    let pending = secrecy::ExposeSecret::expose_secret(&pending).to_owned();
    Pair::of(&server.answer(&pending, "recovery", code));
}
