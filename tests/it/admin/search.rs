//! The search field on every page: straight to a user, a session or a token, else to a list.

use super::{BLACKLISTED, OUTSTANDING, USERS};
use crate::harness::forge::jti;
use crate::harness::{Backend, Server};

both!(the_search_leads_straight_to_what_is_meant);
fn the_search_leads_straight_to_what_is_meant(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let alice = server.add_user("alice");
    let pair = server.log_in("alice");
    let session = server.db.text("SELECT id AS t FROM latchkey_session").unwrap();
    let user = format!("{USERS}{}/change/", alice.id);
    let token = format!("{OUTSTANDING}{}/change/", server.token_id(&pair.refresh));
    let unknown = "0123456789abcdef0123456789abcdef";
    let mut panel = server.panel_of("root");
    let page = panel.get("/admin/");
    for (typed, address) in [
        ("alice", &*user),
        (" ALICE ", &user),
        ("Alice@example.com", &user),
        (&alice.id.to_string(), &user),
        (&session, &format!("/admin/sessions/{session}/")),
        (&jti(&pair.refresh), &token),
        (&pair.refresh, &token),
        (&format!("Authorization: Bearer {}", pair.refresh), &token),
        (&pair.access, "/admin/explain/"),
        ("eyJhbGciOiJIUzI1NiJ9.broken.c2ln", "/admin/explain/"),
        ("ali", &format!("{USERS}?q=ali")),
        (unknown, &format!("{OUTSTANDING}?q={unknown}")),
        ("a\0b", &format!("{USERS}?q=ab")),
        ("", "/admin/"),
        ("-1", &format!("{USERS}?q=-1")),
        ("99999999999999999999", &format!("{USERS}?q=99999999999999999999")),
    ] {
        let answer = panel.submit(&page, "/admin/search/", &[("q", typed)]);
        assert_eq!((answer.status, answer.header("location")), (303, Some(address)), "{typed}");
    }
}

both!(what_names_two_users_leads_to_the_list);
fn what_names_two_users_leads_to_the_list(backend: Backend) {
    let server = Server::start(backend);
    let root = server.add_superuser("root");
    let id = root.id.to_string();
    server.add_user(&id);
    let mut panel = server.panel_of("root");
    let page = panel.get("/admin/");
    let answer = panel.submit(&page, "/admin/search/", &[("q", &id)]);
    assert_eq!(answer.header("location"), Some(&*format!("{USERS}?q={id}")));
}

both!(a_search_that_means_too_many_users_says_so_and_is_not_exported);
fn a_search_that_means_too_many_users_says_so_and_is_not_exported(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let alice = server.add_user("alice");
    let copy = "INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, \
                is_active, date_joined) SELECT password, false, ";
    for number in 0..51 {
        server.db.execute(&format!(
            "{copy} 'many{number}', '', '', '', false, true, date_joined FROM auth_user WHERE id = {}",
            alice.id
        ));
    }
    let mut panel = server.panel_of("root");
    let notice = "More than 50 users match the search. Only 50 of them are included below.";
    for list in ["/admin/sessions/", "/admin/audit_log/", OUTSTANDING, BLACKLISTED] {
        assert!(panel.get(&format!("{list}?q=many")).expect_status(200).text().contains(notice), "{list}");
        assert!(!panel.get(&format!("{list}?q=alice")).text().contains("More than"), "{list}");
    }
    let export = panel.get("/admin/audit_log/export/?q=many");
    assert_eq!((export.status, export.header("location")), (303, Some("/admin/audit_log/?q=many")));
    assert!(panel.follow(&export).text().contains("Nothing was exported: the search matches more than 50 users."));
}
