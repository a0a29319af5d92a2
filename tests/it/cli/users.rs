//! `latchkey users …`: what an operator scripts with, also while a server runs on the same database.

use serde_json::json;

use crate::harness::binary::Latchkey;
use crate::harness::{Backend, PASSWORD, Pair, Server, TestDatabase};

/// The command line on the database of a running server.
fn beside(server: &Server) -> Latchkey {
    Latchkey::on(TestDatabase::empty(server.db.backend)).set("DATABASE_URL", &server.db.url)
}

both!(users_are_made_shown_and_listed_in_json);
fn users_are_made_shown_and_listed_in_json(backend: Backend) {
    let latchkey = Latchkey::on(TestDatabase::migrated(backend));
    let create = |arguments: &[&str]| {
        let mut all = vec!["users", "create", "--password-stdin", "--json"];
        all.extend(arguments);
        latchkey.run_with(&all, PASSWORD)
    };
    let alice = create(&["alice", "--email", "alice@Example.COM", "--staff"]).expect(0).json();
    assert_eq!(alice["email"], "alice@example.com");
    assert_eq!(
        (&alice["is_staff"], &alice["is_superuser"], &alice["is_active"]),
        (&json!(true), &json!(false), &json!(true))
    );
    assert!(alice.get("password").is_none(), "{alice}");
    create(&["bob", "--inactive"]).expect(0);
    create(&["alice"]).expect(1).expect_words(&["already exists"]);
    create(&["carol", "--email", "ALICE@example.com"]).expect(1);
    create(&["alice@example.com"]).expect(1);
    create(&["not allowed"]).expect(1);
    let listed = latchkey.run(&["users", "list", "--json"]).expect(0).json();
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect();
    assert_eq!(names, ["alice", "bob"]);
    let shown = latchkey.run(&["users", "show", "bob", "--json"]).expect(0).json();
    assert_eq!((&shown["is_active"], &shown["outstanding_tokens"]), (&json!(false), &json!(0)));
    latchkey.run(&["users", "show", "nobody"]).expect(1).expect_words(&["nobody"]);
    let table = latchkey.run(&["users", "list"]).expect(0).expect_words(&["alice", "bob", "2 users"]);
    assert!(!table.out.contains('$'), "{}", table.out);
}

both!(commands_work_while_a_server_runs_on_the_same_database);
fn commands_work_while_a_server_runs_on_the_same_database(backend: Backend) {
    let server = Server::start(backend);
    let latchkey = beside(&server);
    latchkey.run_with(&["users", "create", "alice", "--password-stdin"], PASSWORD).expect(0);
    let pair = server.log_in("alice");
    latchkey.run(&["users", "deactivate", "alice"]).expect(0);
    server.me(&pair.access).expect(401, json!({"detail": "User is inactive", "code": "user_inactive"}));
    server.refresh(&pair.refresh).expect_status(401);
    latchkey.run(&["users", "activate", "alice"]).expect(0);
    let pair = server.log_in("alice");
    latchkey.run(&["users", "delete", "alice"]).expect(1).expect_words(&["--yes"]);
    latchkey.run(&["users", "delete", "alice", "--yes"]).expect(0);
    server.refresh(&pair.refresh).expect_status(401);
    assert_eq!(server.db.count("SELECT count(*) FROM auth_user"), 0);
}

both!(the_last_active_superuser_stays);
fn the_last_active_superuser_stays(backend: Backend) {
    let server = Server::start(backend);
    let latchkey = beside(&server);
    for name in ["ann", "bob"] {
        latchkey.run_with(&["users", "create", name, "--superuser", "--password-stdin"], PASSWORD).expect(0);
    }
    latchkey.run(&["users", "deactivate", "ann"]).expect(0);
    latchkey.run(&["users", "deactivate", "bob"]).expect(1).expect_words(&["last active superuser"]);
    latchkey.run(&["users", "delete", "bob", "--yes"]).expect(1).expect_words(&["last active superuser"]);
    assert_eq!(server.db.count("SELECT count(*) FROM auth_user WHERE is_superuser AND is_active"), 1);
    latchkey.run(&["users", "delete", "ann", "--yes"]).expect(0);
}

both!(load_takes_csv_and_json_with_passwords_and_hashes);
fn load_takes_csv_and_json_with_passwords_and_hashes(backend: Backend) {
    let server = Server::start(backend);
    let latchkey = beside(&server);
    let csv = "username,email,password,is_staff\nalice,alice@example.com,violet-harbour-17,true\nbob,,,\n";
    latchkey.run_with(&["users", "load", "-"], csv).expect(0).expect_words(&["2 users"]);
    server.log_in("alice");
    // "violet-harbour-17", as PBKDF2 with a thousand rounds.
    let hash = "pbkdf2_sha256$1000$tests$G3qaLX2aqss1d3Kvocb8oBCmte6jsxiwbte+71z4uCA=";
    let rows = json!([{"username": "carol", "password_hash": hash, "first_name": "Carol", "is_active": true}]);
    let file = latchkey.database.folder.path().join("users.json");
    std::fs::write(&file, rows.to_string()).unwrap();
    latchkey.run(&["users", "load", "users.json"]).expect(0);
    Pair::of(&server.obtain("carol", PASSWORD));
}

both!(load_with_bad_rows_names_them_all_and_loads_nothing);
fn load_with_bad_rows_names_them_all_and_loads_nothing(backend: Backend) {
    let latchkey = Latchkey::on(TestDatabase::migrated(backend));
    let csv = "username,email,password\nalice,alice@example.com,violet-harbour-17\n,x@example.com,p4ss-word\n\
               bob,not-an-address,p4ss-word\nalice,second@example.com,p4ss-word\n";
    latchkey.run_with(&["users", "load", "-"], csv).expect(1).expect_words(&["line 3", "line 4", "line 5"]);
    assert_eq!(latchkey.database.count("SELECT count(*) FROM auth_user"), 0);
    let twice = "username\nalice\nbob\nalice\n";
    latchkey.run_with(&["users", "load", "-"], twice).expect(1).expect_words(&["line 4"]);
    assert_eq!(latchkey.database.count("SELECT count(*) FROM auth_user"), 0);
    latchkey.run(&["users", "load", "missing.csv"]).expect(1).expect_words(&["missing.csv"]);
}

both!(a_password_is_never_an_argument);
fn a_password_is_never_an_argument(backend: Backend) {
    let latchkey = Latchkey::on(TestDatabase::migrated(backend));
    for wrong in [&["users", "create", "alice", "--password", "x"][..], &["changepassword", "alice", "x"]] {
        latchkey.run(wrong).expect(2);
    }
}

both!(who_lost_every_factor_gets_in_again);
fn who_lost_every_factor_gets_in_again(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    server.enrol_totp("alice");
    server.obtain("alice", PASSWORD).expect_status(401);
    let latchkey = beside(&server);
    let shown = || {
        let shown = latchkey.run(&["users", "show", "alice", "--json"]).expect(0).json();
        (shown["second_factors"].clone(), shown["recovery_codes"].clone())
    };
    assert_eq!(shown(), (json!(["totp"]), json!(10)));
    latchkey.run(&["users", "removefactors", "alice"]).expect(1).expect_words(&["--yes"]);
    latchkey.run(&["users", "removefactors", "alice", "--yes"]).expect(0).expect_words(&["1 second factor removed"]);
    assert_eq!(shown(), (json!([]), json!(0)));
    server.log_in("alice");
    latchkey.run(&["users", "removefactors", "alice", "--yes"]).expect(0).expect_words(&["has no second factor"]);
    let entry = "SELECT count(*) FROM latchkey_audit_log WHERE action = 'second_factor.remove' AND actor_id IS NULL";
    assert_eq!(server.db.count(entry), 1);
}
