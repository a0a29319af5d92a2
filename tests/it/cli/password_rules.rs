//! New passwords at the command line follow `PASSWORD_RULES`, unless whoever sits there says otherwise.

use crate::harness::binary::Latchkey;
use crate::harness::{Backend, Pair, Server, TestDatabase};

const WEAK: &str = "letmein1";

both!(a_weak_password_is_refused_with_every_reason);
fn a_weak_password_is_refused_with_every_reason(backend: Backend) {
    let latchkey = Latchkey::on(TestDatabase::migrated(backend));
    let reasons = ["at least 15 characters", "too common", "--skip-password-rules"];
    latchkey.run_with(&["users", "create", "ann", "--password-stdin"], WEAK).expect(1).expect_words(&reasons);
    latchkey.run(&["users", "create", "bob", "--password-stdin", "--json"]).expect(1).expect_words(&["Blank"]);
    let csv = format!("username,password\nann,{WEAK}\nbob,violet-harbour-17\n");
    latchkey.run_with(&["users", "load", "-"], &csv).expect(1).expect_words(&["line 2", reasons[0], reasons[1]]);
    let latchkey = latchkey.set("LATCHKEY_SUPERUSER_PASSWORD", WEAK);
    let superuser = ["createsuperuser", "--noinput", "--username", "root", "--email", ""];
    latchkey.run(&superuser).expect(1).expect_words(&reasons);
    assert_eq!(latchkey.database.count("SELECT count(*) FROM auth_user"), 0);
}

both!(the_rules_are_set_aside_with_a_warning);
fn the_rules_are_set_aside_with_a_warning(backend: Backend) {
    let latchkey = Latchkey::on(TestDatabase::migrated(backend)).set("LATCHKEY_SUPERUSER_PASSWORD", WEAK);
    let warned = |arguments: &[&str], stdin: &str| {
        let said = latchkey.run_with(&[arguments, &["--skip-password-rules"]].concat(), stdin).expect(0);
        assert!(said.err.contains("Warning: ") && said.err.contains("PASSWORD_RULES"), "{said:?}");
    };
    warned(&["users", "create", "ann", "--password-stdin"], WEAK);
    warned(&["changepassword", "ann", "--password-stdin"], "letmein2");
    warned(&["users", "load", "-"], &format!("username,password\nbob,{WEAK}\n"));
    warned(&["createsuperuser", "--noinput", "--username", "root", "--email", ""], "");
    let long = "x".repeat(4097);
    let fault = latchkey
        .run_with(&["users", "load", "-", "--skip-password-rules"], &format!("username,password\neve,{long}\n"));
    fault.expect(1).expect_words(&["4096 bytes"]);
    let server = Server::on(latchkey.database, &[]);
    for (name, password) in [("ann", "letmein2"), ("bob", WEAK), ("root", WEAK)] {
        Pair::of(&server.obtain(name, password));
    }
}

both!(a_hash_is_taken_whatever_it_is_of);
fn a_hash_is_taken_whatever_it_is_of(backend: Backend) {
    let server = Server::start(backend);
    server.add("ann", |user| user.password = latchkey::accounts::manage::NewPassword::Plain(WEAK.into()));
    let hash = server.db.text("SELECT password AS t FROM auth_user").unwrap();
    let latchkey = Latchkey::on(TestDatabase::migrated(backend));
    let said = latchkey.run_with(&["users", "load", "-"], &format!("username,password_hash\nbob,{hash}\n")).expect(0);
    assert_eq!(said.err, "");
    Pair::of(&Server::on(latchkey.database, &[]).obtain("bob", WEAK));
}
