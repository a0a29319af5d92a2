//! "Your password": asked for again where a login is older than fifteen minutes.

use super::USERS;
use crate::harness::{Backend, PASSWORD, Server};

const FIELD: &str = "name=\"own_password\"";
const WRONG: &str = "Your password was entered incorrectly. Please enter it again.";

both!(an_old_login_has_to_show_its_password_again);
fn an_old_login_has_to_show_its_password_again(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let ann = server.add_user("ann");
    let mut panel = server.panel_of("root");
    let address = format!("{USERS}{}/delete/", ann.id);
    server.advance(15 * 60 - 1);
    assert!(!panel.get(&address).text().contains(FIELD));
    server.advance(1);
    let form = panel.get(&address);
    assert!(form.text().contains(FIELD) && form.text().contains("you logged in 15 minutes ago"), "{}", form.text());
    for (given, text) in [("", "This field is required."), ("wrong", WRONG), ("violet-harbour-17 ", WRONG)] {
        let answer = panel.submit(&form, "/delete/", &[("own_password", given)]);
        assert!(answer.expect_status(200).text().contains(text), "{given}: {}", answer.text());
        assert!(!answer.text().contains("violet-harbour"));
    }
    assert_eq!(server.db.count("SELECT count(*) FROM auth_user"), 2);
    let failed = "SELECT count FROM latchkey_audit_log WHERE action = 'login.failed'";
    assert_eq!(server.db.count(failed), 2, "each wrong try is a failed login");
    panel.submit(&form, "/delete/", &[("own_password", PASSWORD)]).expect_status(303);
    assert_eq!(server.db.count("SELECT count(*) FROM auth_user"), 1);
}

both!(a_password_given_again_counts_as_a_login);
fn a_password_given_again_counts_as_a_login(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let ann = server.add_user("ann");
    let mut panel = server.panel_of("root");
    let address = format!("{USERS}{}/password/", ann.id);
    server.advance(3600);
    let form = panel.get(&address);
    let typed = [("password1", "quiet-lantern-23"), ("password2", "quiet-lantern-23"), ("own_password", PASSWORD)];
    assert!(panel.submit(&form, "/password/", &typed[..2]).text().contains("This field is required."));
    panel.submit(&form, "/password/", &typed).expect_status(303);
    server.advance(14 * 60);
    let form = panel.get(&address);
    assert!(!form.text().contains(FIELD));
    panel.submit(&form, "/password/", &typed[..2]).expect_status(303);
}

both!(every_change_of_an_account_asks);
fn every_change_of_an_account_asks(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let ann = server.add_user("ann");
    let mut panel = server.panel_of("root");
    server.advance(3600);
    for address in [
        "add/".to_owned(),
        format!("{}/change/", ann.id),
        format!("{}/password/", ann.id),
        format!("{}/blacklist/", ann.id),
    ] {
        let form = panel.get(&format!("{USERS}{address}"));
        assert!(form.text().contains(FIELD), "{address}");
        let fields = [("username", "other"), ("is_superuser", "on"), ("password1", "x"), ("password2", "x")];
        let answer = panel.submit(&form, &address, &fields);
        assert!(answer.expect_status(200).text().contains("own_password-error"), "{address}: {}", answer.text());
    }
    assert_eq!(server.db.count("SELECT count(*) FROM auth_user WHERE is_superuser"), 1);
    assert_eq!(server.db.count("SELECT count(*) FROM auth_user"), 2);
    server.obtain("ann", PASSWORD).expect_status(200);
}
